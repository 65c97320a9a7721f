package main

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	// traceInterval is how often GitLab gets what is new; it may ask for another time.
	traceInterval = 3 * time.Second
	// touchInterval is how often it hears of a job that writes nothing.
	touchInterval = 30 * time.Second
)

// trace is the log of a job on its way to GitLab.
type trace struct {
	build *build

	mutex    sync.Mutex
	text     bytes.Buffer
	sent     int
	last     time.Time
	interval time.Duration
	done     chan struct{}
	ended    sync.WaitGroup
}

func startTrace(of *build) *trace {
	t := &trace{build: of, last: time.Now(), interval: traceInterval, done: make(chan struct{})}
	t.ended.Add(1)
	go t.watch()
	return t
}

func (t *trace) Write(text []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.text.Write(text)
}

func (t *trace) line(format string, values ...any) { fmt.Fprintf(t, format+"\n", values...) }

func (t *trace) watch() {
	defer t.ended.Done()
	for {
		select {
		case <-t.done:
			return
		case <-time.After(t.interval):
		}
		if !t.patch() && time.Since(t.last) > touchInterval {
			t.update(map[string]any{"state": "running"})
		}
	}
}

// patch sends what is new; false when there is nothing.
func (t *trace) patch() bool {
	t.mutex.Lock()
	fresh := bytes.Clone(t.text.Bytes()[t.sent:])
	from := t.sent
	t.mutex.Unlock()
	if len(fresh) == 0 {
		return false
	}
	header := http.Header{
		"Job-Token":     {t.build.Token},
		"Content-Type":  {"text/plain"},
		"Content-Range": {fmt.Sprintf("%d-%d", from, from+len(fresh)-1)},
	}
	got := t.build.runner.send(http.MethodPatch, fmt.Sprintf("jobs/%d/trace?debug_trace=false", t.build.ID), fresh, header)
	if got.status == http.StatusAccepted {
		t.mutex.Lock()
		t.sent = from + len(fresh)
		t.mutex.Unlock()
		t.last = time.Now()
	} else {
		log.warn(fields{"job": t.build.ID, "status": got.text}, "Appending trace to coordinator... failed")
	}
	t.heed(got)
	return true
}

// heed does what the answer says of the job: one that was canceled, or has failed by GitLab's rules, ends.
func (t *trace) heed(got answer) {
	if seconds, err := strconv.Atoi(got.header.Get("X-Gitlab-Trace-Update-Interval")); err == nil && seconds > 0 {
		t.interval = time.Duration(seconds) * time.Second
	}
	switch state := got.header.Get("Job-Status"); {
	case state == "canceled" || state == "canceling" || state == "failed" || got.status == http.StatusForbidden,
		got.status == http.StatusNotFound:
		t.build.cancel(errCanceled)
	}
}

func (t *trace) update(more map[string]any) answer {
	t.mutex.Lock()
	text := t.text.Bytes()
	output := map[string]any{"checksum": fmt.Sprintf("crc32:%08x", crc32.ChecksumIEEE(text)), "bytesize": len(text)}
	t.mutex.Unlock()
	body := map[string]any{
		"info": t.build.runner.info(), "token": t.build.Token, "output": output, "checksum": output["checksum"],
	}
	for name, value := range more {
		body[name] = value
	}
	log.info(fields{"job": t.build.ID, "bytesize": output["bytesize"]}, "Updating job...")
	got := t.build.runner.call(http.MethodPut, fmt.Sprintf("jobs/%d", t.build.ID), body)
	t.last = time.Now()
	with := fields{"job": t.build.ID, "code": got.status, "job-status": got.header.Get("Job-Status")}
	switch got.status {
	case http.StatusOK:
		log.info(with, "Submitting job to coordinator... ok")
	case http.StatusAccepted:
		log.info(with, "Submitting job to coordinator... accepted, but not yet completed")
	default:
		with["status"] = got.text
		log.warn(with, "Submitting job to coordinator... failed")
	}
	t.heed(got)
	return got
}

// end sends the rest of the trace and the result, for as long as GitLab cannot be reached, at most ten times each.
func (t *trace) end(state, reason string, exitCode int) {
	close(t.done)
	t.ended.Wait()
	for attempt := 0; attempt < 10 && t.patch(); attempt++ {
		if t.isSent() {
			break
		}
		time.Sleep(t.interval)
	}
	result := map[string]any{"state": state}
	if reason != "" {
		result["failure_reason"] = reason
	}
	if exitCode != 0 {
		result["exit_code"] = exitCode
	}
	for attempt := 0; attempt < 10; attempt++ {
		got := t.update(result)
		if got.status != clientError && got.status < 500 && got.status != http.StatusAccepted {
			return
		}
		time.Sleep(t.interval)
	}
}

func (t *trace) isSent() bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.sent == t.text.Len()
}
