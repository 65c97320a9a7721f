package main

import (
	"os"
	"strconv"
	"strings"
)

// defaultVersion is the version that is played when RUNNER_STAND_IN_VERSION is not set.
const defaultVersion = "19.3.0"

// revision stands where the real one has the commit it was built from.
const revision = "stand-in"

// version is the version that is played, such as "18.9.0".
func version() string {
	if given := strings.TrimPrefix(os.Getenv("RUNNER_STAND_IN_VERSION"), "v"); given != "" {
		return given
	}
	return defaultVersion
}

// since tells whether the version that is played is this one or newer.
func since(major, minor int) bool {
	parts := strings.SplitN(version(), ".", 3)
	number := func(index int) int {
		if index >= len(parts) {
			return 0
		}
		value, _ := strconv.Atoi(parts[index])
		return value
	}
	if number(0) != major {
		return number(0) > major
	}
	return number(1) >= minor
}
