package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"
)

// defaultMetricsPort is that of a listen_address without a port.
const defaultMetricsPort = "9252"

var started = time.Now()

// counters are values that only grow, by name and labels.
type counters struct {
	mutex  sync.Mutex
	values map[string]map[string]int
}

var counted = &counters{values: map[string]map[string]int{}}

func (c *counters) add(name, labels string, by int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.values[name] == nil {
		c.values[name] = map[string]int{}
	}
	c.values[name][labels] += by
}

func runnerLabels(one *runner) string {
	return fmt.Sprintf(`runner=%q,runner_name=%q,system_id=%q`, one.short(), one.name(), one.systemID)
}

func countFeed(one *runner, fed bool) {
	labels := runnerLabels(one)
	successes, failures := 1, 0
	if !fed {
		successes, failures = 0, 1
	}
	counted.add("gitlab_runner_worker_feeds_total", labels, successes)
	counted.add("gitlab_runner_worker_feed_failures_total", labels, failures)
	counted.add("gitlab_runner_worker_health_check_failures_total", labels, 0)
}

func countFailure(one *runner) {
	counted.add("gitlab_runner_worker_health_check_failures_total", runnerLabels(one), 1)
}

func countRequest(path string, status int) {
	endpoint := "request_job"
	switch {
	case strings.HasSuffix(path, "/trace") || strings.Contains(path, "/trace?"):
		endpoint = "patch_trace"
	case strings.HasPrefix(path, "jobs/") && path != "jobs/request":
		endpoint = "update_job"
	case path != "jobs/request":
		return
	}
	text := fmt.Sprint(status)
	if status == clientError {
		text = "error"
	}
	counted.add("gitlab_runner_api_request_statuses_total", fmt.Sprintf(`endpoint=%q,status=%q`, endpoint, text), 1)
}

// serveMetrics listens at listen_address, if there is one. An address that cannot be listened at ends the process.
func (m *manager) serveMetrics() {
	address := m.listen
	if address == "" {
		address = m.current().global.text("listen_address")
	}
	if address == "" {
		m.log().info(nil, "listen_address not defined, metrics & debug endpoints disabled")
		return
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = address, ""
	}
	if port == "" {
		port = defaultMetricsPort
	}
	address = net.JoinHostPort(host, port)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.fatal(fields{"error": err}, "Failed to create listener for metrics server")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", m.metrics)
	mux.HandleFunc("/debug/jobs/list", m.listJobs)
	go func() { log.fatal(fields{"error": http.Serve(listener, mux)}, "Metrics server terminated") }()
	m.log().info(fields{"address": address}, "Metrics server listening")
}

func (m *manager) listJobs(response http.ResponseWriter, _ *http.Request) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	response.Header().Set("X-List-Version", "2")
	response.Header().Set("Content-Type", "text/plain")
	for one := range m.jobs {
		fmt.Fprintf(response, "url=%s state=%s stage=%s executor_stage= duration=%s\n",
			one.GitInfo.RepoURL, "running", one.stage.Load(), time.Since(one.started).Round(time.Second))
	}
}

func (m *manager) metrics(response http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodGet && request.Method != http.MethodHead {
		http.Error(response, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	response.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	now := m.current()
	gauge(response, "gitlab_runner_version_info", fmt.Sprintf(
		`architecture=%q,branch=%q,built_at="unknown",go_version=%q,name="gitlab-runner",os=%q,revision=%q,version=%q`,
		runtime.GOARCH, revision, runtime.Version(), runtime.GOOS, revision, version()), 1)
	gauge(response, "gitlab_runner_concurrent", "", float64(now.concurrent()))
	fmt.Fprintln(response, "# TYPE gitlab_runner_limit gauge")
	for _, one := range now.runners {
		sample(response, "gitlab_runner_limit", runnerLabels(one), float64(one.number("limit", 0)))
	}
	m.jobMetrics(response)
	fmt.Fprintln(response, "# TYPE gitlab_runner_errors_total counter")
	for _, at := range []level{panicLevel, fatalLevel, errorLevel, warnLevel} {
		sample(response, "gitlab_runner_errors_total", fmt.Sprintf("level=%q", levelNames[at]), float64(log.counted(at)))
	}
	counted.write(response)
	gauge(response, "go_goroutines", "", float64(runtime.NumGoroutine()))
	gauge(response, "go_info", fmt.Sprintf("version=%q", runtime.Version()), 1)
	gauge(response, "process_start_time_seconds", "", float64(started.UnixMilli())/1000)
}

// jobMetrics tells the jobs that run now. There is no line while there is none.
func (m *manager) jobMetrics(out io.Writer) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	fmt.Fprintln(out, "# TYPE gitlab_runner_jobs gauge")
	jobs := map[string]int{}
	for one := range m.jobs {
		labels := fmt.Sprintf(`executor_stage="",runner=%q,runner_name=%q,stage=%q,state="running",system_id=%q`,
			one.runner.short(), one.runner.name(), one.stage.Load(), one.runner.systemID)
		jobs[labels]++
	}
	for _, labels := range sortedKeys(jobs) {
		sample(out, "gitlab_runner_jobs", labels, float64(jobs[labels]))
	}
}

func (c *counters) write(out io.Writer) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, name := range sortedKeys(c.values) {
		fmt.Fprintf(out, "# TYPE %s counter\n", name)
		for _, labels := range sortedKeys(c.values[name]) {
			sample(out, name, labels, float64(c.values[name][labels]))
		}
	}
}

func gauge(out io.Writer, name, labels string, value float64) {
	fmt.Fprintf(out, "# TYPE %s gauge\n", name)
	sample(out, name, labels, value)
}

func sample(out io.Writer, name, labels string, value float64) {
	if labels != "" {
		labels = "{" + labels + "}"
	}
	fmt.Fprintf(out, "%s%s %v\n", name, labels, value)
}

func sortedKeys[V any](of map[string]V) []string {
	keys := make([]string, 0, len(of))
	for key := range of {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// serveSessions answers at the session server's address with 404: there are no sessions.
func (m *manager) serveSessions() {
	address := m.current().global.sub("session_server").text("listen_address")
	if address == "" {
		m.log().info(nil, "[session_server].listen_address not defined, session endpoints disabled")
		return
	}
	certificate, err := selfSigned()
	if err == nil {
		err = listenTLS(address, certificate)
	}
	if err != nil {
		log.fatal(fields{"error": err}, "Failed to create session server")
	}
	m.log().info(fields{"address": address}, "Session server listening")
}

var hostname = func() string {
	name, _ := os.Hostname()
	return name
}()
