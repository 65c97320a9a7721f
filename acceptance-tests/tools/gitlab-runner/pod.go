package main

import (
	"cmp"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// nameOf is the name of an object: what it begins with, and eight random characters, 63 in all at most.
func nameOf(beginning string) string {
	return beginning[:min(len(beginning), 63-9)] + "-" + randomText("abcdefghijklmnopqrstuvwxyz0123456789", 8)
}

var outsideLabels = regexp.MustCompile(`[^a-zA-Z0-9_.-]`)

// label makes a label's value of any text.
func label(text string) string {
	text = strings.Trim(outsideLabels.ReplaceAllString(text, "_"), "-_.")
	return strings.Trim(text[:min(len(text), 63)], "-_.")
}

func (e *executor) imageName() string {
	return e.expand(cmp.Or(e.Image.Name, e.kubernetes().text("image")))
}

func (e *executor) helperImage() string {
	if configured := e.kubernetes().text("helper_image"); configured != "" {
		return e.expand(configured)
	}
	architecture := map[string]string{"amd64": "x86_64"}[runtime.GOARCH]
	tag := cmp.Or(architecture, runtime.GOARCH) + "-v" + version()
	if flavor := e.kubernetes().text("helper_image_flavor"); flavor != "" && flavor != "alpine" {
		tag = flavor + "-" + tag
	}
	return "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:" + tag
}

func (e *executor) pullPolicy(ofJob []string) (core.PullPolicy, error) {
	allowed := e.kubernetes().list("allowed_pull_policies")
	policies := ofJob
	if len(policies) == 0 {
		policies = e.kubernetes().list("pull_policy")
	}
	if len(policies) == 0 {
		return "", nil
	}
	if len(allowed) > 0 && !slices.Contains(allowed, policies[0]) {
		return "", &buildError{reason: configurationError,
			inner: fmt.Errorf("failed to pull image: pull_policy %q is not one of the allowed_pull_policies %q", policies, allowed)}
	}
	known := map[string]core.PullPolicy{
		"": "", "always": core.PullAlways, "if-not-present": core.PullIfNotPresent, "never": core.PullNever,
	}
	policy, ok := known[policies[0]]
	if !ok {
		return "", &buildError{reason: configurationError, inner: fmt.Errorf("unsupported kubernetes-pull-policy: %q", policies[0])}
	}
	return policy, nil
}

// resources are the requests and limits of one kind of container, by the beginning of its keys.
func (e *executor) resources(prefix string) (core.ResourceRequirements, error) {
	list := func(suffix string) (core.ResourceList, error) {
		result := core.ResourceList{}
		for name, key := range map[core.ResourceName]string{
			core.ResourceCPU: "cpu_", core.ResourceMemory: "memory_", core.ResourceEphemeralStorage: "ephemeral_storage_",
		} {
			text := e.kubernetes().text(prefix + key + suffix)
			if text == "" {
				continue
			}
			amount, err := resource.ParseQuantity(text)
			if err != nil {
				return nil, fmt.Errorf("parsing resource %q with value %q: %w", name, text, err)
			}
			result[name] = amount
		}
		return result, nil
	}
	requests, err := list("request")
	if err != nil {
		return core.ResourceRequirements{}, err
	}
	limits, err := list("limit")
	return core.ResourceRequirements{Requests: requests, Limits: limits}, err
}

func (e *executor) container(name, imageName string, of image, prefix, security string) (core.Container, error) {
	policy, err := e.pullPolicy(of.PullPolicy)
	if err != nil {
		return core.Container{}, err
	}
	resources, err := e.resources(prefix)
	if err != nil {
		return core.Container{}, err
	}
	context, err := e.containerSecurity(security)
	if err != nil {
		return core.Container{}, err
	}
	made := core.Container{
		Name: name, Image: imageName, ImagePullPolicy: policy, Resources: resources, SecurityContext: context,
		VolumeMounts: e.volumeMounts(), Stdin: true, Command: of.Entrypoint, Args: of.Command,
	}
	if lifecycle := e.kubernetes().sub("container_lifecycle"); lifecycle != nil {
		made.Lifecycle = &core.Lifecycle{}
		if err := lifecycle.decode(made.Lifecycle); err != nil {
			return core.Container{}, err
		}
	}
	if name != helperContainer {
		for _, one := range append(slices.Clone(e.Variables), of.Variables...) {
			if one.Public || name != buildContainer {
				made.Env = append(made.Env, core.EnvVar{Name: one.Key, Value: one.Value})
			}
		}
	}
	return made, nil
}

// services are the configuration's and then the job's.
func (e *executor) services() []image {
	var result []image
	for _, one := range e.kubernetes().tables("services") {
		made := image{Name: one.text("name"), Alias: one.text("alias"), Entrypoint: one.list("entrypoint"), Command: one.list("command")}
		for _, pair := range one.list("environment") {
			name, value, _ := strings.Cut(pair, "=")
			made.Variables = append(made.Variables, variable{Key: name, Value: value, Public: true})
		}
		result = append(result, made)
	}
	return append(result, e.Services...)
}

func (e *executor) containers() (all []core.Container, err error) {
	shell := []string{"sh", "-c", detectShell()}
	of := e.Image
	of.Entrypoint, of.Command = shell, nil
	build, err := e.container(buildContainer, e.imageName(), of, "", "build_container_security_context")
	if err != nil {
		return nil, fmt.Errorf("building build container: %w", err)
	}
	helper, err := e.container(helperContainer, e.helperImage(), image{Entrypoint: shell}, "helper_", "helper_container_security_context")
	if err != nil {
		return nil, fmt.Errorf("building helper container: %w", err)
	}
	all = []core.Container{build, helper}
	for index, one := range e.services() {
		service, err := e.container(fmt.Sprintf("svc-%d", index), e.expand(one.Name), one, "service_", "service_container_security_context")
		if err != nil {
			return nil, err
		}
		all = append(all, service)
	}
	return all, nil
}

// initContainer makes the log's file, which all containers may write.
func (e *executor) initContainer() (core.Container, error) {
	made, err := e.container("init-permissions", e.helperImage(), image{}, "", "init_permissions_container_security_context")
	if err != nil {
		return made, fmt.Errorf("building permissions init container: %w", err)
	}
	made.Env, made.Lifecycle, made.Stdin = nil, nil, false
	made.Command = []string{"sh", "-c", fmt.Sprintf("touch %[1]s && (chmod 777 %[1]s || exit 0)", e.logFile())}
	return made, nil
}

func (e *executor) labels() map[string]string {
	const space = "runner.gitlab.com"
	labels := map[string]string{
		"pod":                            label(e.uniqueName()),
		"job." + space + "/pod":          label(e.uniqueName()),
		"project." + space + "/id":       fmt.Sprint(e.JobInfo.ProjectID),
		"project." + space + "/name":     label(e.JobInfo.ProjectName),
		"manager." + space + "/name":     label(e.build.runner.name()),
		"manager." + space + "/id-short": label(e.build.runner.short()),
	}
	if !since(16, 0) {
		labels = map[string]string{"pod": label(e.uniqueName())}
	}
	for name, value := range e.kubernetes().texts("pod_labels") {
		if !strings.Contains(strings.ToLower(name), space) {
			labels[name] = label(e.expand(value))
		}
	}
	return labels
}

func (e *executor) annotations() map[string]string {
	annotations := map[string]string{
		"job.runner.gitlab.com/id":      fmt.Sprint(e.ID),
		"job.runner.gitlab.com/name":    e.JobInfo.Name,
		"job.runner.gitlab.com/ref":     e.GitInfo.Ref,
		"job.runner.gitlab.com/sha":     e.GitInfo.SHA,
		"job.runner.gitlab.com/timeout": e.timeout.String(),
		"project.runner.gitlab.com/id":  fmt.Sprint(e.JobInfo.ProjectID),
	}
	for name, value := range e.kubernetes().texts("pod_annotations") {
		annotations[name] = e.expand(value)
	}
	return annotations
}

// tolerations: "key=value" is equal to, "key" without a value exists; an empty effect is all effects.
func (e *executor) tolerations() (result []core.Toleration) {
	given := e.kubernetes().texts("node_tolerations")
	for _, name := range sortedKeys(given) {
		made := core.Toleration{Key: name, Operator: core.TolerationOpExists, Effect: core.TaintEffect(given[name])}
		if key, value, found := strings.Cut(name, "="); found {
			made.Key, made.Value, made.Operator = key, value, core.TolerationOpEqual
		}
		result = append(result, made)
	}
	return result
}

func (e *executor) pullSecrets() (result []core.LocalObjectReference) {
	if e.kubernetes().flag("use_service_account_image_pull_secrets", false) {
		return nil
	}
	for _, name := range e.kubernetes().list("image_pull_secrets") {
		result = append(result, core.LocalObjectReference{Name: name})
	}
	if e.credentials != nil {
		result = append(result, core.LocalObjectReference{Name: e.credentials.Name})
	}
	return result
}

// podObject is the pod as the configuration and the job have it.
func (e *executor) podObject() (*core.Pod, error) {
	containers, err := e.containers()
	if err != nil {
		return nil, err
	}
	first, err := e.initContainer()
	if err != nil {
		return nil, err
	}
	kubernetes := e.kubernetes()
	pod := &core.Pod{
		ObjectMeta: meta.ObjectMeta{
			Name: nameOf(e.uniqueName()), Namespace: e.namespace, Labels: e.labels(), Annotations: e.annotations(),
		},
		Spec: core.PodSpec{
			Volumes:                       e.volumes(),
			InitContainers:                []core.Container{first},
			Containers:                    containers,
			RestartPolicy:                 core.RestartPolicyNever,
			ServiceAccountName:            kubernetes.text("service_account"),
			AutomountServiceAccountToken:  kubernetes.flagPointer("automount_service_account_token"),
			NodeSelector:                  kubernetes.texts("node_selector"),
			Tolerations:                   e.tolerations(),
			SchedulerName:                 kubernetes.text("scheduler_name"),
			PriorityClassName:             kubernetes.text("priority_class_name"),
			RuntimeClassName:              kubernetes.textPointer("runtime_class_name"),
			TerminationGracePeriodSeconds: kubernetes.numberPointer("pod_termination_grace_period_seconds"),
			ImagePullSecrets:              e.pullSecrets(),
		},
	}
	if !since(15, 1) {
		pod.Spec.PriorityClassName = ""
	}
	return pod, e.decodeParts(&pod.Spec)
}
