package main

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// option is one flag of a command, and what it was set to.
type option struct {
	// path is the key in a [[runners]] section, empty for a flag that is no part of it.
	path string
	kind byte
	text string
	list []any
	set  bool
	flag *cli.GenericFlag
}

// Set is called with the variable's value first and then with each use of the flag.
func (o *option) Set(text string) error {
	switch o.kind {
	case 'b', 'p':
		if _, err := strconv.ParseBool(text); err != nil {
			return err
		}
	case 'i', 'o':
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return err
		}
	case 'l', 'm':
		o.list = append(o.list, text)
	}
	o.text, o.set = text, true
	return nil
}

func (o *option) String() string { return o.text }

// IsBoolFlag lets a flag stand without a value.
func (o *option) IsBoolFlag() bool { return o.kind == 'b' || o.kind == 'p' }

func (o *option) isTrue() bool {
	value, _ := strconv.ParseBool(o.text)
	return value
}

func (o *option) number() int64 {
	value, _ := strconv.ParseInt(o.text, 10, 64)
	return value
}

// value is what goes into the section; false where the option is as if it had not been given.
func (o *option) value() (any, bool) {
	if !o.set {
		return nil, false
	}
	switch o.kind {
	case 'b':
		return true, o.isTrue()
	case 'p':
		return o.isTrue(), true
	case 'i':
		return o.number(), o.number() != 0
	case 'o':
		return o.number(), true
	case 'l':
		return o.list, true
	case 'm':
		return o.pairs(), true
	}
	return o.text, o.text != ""
}

func (o *option) pairs() map[string]any {
	result := map[string]any{}
	for _, one := range o.list {
		text := one.(string)
		if strings.HasPrefix(strings.TrimSpace(text), "{") && json.Unmarshal([]byte(text), &result) == nil {
			continue
		}
		name, value, _ := strings.Cut(text, ":")
		if isTrue, err := strconv.ParseBool(value); err == nil && o.path == "feature_flags" {
			result[name] = isTrue
		} else {
			result[name] = value
		}
	}
	return result
}

// newOption makes a flag with other names (separated by commas) and a variable, of which "" is none.
func newOption(names, variable string, kind byte, otherwise string) *option {
	all := strings.Split(names, ",")
	o := &option{kind: kind, text: otherwise}
	o.flag = &cli.GenericFlag{Name: all[0], Aliases: all[1:], Value: o}
	if variable != "" {
		o.flag.EnvVars = []string{variable}
	}
	return o
}

// sectionOptions are the flags for the keys of a [[runners]] section.
func sectionOptions() []*option {
	var options []*option
	for _, line := range strings.Split(flagTable, "\n") {
		columns := strings.Fields(line)
		if len(columns) == 0 {
			continue
		}
		one := newOption(columns[1], strings.TrimPrefix(columns[2], "-"), columns[3][0], "")
		one.path = columns[0]
		options = append(options, one)
	}
	return options
}

func flagsOf(options []*option) []cli.Flag {
	flags := make([]cli.Flag, len(options))
	for index, one := range options {
		flags[index] = one.flag
	}
	return flags
}

// defaultConfigFile is where root's configuration is, in a container as well.
const defaultConfigFile = "/etc/gitlab-runner/config.toml"

func configOption() *option { return newOption("config,c", "CONFIG_FILE", 's', defaultConfigFile) }
