package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
)

type level int

const (
	panicLevel level = iota
	fatalLevel
	errorLevel
	warnLevel
	infoLevel
	debugLevel
)

var levelNames = []string{"panic", "fatal", "error", "warning", "info", "debug"}

var prefixes = []string{"PANIC: ", "FATAL: ", "ERROR: ", "WARNING: ", "", ""}

const (
	reset    = "\033[0;m"
	yellow   = "\033[0;33m"
	boldRed  = "\033[31;1m"
	boldGray = "\033[37;1m"
)

var colors = []string{boldRed, boldRed, boldRed, yellow, "", boldGray}

// fields are what a line of the log says beside its message.
type fields map[string]any

// logger writes to standard error. The format is "runner" (the default), "text" or "json".
type logger struct {
	mutex  sync.Mutex
	out    io.Writer
	level  level
	format string
	counts [debugLevel + 1]int
}

var log = &logger{out: os.Stderr, level: infoLevel, format: "runner"}

// setLevel takes the names that config.toml may have; any other is an error.
func (l *logger) setLevel(name string) error {
	name = strings.ToLower(name)
	switch name {
	case "warn":
		name = "warning"
	case "trace":
		name = "debug"
	}
	for index, known := range levelNames {
		if known == name {
			l.level = level(index)
			return nil
		}
	}
	return fmt.Errorf("not a valid logrus Level: %q", name)
}

func (l *logger) setFormat(name string) error {
	switch name {
	case "runner", "text", "json":
		l.format = name
		return nil
	}
	return fmt.Errorf("unknown log format %q, expected one of: [json runner text]", name)
}

func (l *logger) write(at level, with fields, message string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.counts[at]++
	if at > l.level {
		return
	}
	fmt.Fprintln(l.out, l.line(at, with, message))
}

func (l *logger) line(at level, with fields, message string) string {
	names := make([]string, 0, len(with))
	for name := range with {
		names = append(names, name)
	}
	sort.Strings(names)
	var line strings.Builder
	switch l.format {
	case "json":
		whole := map[string]any{"level": levelNames[at], "msg": message, "time": time.Now().Format(time.RFC3339)}
		for _, name := range names {
			whole[name] = fmt.Sprint(with[name])
		}
		text, _ := json.Marshal(whole)
		return string(text)
	case "text":
		fmt.Fprintf(&line, "time=%q level=%s msg=%q", time.Now().Format(time.RFC3339), levelNames[at], message)
		for _, name := range names {
			fmt.Fprintf(&line, " %s=%q", name, fmt.Sprint(with[name]))
		}
	default:
		prefix := prefixes[at]
		fmt.Fprintf(&line, "%s%s%-*s%s ", colors[at], prefix, 50-len(prefix), message, reset)
		for _, name := range names {
			fmt.Fprintf(&line, " %s%s%s=%v", colors[at], name, reset, with[name])
		}
	}
	return line.String()
}

// counted is how many lines there were of a level, written or not.
func (l *logger) counted(at level) int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.counts[at]
}

func (l *logger) debug(with fields, message string) { l.write(debugLevel, with, message) }
func (l *logger) info(with fields, message string)  { l.write(infoLevel, with, message) }
func (l *logger) warn(with fields, message string)  { l.write(warnLevel, with, message) }
func (l *logger) error(with fields, message string) { l.write(errorLevel, with, message) }

// fatal ends the process with status 1.
func (l *logger) fatal(with fields, message string) {
	l.write(fatalLevel, with, message)
	os.Exit(1)
}

// stop is what a panic of the real one's log carries: the process ends with status 1.
type stop struct{}

// panic ends the command; its deferred functions run.
func (l *logger) panic(with fields, message string) {
	l.write(panicLevel, with, message)
	panic(stop{})
}
