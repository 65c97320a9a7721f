package main

import (
	"fmt"
	"strings"
)

const (
	buildContainer  = "build"
	helperContainer = "helper"
	detectScript    = "detect_shell_script"
)

// shells are where the container's command looks for a shell, in this order.
var shells = []string{
	"/usr/local/bin/bash", "/usr/bin/bash", "/bin/bash", "/usr/local/bin/sh", "/usr/bin/sh", "/bin/sh", "/busybox/sh",
}

// detectShell is a script that becomes the first shell there is; its arguments are the shell's.
func detectShell() string {
	var script strings.Builder
	word := "if"
	for _, shell := range shells {
		fmt.Fprintf(&script, "%s [ -x %s ]; then\n\texec %s $@\n", word, shell, shell)
		word = "elif"
	}
	script.WriteString("else\n\techo shell not found\n\texit 1\nfi\n\n")
	return script.String()
}

// stage is one script of a job and the container that it runs in.
type stage struct {
	name      string
	container string
	script    string
}

// stages are those of the job that this program has: nothing is cloned, cached or uploaded.
func (b *build) stages() []stage {
	hello := "echo \"Running on $(hostname)"
	if hostname != "" {
		hello += " via " + hostname
	}
	result := []stage{{"prepare_script", helperContainer, b.script([]string{hello + "...\""}, false)}}
	for _, one := range b.Steps {
		switch one.Name {
		case "script", "release":
			lines := nonEmpty(b.runner.text("pre_build_script"))
			lines = append(lines, one.Script...)
			lines = append(lines, nonEmpty(b.runner.text("post_build_script"))...)
			name := "step_script"
			if one.Name == "release" {
				name = "step_release"
			}
			result = append(result, stage{name, buildContainer, b.script(lines, true)})
		case "after_script":
			result = append(result, stage{"after_script", buildContainer, b.script(one.Script, true)})
		}
	}
	return append(result, stage{"cleanup_file_variables", helperContainer, b.script([]string{"true"}, false)})
}

func nonEmpty(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// script is a whole script: it ends with a line of JSON that has its exit status, and with status 0.
func (b *build) script(lines []string, shown bool) string {
	var script strings.Builder
	script.WriteString("#!/usr/bin/env bash\n\n")
	script.WriteString("at_the_end() {\n\tstatus=$?\n\techo \"\"\n")
	script.WriteString("\techo \"{\\\"command_exit_code\\\": $status, \\\"script\\\": \\\"$0\\\"}\"\n\texit 0\n}\n")
	script.WriteString("trap at_the_end EXIT\n\n")
	script.WriteString("if set -o | grep pipefail > /dev/null; then set -o pipefail; fi\nset -o errexit\nset +o noclobber\n")
	script.WriteString(": | eval " + quote(b.commands(lines, shown)) + "\nexit 0\n")
	return script.String()
}

func (b *build) commands(lines []string, shown bool) string {
	var commands strings.Builder
	for _, pair := range b.runner.list("environment") {
		if name, value, found := strings.Cut(pair, "="); found {
			fmt.Fprintf(&commands, "export %s=%s\n", name, quote(value))
		}
	}
	fmt.Fprintf(&commands, "export CI=true\nexport GITLAB_CI=true\nexport CI_JOB_ID=%d\n", b.ID)
	for _, one := range b.Variables {
		fmt.Fprintf(&commands, "export %s=%s\n", one.Key, quote(one.Value))
	}
	if shown {
		fmt.Fprintf(&commands, "mkdir -p %[1]s 2>/dev/null || true\ncd %[1]s\n", quote(b.buildsDir()))
	}
	for _, line := range lines {
		if shown {
			first, rest, several := strings.Cut(strings.TrimSpace(line), "\n")
			if several && rest != "" {
				first += " # collapsed multi-line command"
			}
			fmt.Fprintf(&commands, "echo %s\n", quote("\033[32;1m$ "+first+"\033[0;m"))
		}
		commands.WriteString(strings.TrimSpace(line) + "\n")
	}
	return commands.String()
}

// quote makes one word of the shell of any text.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// saveScript is what a shell in a container runs to write a script where everybody may run it.
func saveScript(path, script string) string {
	return fmt.Sprintf("touch %[1]s\nchmod 777 %[1]s\nprintf '%%s' %[2]s > %[1]s\n", path, quote(script))
}

func (b *build) buildsDir() string {
	if directory := b.runner.text("builds_dir"); directory != "" {
		return directory
	}
	return "/builds"
}

func (b *build) folder(otherwise, key string) string {
	base := b.runner.kubernetes().text(key)
	if base == "" {
		base = otherwise
	}
	return fmt.Sprintf("%s-%d-%d", base, b.JobInfo.ProjectID, b.ID)
}

func (b *build) logsDir() string    { return b.folder("/logs", "logs_base_dir") }
func (b *build) logFile() string    { return b.logsDir() + "/output.log" }
func (b *build) scriptsDir() string { return b.folder("/scripts", "scripts_base_dir") }

func (b *build) scriptPath(name string) string { return b.scriptsDir() + "/" + name }

// attachCommand is the line that the shell of a container reads to run a script that is there already.
func (b *build) attachCommand(of stage) string {
	output := "2>&1 | tee -a " + b.logFile()
	script := b.scriptPath(of.name)
	if of.container == helperContainer {
		return fmt.Sprintf("gitlab-runner-build <<< %s %s", script, output)
	}
	if since(15, 8) {
		return fmt.Sprintf("sh -c '(%s %s %s) &'", b.scriptPath(detectScript), script, output)
	}
	return fmt.Sprintf("sh %s %s %s", b.scriptPath(detectScript), script, output)
}
