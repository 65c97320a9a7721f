package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// config is a config.toml: the global section and its runners.
type config struct {
	path     string
	global   table
	runners  []*runner
	modified time.Time
	systemID string
}

// loadConfig reads a config.toml. A file that is not there is an empty configuration. From 18.10 on, token and
// url may name variables of the environment. Finds the system ID beside it, or makes one.
func loadConfig(path string) (*config, error) {
	loaded, err := readConfig(path)
	if err != nil {
		return nil, err
	}
	if since(15, 7) {
		loaded.systemID, err = systemID(filepath.Join(filepath.Dir(path), ".runner_system_id"))
		if err != nil {
			return nil, fmt.Errorf("loading system ID file: %w", err)
		}
		for _, runner := range loaded.runners {
			runner.systemID = loaded.systemID
		}
	}
	return loaded, nil
}

func readConfig(path string) (*config, error) {
	loaded := &config{path: path, global: table{}}
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return loaded, nil
	} else if err != nil {
		return nil, err
	}
	whole := map[string]any{}
	if _, err := toml.DecodeFile(path, &whole); err != nil {
		return nil, fmt.Errorf("decoding configuration file: %w", err)
	}
	loaded.global = whole
	loaded.modified = info.ModTime()
	for _, section := range loaded.global.tables("runners") {
		if since(18, 10) {
			for _, name := range []string{"token", "url"} {
				if _, there := section[name]; there {
					section[name] = os.ExpandEnv(section.text(name))
				}
			}
		}
		loaded.runners = append(loaded.runners, &runner{table: section, configDir: filepath.Dir(path)})
	}
	delete(loaded.global, "runners")
	return loaded, nil
}

// save writes the file anew, readable by its owner only. What is in it and unknown here stays.
func (c *config) save() error {
	whole := map[string]any{}
	for name, value := range c.global {
		whole[name] = value
	}
	if _, there := whole["concurrent"]; !there {
		whole["concurrent"] = int64(1)
	}
	if _, there := whole["check_interval"]; !there {
		whole["check_interval"] = int64(0)
	}
	sections := make([]map[string]any, 0, len(c.runners))
	for _, runner := range c.runners {
		sections = append(sections, runner.table)
	}
	if len(sections) > 0 {
		whole["runners"] = sections
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o700); err != nil {
		return err
	}
	fresh, err := os.CreateTemp(filepath.Dir(c.path), filepath.Base(c.path))
	if err != nil {
		return err
	}
	defer os.Remove(fresh.Name())
	if err := toml.NewEncoder(fresh).Encode(whole); err != nil {
		return err
	}
	if err := errors.Join(fresh.Chmod(0o600), fresh.Close()); err != nil {
		return err
	}
	return os.Rename(fresh.Name(), c.path)
}

func (c *config) concurrent() int { return int(c.global.number("concurrent", 1)) }

// checkInterval is three seconds where none is set.
func (c *config) checkInterval() time.Duration {
	return seconds(c.global.number("check_interval", 0), 3)
}

// shutdownTimeout is how long jobs that are aborted may take to end: 30 seconds where nothing is set.
func (c *config) shutdownTimeout() time.Duration {
	return seconds(c.global.number("shutdown_timeout", 0), 30)
}

func seconds(value, otherwise int64) time.Duration {
	if value <= 0 {
		value = otherwise
	}
	return time.Duration(value) * time.Second
}

// runner is one [[runners]] section.
type runner struct {
	table
	systemID  string
	configDir string
}

func (r *runner) name() string  { return r.text("name") }
func (r *runner) token() string { return r.text("token") }
func (r *runner) url() string   { return r.text("url") }

func (r *runner) kubernetes() table {
	if found := r.sub("kubernetes"); found != nil {
		return found
	}
	return table{}
}

// isCreated tells whether the runner was made in GitLab, and not by a registration token.
func (r *runner) isCreated() bool { return isCreatedToken(r.token()) }

func isCreatedToken(token string) bool { return strings.HasPrefix(token, "glrt-") }

// sameAs compares credentials: the tokens first, then the addresses, of which an empty one is like all.
func (r *runner) sameAs(url, token string) bool {
	if r.token() != token {
		return false
	}
	isAny := func(url string) bool { return url == "" || url == "*" }
	return isAny(r.url()) || isAny(url) || r.url() == url
}

var tokenPrefix = regexp.MustCompile(`^(glrt-(t[123]_)?|t[123]_|glrtr-|GR[0-9A-Fa-f]{7})`)

// short is what the log may show of the token: nine characters.
func (r *runner) short() string {
	token := tokenPrefix.ReplaceAllString(r.token(), "")
	return token[:min(9, len(token))]
}

func (r *runner) uniqueID() string { return r.url() + r.short() }

func (r *runner) logFields() fields {
	if r.short() == "" {
		return fields{}
	}
	return fields{"runner": r.short()}
}

// feature tells whether a feature flag is on: by the section's table, else by its environment.
func (r *runner) feature(name string) bool {
	if set := r.sub("feature_flags"); set != nil {
		if value, there := set[name].(bool); there {
			return value
		}
	}
	on := false
	for _, variable := range r.list("environment") {
		if value, found := strings.CutPrefix(variable, name+"="); found {
			on = value == "true" || value == "1"
		}
	}
	return on
}

// duration is a duration of Go, written as text.
func (r *runner) duration(name string, otherwise time.Duration) time.Duration {
	if parsed, err := time.ParseDuration(r.text(name)); err == nil {
		return parsed
	}
	return otherwise
}

var systemIDForm = regexp.MustCompile(`^[sr]_[0-9a-zA-Z]{12}$`)

// systemID reads the file, or writes a new random one, as in a container, which has no ID of a machine.
func systemID(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("reading from runner system ID file: %w", err)
	}
	if found := strings.TrimSpace(string(text)); systemIDForm.MatchString(found) {
		return found, nil
	}
	id := "r_" + randomText("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 12)
	log.info(fields{"system_id": id}, "Created missing unique system ID")
	err = os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte(id), 0o600)
	}
	if err != nil {
		log.warn(fields{"state_file": path, "system_id": id}, "Couldn't save new system ID on state file.")
	}
	return id, nil
}

func randomText(from string, length int) string {
	text := make([]byte, length)
	for index := range text {
		at, err := rand.Int(rand.Reader, big.NewInt(int64(len(from))))
		if err != nil {
			panic(err)
		}
		text[index] = from[at.Int64()]
	}
	return string(text)
}
