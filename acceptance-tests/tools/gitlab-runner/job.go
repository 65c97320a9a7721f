package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// job is what GitLab hands out.
type job struct {
	ID      int64  `json:"id"`
	Token   string `json:"token"`
	JobInfo struct {
		Name        string `json:"name"`
		Stage       string `json:"stage"`
		ProjectID   int64  `json:"project_id"`
		ProjectName string `json:"project_name"`
	} `json:"job_info"`
	GitInfo struct {
		RepoURL   string `json:"repo_url"`
		Ref       string `json:"ref"`
		SHA       string `json:"sha"`
		BeforeSHA string `json:"before_sha"`
	} `json:"git_info"`
	RunnerInfo struct {
		Timeout int64 `json:"timeout"`
	} `json:"runner_info"`
	Variables []variable `json:"variables"`
	Steps     []step     `json:"steps"`
	Image     image      `json:"image"`
	Services  []image    `json:"services"`

	Credentials []struct {
		Type     string `json:"type"`
		URL      string `json:"url"`
		Username string `json:"username"`
		Password string `json:"password"`
	} `json:"credentials"`
}

type variable struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Public bool   `json:"public"`
	Masked bool   `json:"masked"`
}

type step struct {
	Name         string   `json:"name"`
	Script       []string `json:"script"`
	Timeout      int64    `json:"timeout"`
	When         string   `json:"when"`
	AllowFailure bool     `json:"allow_failure"`
}

type image struct {
	Name       string     `json:"name"`
	Alias      string     `json:"alias"`
	Entrypoint []string   `json:"entrypoint"`
	Command    []string   `json:"command"`
	PullPolicy []string   `json:"pull_policy"`
	Variables  []variable `json:"variables"`
}

// Reasons of a failure as GitLab knows them.
const (
	scriptFailure       = "script_failure"
	runnerSystemFailure = "runner_system_failure"
	jobTimeout          = "job_execution_timeout"
	imagePullFailure    = "image_pull_failure"
	configurationError  = "runner_configuration_error"
)

// buildError is a failure whose reason is known; any other error is the system's.
type buildError struct {
	inner    error
	reason   string
	exitCode int
}

func (e *buildError) Error() string { return e.inner.Error() }
func (e *buildError) Unwrap() error { return e.inner }

// build is a job that runs here.
type build struct {
	*job
	runner  *runner
	number  int
	started time.Time
	stage   atomic.Value
	trace   *trace
	timeout time.Duration

	context context.Context
	cancel  context.CancelCauseFunc
	aborted atomic.Bool
}

func newBuild(of *job, one *runner) *build {
	b := &build{job: of, runner: one, started: time.Now(), timeout: time.Hour}
	if of.RunnerInfo.Timeout > 0 {
		b.timeout = time.Duration(of.RunnerInfo.Timeout) * time.Second
	}
	b.stage.Store("prepare_executor")
	b.context, b.cancel = context.WithCancelCause(context.Background())
	return b
}

var errCanceled = errors.New("canceled")

// abort ends the job because of a signal, as a failure of the system.
func (b *build) abort(because os.Signal) {
	if b.aborted.CompareAndSwap(false, true) {
		b.cancel(&buildError{inner: fmt.Errorf("aborted: %v", because), reason: runnerSystemFailure})
	}
}

// run does the job and tells GitLab how it ended.
func (b *build) run() {
	defer b.cancel(nil)
	b.trace = startTrace(b)
	b.trace.line("Running with gitlab-runner %s (%s)", version(), revision)
	onto := fmt.Sprintf("  on %s %s", b.runner.name(), b.runner.short())
	if b.runner.systemID != "" {
		onto += ", system ID: " + b.runner.systemID
	}
	b.trace.line("%s", onto)
	timeout := time.AfterFunc(b.timeout, func() {
		b.cancel(&buildError{inner: fmt.Errorf("execution took longer than %s seconds", b.timeout), reason: jobTimeout})
	})
	defer timeout.Stop()
	b.finish(b.execute())
}

func (b *build) execute() error {
	run := &executor{build: b}
	defer run.cleanup()
	err := run.execute(b.context)
	if cause := context.Cause(b.context); cause != nil {
		return cause
	}
	return err
}

// finish writes the last line of the trace and sends the result.
func (b *build) finish(err error) {
	duration := fields{"job": b.ID, "duration_s": time.Since(b.started).Seconds()}
	labels := runnerLabels(b.runner)
	if err == nil {
		log.info(duration, "Job succeeded")
		b.trace.line("\033[32;1mJob succeeded\033[0;m")
		counted.add("gitlab_runner_jobs_total", labels, 1)
		b.trace.end("success", "", 0)
		return
	}
	if errors.Is(err, errCanceled) {
		b.trace.end("failed", "job_canceled", 0)
		return
	}
	reason, exitCode := runnerSystemFailure, 0
	var known *buildError
	if errors.As(err, &known) && known.reason != "" {
		reason, exitCode = known.reason, known.exitCode
	}
	message := "Job failed: " + err.Error()
	if reason == runnerSystemFailure {
		message = "Job failed (system failure): " + err.Error()
	}
	log.warn(duration, message)
	b.trace.line("\033[31;1mERROR: %s\033[0;m", message)
	counted.add("gitlab_runner_jobs_total", labels, 1)
	counted.add("gitlab_runner_failed_jobs_total", fmt.Sprintf("failure_reason=%q,%s", reason, labels), 1)
	b.trace.end("failed", reason, exitCode)
}

// variable is the value that a job sees: the section's environment first, then the job's own.
func (b *build) variable(name string) string {
	value := ""
	for _, pair := range b.runner.list("environment") {
		if found, ok := strings.CutPrefix(pair, name+"="); ok {
			value = found
		}
	}
	for _, one := range b.Variables {
		if one.Key == name {
			value = one.Value
		}
	}
	return value
}

// expand puts the job's variables into a text of the configuration.
func (b *build) expand(text string) string { return os.Expand(text, b.variable) }

// uniqueName is what the names of the job's objects begin with.
func (b *build) uniqueName() string {
	name := fmt.Sprintf("runner-%s-project-%d-concurrent-%d", b.runner.short(), b.JobInfo.ProjectID, b.number)
	name = strings.Map(func(letter rune) rune {
		if letter >= 'a' && letter <= 'z' || letter >= '0' && letter <= '9' || letter == '-' || letter == '.' {
			return letter
		}
		return -1
	}, strings.ToLower(name))
	return name
}
