package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// registration is one run of the register command.
type registration struct {
	configFile, template, tagList, nonInteractive, leaveRunner, registrationToken *option
	runUntagged, locked, accessLevel, maximumTimeout, paused, maintenanceNote     *option

	section []*option
	runner  *runner
	// made is set once GitLab has a runner, or a manager, that goes again when the command fails.
	made bool
}

func registerCommand() *cli.Command {
	r := &registration{
		configFile:        configOption(),
		template:          newOption("template-config", "TEMPLATE_CONFIG_FILE", 's', ""),
		tagList:           newOption("tag-list", "RUNNER_TAG_LIST", 's', ""),
		nonInteractive:    newOption("non-interactive,n", "REGISTER_NON_INTERACTIVE", 'b', ""),
		leaveRunner:       newOption("leave-runner", "REGISTER_LEAVE_RUNNER", 'b', ""),
		registrationToken: newOption("registration-token,r", "REGISTRATION_TOKEN", 's', ""),
		runUntagged:       newOption("run-untagged", "REGISTER_RUN_UNTAGGED", 'b', ""),
		locked:            newOption("locked", "REGISTER_LOCKED", 'b', "true"),
		accessLevel:       newOption("access-level", "REGISTER_ACCESS_LEVEL", 's', ""),
		maximumTimeout:    newOption("maximum-timeout", "REGISTER_MAXIMUM_TIMEOUT", 'i', ""),
		paused:            newOption("paused", "REGISTER_PAUSED", 'b', ""),
		maintenanceNote:   newOption("maintenance-note", "REGISTER_MAINTENANCE_NOTE", 's', ""),
		section:           sectionOptions(),
	}
	own := []*option{
		r.configFile, r.template, r.tagList, r.nonInteractive, r.leaveRunner, r.registrationToken,
		r.runUntagged, r.locked, r.accessLevel, r.maximumTimeout, r.paused, r.maintenanceNote,
	}
	return &cli.Command{
		Name:   "register",
		Usage:  "register a new runner",
		Flags:  flagsOf(append(own, r.section...)),
		Action: func(*cli.Context) error { r.execute(); return nil },
	}
}

func (r *registration) execute() {
	userModeWarning()
	if level := r.accessLevel.text; !slices.Contains([]string{"", "not_protected", "ref_protected"}, level) {
		log.panic(nil, "Given access-level is not valid. Refer to gitlab-runner register -h for the correct options.")
	}
	r.collect()
	if path := r.template.text; path != "" {
		log.info(nil, fmt.Sprintf("Merging configuration from template file %q", path))
		if err := mergeTemplate(r.runner.table, path); err != nil {
			log.fatal(fields{"error": err}, "Could not handle configuration merging from template file")
		}
	}
	loaded, err := loadConfig(r.configFile.text)
	if err != nil {
		log.panic(nil, err.Error())
	}
	r.runner.systemID, r.runner.configDir = loaded.systemID, filepath.Dir(r.configFile.text)
	r.ask(loaded)
	if !r.leaveRunner.isTrue() {
		defer r.undo()()
	}
	r.keepExecutor()
	loaded.runners = append(loaded.runners, r.runner)
	if err := loaded.save(); err != nil {
		log.panic(nil, err.Error())
	}
	if limit := int(r.runner.number("limit", 0)); loaded.concurrent() < limit {
		log.warn(nil, fmt.Sprintf("The specified runner job concurrency limit (%d) is larger than current global "+
			"concurrency limit (%d). The global concurrent limit will not be increased and takes precedence.",
			limit, loaded.concurrent()))
	}
	log.info(nil, "Runner registered successfully. Feel free to start it, but if it's running already the config "+
		"should be automatically reloaded!\n")
	log.info(nil, fmt.Sprintf("Configuration (with the authentication token) was saved in %q", r.configFile.text))
}

// collect makes a section of the flags and variables that are set. The name is the host's where none is given.
func (r *registration) collect() {
	section := table{}
	for _, one := range r.section {
		if value, given := one.value(); given {
			section.put(one.path, value)
		}
	}
	if section.text("name") == "" {
		host, _ := os.Hostname()
		section["name"] = host
	}
	r.runner = &runner{table: section}
}

// mergeTemplate fills what is not set with the one section of a template, whose token does not count.
func mergeTemplate(section table, path string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("couldn't load configuration template file: couldn't load config template file: %w", err)
	}
	template, err := readConfig(path)
	if err != nil {
		return fmt.Errorf("couldn't load configuration template file: %w", err)
	}
	if len(template.runners) != 1 {
		return errors.New("configuration template must contain exactly one [[runners]] entry")
	}
	delete(template.runners[0].table, "token")
	section.fill(template.runners[0].table)
	return nil
}

// needed is the value of an option that may not be empty. There is nobody to ask for it.
func (r *registration) needed(name, value string) string {
	value = strings.TrimSpace(value)
	if value == "" {
		if r.nonInteractive.isTrue() {
			log.panic(nil, fmt.Sprintf("The %s needs to be entered", name))
		}
		log.panic(nil, "Unexpected EOF. Did you mean to use --non-interactive?")
	}
	return value
}

func (r *registration) ask(loaded *config) {
	r.runner.table["url"] = r.needed("url", r.runner.url())
	if r.runner.token() != "" && !r.knowsCreated() {
		log.info(nil, "Token specified trying to verify runner...")
		log.warn(nil, "If you want to register use the '-r' instead of '-t'.")
		if r.runner.verify() == nil {
			log.panic(nil, "Failed to verify the runner. You may be having network problems.")
		}
		return
	}
	if r.runner.token() == "" {
		r.runner.table["token"] = r.needed("registration-token", r.registrationToken.text)
	}
	if !r.knowsCreated() {
		r.register()
		return
	}
	for _, one := range loaded.runners {
		if one.token() == r.runner.token() {
			log.warn(nil, "A runner with this system ID and token has already been registered.")
		}
	}
	r.refuseReserved()
	known := r.runner.verify()
	if known == nil || known.ID == 0 {
		log.panic(nil, "Failed to verify the runner.")
	}
	r.take(known)
}

// knowsCreated tells whether the token is one of a runner that was made in GitLab, which came with 15.8.
func (r *registration) knowsCreated() bool { return r.runner.isCreated() && since(15, 8) }

// refuseReserved ends the command when something is set that GitLab keeps for a runner that was made there.
func (r *registration) refuseReserved() {
	if r.locked.isTrue() && r.accessLevel.text == "" && !r.runUntagged.isTrue() && r.maximumTimeout.number() == 0 &&
		!r.paused.isTrue() && r.tagList.text == "" && r.maintenanceNote.text == "" {
		return
	}
	names := "--locked, --access-level, --run-untagged, --maximum-timeout, --paused, --tag-list, and --maintenance-note"
	if since(16, 0) && r.registrationToken.text == r.runner.token() {
		log.warn(nil, "You have specified an authentication token in the legacy parameter --registration-token. "+
			"The following parameters are ignored: "+names+".")
		return
	}
	log.fatal(nil, "Runner configuration other than name and executor configuration is reserved (specifically "+names+
		") and cannot be specified when registering with a runner authentication token. "+
		"This configuration is specified on the GitLab server. "+
		"Please try again without specifying any of those arguments.")
}

// register is the way of registration tokens: GitLab makes a runner.
func (r *registration) register() {
	parameters := map[string]any{
		"description":  r.needed("name", r.runner.name()),
		"run_untagged": r.runUntagged.isTrue() || strings.TrimSpace(r.tagList.text) == "",
		"locked":       r.locked.isTrue(),
		"paused":       r.paused.isTrue(),
	}
	texts := map[string]*option{
		"tag_list": r.tagList, "maintenance_note": r.maintenanceNote, "access_level": r.accessLevel,
	}
	for name, one := range texts {
		if one.text != "" {
			parameters[name] = one.text
		}
	}
	if limit := r.maximumTimeout.number(); limit != 0 {
		parameters["maximum_timeout"] = limit
	}
	if since(15, 6) {
		log.warn(nil, "Support for registration tokens and runner parameters in the 'register' command has been "+
			"deprecated in GitLab Runner 15.6 and will be replaced with support for authentication tokens. "+
			"For more information, see https://docs.gitlab.com/ci/runners/new_creation_workflow/")
	}
	made := r.runner.register(parameters)
	if made == nil {
		log.panic(nil, "Failed to register the runner.")
	}
	r.runner.table["token"] = made.Token
	r.take(made)
}

func (r *registration) take(from *registered) {
	r.made = true
	r.runner.table["id"] = from.ID
	r.runner.table["token_obtained_at"] = time.Now().UTC().Truncate(time.Second)
	expires := time.Time{}
	if from.ExpiresAt != nil {
		expires = *from.ExpiresAt
	}
	r.runner.table["token_expires_at"] = expires
}

// undo takes the runner out of GitLab again when the rest of the command fails, or at Ctrl-C.
func (r *registration) undo() func() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	go func() {
		received := <-signals
		r.runner.unregister()
		log.fatal(nil, fmt.Sprintf("RECEIVED SIGNAL: %v", received))
	}()
	return func() {
		if failure := recover(); failure != nil {
			if r.made {
				r.runner.unregister()
			}
			panic(failure)
		}
	}
}

var executorTables = []string{"kubernetes", "docker", "machine", "ssh", "parallels", "virtualbox", "custom", "referees"}

// keepExecutor drops the tables of other executors.
func (r *registration) keepExecutor() {
	executor := strings.TrimSpace(r.runner.text("executor"))
	if !slices.Contains(executors, executor) {
		log.panic(nil, "Invalid executor specified")
	}
	for _, name := range executorTables {
		if name != executor && !(strings.HasPrefix(executor, "docker") && (name == "docker" || name == "machine")) {
			delete(r.runner.table, name)
		}
	}
	if executor == "kubernetes" && r.runner.sub("kubernetes") == nil {
		r.runner.table["kubernetes"] = map[string]any{}
	}
}

// executors are the names that register and run know.
var executors = []string{
	"kubernetes", "docker", "docker+machine", "docker-autoscaler", "docker-windows", "ssh", "parallels", "virtualbox",
	"shell", "custom", "instance",
}
