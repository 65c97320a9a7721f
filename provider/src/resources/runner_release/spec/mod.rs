//! A fully resolved release: all defaults are set, all sources are merged and all checks have passed.
//!
//! [`resolve`] creates it from the configuration, and the manifests only depend on it. It does not contain the token.

mod build_nodes;
mod configuration;
mod docker_in_docker;
mod job_pod;
mod lint;
mod manager_pod;
mod names;
mod of_values;
mod resolve;
mod rules;
mod session_server;

use std::collections::BTreeMap;

pub use configuration::global_defaults;
pub use docker_in_docker::runner as docker_in_docker_runner;
use gitlabspot_runner_config::config_toml::Config;
use gitlabspot_runner_config::version::RunnerVersion;
pub use job_pod::job_pod;
pub use manager_pod::{ManagerPod, ProbeTimes, READINESS, official_version, pod_security_context};
pub use names::Names;
pub use resolve::{Given, Resolved, resolve};
pub use rules::{Needed, Rule, needed, priority_classes, session_server as session_server_rule};
use serde::{Deserialize, Serialize};
pub use session_server::{ADDRESS_PLACEHOLDER, Advertise, SessionServer};

use super::schema::{JobPod, MonitorSettings, RunnerReleaseSettings, ServiceSettings};
pub use crate::quantity::Quantity;

#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseSpec {
    pub names: Names,
    pub gitlab_url: String,
    pub version: RunnerVersion,
    pub token: TokenSecret,
    pub start: Start,
    /// Complete for [`Start::WholeConfig`], otherwise the template and the global section.
    pub config: Config,
    pub pod: ManagerPod,
    /// All settings. Those without a default are copied from here to the objects.
    pub settings: Box<RunnerReleaseSettings>,
    pub cache_secret_name: Option<String>,
    pub pre_entrypoint_script: Option<String>,
    /// Additional files in `/configmaps`.
    pub config_maps: BTreeMap<String, String>,
    pub service_account: ServiceAccount,
    pub roles: Option<Roles>,
    pub metrics: Metrics,
    /// Service, ServiceMonitor and PodMonitor are only set if they are enabled.
    pub service: Option<ServiceSettings>,
    pub service_monitor: Option<MonitorSettings>,
    pub pod_monitor: Option<MonitorSettings>,
    pub session_server: Option<SessionServer>,
    pub job_pod: JobPod,
}

/// The kind of a runner token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// `glrt-...`: belongs to a runner that was created in GitLab.
    Authentication,
    /// The older kind, with which a runner registers itself.
    Registration,
}

/// The Secret that contains the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSecret {
    pub name: String,
    pub kind: TokenKind,
    /// Whether this resource manages the Secret.
    pub owned: bool,
}

/// How the manager gets its configuration when a pod starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// config.toml is complete, and refers to the token with a variable.
    WholeConfig,
    /// `gitlab-runner register` adds the runner to it, from a template.
    Register(Registration),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registration {
    pub name: Option<String>,
    pub tag_list: Vec<String>,
    pub run_untagged: bool,
    pub locked: bool,
    pub access_level: Option<String>,
    /// Seconds.
    pub maximum_timeout: Option<i64>,
    /// Whether a destroy of the release deletes the runner from GitLab.
    pub unregister_on_destroy: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    pub create: bool,
    /// Empty for the default service account of the namespace.
    pub name: String,
    pub annotations: BTreeMap<String, String>,
    pub image_pull_secrets: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// The namespace of jobs; not used if the roles are cluster-wide.
    pub namespace: String,
    pub cluster_wide: bool,
    pub rules: Vec<Rule>,
    pub priority_classes: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    pub enabled: bool,
    pub port: i64,
    pub port_name: String,
}

#[cfg(test)]
mod tests;
