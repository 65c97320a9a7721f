package main

import (
	"fmt"
	"slices"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// decodeParts are the tables that have the shape of Kubernetes' own types.
func (e *executor) decodeParts(spec *core.PodSpec) error {
	kubernetes := e.kubernetes()
	if given := kubernetes.sub("affinity"); given != nil {
		spec.Affinity = &core.Affinity{}
		if err := given.decode(spec.Affinity); err != nil {
			return fmt.Errorf("affinity: %w", err)
		}
	}
	if given := kubernetes.sub("pod_security_context"); given != nil {
		spec.SecurityContext = &core.PodSecurityContext{}
		if err := given.decode(spec.SecurityContext); err != nil {
			return fmt.Errorf("pod_security_context: %w", err)
		}
		spec.SecurityContext.SELinuxOptions = seLinux(given)
	}
	if given := kubernetes.sub("dns_config"); given != nil {
		spec.DNSConfig = &core.PodDNSConfig{}
		if err := given.decode(spec.DNSConfig); err != nil {
			return fmt.Errorf("dns_config: %w", err)
		}
	}
	for _, one := range kubernetes.tables("host_aliases") {
		spec.HostAliases = append(spec.HostAliases, core.HostAlias{IP: one.text("ip"), Hostnames: one.list("hostnames")})
	}
	spec.DNSPolicy = map[string]core.DNSPolicy{
		"none": core.DNSNone, "default": core.DNSDefault, "cluster-first": core.DNSClusterFirst,
		"cluster-first-with-host-net": core.DNSClusterFirstWithHostNet,
	}[kubernetes.text("dns_policy")]
	if spec.DNSPolicy == "" {
		spec.DNSPolicy = core.DNSClusterFirst
	}
	if since(18, 10) {
		whole, err := e.resources("pod_")
		if err != nil {
			return err
		}
		if len(whole.Limits)+len(whole.Requests) > 0 {
			spec.Resources = &whole
		}
	}
	return nil
}

func seLinux(given table) *core.SELinuxOptions {
	if kind := given.text("selinux_type"); kind != "" {
		return &core.SELinuxOptions{Type: kind}
	}
	return nil
}

// containerSecurity is a container's own context. NET_RAW is dropped where nothing adds it.
func (e *executor) containerSecurity(key string) (*core.SecurityContext, error) {
	kubernetes := e.kubernetes()
	context := &core.SecurityContext{}
	given := kubernetes.sub(key)
	if given != nil {
		if err := given.decode(context); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		context.SELinuxOptions = seLinux(given)
	}
	if context.Privileged == nil {
		context.Privileged = kubernetes.flagPointer("privileged")
	}
	if context.AllowPrivilegeEscalation == nil {
		context.AllowPrivilegeEscalation = kubernetes.flagPointer("allow_privilege_escalation")
	}
	own := given.sub("capabilities")
	add := slices.Concat(kubernetes.list("cap_add"), own.list("add"))
	drop := slices.Concat([]string{"NET_RAW"}, kubernetes.list("cap_drop"), own.list("drop"))
	context.Capabilities = &core.Capabilities{}
	seen := map[string]bool{}
	for _, name := range add {
		if !seen[name] && !slices.Contains(slices.Concat(kubernetes.list("cap_drop"), own.list("drop")), name) {
			context.Capabilities.Add = append(context.Capabilities.Add, core.Capability(name))
		}
		seen[name] = true
	}
	dropped := map[string]bool{}
	for _, name := range drop {
		if !dropped[name] && !(name == "NET_RAW" && slices.Contains(add, name)) {
			context.Capabilities.Drop = append(context.Capabilities.Drop, core.Capability(name))
		}
		dropped[name] = true
	}
	return context, nil
}

// configured are the volumes of the configuration and where they are mounted.
func (e *executor) configured() (volumes []core.Volume, mounts []core.VolumeMount) {
	given := e.kubernetes().sub("volumes")
	add := func(one table, name string, source core.VolumeSource) {
		volumes = append(volumes, core.Volume{Name: name, VolumeSource: source})
		mount := core.VolumeMount{
			Name: name, MountPath: e.expand(one.text("mount_path")), SubPath: e.expand(one.text("sub_path")),
			ReadOnly: one.flag("read_only", false),
		}
		if mode := one.text("mount_propagation"); mode != "" {
			propagation := core.MountPropagationMode(mode)
			mount.MountPropagation = &propagation
		}
		mounts = append(mounts, mount)
	}
	for _, one := range given.tables("host_path") {
		path := one.text("host_path")
		if path == "" {
			path = one.text("mount_path")
		}
		add(one, one.text("name"), core.VolumeSource{HostPath: &core.HostPathVolumeSource{Path: path}})
	}
	for _, one := range given.tables("secret") {
		add(one, one.text("name"), core.VolumeSource{Secret: &core.SecretVolumeSource{
			SecretName: one.text("name"), Items: items(one),
		}})
	}
	for _, one := range given.tables("pvc") {
		name := e.expand(one.text("name"))
		add(one, name, core.VolumeSource{PersistentVolumeClaim: &core.PersistentVolumeClaimVolumeSource{
			ClaimName: name, ReadOnly: one.flag("read_only", false),
		}})
	}
	for _, one := range given.tables("config_map") {
		source := &core.ConfigMapVolumeSource{Items: items(one)}
		source.Name = one.text("name")
		add(one, one.text("name"), core.VolumeSource{ConfigMap: source})
	}
	for _, one := range given.tables("empty_dir") {
		source := &core.EmptyDirVolumeSource{Medium: core.StorageMedium(one.text("medium"))}
		if limit, err := resource.ParseQuantity(one.text("size_limit")); err == nil {
			source.SizeLimit = &limit
		}
		add(one, one.text("name"), core.VolumeSource{EmptyDir: source})
	}
	return volumes, mounts
}

func items(of table) (result []core.KeyToPath) {
	given := of.texts("items")
	for _, key := range sortedKeys(given) {
		result = append(result, core.KeyToPath{Key: key, Path: given[key]})
	}
	return result
}

func (e *executor) needsBuildsVolume() bool {
	_, mounts := e.configured()
	return !slices.ContainsFunc(mounts, func(mount core.VolumeMount) bool { return mount.MountPath == e.buildsDir() })
}

func (e *executor) volumes() []core.Volume {
	empty := core.VolumeSource{EmptyDir: &core.EmptyDirVolumeSource{}}
	scripts := empty
	if e.scripts != nil {
		mode := int32(0o777)
		source := &core.ConfigMapVolumeSource{DefaultMode: &mode}
		source.Name = e.scripts.Name
		scripts = core.VolumeSource{ConfigMap: source}
	}
	volumes, _ := e.configured()
	if e.needsBuildsVolume() {
		volumes = append(volumes, core.Volume{Name: "repo", VolumeSource: empty})
	}
	return append(volumes, core.Volume{Name: "scripts", VolumeSource: scripts}, core.Volume{Name: "logs", VolumeSource: empty})
}

func (e *executor) volumeMounts() []core.VolumeMount {
	mounts := []core.VolumeMount{
		{Name: "scripts", MountPath: e.scriptsDir()}, {Name: "logs", MountPath: e.logsDir()},
	}
	_, configured := e.configured()
	mounts = append(mounts, configured...)
	if e.needsBuildsVolume() {
		mounts = append(mounts, core.VolumeMount{Name: "repo", MountPath: e.buildsDir()})
	}
	return mounts
}
