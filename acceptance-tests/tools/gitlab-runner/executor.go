package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	authorization "k8s.io/api/authorization/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	failures "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
	policyclient "k8s.io/client-go/kubernetes/typed/policy/v1"
	"k8s.io/client-go/rest"
)

// executor runs one job as a pod, in the order of calls of the real one.
type executor struct {
	*build
	settings    *rest.Config
	core        *coreclient.CoreV1Client
	namespace   string
	credentials *core.Secret
	scripts     *core.ConfigMap
	pod         *core.Pod
	terminated  chan stageStatus
}

// execute runs the stages. The error of the script comes before those of what follows it.
func (e *executor) execute(ctx context.Context) error {
	if err := e.prepare(ctx); err != nil {
		return err
	}
	var result error
	for _, one := range e.stages() {
		if result != nil && one.name != "after_script" && one.name != "cleanup_file_variables" {
			continue
		}
		e.stage.Store(one.name)
		err := e.runStage(ctx, one)
		if ctx.Err() != nil {
			return err
		}
		if err != nil && one.name == "prepare_script" {
			return fmt.Errorf("prepare environment: %w. Check https://docs.gitlab.com/runner/shells/"+
				"#shell-profile-loading for more information", err)
		}
		if result == nil && one.name != "after_script" {
			result = err
		}
	}
	return result
}

// prepare connects to the cluster that this pod is in, or to that of the configuration's host.
func (e *executor) prepare(ctx context.Context) error {
	wrong := func(what string, err error) error {
		return &buildError{inner: fmt.Errorf("%s: %w", what, err), reason: configurationError}
	}
	if e.imageName() == "" {
		return wrong("check defaults error", errors.New("no image specified and no default set in config"))
	}
	e.namespace = e.expand(e.kubernetes().text("namespace"))
	if e.namespace == "" {
		e.trace.line("Namespace is empty, therefore assuming 'default'.")
		e.namespace = "default"
	}
	perJob := e.kubernetes().flag("namespace_per_job", false) && since(16, 10)
	if perJob {
		e.namespace = fmt.Sprintf("ci-job-%d", e.ID)
	}
	var err error
	if e.settings, err = clusterOf(e.kubernetes()); err != nil {
		return wrong("getting Kubernetes config", err)
	}
	if e.core, err = coreclient.NewForConfig(e.settings); err != nil {
		return wrong("creating Kubernetes client", err)
	}
	e.trace.line("Using Kubernetes namespace: %s", e.namespace)
	e.trace.line("Using Kubernetes executor with image %s ...", e.imageName())
	e.trace.line("Using attach strategy to execute scripts...")
	if since(18, 0) {
		e.watchPods(ctx)
	}
	if !perJob {
		return nil
	}
	_, err = e.core.Namespaces().Create(ctx, &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: e.namespace}}, meta.CreateOptions{})
	if err != nil {
		return fmt.Errorf("setting up build namespace: failed to create namespace: %w", err)
	}
	return nil
}

func clusterOf(kubernetes table) (*rest.Config, error) {
	var settings *rest.Config
	if host := kubernetes.text("host"); host != "" {
		settings = &rest.Config{Host: host, BearerToken: kubernetes.text("bearer_token")}
		settings.CAFile, settings.CertFile = kubernetes.text("ca_file"), kubernetes.text("cert_file")
		settings.KeyFile = kubernetes.text("key_file")
	} else {
		found, err := rest.InClusterConfig()
		if err != nil {
			return nil, err
		}
		settings = found
		if token := kubernetes.text("bearer_token"); token != "" {
			settings.BearerToken, settings.BearerTokenFile = token, ""
		}
	}
	settings.UserAgent = fmt.Sprintf("gitlab-runner %s linux/amd64", version())
	settings.QPS, settings.Burst = 50, 100
	return settings, nil
}

// watchPods follows the job's pods where the Role allows it, as a help that may be missing. What it sees of a pod
// that ends is also seen by asking.
func (e *executor) watchPods(ctx context.Context) {
	reviews, err := authorizationclient.NewForConfig(e.settings)
	if err != nil {
		return
	}
	for _, verb := range []string{"list", "watch"} {
		review := &authorization.SelfSubjectAccessReview{}
		review.Spec.ResourceAttributes = &authorization.ResourceAttributes{
			Namespace: e.namespace, Verb: verb, Resource: "pods", Version: "v1",
		}
		got, err := reviews.SelfSubjectAccessReviews().Create(ctx, review, meta.CreateOptions{})
		if err != nil || !got.Status.Allowed {
			e.trace.line("WARNING: won't use informers: %q, see: "+
				"https://docs.gitlab.com/runner/executors/kubernetes/#informers", "pods/"+verb)
			return
		}
	}
	options := meta.ListOptions{LabelSelector: "job.runner.gitlab.com/pod=" + label(e.uniqueName())}
	listed, err := e.core.Pods(e.namespace).List(ctx, options)
	if err != nil {
		return
	}
	options.ResourceVersion = listed.ResourceVersion
	watch, err := e.core.Pods(e.namespace).Watch(ctx, options)
	if err != nil {
		return
	}
	go func() {
		defer watch.Stop()
		for range watch.ResultChan() {
		}
	}()
}

// ensurePod makes the pod and what it needs, once, and waits until it runs.
func (e *executor) ensurePod(ctx context.Context) error {
	if e.pod != nil {
		return nil
	}
	if err := e.makeCredentials(ctx); err != nil {
		return fmt.Errorf("setting up credentials: %w", err)
	}
	if !since(15, 8) {
		if err := e.makeScripts(ctx); err != nil {
			return fmt.Errorf("setting up scripts configMap: %w", err)
		}
	}
	if err := e.makePod(ctx); err != nil {
		return fmt.Errorf("setting up build pod: %w", err)
	}
	if err := e.waitForPod(ctx); err != nil {
		return err
	}
	if since(15, 8) {
		if err := e.save(ctx, detectScript, buildContainer, detectShell()); err != nil {
			return fmt.Errorf("setting up trapping scripts on emptyDir: %w", err)
		}
	}
	e.terminated = make(chan stageStatus, 16)
	go e.readLog(ctx)
	if e.variable("CI_DEBUG_SERVICES") == "true" {
		e.serviceLogs(ctx)
	}
	return nil
}

// makeCredentials makes a Secret of the registries' credentials: those of DOCKER_AUTH_CONFIG and those of the job.
func (e *executor) makeCredentials(ctx context.Context) error {
	registries := map[string]any{}
	for _, one := range e.Credentials {
		if one.Type == "registry" {
			registries[one.URL] = map[string]string{"username": one.Username, "password": one.Password}
		}
	}
	var given struct {
		Auths map[string]struct{ Auth, Username, Password string }
	}
	if text := e.variable("DOCKER_AUTH_CONFIG"); text != "" {
		if err := json.Unmarshal([]byte(text), &given); err != nil {
			return err
		}
	}
	for name, one := range given.Auths {
		if plain, err := base64.StdEncoding.DecodeString(one.Auth); err == nil && one.Auth != "" {
			one.Username, one.Password, _ = strings.Cut(string(plain), ":")
		}
		registries[name] = map[string]string{"username": one.Username, "password": one.Password}
	}
	if len(registries) == 0 {
		return nil
	}
	text, err := json.Marshal(registries)
	if err != nil {
		return err
	}
	e.credentials, err = e.core.Secrets(e.namespace).Create(ctx, &core.Secret{
		ObjectMeta: meta.ObjectMeta{Name: nameOf(e.uniqueName()), Namespace: e.namespace},
		Type:       core.SecretTypeDockercfg,
		Data:       map[string][]byte{core.DockerConfigKey: text},
	}, meta.CreateOptions{})
	return err
}

// makeScripts makes the ConfigMap with all scripts of the job, up to 15.7.
func (e *executor) makeScripts(ctx context.Context) error {
	data := map[string]string{detectScript: detectShell()}
	for _, one := range e.stages() {
		data[one.name] = one.script
	}
	made, err := e.core.ConfigMaps(e.namespace).Create(ctx, &core.ConfigMap{
		ObjectMeta: meta.ObjectMeta{GenerateName: e.uniqueName() + "-scripts", Namespace: e.namespace},
		Data:       data,
	}, meta.CreateOptions{})
	if err != nil {
		return fmt.Errorf("generating scripts config map: %w", err)
	}
	e.scripts = made
	return nil
}

// makePod makes the pod and lets it own what was made for it.
func (e *executor) makePod(ctx context.Context) error {
	pod, err := e.podObject()
	if err != nil {
		return err
	}
	if err := e.checkResources(ctx); err != nil {
		return err
	}
	e.pod, err = e.core.Pods(e.namespace).Create(ctx, pod, meta.CreateOptions{})
	if err != nil {
		e.pod = nil
		return err
	}
	owner := []meta.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: e.pod.Name, UID: e.pod.UID}}
	if e.credentials != nil {
		owned := e.credentials.DeepCopy()
		owned.OwnerReferences = owner
		if owned, err = e.core.Secrets(e.namespace).Update(ctx, owned, meta.UpdateOptions{}); err != nil {
			return fmt.Errorf("error setting ownerReferences: %w", err)
		}
		e.credentials = owned
	}
	if e.scripts != nil {
		owned := e.scripts.DeepCopy()
		owned.OwnerReferences = owner
		if owned, err = e.core.ConfigMaps(e.namespace).Update(ctx, owned, meta.UpdateOptions{}); err != nil {
			return fmt.Errorf("error setting ownerReferences: %w", err)
		}
		e.scripts = owned
	}
	if e.kubernetes().flag("pod_disruption_budget", false) && since(18, 11) {
		return e.makeBudget(ctx, owner)
	}
	return nil
}

func (e *executor) makeBudget(ctx context.Context, owner []meta.OwnerReference) error {
	client, err := policyclient.NewForConfig(e.settings)
	if err != nil {
		return err
	}
	one := intstr.FromInt32(1)
	budget := &policy.PodDisruptionBudget{
		ObjectMeta: meta.ObjectMeta{Name: nameOf(e.uniqueName()), Namespace: e.namespace, OwnerReferences: owner},
		Spec: policy.PodDisruptionBudgetSpec{
			MinAvailable: &one,
			Selector:     &meta.LabelSelector{MatchLabels: map[string]string{"job.runner.gitlab.com/pod": label(e.uniqueName())}},
		},
	}
	if _, err := client.PodDisruptionBudgets(e.namespace).Create(ctx, budget, meta.CreateOptions{}); err != nil {
		return fmt.Errorf("error creating PodDisruptionBudget: %w", err)
	}
	return nil
}

// checkResources waits until the service account and the pull secrets of the configuration are there.
func (e *executor) checkResources(ctx context.Context) error {
	attempts := e.kubernetes().number("resource_availability_check_max_attempts", 5)
	if attempts == 0 {
		return nil
	}
	wait := func(kind, name string, get func() error) error {
		for attempt := int64(-1); attempt < attempts; attempt++ {
			if get() == nil {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(5 * time.Second):
			}
		}
		return fmt.Errorf("Timed out while waiting for %s/%s to be present in the cluster", kind, name)
	}
	if name := e.kubernetes().text("service_account"); name != "" {
		err := wait("ServiceAccount", name, func() error {
			_, err := e.core.ServiceAccounts(e.namespace).Get(ctx, name, meta.GetOptions{})
			return err
		})
		if err != nil {
			return err
		}
	}
	for _, name := range e.kubernetes().list("image_pull_secrets") {
		err := wait("ImagePullSecret", name, func() error {
			_, err := e.core.Secrets(e.namespace).Get(ctx, name, meta.GetOptions{})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// cleanup deletes what the pod's deletion does not take with it, within cleanup_resources_timeout (5 minutes).
func (e *executor) cleanup() {
	if e.core == nil {
		return
	}
	limit := e.build.runner.kubernetes()
	ctx, cancel := context.WithTimeout(context.Background(), (&runner{table: limit}).duration("cleanup_resources_timeout", 5*time.Minute))
	defer cancel()
	background := meta.DeletePropagationBackground
	grace := meta.DeleteOptions{GracePeriodSeconds: limit.numberPointer("cleanup_grace_period_seconds")}
	report := func(what string, err error) {
		if err != nil && !failures.IsNotFound(err) {
			e.trace.line("ERROR: Error cleaning up %s: %v", what, err)
		}
	}
	if e.pod != nil {
		options := grace
		options.PropagationPolicy = &background
		report("pod", e.core.Pods(e.namespace).Delete(ctx, e.pod.Name, options))
	}
	if e.credentials != nil && len(e.credentials.OwnerReferences) == 0 {
		report("secrets", e.core.Secrets(e.namespace).Delete(ctx, e.credentials.Name, grace))
	}
	if e.scripts != nil && len(e.scripts.OwnerReferences) == 0 {
		report("configmap", e.core.ConfigMaps(e.namespace).Delete(ctx, e.scripts.Name, grace))
	}
	if limit.flag("namespace_per_job", false) && since(16, 10) {
		report("namespace", e.core.Namespaces().Delete(ctx, e.namespace, meta.DeleteOptions{}))
	}
}

func (e *executor) kubernetes() table { return e.build.runner.kubernetes() }
