package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// waitForEnd returns when the process may end with status 0. After SIGQUIT jobs run to their end; after SIGTERM or
// SIGINT they are aborted and have shutdown_timeout to end. A further signal ends the process at once, except
// SIGTERM after SIGQUIT, which aborts.
func (m *manager) waitForEnd(signals chan os.Signal) {
	received := <-signals
	m.log().warn(fields{"stop-signal": received}, "[runWait] received stop signal")
	m.mutex.Lock()
	close(m.stopped)
	m.mutex.Unlock()
	finished := make(chan struct{})
	go func() {
		m.workers.Wait()
		m.log().info(nil, "All workers stopped.")
		m.log().info(nil, "All executor providers shut down.")
		m.log().info(nil, "Can exit now!")
		close(finished)
	}()
	for received == syscall.SIGQUIT {
		m.log().warn(fields{"StopSignal": received}, "Starting graceful shutdown, waiting for builds to finish")
		select {
		case <-finished:
			return
		case received = <-signals:
			m.log().warn(fields{"stop-signal": received}, "[handleGracefulShutdown] received stop signal")
		}
	}
	log.warn(fields{"error": fmt.Sprintf("received stop signal: %v", received)},
		"Graceful shutdown not finished properly. To gracefully clean up running plugins please use SIGQUIT (ctrl-\\) "+
			"instead of SIGINT (ctrl-c)")
	timeout := m.current().shutdownTimeout()
	m.log().warn(fields{"StopSignal": received, "shutdown-timeout": timeout}, "Starting forceful shutdown")
	m.abort(received)
	failure := ""
	select {
	case <-finished:
		return
	case received = <-signals:
		m.log().warn(fields{"stop-signal": received}, "[handleForcefulShutdown] received stop signal")
		failure = fmt.Sprintf("forced exit with stop signal: %v", received)
	case <-time.After(timeout):
		failure = "shutdown timed out"
	}
	log.warn(fields{"error": failure}, "Forceful shutdown not finished properly")
	log.fatal(fields{"error": failure}, "Service run failed")
}

// abort ends the jobs that run, and those of requests that are still on their way.
func (m *manager) abort(because os.Signal) {
	go func() {
		for {
			m.mutex.Lock()
			for one := range m.jobs {
				one.abort(because)
			}
			m.mutex.Unlock()
			time.Sleep(100 * time.Millisecond)
		}
	}()
}
