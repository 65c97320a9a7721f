package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

func unregisterCommand() *cli.Command {
	configFile := configOption()
	name := newOption("name,n", "", 's', "")
	url := newOption("url,u", "CI_SERVER_URL", 's', "")
	token := newOption("token,t", "CI_SERVER_TOKEN", 's', "")
	all := newOption("all-runners", "", 'b', "")
	return &cli.Command{
		Name:  "unregister",
		Usage: "unregister specific runner",
		Flags: flagsOf([]*option{configFile, name, url, token, all}),
		Action: func(*cli.Context) error {
			unregisterRunners(configFile.text, name.text, token.text, all.isTrue())
			return nil
		},
	}
}

// unregisterRunners takes all runners out of GitLab and out of the file, or the first that matches the name and
// token that are given. A runner that GitLab refuses to take out stays in the file.
func unregisterRunners(path, name, token string, all bool) {
	userModeWarning()
	loaded, err := loadConfig(path)
	if err != nil {
		log.fatal(fields{"error": err}, "failed to unregister runner")
	}
	var kept []*runner
	if all {
		kept = unregisterAll(loaded)
	} else if kept, err = unregisterOne(loaded, name, token); err != nil {
		log.fatal(fields{"error": fmt.Errorf("unregister runner: %w", err)}, "failed to unregister runner")
	}
	if len(kept) == len(loaded.runners) {
		return
	}
	loaded.runners = kept
	if err := loaded.save(); err != nil {
		log.fatal(nil, fmt.Sprintf("Failed to update %s %v", path, err))
	}
	log.info(nil, "Updated "+path)
}

func unregisterAll(loaded *config) (kept []*runner) {
	log.warn(nil, "Unregistering all runners")
	for _, one := range loaded.runners {
		if !one.unregister() {
			log.error(nil, fmt.Sprintf("Failed to unregister runner %s", one.name()))
			kept = append(kept, one)
		}
	}
	return kept
}

func unregisterOne(loaded *config, name, token string) (kept []*runner, err error) {
	if name == "" && token == "" {
		return nil, fmt.Errorf("at least one of --name or --token must be specified")
	}
	var found *runner
	for _, one := range loaded.runners {
		if (name == "" || one.name() == name) && (token == "" || one.token() == token) {
			found = one
			break
		}
	}
	if found == nil {
		return nil, fmt.Errorf("get runner by token or name: could not find a runner with the name %q", name)
	}
	if !found.unregister() {
		return nil, fmt.Errorf("failed to unregister runner %q", name)
	}
	for _, one := range loaded.runners {
		if one != found {
			kept = append(kept, one)
		}
	}
	return kept, nil
}
