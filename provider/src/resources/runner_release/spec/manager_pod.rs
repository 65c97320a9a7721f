//! The Deployment and the pod of the manager, with the defaults of the chart.

use gitlabspot_runner_config::version::DEFAULT_RELEASE;
use serde_json::{Map, Value, json};

use super::super::schema::{ProbeSettings, RunnerReleaseSettings};
use super::super::values::{IMAGE, ImageParts, REGISTRY, security_context};

/// Initial delay and period of the readiness probe, in seconds. Both are 60 in the chart, so that no pod is ready
/// before its 60th second. Here a startup probe covers the start.
pub const READINESS: (i64, i64) = (0, 10);

/// Settings of the manager's Deployment with a default. Those without one are in [`super::ReleaseSpec::settings`].
#[derive(Debug, Clone, PartialEq)]
pub struct ManagerPod {
    /// Not set if the autoscaler sets it, or for the default of Kubernetes, which is one.
    pub replicas: Option<i64>,
    pub revision_history_limit: i64,
    pub image: String,
    pub image_pull_policy: String,
    pub use_tini: bool,
    pub termination_grace_period_seconds: i64,
    pub security_context: Value,
    pub pod_security_context: Value,
    pub probe_timeout_seconds: i64,
    pub liveness: ProbeTimes,
    pub readiness: ProbeTimes,
    /// Variables with a significant order, in the form of Kubernetes. All others follow.
    pub env: Vec<Value>,
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
    pub(super) fn new(settings: &RunnerReleaseSettings, image: ImageParts, env: Vec<Value>) -> Self {
        let context = |given: &Option<Map<String, Value>>, default: fn() -> Value| {
            given.clone().map_or_else(default, Value::Object)
        };
        Self {
            replicas: settings.replicas.filter(|_| settings.hpa.is_none()),
            revision_history_limit: settings.revision_history_limit.unwrap_or(10),
            image: self::image(settings, image),
            image_pull_policy: settings.image_pull_policy.clone().unwrap_or_else(|| "IfNotPresent".to_owned()),
            use_tini: settings.use_tini.unwrap_or(false),
            termination_grace_period_seconds: settings.termination_grace_period_seconds.unwrap_or(3600),
            security_context: context(&settings.security_context, security_context),
            pod_security_context: context(&settings.pod_security_context, pod_security_context),
            probe_timeout_seconds: settings.probe_timeout_seconds.unwrap_or(4),
            liveness: ProbeTimes::new(settings.liveness_probe.as_ref(), 60, 60),
            readiness: ProbeTimes::new(settings.readiness_probe.as_ref(), READINESS.0, READINESS.1),
            env,
        }
    }

    /// Returns the directory of the runner's configuration, which depends on the user of the pod.
    pub fn config_dir(&self) -> &'static str {
        match self.pod_security_context.get("runAsUser").and_then(Value::as_i64) {
            Some(0) => "/etc/gitlab-runner",
            _ => "/home/gitlab-runner/.gitlab-runner",
        }
    }
}

impl ProbeTimes {
    fn new(given: Option<&ProbeSettings>, initial_delay_seconds: i64, period_seconds: i64) -> Self {
        let given = given.cloned().unwrap_or_default();
        Self {
            initial_delay_seconds: given.initial_delay_seconds.unwrap_or(initial_delay_seconds),
            period_seconds: given.period_seconds.unwrap_or(period_seconds),
            success_threshold: given.success_threshold.unwrap_or(1),
            failure_threshold: given.failure_threshold.unwrap_or(3),
            termination_grace_period_seconds: given.termination_grace_period_seconds,
        }
    }
}

/// Prefix of the version in the tag of the official image.
const TAG: &str = "alpine-v";

/// Returns the version of GitLab Runner in the tag of the official image; `None` for any other image.
pub fn official_version(image: &str) -> Option<&str> {
    image.strip_prefix(REGISTRY)?.strip_prefix('/')?.strip_prefix(IMAGE)?.strip_prefix(':')?.strip_prefix(TAG)
}

fn image(settings: &RunnerReleaseSettings, parts: ImageParts) -> String {
    if let Some(image) = &settings.image {
        return image.clone();
    }
    let registry = parts.registry.unwrap_or_else(|| REGISTRY.to_owned());
    let name = parts.image.unwrap_or_else(|| IMAGE.to_owned());
    let tag = parts.tag.unwrap_or_else(|| {
        let version = settings.runner_version.as_deref().unwrap_or(DEFAULT_RELEASE);
        format!("{TAG}{}", version.trim_start_matches('v'))
    });
    match registry.as_str() {
        "" => format!("{name}:{tag}"),
        registry => format!("{registry}/{name}:{tag}"),
    }
}

/// Returns the default security context of the pod: user and group of the official image, and the seccomp profile that
/// the Pod Security Standard `restricted` requires. The chart does not set that profile.
pub fn pod_security_context() -> Value {
    json!({ "runAsUser": 100, "fsGroup": 65533, "seccompProfile": { "type": "RuntimeDefault" } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod_of(settings: Value) -> ManagerPod {
        ManagerPod::new(&serde_json::from_value(settings).unwrap(), ImageParts::default(), Vec::new())
    }

    #[test]
    fn the_image_is_put_together() {
        let image_with = |settings, parts| image(&serde_json::from_value(settings).unwrap(), parts);
        let image_of = |settings| image_with(settings, ImageParts::default());
        let parts = |registry: Option<&str>| ImageParts {
            registry: registry.map(str::to_owned),
            tag: Some("x".to_owned()),
            ..ImageParts::default()
        };
        let official = "registry.gitlab.com/gitlab-org/gitlab-runner";
        assert_eq!(image_of(json!({})), format!("{official}:alpine-v19.3.0"));
        assert_eq!(image_of(json!({ "runner_version": "18.9.1" })), format!("{official}:alpine-v18.9.1"));
        assert_eq!(image_with(json!({}), parts(Some(""))), "gitlab-org/gitlab-runner:x");
        assert_eq!(image_with(json!({ "image": "a:b" }), parts(None)), "a:b");
    }

    #[test]
    fn probe_times_are_as_configured() {
        let times = |settings| {
            let pod = pod_of(settings);
            [pod.liveness, pod.readiness].map(|times| (times.initial_delay_seconds, times.period_seconds))
        };
        assert_eq!(times(json!({})), [(60, 60), (0, 10)]);
        let given =
            json!({ "readiness_probe": { "initial_delay_seconds": 60 }, "liveness_probe": { "period_seconds": 5 } });
        assert_eq!(times(given), [(60, 5), (60, 10)]);
    }

    #[test]
    fn root_keeps_its_configuration_in_etc() {
        let pod = |context: Value| pod_of(json!({ "pod_security_context": context }));
        assert_eq!(pod(json!({ "runAsUser": 0 })).config_dir(), "/etc/gitlab-runner");
        assert_eq!(pod(json!(null)).config_dir(), "/home/gitlab-runner/.gitlab-runner");
    }
}
