package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	failures "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
)

// stageStatus is the line that a script ends with.
type stageStatus struct {
	ExitCode *int   `json:"command_exit_code"`
	Script   string `json:"script"`
}

func (e *executor) pollInterval() time.Duration {
	return seconds(e.kubernetes().number("poll_interval", 0), 3)
}

// waitForPod asks for the pod until it runs, for poll_timeout (180 seconds) at most.
func (e *executor) waitForPod(ctx context.Context) error {
	attempts := int(seconds(e.kubernetes().number("poll_timeout", 0), 180) / e.pollInterval())
	phase := core.PodUnknown
	for attempt := 0; attempt <= attempts; attempt++ {
		pod, err := e.core.Pods(e.namespace).Get(ctx, e.pod.Name, meta.GetOptions{})
		if err != nil {
			return fmt.Errorf("waiting for pod running: %w", err)
		}
		phase = pod.Status.Phase
		ready, err := isRunning(pod)
		if err != nil {
			return fmt.Errorf("waiting for pod running: %w", err)
		}
		if ready {
			return nil
		}
		node := pod.Spec.NodeName
		if node == "" {
			node = "<unknown>"
		}
		e.trace.line("Waiting for pod %s/%s to be running on the node %s, status is %s", pod.Namespace, pod.Name, node, phase)
		for _, condition := range pod.Status.Conditions {
			if condition.Reason != "" {
				e.trace.line("\t%s: %q", condition.Reason, condition.Message)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(e.pollInterval()):
		}
	}
	return fmt.Errorf("waiting for pod running: timed out waiting for pod to start (last phase: %s)", phase)
}

// isRunning tells whether the pod runs and its build container is ready; it is an error when that cannot come.
func isRunning(pod *core.Pod) (bool, error) {
	switch pod.Status.Phase {
	case core.PodSucceeded:
		return false, errors.New("pod already succeeded before it begins running")
	case core.PodFailed:
		return false, errors.New("pod status is failed")
	case core.PodRunning:
		for _, one := range pod.Status.ContainerStatuses {
			if one.Name == buildContainer && one.Ready {
				return true, nil
			}
		}
	}
	for _, one := range append(pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses...) {
		waiting := one.State.Waiting
		if waiting == nil {
			continue
		}
		switch waiting.Reason {
		case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull":
			reason := imagePullFailure
			if waiting.Reason == "InvalidImageName" {
				reason = configurationError
			}
			return false, &buildError{reason: reason, inner: fmt.Errorf("image pull failed: %s", waiting.Message)}
		case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
			return false, &buildError{reason: runnerSystemFailure, inner: fmt.Errorf("%s: %s", waiting.Reason, waiting.Message)}
		}
	}
	return false, nil
}

// runStage has the script saved in its container, and run by the shell that waits there.
func (e *executor) runStage(ctx context.Context, one stage) error {
	if err := e.ensurePod(ctx); err != nil {
		e.warningEvents()
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if since(15, 8) {
		if err := e.save(ctx, one.name, one.container, one.script); err != nil {
			return err
		}
	}
	attached := make(chan error, 1)
	go func() { attached <- e.attach(ctx, one) }()
	status := e.watchStatus(ctx)
	for {
		select {
		case <-ctx.Done():
			return errors.New("build aborted")
		case err := <-status:
			e.warningEvents()
			return err
		case err := <-attached:
			if err != nil {
				return err
			}
			attached = nil
		case ended := <-e.terminated:
			if *ended.ExitCode == 0 {
				return nil
			}
			return &buildError{
				inner:  fmt.Errorf("command terminated with exit code %d", *ended.ExitCode),
				reason: scriptFailure, exitCode: *ended.ExitCode,
			}
		}
	}
}

// watchStatus asks for the pod while a script runs, and tells when the pod, or one of its two containers, ends.
func (e *executor) watchStatus(ctx context.Context) <-chan error {
	result := make(chan error, 1)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(e.pollInterval()):
			}
			pod, err := e.core.Pods(e.namespace).Get(ctx, e.pod.Name, meta.GetOptions{})
			switch {
			case failures.IsNotFound(err):
				result <- err
				return
			case err != nil:
				continue
			case pod.Status.Phase != core.PodRunning:
				result <- fmt.Errorf("pod %q status is %q", pod.Name, pod.Status.Phase)
				return
			}
			for _, one := range pod.Status.ContainerStatuses {
				ended := one.State.Terminated
				if ended != nil && (one.Name == buildContainer || one.Name == helperContainer) {
					result <- fmt.Errorf("Error in container %s: exit code: %d, reason: '%s'", one.Name, ended.ExitCode, ended.Reason)
					return
				}
			}
		}
	}()
	return result
}

// attach gives a line to the shell of a container. The output does not come back here, but through the log's file.
func (e *executor) attach(ctx context.Context, one stage) error {
	pod, err := e.core.Pods(e.namespace).Get(ctx, e.pod.Name, meta.GetOptions{})
	if err != nil {
		return fmt.Errorf("couldn't get pod details: %w", err)
	}
	if pod.Status.Phase != core.PodRunning {
		return fmt.Errorf("pod %q (on namespace %q) is not running and cannot execute commands; current phase is %q",
			pod.Name, pod.Namespace, pod.Status.Phase)
	}
	request := e.core.RESTClient().Post().Resource("pods").Namespace(e.namespace).Name(e.pod.Name).SubResource("attach").
		VersionedParams(&core.PodAttachOptions{Container: one.container, Stdin: true}, scheme.ParameterCodec)
	stream, err := remotecommand.NewSPDYExecutor(e.settings, "POST", request.URL())
	if err != nil {
		return err
	}
	return stream.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: strings.NewReader(e.attachCommand(one) + "\n")})
}

// save writes a script into a container, by a shell of its own.
func (e *executor) save(ctx context.Context, name, container, script string) error {
	command := []string{"sh", "-c", detectShell()}
	input := strings.NewReader(saveScript(e.scriptPath(name), script))
	err := e.exec(ctx, container, command, input, io.Discard)
	var ended exec.CodeExitError
	if errors.As(err, &ended) {
		return &buildError{inner: err, exitCode: ended.Code}
	}
	return err
}

func (e *executor) exec(ctx context.Context, container string, command []string, input io.Reader, output io.Writer) error {
	request := e.core.RESTClient().Post().Resource("pods").Namespace(e.namespace).Name(e.pod.Name).SubResource("exec").
		VersionedParams(&core.PodExecOptions{
			Container: container, Command: command, Stdin: input != nil, Stdout: true, Stderr: true,
		}, scheme.ParameterCodec)
	stream, err := remotecommand.NewSPDYExecutor(e.settings, "POST", request.URL())
	if err != nil {
		return err
	}
	return stream.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: input, Stdout: output, Stderr: output})
}

// readLog follows the log's file through the helper container, and begins again where a connection ends.
func (e *executor) readLog(ctx context.Context) {
	offset := int64(0)
	for attempt := 0; ctx.Err() == nil; attempt++ {
		reader, writer := io.Pipe()
		go func() {
			err := e.exec(ctx, helperContainer, []string{
				"gitlab-runner-helper", "read-logs", "--path", e.logFile(), "--offset", strconv.FormatInt(offset, 10),
				"--wait-file-timeout", "1m0s",
			}, nil, writer)
			writer.CloseWithError(err)
		}()
		err := e.readLines(reader, &offset)
		reader.Close()
		if ctx.Err() != nil {
			return
		}
		var ended exec.CodeExitError
		if errors.As(err, &ended) && ended.Code == noLogFile {
			offset = 0
			e.trace.line("WARNING: Error processing the log file: output log file deleted, cannot continue %v", err)
			code := ended.Code
			e.terminated <- stageStatus{ExitCode: &code}
		} else if err != nil {
			log.warn(fields{"job": e.ID}, fmt.Sprintf("Error streaming logs %s/%s/%s:%s: %v. Retrying...",
				e.namespace, e.pod.Name, helperContainer, e.logFile(), err))
		}
		time.Sleep(min(time.Duration(attempt+1)*500*time.Millisecond, 5*time.Second))
	}
}

func (e *executor) readLines(from io.Reader, offset *int64) error {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			if number, text, found := strings.Cut(line, " "); found {
				if parsed, err := strconv.ParseInt(number, 10, 64); err == nil {
					*offset, line = parsed, text
				}
			}
			var status stageStatus
			if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &status) == nil && status.ExitCode != nil {
				log.debug(fields{"job": e.ID, "script": path.Base(status.Script)}, "Remote process exited")
				e.terminated <- status
			} else {
				io.WriteString(e.trace, line)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// serviceLogs copies what the services write into the trace, for CI_DEBUG_SERVICES.
func (e *executor) serviceLogs(ctx context.Context) {
	for _, one := range e.pod.Spec.Containers {
		if !strings.HasPrefix(one.Name, "svc-") {
			continue
		}
		options := &core.PodLogOptions{Container: one.Name, Follow: true, Timestamps: true}
		stream, err := e.core.Pods(e.namespace).GetLogs(e.pod.Name, options).Stream(ctx)
		if err != nil {
			e.trace.line("WARNING: failed to open log stream for container %s: %v", one.Name, err)
			continue
		}
		go func() {
			defer stream.Close()
			lines := bufio.NewScanner(stream)
			for lines.Scan() {
				e.trace.line("[service:%s] %s", one.Name, lines.Text())
			}
		}()
	}
}

// warningEvents puts the pod's warnings into the trace, unless print_pod_warning_events is off.
func (e *executor) warningEvents() {
	if e.pod == nil || !since(18, 0) || !e.kubernetes().flag("print_pod_warning_events", true) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	events, err := e.core.Events(e.namespace).List(ctx, meta.ListOptions{
		FieldSelector: "involvedObject.name=" + e.pod.Name + ",type=Warning",
	})
	if err != nil {
		e.trace.line("WARNING: Error retrieving events list: %v", err)
		return
	}
	for _, one := range events.Items {
		e.trace.line("WARNING: Event retrieved from the cluster: %s", one.Message)
	}
}
