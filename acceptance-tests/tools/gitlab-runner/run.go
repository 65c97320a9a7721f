package main

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
)

// reloadInterval is how often config.toml is looked at.
const reloadInterval = 3 * time.Second

// manager is one run of the run command.
type manager struct {
	path   string
	listen string

	mutex   sync.Mutex
	config  *config
	health  map[string]*health
	jobs    map[*build]bool
	busy    map[string]int
	asking  map[string]int
	stopped chan struct{}
	workers sync.WaitGroup
}

// health counts what went wrong with one runner's requests in a row.
type health struct {
	failures int
	since    time.Time
}

func runCommand() *cli.Command {
	configFile := configOption()
	directory := newOption("working-directory,d", "", 's', "")
	listen := newOption("listen-address", "LISTEN_ADDRESS", 's', "")
	user := newOption("user,u", "", 's', "")
	service := newOption("service,n", "", 's', "")
	syslog := newOption("syslog", "", 'b', "")
	return &cli.Command{
		Name:  "run",
		Usage: "run multi runner service",
		Flags: flagsOf([]*option{configFile, directory, listen, user, service, syslog}),
		Action: func(*cli.Context) error {
			runManager(configFile.text, directory.text, listen.text)
			return nil
		},
	}
}

func runManager(path, directory, listen string) {
	m := &manager{
		path: path, listen: listen, stopped: make(chan struct{}),
		jobs: map[*build]bool{}, busy: map[string]int{}, asking: map[string]int{},
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGQUIT, syscall.SIGTERM, os.Interrupt)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	m.log().info(nil, fmt.Sprintf("Starting multi-runner from %s...", path))
	userModeWarning()
	if directory != "" {
		if err := os.Chdir(directory); err != nil {
			log.fatal(fields{"error": err}, "Service run failed")
		}
	}
	if err := m.reload(); err != nil {
		log.fatal(fields{"error": err}, "Service run failed")
	}
	m.serveMetrics()
	m.serveSessions()
	log.info(nil, "Initializing executor providers")
	go m.feed()
	go m.watchConfig(hangup)
	m.waitForEnd(signals)
}

// managerLog adds the number of jobs to each line.
type managerLog struct{ m *manager }

func (m *manager) log() managerLog { return managerLog{m} }

func (l managerLog) with(more fields) fields {
	all := fields{"builds": 0, "max_builds": 0}
	l.m.mutex.Lock()
	all["builds"] = len(l.m.jobs)
	if l.m.config != nil {
		all["max_builds"] = l.m.config.concurrent()
	}
	l.m.mutex.Unlock()
	for name, value := range more {
		all[name] = value
	}
	return all
}

func (l managerLog) info(more fields, message string)  { log.info(l.with(more), message) }
func (l managerLog) warn(more fields, message string)  { log.warn(l.with(more), message) }
func (l managerLog) error(more fields, message string) { log.error(l.with(more), message) }

// reload reads config.toml; what was wrong with a runner is forgotten.
func (m *manager) reload() error {
	fresh, err := loadConfig(m.path)
	if err != nil {
		return err
	}
	if name := fresh.global.text("log_level"); !levelIsSet {
		if name == "" {
			name = "info"
		}
		if err := log.setLevel(name); err != nil {
			return err
		}
	}
	if name := fresh.global.text("log_format"); !formatIsSet && name != "" {
		if err := log.setFormat(name); err != nil {
			return err
		}
	}
	m.mutex.Lock()
	m.config = fresh
	m.health = map[string]*health{}
	m.mutex.Unlock()
	m.log().info(nil, "Configuration loaded")
	for _, one := range fresh.runners {
		if one.token() == "" {
			m.log().warn(fields{"runner_name": one.name()},
				"Runner token is empty or whitespace; this runner will be skipped during job polling.")
		}
	}
	return nil
}

func (m *manager) current() *config {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.config
}

// watchConfig reads config.toml again when it has changed, and at SIGHUP. What cannot be read is not taken.
func (m *manager) watchConfig(hangup chan os.Signal) {
	for {
		forced := false
		select {
		case <-m.stopped:
			return
		case <-hangup:
			forced = true
		case <-time.After(reloadInterval):
		}
		before := m.current()
		info, err := os.Stat(m.path)
		if err == nil && (forced || info.ModTime().After(before.modified)) {
			if err = m.reload(); err != nil {
				before.modified = info.ModTime()
			}
		}
		if err != nil {
			m.log().error(nil, fmt.Sprintf("Failed to load config %v", err))
		}
	}
}

// feed lets each runner in turn ask for a job, so that each asks once in an interval.
func (m *manager) feed() {
	for {
		now := m.current()
		pause := now.checkInterval() / time.Duration(max(1, len(now.runners)))
		for _, one := range now.runners {
			if m.isHealthy(one) && one.token() != "" {
				countFeed(one, true)
				m.start(one)
			} else {
				countFeed(one, false)
			}
			if m.pause(pause) {
				return
			}
		}
		if len(now.runners) == 0 && m.pause(pause) {
			return
		}
	}
}

// pause tells whether the end has come meanwhile.
func (m *manager) pause(duration time.Duration) bool {
	select {
	case <-m.stopped:
		return true
	case <-time.After(duration):
		return false
	}
}

// start asks for a job, and runs it, unless concurrent, limit or request_concurrency say that there is no room.
func (m *manager) start(one *runner) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	select {
	case <-m.stopped:
		return
	default:
	}
	id := one.uniqueID()
	taken := 0
	for _, count := range m.busy {
		taken += count
	}
	limit := int(one.number("limit", 0))
	if taken >= m.config.concurrent() || (limit > 0 && m.busy[id] >= limit) ||
		m.asking[id] >= int(max(1, one.number("request_concurrency", 1))) {
		return
	}
	m.busy[id]++
	m.asking[id]++
	m.workers.Add(1)
	go m.work(one)
}

// work is one worker: a request, and the job that it may bring.
func (m *manager) work(one *runner) {
	id := one.uniqueID()
	defer m.workers.Done()
	defer m.count(m.busy, id)
	if executor := one.text("executor"); executor != "kubernetes" {
		m.log().error(fields{"runner": one.short(), "runner_name": one.name()},
			fmt.Sprintf("Executor %q is not known; marking Runner as unhealthy", executor))
		m.count(m.asking, id)
		m.mark(one, false)
		return
	}
	received, healthy := one.requestJob()
	m.count(m.asking, id)
	m.mark(one, healthy)
	if received == nil {
		return
	}
	build := newBuild(received, one)
	m.mutex.Lock()
	build.number = m.freeNumber(build)
	m.jobs[build] = true
	m.mutex.Unlock()
	with := fields{"job": received.ID, "project": received.JobInfo.ProjectID, "repo_url": received.GitInfo.RepoURL,
		"runner": one.short(), "runner_name": one.name()}
	m.log().info(with, "Added job to processing list")
	m.start(one)
	build.run()
	m.mutex.Lock()
	delete(m.jobs, build)
	m.mutex.Unlock()
	m.log().info(with, "Removed job from processing list")
}

// freeNumber is the lowest number that no other running job of the same project and runner has.
func (m *manager) freeNumber(of *build) int {
	used := map[int]bool{}
	for other := range m.jobs {
		if other.JobInfo.ProjectID == of.JobInfo.ProjectID && other.runner.short() == of.runner.short() {
			used[other.number] = true
		}
	}
	number := 0
	for used[number] {
		number++
	}
	return number
}

func (m *manager) count(in map[string]int, id string) {
	m.mutex.Lock()
	in[id]--
	m.mutex.Unlock()
}

// unhealthyLimit is how many requests in a row may fail: three where nothing is set.
func unhealthyLimit(one *runner) int {
	return int(max(1, one.number("unhealthy_requests_limit", 3)))
}

func unhealthyInterval(one *runner) time.Duration {
	return one.duration("unhealthy_interval", time.Hour)
}

func (m *manager) isHealthy(one *runner) bool {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	state := m.healthOf(one)
	if state.failures < unhealthyLimit(one) {
		return true
	}
	if time.Since(state.since) <= unhealthyInterval(one) {
		return false
	}
	log.warn(nil, fmt.Sprintf("Runner %q is not healthy, but check for a new job will be forced!", one.uniqueID()))
	state.failures, state.since = 0, time.Now()
	return true
}

func (m *manager) healthOf(one *runner) *health {
	id := one.uniqueID()
	if m.health[id] == nil {
		m.health[id] = &health{since: time.Now()}
	}
	return m.health[id]
}

func (m *manager) mark(one *runner, healthy bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	state := m.healthOf(one)
	if healthy {
		state.failures, state.since = 0, time.Now()
		return
	}
	countFailure(one)
	state.failures++
	if state.failures < unhealthyLimit(one) {
		return
	}
	with := fields{"unhealthy_requests": state.failures, "unhealthy_requests_limit": unhealthyLimit(one)}
	if since(15, 7) {
		log.error(with, fmt.Sprintf("Runner %q is unhealthy and will be disabled for %s seconds!",
			one.uniqueID(), unhealthyInterval(one)))
	} else {
		log.error(nil, fmt.Sprintf("Runner %s is not healthy and will be disabled!", one.uniqueID()))
	}
}
