package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

func verifyCommand() *cli.Command {
	urlVariable, tokenVariable := "CI_SERVER_URL", "CI_SERVER_TOKEN"
	if since(19, 3) {
		urlVariable, tokenVariable = "", ""
	}
	configFile := configOption()
	name := newOption("name,n", "", 's', "")
	url := newOption("url,u", urlVariable, 's', "")
	token := newOption("token,t", tokenVariable, 's', "")
	remove := newOption("delete", "", 'b', "")
	return &cli.Command{
		Name:  "verify",
		Usage: "verify all registered runners",
		Flags: flagsOf([]*option{configFile, name, url, token, remove}),
		Action: func(*cli.Context) error {
			verifyRunners(configFile.text, name.text, url.text, token.text, remove.isTrue())
			return nil
		},
	}
}

// verifyRunners asks GitLab about the runners that match the name, or the address and token together. A runner
// without a name matches an empty name.
func verifyRunners(path, name, url, token string, remove bool) {
	userModeWarning()
	loaded, err := loadConfig(path)
	if err != nil {
		log.fatal(nil, err.Error())
	}
	hasSelector := name != "" || url != "" || token != ""
	var kept []*runner
	verified := 0
	for _, one := range loaded.runners {
		if !hasSelector || one.name() == name || one.sameAs(url, token) {
			verified++
			if one.verify() == nil {
				continue
			}
		}
		kept = append(kept, one)
	}
	if hasSelector && verified == 0 {
		message := "no runner matches the filtering parameters"
		if since(18, 9) {
			message = "mutate config: " + message
		}
		log.fatal(nil, message)
	}
	if len(kept) == len(loaded.runners) {
		return
	}
	if !remove {
		log.fatal(nil, "Failed to verify runners")
	}
	loaded.runners = kept
	if err := loaded.save(); err != nil {
		log.fatal(nil, fmt.Sprintf("Failed to update %s %v", path, err))
	}
	log.info(nil, "Updated "+path)
}
