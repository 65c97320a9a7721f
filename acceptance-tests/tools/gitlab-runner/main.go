// Command gitlab-runner stands in for GitLab Runner on the acceptance tests' own cluster: it does what the start
// scripts of a release and its Role are tested with, as the documentation and the behaviour of the real one say.
//
// The version that it plays is the variable RUNNER_STAND_IN_VERSION (default 19.3.0). It is one static program for
// both images: called as gitlab-runner-helper or gitlab-runner-build it is what the helper image has.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/urfave/cli/v2"
)

func main() {
	switch filepath.Base(os.Args[0]) {
	case "gitlab-runner-helper":
		os.Exit(helper(os.Args[1:]))
	case "gitlab-runner-build":
		os.Exit(helperShell(os.Args[1:]))
	}
	defer func() {
		if failure := recover(); failure != nil {
			if _, stopped := failure.(stop); stopped {
				os.Exit(1)
			}
			panic(failure)
		}
	}()
	cli.VersionFlag = &cli.BoolFlag{Name: "version", Aliases: []string{"v"}, Usage: "print the version"}
	cli.VersionPrinter = func(*cli.Context) {
		fmt.Printf("Version:      %s\nGit revision: %s\nGO version:   %s\nOS/Arch:      %s/%s\n",
			version(), revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	}
	level := newOption("log-level,l", "LOG_LEVEL", 's', "")
	format := newOption("log-format", "LOG_FORMAT", 's', "")
	debug := newOption("debug", "RUNNER_DEBUG", 'b', "")
	app := &cli.App{
		Name:    "gitlab-runner",
		Usage:   "a GitLab Runner (stand-in)",
		Version: fmt.Sprintf("%s (%s)", version(), revision),
		Flags:   flagsOf([]*option{debug, format, level}),
		Before: func(*cli.Context) error {
			if debug.isTrue() {
				level.text = "debug"
			}
			return setUpLog(level.text, format.text)
		},
		Commands: []*cli.Command{registerCommand(), runCommand(), verifyCommand(), unregisterCommand()},
	}
	for _, command := range app.Commands {
		command.Before = announce
	}
	if err := app.Run(os.Args); err != nil {
		log.fatal(nil, err.Error())
	}
}

// These tell that level or format came from the command line or a variable, and config.toml has no say.
var levelIsSet, formatIsSet bool

func setUpLog(level, format string) error {
	if level != "" {
		levelIsSet = true
		if err := log.setLevel(level); err != nil {
			return err
		}
	}
	if format != "" {
		formatIsSet = true
		return log.setFormat(format)
	}
	return nil
}

func announce(*cli.Context) error {
	log.info(fields{
		"arch": runtime.GOARCH, "os": runtime.GOOS, "pid": os.Getpid(), "revision": revision, "version": version(),
	}, "Runtime platform")
	return nil
}

func userModeWarning() {
	if os.Getuid() == 0 {
		log.info(nil, "Running in system-mode.")
		log.info(nil, "")
		return
	}
	log.warn(nil, "Running in user-mode.")
	log.warn(nil, "Use sudo for system-mode:")
	log.warn(nil, "$ sudo gitlab-runner...")
	log.info(nil, "")
}
