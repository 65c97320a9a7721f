//! The Deployment of the manager.

use serde_json::{Map, Value, json};

use super::super::spec::{Advertise, ProbeTimes, ReleaseSpec, Start};
use super::Fingerprints;
use super::checksum::{of_fingerprints, of_value};
use super::metadata::{self, extend, put};

pub(super) fn object(spec: &ReleaseSpec, config_map: &Value, fingerprints: &Fingerprints) -> Value {
    let (pod, settings) = (&spec.pod, &spec.settings);
    let object = metadata::object(spec, "apps/v1", "Deployment", &spec.names.full);
    let mut object =
        metadata::with(object, settings.deployment_labels.as_ref(), settings.deployment_annotations.as_ref());
    let mut labels = spec.names.labels();
    labels.extend(settings.pod_labels.iter().flatten().map(|(name, value)| (name.clone(), json!(value))));
    let annotations = annotations(spec, config_map, fingerprints);
    let mut fields = Map::new();
    put(&mut fields, "replicas", pod.replicas);
    put(&mut fields, "revisionHistoryLimit", pod.revision_history_limit);
    put(&mut fields, "strategy", settings.strategy.clone());
    put(&mut fields, "selector", spec.names.deployment_selector());
    put(
        &mut fields,
        "template",
        json!({ "metadata": { "labels": labels, "annotations": annotations }, "spec": pod_spec(spec) }),
    );
    object.insert("spec".to_owned(), json!(fields));
    Value::Object(object)
}

fn annotations(spec: &ReleaseSpec, config_map: &Value, fingerprints: &Fingerprints) -> Map<String, Value> {
    let mut annotations = Map::new();
    put(&mut annotations, "checksum/configmap", config_map.get("data").map(of_value));
    put(&mut annotations, "checksum/secrets", of_fingerprints(fingerprints));
    // Annotations of the service account, such as an IAM role, have an effect when a pod is created.
    let account = &spec.service_account;
    if account.create && !account.annotations.is_empty() {
        put(&mut annotations, "checksum/service-account", of_value(&json!(account.annotations)));
    }
    if let Some(restart_on) = spec.settings.restart_on.as_ref().filter(|texts| !texts.is_empty()) {
        put(&mut annotations, "checksum/restart-on", of_value(&json!(restart_on)));
    }
    if spec.metrics.enabled {
        put(&mut annotations, "prometheus.io/scrape", "true");
        put(&mut annotations, "prometheus.io/port", spec.metrics.port.to_string());
    }
    annotations
        .extend(spec.settings.pod_annotations.iter().flatten().map(|(name, value)| (name.clone(), json!(value))));
    annotations
}

fn pod_spec(spec: &ReleaseSpec) -> Map<String, Value> {
    let (pod, settings) = (&spec.pod, &spec.settings);
    let mut fields = Map::new();
    put(&mut fields, "serviceAccountName", Some(spec.service_account.name.clone()).filter(|name| !name.is_empty()));
    put(&mut fields, "automountServiceAccountToken", settings.automount_service_account_token);
    put(&mut fields, "runtimeClassName", settings.runtime_class_name.clone());
    put(&mut fields, "priorityClassName", settings.priority_class_name.clone());
    put(&mut fields, "schedulerName", settings.scheduler_name.clone());
    put(&mut fields, "hostname", settings.hostname.clone());
    put(&mut fields, "terminationGracePeriodSeconds", pod.termination_grace_period_seconds);
    put(&mut fields, "securityContext", pod.pod_security_context.clone());
    let secrets: Vec<Value> =
        settings.image_pull_secrets.iter().flatten().map(|name| json!({ "name": name })).collect();
    put(&mut fields, "imagePullSecrets", secrets);
    extend(&mut fields, "nodeSelector", settings.node_selector.as_ref());
    put(&mut fields, "affinity", settings.affinity.clone());
    put(&mut fields, "tolerations", settings.tolerations.clone());
    put(&mut fields, "topologySpreadConstraints", settings.topology_spread_constraints.clone());
    put(&mut fields, "hostAliases", settings.host_aliases.clone());
    let containers = std::iter::once(container(spec)).chain(settings.extra_containers.iter().flatten().cloned());
    put(&mut fields, "containers", containers.collect::<Vec<_>>());
    put(&mut fields, "volumes", volumes(spec));
    fields
}

fn container(spec: &ReleaseSpec) -> Value {
    let pod = &spec.pod;
    let init = if pod.use_tini { "/usr/local/bin/tini" } else { "/usr/bin/dumb-init" };
    let mut fields = Map::new();
    put(&mut fields, "name", spec.names.full.as_str());
    put(&mut fields, "image", pod.image.as_str());
    put(&mut fields, "imagePullPolicy", pod.image_pull_policy.as_str());
    put(&mut fields, "command", json!([init, "--", "/bin/bash", "/configmaps/entrypoint"]));
    put(&mut fields, "lifecycle", spec.settings.container_lifecycle.clone());
    put(&mut fields, "env", env(spec));
    put(&mut fields, "envFrom", spec.settings.extra_env_from_refs.clone());
    let timeout = pod.probe_timeout_seconds;
    put(&mut fields, "startupProbe", startup_probe(timeout));
    // A slow answer of GitLab is no failure: the script has to end before the timeout of the probe.
    let verify_timeout = (timeout - 1).max(1).to_string();
    let alive = json!(["/bin/bash", "/configmaps/check-live", verify_timeout]);
    put(&mut fields, "livenessProbe", probe(alive, timeout, pod.liveness));
    put(&mut fields, "readinessProbe", probe(json!(["/usr/bin/pgrep", "gitlab.*runner"]), timeout, pod.readiness));
    put(&mut fields, "ports", ports(spec));
    put(&mut fields, "resources", spec.settings.resources.clone());
    put(&mut fields, "securityContext", pod.security_context.clone());
    put(&mut fields, "volumeMounts", volume_mounts(spec));
    Value::Object(fields)
}

/// All other probes wait for the startup probe. It runs every 2 seconds, so that a manager is ready soon after its
/// start, for 10 minutes: enough for 30 attempts to register that GitLab rejects within 15 seconds each, with 5 seconds
/// between them. By then the rollout has failed too (`progressDeadlineSeconds`), and the container is restarted.
fn startup_probe(timeout: i64) -> Value {
    let times = ProbeTimes {
        initial_delay_seconds: 0,
        period_seconds: 2,
        success_threshold: 1,
        failure_threshold: 300,
        termination_grace_period_seconds: None,
    };
    probe(json!(["/bin/bash", "/configmaps/check-started"]), timeout, times)
}

fn probe(command: Value, timeout: i64, times: ProbeTimes) -> Value {
    let mut fields = Map::new();
    put(&mut fields, "exec", json!({ "command": command }));
    put(&mut fields, "initialDelaySeconds", times.initial_delay_seconds);
    put(&mut fields, "timeoutSeconds", timeout);
    put(&mut fields, "periodSeconds", times.period_seconds);
    put(&mut fields, "successThreshold", times.success_threshold);
    put(&mut fields, "failureThreshold", times.failure_threshold);
    put(&mut fields, "terminationGracePeriodSeconds", times.termination_grace_period_seconds);
    Value::Object(fields)
}

fn ports(spec: &ReleaseSpec) -> Vec<Value> {
    let metrics = spec.metrics.enabled.then_some((spec.metrics.port_name.as_str(), spec.metrics.port));
    let sessions = spec.session_server.as_ref().map(|server| ("session-server", server.internal_port));
    let ports = [metrics, sessions].into_iter().flatten();
    // The protocol is part of a port's key in server-side apply, so it cannot be left to a default.
    ports.map(|(name, port)| json!({ "name": name, "containerPort": port, "protocol": "TCP" })).collect()
}

fn env(spec: &ReleaseSpec) -> Vec<Value> {
    let mut env = vec![
        json!({ "name": "CI_SERVER_URL", "value": spec.gitlab_url }),
        json!({ "name": "RUNNER_EXECUTOR", "value": "kubernetes" }),
    ];
    if let Start::Register(registration) = &spec.start {
        env.push(json!({ "name": "REGISTER_LOCKED", "value": registration.locked.to_string() }));
        env.push(json!({ "name": "RUNNER_TAG_LIST", "value": registration.tag_list.join(",") }));
    }
    let settings = &spec.settings;
    let plain = settings.extra_env.iter().flatten().map(|(name, value)| json!({ "name": name, "value": value }));
    let elsewhere =
        settings.extra_env_from.iter().flatten().map(|(name, from)| json!({ "name": name, "valueFrom": from }));
    let users: Vec<Value> = spec.pod.env.iter().cloned().chain(plain).chain(elsewhere).collect();
    // Server-side apply rejects a second variable of the same name. The variable of the user replaces the first one in
    // its position, because Kubernetes resolves `$(NAME)` of earlier variables only.
    for variable in users {
        match env.iter_mut().find(|earlier| earlier["name"] == variable["name"]) {
            Some(earlier) => *earlier = variable,
            None => env.push(variable),
        }
    }
    let has_address = env.iter().any(|variable| variable["name"] == "SESSION_SERVER_ADDRESS");
    if let Some(Advertise::Node(_)) = spec.session_server.as_ref().map(|server| &server.advertise)
        && !has_address
    {
        let from = json!({ "fieldRef": { "fieldPath": "status.hostIP" } });
        env.push(json!({ "name": "SESSION_SERVER_ADDRESS", "valueFrom": from }));
    }
    env
}

fn volume_mounts(spec: &ReleaseSpec) -> Vec<Value> {
    let config = spec.pod.config_dir();
    let mut mounts = vec![
        json!({ "name": "projected-secrets", "mountPath": "/secrets" }),
        json!({ "name": "etc-gitlab-runner", "mountPath": config }),
        json!({ "name": "configmaps", "mountPath": "/configmaps" }),
    ];
    if spec.settings.certs_secret_name.is_some() {
        mounts.push(json!({ "name": "custom-certs", "mountPath": format!("{config}/certs/"), "readOnly": true }));
    }
    mounts.extend(spec.settings.volume_mounts.iter().flatten().cloned());
    mounts
}

fn volumes(spec: &ReleaseSpec) -> Vec<Value> {
    let mut volumes = vec![
        json!({ "name": "etc-gitlab-runner", "emptyDir": { "medium": "Memory" } }),
        json!({ "name": "projected-secrets", "projected": { "sources": secrets(spec) } }),
        json!({ "name": "configmaps", "configMap": { "name": spec.names.full } }),
    ];
    if let Some(name) = &spec.settings.certs_secret_name {
        volumes.push(json!({ "name": "custom-certs", "secret": { "secretName": name } }));
    }
    volumes.extend(spec.settings.volumes.iter().flatten().cloned());
    volumes
}

fn secrets(spec: &ReleaseSpec) -> Vec<Value> {
    let mut sources = Vec::new();
    if let Some(name) = &spec.cache_secret_name {
        sources.push(json!({ "secret": { "name": name } }));
    }
    let items = ["runner-registration-token", "runner-token"].map(|key| json!({ "key": key, "path": key }));
    let mut token = json!({ "name": spec.token.name, "items": items });
    if !spec.token.owned
        && let Value::Object(fields) = &mut token
    {
        // One of the two keys is sufficient; the start script fails if both are missing.
        fields.insert("optional".to_owned(), json!(true));
    }
    sources.push(json!({ "secret": token }));
    sources.extend(spec.settings.secrets.iter().flatten().map(|secret| json!({ "secret": secret })));
    sources
}
