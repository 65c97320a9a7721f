//! The manager's own Deployment and pod, with the chart's defaults.

use std::collections::BTreeMap;

use gitlabspot_runner_config::version::DEFAULT_RELEASE;
use serde_json::{Map, Value, json};

use super::super::inputs::{Probe, ReleaseInputs, SecretItems};

/// Initial delay and period of the readiness probe, in seconds. The chart has 60 and 60: a kubelet probes at the start and
/// then each period, so that no pod is ready before its 60th second. Here a startup probe covers the start.
pub const READINESS: (i64, i64) = (0, 10);

/// Parts that Kubernetes defines are in its own spelling.
#[derive(Debug, Clone, PartialEq)]
pub struct ManagerPod {
    /// Unset for the autoscaler to decide, or for Kubernetes' default of one.
    pub replicas: Option<i64>,
    pub revision_history_limit: i64,
    pub strategy: Option<Value>,
    pub deployment_labels: BTreeMap<String, String>,
    pub deployment_annotations: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub restart_on: BTreeMap<String, String>,
    pub image: String,
    pub image_pull_policy: String,
    pub image_pull_secrets: Vec<String>,
    pub use_tini: bool,
    pub termination_grace_period_seconds: i64,
    pub scheduler_name: Option<String>,
    pub priority_class_name: Option<String>,
    pub runtime_class_name: Option<String>,
    pub hostname: Option<String>,
    pub automount_service_account_token: Option<bool>,
    pub node_selector: BTreeMap<String, String>,
    pub affinity: Map<String, Value>,
    pub tolerations: Vec<Value>,
    pub topology_spread_constraints: Vec<Value>,
    pub host_aliases: Vec<Value>,
    pub security_context: Value,
    pub pod_security_context: Value,
    pub resources: Map<String, Value>,
    pub lifecycle: Option<Map<String, Value>>,
    pub probe_timeout_seconds: i64,
    pub liveness: ProbeTimes,
    pub readiness: ProbeTimes,
    /// Variables whose order counts, as Kubernetes has them. The others follow.
    pub env: Vec<Value>,
    pub extra_env: BTreeMap<String, String>,
    pub extra_env_from: BTreeMap<String, Value>,
    pub extra_env_from_refs: Vec<Value>,
    pub volumes: Vec<Value>,
    pub volume_mounts: Vec<Value>,
    pub extra_containers: Vec<Value>,
    pub secrets: Vec<SecretItems>,
    pub certs_secret_name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeTimes {
    pub initial_delay_seconds: i64,
    pub period_seconds: i64,
    pub success_threshold: i64,
    pub failure_threshold: i64,
    pub termination_grace_period_seconds: Option<i64>,
}

impl ManagerPod {
    pub(super) fn new(inputs: &ReleaseInputs) -> Self {
        let inputs = inputs.clone();
        let image = image(&inputs);
        Self {
            replicas: if inputs.hpa.is_some() { None } else { inputs.replicas },
            revision_history_limit: inputs.revision_history_limit.unwrap_or(10),
            strategy: inputs.strategy.filter(|strategy| strategy.as_object().is_none_or(|map| !map.is_empty())),
            deployment_labels: inputs.deployment_labels.unwrap_or_default(),
            deployment_annotations: inputs.deployment_annotations.unwrap_or_default(),
            labels: inputs.pod_labels.unwrap_or_default(),
            annotations: inputs.pod_annotations.unwrap_or_default(),
            restart_on: inputs.restart_on.unwrap_or_default(),
            image,
            image_pull_policy: inputs.image_pull_policy.unwrap_or_else(|| "IfNotPresent".to_owned()),
            image_pull_secrets: inputs.image_pull_secrets.unwrap_or_default(),
            use_tini: inputs.use_tini.unwrap_or(false),
            termination_grace_period_seconds: inputs.termination_grace_period_seconds.unwrap_or(3600),
            scheduler_name: inputs.scheduler_name,
            priority_class_name: inputs.priority_class_name,
            runtime_class_name: inputs.runtime_class_name,
            hostname: inputs.hostname,
            automount_service_account_token: inputs.automount_service_account_token,
            node_selector: inputs.node_selector.unwrap_or_default(),
            affinity: inputs.affinity.unwrap_or_default(),
            tolerations: inputs.tolerations.unwrap_or_default(),
            topology_spread_constraints: inputs.topology_spread_constraints.unwrap_or_default(),
            host_aliases: inputs.host_aliases.unwrap_or_default(),
            security_context: inputs.security_context.map_or_else(security_context, Value::Object),
            pod_security_context: inputs.pod_security_context.map_or_else(pod_security_context, Value::Object),
            resources: inputs.resources.unwrap_or_default(),
            lifecycle: inputs.lifecycle.filter(|lifecycle| !lifecycle.is_empty()),
            probe_timeout_seconds: inputs.probe_timeout_seconds.unwrap_or(4),
            liveness: ProbeTimes::new(inputs.liveness_probe, 60, 60),
            readiness: ProbeTimes::new(inputs.readiness_probe, READINESS.0, READINESS.1),
            env: inputs.env.unwrap_or_default(),
            extra_env: inputs.extra_env.unwrap_or_default(),
            extra_env_from: inputs.extra_env_from.unwrap_or_default(),
            extra_env_from_refs: inputs.extra_env_from_refs.unwrap_or_default(),
            volumes: inputs.volumes.unwrap_or_default(),
            volume_mounts: inputs.volume_mounts.unwrap_or_default(),
            extra_containers: inputs.extra_containers.unwrap_or_default(),
            secrets: inputs.secrets.unwrap_or_default(),
            certs_secret_name: inputs.certs_secret_name,
        }
    }

    /// Where the runner keeps its configuration: the user decides about the folder.
    pub fn config_dir(&self) -> &'static str {
        match self.pod_security_context.get("runAsUser").and_then(Value::as_i64) {
            Some(0) => "/etc/gitlab-runner",
            _ => "/home/gitlab-runner/.gitlab-runner",
        }
    }
}

impl ProbeTimes {
    fn new(given: Option<Probe>, initial_delay_seconds: i64, period_seconds: i64) -> Self {
        let given = given.unwrap_or_default();
        Self {
            initial_delay_seconds: given.initial_delay_seconds.unwrap_or(initial_delay_seconds),
            period_seconds: given.period_seconds.unwrap_or(period_seconds),
            success_threshold: given.success_threshold.unwrap_or(1),
            failure_threshold: given.failure_threshold.unwrap_or(3),
            termination_grace_period_seconds: given.termination_grace_period_seconds,
        }
    }
}

fn image(inputs: &ReleaseInputs) -> String {
    if let Some(image) = &inputs.image {
        return image.clone();
    }
    let parts = inputs.image_parts.clone().unwrap_or_default();
    let registry = parts.registry.unwrap_or_else(|| "registry.gitlab.com".to_owned());
    let name = parts.image.unwrap_or_else(|| "gitlab-org/gitlab-runner".to_owned());
    let tag = parts.tag.unwrap_or_else(|| {
        let version = inputs.runner_version.as_deref().unwrap_or(DEFAULT_RELEASE);
        format!("alpine-v{}", version.trim_start_matches('v'))
    });
    match registry.as_str() {
        "" => format!("{name}:{tag}"),
        registry => format!("{registry}/{name}:{tag}"),
    }
}

/// The chart's default, on which a values file builds.
pub fn security_context() -> Value {
    json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": false,
        "runAsNonRoot": true,
        "privileged": false,
        "capabilities": { "drop": ["ALL"] },
    })
}

/// The same for the pod: user and group of the official image; and the profile without which a namespace that enforces the
/// Pod Security Standard `restricted` rejects the pod, and which the chart lacks.
pub fn pod_security_context() -> Value {
    json!({ "runAsUser": 100, "fsGroup": 65533, "seccompProfile": { "type": "RuntimeDefault" } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_is_put_together() {
        let image_of = |inputs| image(&serde_json::from_value(inputs).unwrap());
        let official = "registry.gitlab.com/gitlab-org/gitlab-runner";
        assert_eq!(image_of(json!({})), format!("{official}:alpine-v19.3.0"));
        assert_eq!(image_of(json!({ "runner_version": "18.9.1" })), format!("{official}:alpine-v18.9.1"));
        assert_eq!(image_of(json!({ "image_parts": { "registry": "", "tag": "x" } })), "gitlab-org/gitlab-runner:x");
        assert_eq!(image_of(json!({ "image": "a:b", "image_parts": { "tag": "x" } })), "a:b");
    }

    #[test]
    fn times_of_probes_are_what_somebody_asked_for() {
        let times = |inputs| {
            let pod = ManagerPod::new(&serde_json::from_value(inputs).unwrap());
            [pod.liveness, pod.readiness].map(|times| (times.initial_delay_seconds, times.period_seconds))
        };
        assert_eq!(times(json!({})), [(60, 60), (0, 10)]);
        let given =
            json!({ "readiness_probe": { "initial_delay_seconds": 60 }, "liveness_probe": { "period_seconds": 5 } });
        assert_eq!(times(given), [(60, 5), (60, 10)]);
    }

    #[test]
    fn root_keeps_its_configuration_in_etc() {
        let pod =
            |context| ManagerPod::new(&serde_json::from_value(json!({ "pod_security_context": context })).unwrap());
        assert_eq!(pod(json!({ "runAsUser": 0 })).config_dir(), "/etc/gitlab-runner");
        assert_eq!(pod(json!(null)).config_dir(), "/home/gitlab-runner/.gitlab-runner");
    }
}
