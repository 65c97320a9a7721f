//! What a user may say about a release, as plain optional data.
//!
//! The typed attributes and the values files both arrive in this shape; the typed ones are laid
//! over the others, as Helm lays one values file over the next. Parts that Kubernetes defines
//! (tolerations, volumes, security contexts) are in the API's own spelling.

mod attributes;
mod kubernetes_case;
mod nested;

use std::collections::BTreeMap;

pub use attributes::json;
pub(super) use attributes::{expand as resolve_attributes, token as write_only_token};
pub use kubernetes_case::to_api;
pub use nested::{
    BuildNodes, DisruptionBudget, DockerInDocker, Hpa, ImageParts, Metrics, Monitor, Probe, Rbac, RbacRule,
    Registration, SecretItems, Service, ServiceAccount, SessionServer, SessionServerIngress, Toleration,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Attribute name to value; no secret is ever among them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReleaseInputs {
    pub name: Option<String>,
    pub namespace: Option<String>,
    pub name_override: Option<String>,
    pub fullname_override: Option<String>,
    pub gitlab_url: Option<String>,
    pub token_secret_name: Option<String>,
    pub unregister_on_destroy: Option<bool>,
    pub registration: Option<Registration>,
    pub runner_name: Option<String>,
    pub runner_version: Option<String>,
    pub image: Option<String>,
    pub image_parts: Option<ImageParts>,
    pub image_pull_policy: Option<String>,
    pub use_tini: Option<bool>,

    /// `[[runners]]` in snake case.
    pub config: Option<Value>,
    pub config_toml: Option<String>,
    pub concurrent: Option<i64>,
    pub check_interval: Option<i64>,
    pub log_level: Option<String>,
    pub log_format: Option<String>,
    pub shutdown_timeout: Option<i64>,
    pub sentry_dsn: Option<String>,
    pub connection_max_age: Option<String>,
    pub session_server: Option<SessionServer>,
    /// The shape of `config.cache`.
    pub cache: Option<Value>,
    pub cache_secret_name: Option<String>,
    pub job_namespace: Option<String>,
    pub build_nodes: Option<BuildNodes>,
    pub docker_in_docker: Option<DockerInDocker>,

    pub service_account: Option<ServiceAccount>,
    pub rbac: Option<Rbac>,
    pub metrics: Option<Metrics>,
    pub service: Option<Service>,
    pub service_monitor: Option<Monitor>,
    pub pod_monitor: Option<Monitor>,
    pub pod_disruption_budget: Option<DisruptionBudget>,
    pub hpa: Option<Hpa>,

    pub replicas: Option<i64>,
    pub revision_history_limit: Option<i64>,
    pub strategy: Option<Value>,
    pub deployment_labels: Option<BTreeMap<String, String>>,
    pub deployment_annotations: Option<BTreeMap<String, String>>,
    pub pod_labels: Option<BTreeMap<String, String>>,
    pub pod_annotations: Option<BTreeMap<String, String>>,
    pub restart_on: Option<BTreeMap<String, String>>,
    pub image_pull_secrets: Option<Vec<String>>,
    pub termination_grace_period_seconds: Option<i64>,
    pub scheduler_name: Option<String>,
    pub priority_class_name: Option<String>,
    pub runtime_class_name: Option<String>,
    pub hostname: Option<String>,
    pub automount_service_account_token: Option<bool>,
    pub node_selector: Option<BTreeMap<String, String>>,
    pub affinity: Option<Map<String, Value>>,
    pub tolerations: Option<Vec<Value>>,
    pub topology_spread_constraints: Option<Vec<Value>>,
    pub host_aliases: Option<Vec<Value>>,
    pub security_context: Option<Map<String, Value>>,
    pub pod_security_context: Option<Map<String, Value>>,
    pub resources: Option<Map<String, Value>>,
    pub lifecycle: Option<Map<String, Value>>,
    pub probe_timeout_seconds: Option<i64>,
    pub liveness_probe: Option<Probe>,
    pub readiness_probe: Option<Probe>,
    /// Variables in the order of the chart's `envVars`, as Kubernetes has them; the others follow.
    pub env: Option<Vec<Value>>,
    pub extra_env: Option<BTreeMap<String, String>>,
    /// Name to `valueFrom`.
    pub extra_env_from: Option<BTreeMap<String, Value>>,
    /// Raw `envFrom`.
    pub extra_env_from_refs: Option<Vec<Value>>,
    pub volumes: Option<Vec<Value>>,
    pub volume_mounts: Option<Vec<Value>>,
    pub extra_containers: Option<Vec<Value>>,
    pub secrets: Option<Vec<SecretItems>>,
    pub config_maps: Option<BTreeMap<String, String>>,
    pub certs_secret_name: Option<String>,
    pub pre_entrypoint_script: Option<String>,
}

impl ReleaseInputs {
    /// `self` where it says something, `below` elsewhere; objects and maps merge key by key.
    ///
    /// # Errors
    ///
    /// None in practice: both sides have this very shape.
    pub fn over(self, below: Self) -> Result<Self, serde_json::Error> {
        let mut merged = serde_json::to_value(below)?;
        overlay(&mut merged, serde_json::to_value(self)?);
        serde_json::from_value(merged)
    }
}

/// Null says nothing; everything else wins.
fn overlay(below: &mut Value, above: Value) {
    match (below, above) {
        (_, Value::Null) => {}
        (Value::Object(below), Value::Object(above)) => {
            for (name, value) in above {
                overlay(below.entry(name).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_upper_inputs_win_key_by_key() {
        let below: ReleaseInputs = serde_json::from_value(json!({
            "name": "a", "replicas": 2, "pod_labels": { "x": "1", "y": "1" },
            "metrics": { "enabled": true, "port": 1 }, "image_pull_secrets": ["a", "b"],
        }))
        .unwrap();
        let above: ReleaseInputs = serde_json::from_value(json!({
            "name": "b", "pod_labels": { "y": "2" }, "metrics": { "port": 2 }, "image_pull_secrets": ["c"],
        }))
        .unwrap();
        let expected: ReleaseInputs = serde_json::from_value(json!({
            "name": "b", "replicas": 2, "pod_labels": { "x": "1", "y": "2" },
            "metrics": { "enabled": true, "port": 2 }, "image_pull_secrets": ["c"],
        }))
        .unwrap();
        assert_eq!(above.over(below).unwrap(), expected);
    }
}
