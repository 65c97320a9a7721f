package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// clientError stands for the status of a call that got no answer.
const clientError = -100

// answer is what GitLab said to one call.
type answer struct {
	status int
	// text is what the log shows: the status, and what the body says of it.
	text   string
	body   []byte
	header http.Header
}

func (a answer) decode(into any) bool { return json.Unmarshal(a.body, into) == nil }

// clients by address and certificates, so that connections are used again.
var clients sync.Map

func (r *runner) client() (*http.Client, error) {
	ca := r.text("tls-ca-file")
	if parsed, err := url.Parse(r.url()); err == nil && ca == "" && r.configDir != "" {
		found := filepath.Join(r.configDir, "certs", parsed.Hostname()+".crt")
		if _, err := os.Stat(found); err == nil {
			ca = found
		}
	}
	key := r.url() + "\n" + ca
	if known, ok := clients.Load(key); ok {
		return known.(*http.Client), nil
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if ca != "" {
		text, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		pool.AppendCertsFromPEM(text)
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	made := &http.Client{Transport: transport, Timeout: time.Hour}
	clients.Store(key, made)
	return made, nil
}

// apiURL is the address of a call below the API.
func (r *runner) apiURL(path string) string {
	base := strings.TrimSuffix(strings.TrimRight(r.url(), "/"), "/ci")
	return base + "/api/v4/" + path
}

func (r *runner) call(method, path string, body any) answer {
	text, err := json.Marshal(body)
	if err != nil {
		return answer{status: clientError, text: err.Error()}
	}
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	return r.send(method, path, text, header)
}

func (r *runner) send(method, path string, body []byte, header http.Header) answer {
	result := func() answer {
		address := r.apiURL(path)
		if parsed, err := url.Parse(address); err != nil || parsed.Host == "" {
			return answer{status: clientError, text: fmt.Sprintf("%s: only http or https scheme supported", r.url())}
		}
		client, err := r.client()
		if err != nil {
			return answer{status: clientError, text: err.Error()}
		}
		request, err := http.NewRequest(method, address, bytes.NewReader(body))
		if err != nil {
			return answer{status: clientError, text: err.Error()}
		}
		request.Header = header
		request.Header.Set("User-Agent", fmt.Sprintf("gitlab-runner %s (stand-in; %s; %s/%s)",
			version(), runtime.Version(), runtime.GOOS, runtime.GOARCH))
		response, err := client.Do(request)
		if err != nil {
			var inner *url.Error
			if errors.As(err, &inner) {
				err = inner.Err
			}
			return answer{status: clientError, text: fmt.Sprintf("couldn't execute %s against %s: %v", method, address, err)}
		}
		defer response.Body.Close()
		sent, err := io.ReadAll(response.Body)
		if err != nil {
			return answer{status: clientError, text: err.Error()}
		}
		got := answer{status: response.StatusCode, body: sent, header: response.Header}
		got.text = fmt.Sprintf("%s %s: %s", method, address, response.Status)
		var said struct{ Message any }
		if response.StatusCode >= 400 && got.decode(&said) && said.Message != nil {
			got.text += fmt.Sprintf(" (%v)", said.Message)
		}
		return got
	}()
	countRequest(path, result.status)
	return result
}

// info describes the manager.
func (r *runner) info() map[string]any {
	return map[string]any{
		"name":         "gitlab-runner",
		"version":      version(),
		"revision":     revision,
		"platform":     runtime.GOOS,
		"architecture": runtime.GOARCH,
		"executor":     r.text("executor"),
		"shell":        "bash",
		"features": map[string]bool{
			"variables": true, "image": true, "services": true, "raw_variables": true, "trace_reset": true,
			"trace_checksum": true, "trace_size": true, "cancelable": true, "return_exit_code": true,
		},
	}
}

// withSystemID adds the manager's ID, which older runners do not have.
func (r *runner) withSystemID(body map[string]any) map[string]any {
	if r.systemID != "" {
		body["system_id"] = r.systemID
	}
	return body
}

// logFailure writes the line for a call that did not end well.
func (r *runner) logFailure(got answer, message, forbidden string) {
	with := r.logFields()
	with["status"] = got.text
	switch got.status {
	case http.StatusForbidden:
		log.error(with, message+" "+forbidden)
	case clientError:
		log.error(with, message+" client error")
	default:
		log.error(with, message+" failed")
	}
}

// registered is the answer to a registration, and to a verification.
type registered struct {
	ID        int64      `json:"id"`
	Token     string     `json:"token"`
	ExpiresAt *time.Time `json:"token_expires_at"`
}

// register asks for a runner with a registration token; nil when there is none.
func (r *runner) register(parameters map[string]any) *registered {
	const message = "Registering runner..."
	parameters["token"] = r.token()
	parameters["info"] = r.info()
	got := r.call(http.MethodPost, "runners", parameters)
	var made registered
	if got.status == http.StatusCreated && got.decode(&made) {
		log.info(r.logFields(), message+" succeeded")
		return &made
	}
	r.logFailure(got, message, "forbidden (check registration token)")
	return nil
}

// verify asks whether GitLab knows the runner. nil means that it does not; a GitLab that cannot be reached is no
// such answer, and gives an empty one.
func (r *runner) verify() *registered {
	const message = "Verifying runner..."
	got := r.call(http.MethodPost, "runners/verify", r.withSystemID(map[string]any{"token": r.token(), "info": r.info()}))
	var known registered
	isCreated := r.isCreated() && since(16, 0)
	switch {
	case got.status == http.StatusOK:
		got.decode(&known)
		if isCreated {
			log.info(r.logFields(), message+" is valid")
		} else {
			log.info(r.logFields(), message+" is alive")
		}
	case got.status == http.StatusForbidden && isCreated:
		log.info(r.logFields(), message+" is not valid")
		return nil
	case got.status == http.StatusForbidden:
		r.logFailure(got, message, "is removed")
		return nil
	default:
		r.logFailure(got, message, "")
	}
	return &known
}

// unregister takes the runner out of GitLab, or this manager alone where the runner was made there.
func (r *runner) unregister() bool {
	message, path, body := "Unregistering runner from GitLab", "runners", map[string]any{"token": r.token()}
	if r.isCreated() && since(16, 0) {
		message, path = "Unregistering runner manager from GitLab", "runners/managers"
		body = r.withSystemID(body)
	}
	got := r.call(http.MethodDelete, path, body)
	if got.status == http.StatusNoContent {
		log.info(r.logFields(), message+" succeeded")
		return true
	}
	r.logFailure(got, message, "forbidden")
	return false
}

// requestJob asks for a job. The second result is false when GitLab refuses the runner or cannot be reached.
func (r *runner) requestJob() (*job, bool) {
	const message = "Checking for jobs..."
	got := r.call(http.MethodPost, "jobs/request", r.withSystemID(map[string]any{"token": r.token(), "info": r.info()}))
	with := r.logFields()
	with["status"] = got.text
	switch got.status {
	case http.StatusCreated:
		var received job
		if !got.decode(&received) {
			log.error(with, message+" failed")
			return nil, true
		}
		with = r.logFields()
		with["job"], with["repo_url"] = received.ID, received.GitInfo.RepoURL
		log.info(with, message+" received")
		return &received, true
	case http.StatusNoContent:
		log.debug(with, message+" no content")
		return nil, true
	case http.StatusForbidden:
		log.error(with, message+" forbidden")
		return nil, false
	case clientError:
		log.error(with, message+" client error")
		return nil, false
	}
	log.warn(with, message+" failed")
	return nil, true
}
