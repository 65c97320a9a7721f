//! The attributes of a release, which are its state as well.

mod kubernetes;
mod parts;

pub(super) use self::kubernetes::*;
pub(super) use self::parts::*;
use crate::framework::value::{List, Map, Value};
use crate::framework::{Kind, Object, Raw, Timeouts, Type};

/// A `gitlabspot_runner_release`.
#[derive(Clone, Default, PartialEq, Object)]
pub struct RunnerRelease {
    /// `namespace/name`, which is also the import id.
    #[attr(computed, stable)]
    pub id: Value<String>,
    /// Name of the release. The objects are named after it: `gitlab-runner` and what begins so stands alone, anything
    /// else gets `-gitlab-runner` behind it.
    #[attr(optional, default = "gitlab-runner", replace)]
    pub name: Value<String>,
    /// Namespace of the manager, and of jobs unless the configuration names another.
    #[attr(optional, default = "gitlab-runner", replace)]
    pub namespace: Value<String>,
    /// Make the namespace when it is not there. It is removed on destroy only if it was made so and nothing else is in it.
    #[attr(optional, default = false)]
    pub create_namespace: Value<bool>,
    /// Name of the EKS cluster; the provider's `kubernetes` settings unless set.
    #[attr(optional)]
    pub cluster_name: Value<String>,
    /// In place of `gitlab-runner` in the names of objects.
    #[attr(optional)]
    pub name_override: Value<String>,
    /// Name of the objects, whatever the release is called.
    #[attr(optional)]
    pub fullname_override: Value<String>,

    /// Address of GitLab, such as `https://gitlab.com/`. Required, here or as `gitlabUrl` of a values file.
    #[attr(optional)]
    pub gitlab_url: Value<String>,
    /// Authentication token (`glrt-...`) that GitLab shows when a runner is made there. It goes to a Secret and nowhere
    /// else; change `runner_token_wo_version` to have a new one written.
    #[attr(optional, write_only, sensitive)]
    pub runner_token_wo: Value<String>,
    /// Any number; a change writes `runner_token_wo` anew.
    #[attr(optional)]
    pub runner_token_wo_version: Value<i64>,
    /// Registration token of the older flow: each manager pod registers when it starts.
    #[attr(optional, write_only, sensitive)]
    pub registration_token_wo: Value<String>,
    /// Any number; a change writes `registration_token_wo` anew.
    #[attr(optional)]
    pub registration_token_wo_version: Value<i64>,
    /// Whether a manager pod that registered itself unregisters when it ends for good: when the release is destroyed, but also
    /// when the pod is replaced, evicted or no longer wanted. `true` unless set. Without effect on authentication tokens,
    /// which pods share. A pod that ends without a signal, such as with its node, leaves its registration in GitLab.
    #[attr(optional)]
    pub unregister_on_destroy: Value<bool>,
    /// Name of an existing Secret with `runner-token` or `runner-registration-token`, in place of a token here.
    #[attr(optional)]
    pub token_secret_name: Value<String>,
    /// Options of the older registration.
    #[attr(optional)]
    pub registration: Value<Registration>,
    /// Name of the runner in GitLab.
    #[attr(optional)]
    pub runner_name: Value<String>,
    /// Version of GitLab Runner with its patch release, 19.3.0 unless set or told by the tag of the image; 15.0 is the oldest
    /// that is supported. Configuration keys that it does not know, yet or any more, are refused.
    #[attr(optional)]
    pub runner_version: Value<String>,
    /// Image of the manager; `registry.gitlab.com/gitlab-org/gitlab-runner:alpine-v<runner_version>` unless set.
    #[attr(optional)]
    pub image: Value<String>,
    /// When it is pulled; `IfNotPresent` unless set.
    #[attr(optional)]
    pub image_pull_policy: Value<String>,
    /// Start with tini in place of dumb-init, as GitLab's image for OpenShift (`gitlab-runner-ocp`) needs it. Its other images,
    /// `ubi-fips` included, have dumb-init.
    #[attr(optional)]
    pub use_tini: Value<bool>,

    /// `[[runners]]` of config.toml as an object, with its [keys](#keys-of-configtoml) in snake case:
    /// `{ kubernetes = { cpu_request = "2" } }`. A misspelt key is an error at plan with the nearest name, and so is a value
    /// of another type. Keys that are called sensitive there are not hidden in plans: use `sensitive()`.
    #[attr(optional, kind = dynamic)]
    pub config: Value<Raw>,
    /// The same as TOML text. `{{.Release.Namespace}}` and `{{.Release.Name}}` are replaced.
    #[attr(optional)]
    pub config_toml: Value<String>,
    /// Values files of the official chart as YAML texts, later ones over earlier ones. Attributes win over them.
    #[attr(optional)]
    pub values: Value<List<String>>,
    /// Most jobs at a time; 10 unless set.
    #[attr(optional)]
    pub concurrent: Value<i64>,
    /// Seconds between two questions for jobs; 3 unless set.
    #[attr(optional)]
    pub check_interval: Value<i64>,
    /// `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `panic`; `info` unless set.
    #[attr(optional)]
    pub log_level: Value<String>,
    /// `runner`, `text` or `json`.
    #[attr(optional)]
    pub log_format: Value<String>,
    /// Seconds that jobs get to end when the manager is told to stop at once.
    #[attr(optional)]
    pub shutdown_timeout: Value<i64>,
    /// Where errors of the manager are reported to.
    #[attr(optional, sensitive)]
    pub sentry_dsn: Value<String>,
    /// Longest life of a connection to GitLab, such as `15m`.
    #[attr(optional)]
    pub connection_max_age: Value<String>,
    /// Server of interactive web terminals.
    #[attr(optional)]
    pub session_server: Value<SessionServer>,
    /// `[runners.cache]` as an object, for instance from `gitlabspot_cache_bucket.runner_cache`. Checked like `config`.
    #[attr(optional, kind = dynamic)]
    pub cache: Value<Raw>,
    /// Secret with the credentials of the cache: `accesskey` and `secretkey`.
    #[attr(optional)]
    pub cache_secret_name: Value<String>,
    /// Namespace of the jobs; the release's unless set.
    #[attr(optional)]
    pub job_namespace: Value<String>,
    /// Where jobs run, for instance from `gitlabspot_node_group.build_nodes`.
    #[attr(optional)]
    pub build_nodes: Value<BuildNodes>,
    /// Docker in jobs.
    #[attr(optional)]
    pub docker_in_docker: Value<DockerInDocker>,

    /// The manager's service account.
    #[attr(optional)]
    pub service_account: Value<ServiceAccount>,
    /// What the manager may do in the cluster; the least that its configuration needs unless set.
    #[attr(optional)]
    pub rbac: Value<Rbac>,
    /// Prometheus metrics.
    #[attr(optional)]
    pub metrics: Value<Metrics>,
    /// Service in front of the metrics.
    #[attr(optional)]
    pub service: Value<Service>,
    /// ServiceMonitor for the metrics. The cluster has to know this kind.
    #[attr(optional)]
    pub service_monitor: Value<Monitor>,
    /// PodMonitor for the metrics. The cluster has to know this kind.
    #[attr(optional)]
    pub pod_monitor: Value<Monitor>,
    /// Protects manager pods from eviction.
    #[attr(optional)]
    pub pod_disruption_budget: Value<DisruptionBudget>,
    /// Autoscaler of the manager.
    #[attr(optional)]
    pub hpa: Value<Hpa>,

    /// Number of manager pods; 1 unless set. What an autoscaler or `kubectl scale` has set is replaced; with `hpa` the number
    /// stays until the autoscaler changes it.
    #[attr(optional)]
    pub replicas: Value<i64>,
    /// Old ReplicaSets that are kept; 10 unless set.
    #[attr(optional)]
    pub revision_history_limit: Value<i64>,
    /// How manager pods are replaced.
    #[attr(optional)]
    pub strategy: Value<Strategy>,
    /// Labels of the Deployment.
    #[attr(optional)]
    pub deployment_labels: Value<Map<String>>,
    /// Annotations of the Deployment.
    #[attr(optional)]
    pub deployment_annotations: Value<Map<String>>,
    /// Labels of the manager pods.
    #[attr(optional)]
    pub pod_labels: Value<Map<String>>,
    /// Annotations of the manager pods.
    #[attr(optional)]
    pub pod_annotations: Value<Map<String>>,
    /// A change of any of these values replaces the manager pods, for instance
    /// `{ cache = gitlabspot_runner_credentials.cache.secret_hash }`.
    #[attr(optional)]
    pub restart_on: Value<Map<String>>,
    /// Names of Secrets for the manager's image.
    #[attr(optional)]
    pub image_pull_secrets: Value<List<String>>,
    /// Seconds that jobs get to end when a manager pod is replaced; 3600 unless set.
    #[attr(optional)]
    pub termination_grace_period_seconds: Value<i64>,
    /// Scheduler of the manager pods.
    #[attr(optional)]
    pub scheduler_name: Value<String>,
    /// Priority class of the manager pods.
    #[attr(optional)]
    pub priority_class_name: Value<String>,
    /// Runtime class of the manager pods.
    #[attr(optional)]
    pub runtime_class_name: Value<String>,
    /// Host name of the manager pods.
    #[attr(optional)]
    pub hostname: Value<String>,
    /// Whether the service account's token is mounted.
    #[attr(optional)]
    pub automount_service_account_token: Value<bool>,
    /// Labels that a node must have for the manager.
    #[attr(optional)]
    pub node_selector: Value<Map<String>>,
    /// Affinity of the manager pods, with the keys of `config.kubernetes.affinity`, and checked like them.
    #[attr(optional, kind = dynamic)]
    pub affinity: Value<Raw>,
    /// Tolerations of the manager pods.
    #[attr(optional)]
    pub tolerations: Value<List<Toleration>>,
    /// How manager pods are spread.
    #[attr(optional)]
    pub topology_spread_constraints: Value<List<SpreadConstraint>>,
    /// Lines of /etc/hosts in the manager pods.
    #[attr(optional)]
    pub host_aliases: Value<List<HostAlias>>,
    /// Security context of the manager container, in place of the default one.
    #[attr(optional)]
    pub security_context: Value<SecurityContext>,
    /// Security context of the manager pods, in place of the default one: user 100, group 65533 for files, and the seccomp
    /// profile `RuntimeDefault`.
    #[attr(optional)]
    pub pod_security_context: Value<PodSecurityContext>,
    /// Room for the manager container.
    #[attr(optional)]
    pub resources: Value<Resources>,
    /// Hooks of the manager container.
    #[attr(optional)]
    pub container_lifecycle: Value<ContainerLifecycle>,
    /// Seconds that a probe may take; 4 unless set.
    #[attr(optional)]
    pub probe_timeout_seconds: Value<i64>,
    /// Times of the liveness probe: 60 seconds before the first one and between two, unless set.
    #[attr(optional)]
    pub liveness_probe: Value<Probe>,
    /// Times of the readiness probe: no delay and 10 seconds between two, unless set. It begins after the startup probe, which
    /// looks each 2 seconds whether registration and `pre_entrypoint_script` are done, for 10 minutes at most.
    #[attr(optional)]
    pub readiness_probe: Value<Probe>,
    /// Further variables of the manager container.
    #[attr(optional)]
    pub extra_env: Value<Map<String>>,
    /// Further variables with values from elsewhere.
    #[attr(optional)]
    pub extra_env_from: Value<Map<EnvSource>>,
    /// ConfigMaps and Secrets whose keys all become variables.
    #[attr(optional)]
    pub extra_env_from_refs: Value<List<EnvFrom>>,
    /// Further volumes, as Kubernetes defines them, in snake case: `[{ name = "x", empty_dir = {} }]`.
    #[attr(optional, kind = dynamic)]
    pub volumes: Value<Raw>,
    /// Where they appear in the manager container.
    #[attr(optional)]
    pub volume_mounts: Value<List<VolumeMount>>,
    /// Further containers of the manager pods, as Kubernetes defines them, in snake case.
    #[attr(optional, kind = dynamic)]
    pub extra_containers: Value<Raw>,
    /// Further Secrets whose keys appear under `/secrets`.
    #[attr(optional)]
    pub secrets: Value<List<SecretItems>>,
    /// Further files under `/configmaps`.
    #[attr(optional)]
    pub config_maps: Value<Map<String>>,
    /// Secret with certificates of GitLab's host, mounted for the manager.
    #[attr(optional)]
    pub certs_secret_name: Value<String>,
    /// Bash that runs before the manager does.
    #[attr(optional)]
    pub pre_entrypoint_script: Value<String>,

    /// Whether an apply waits until the new manager pods are available.
    #[attr(optional, default = true)]
    pub wait: Value<bool>,
    /// How long operations may take: create and update 15 minutes, delete the grace period of the pods and 10 minutes more.
    #[attr(optional)]
    pub timeouts: Value<Timeouts>,
    /// `available`, `progressing`, `failed` or `missing`: how the manager's Deployment is.
    #[attr(computed)]
    pub status: Value<String>,
    /// Every object as it is applied, in JSON, by kind, namespace and name. Secrets and secret settings are not in it, and
    /// neither are texts that you write and that may come from a sensitive value: of variables only the names, and no
    /// scripts, `config_maps` and commands of further containers. After a change by hand it shows what is there instead, so that the plan shows what is
    /// repaired.
    #[attr(computed)]
    pub manifest: Value<Map<String>>,
    /// The whole config.toml without its secrets, scripts, commands, patches and the values of variables.
    #[attr(computed)]
    pub config_toml_rendered: Value<String>,
    /// The objects of the release.
    #[attr(computed)]
    pub objects: Value<List<ReleaseObject>>,
    /// Size and place of a whole job pod, for `gitlabspot_warm_capacity.pod`.
    #[attr(computed)]
    pub job_pod: Value<JobPod>,
}

/// An object of the release.
#[derive(Clone, Default, PartialEq, Object)]
pub struct ReleaseObject {
    /// Such as `apps/v1`.
    #[attr(computed)]
    pub api_version: Value<String>,
    /// Such as `Deployment`.
    #[attr(computed)]
    pub kind: Value<String>,
    /// None for objects of the whole cluster.
    #[attr(computed)]
    pub namespace: Value<String>,
    /// Its name.
    #[attr(computed)]
    pub name: Value<String>,
}

/// What a job pod needs as a whole.
#[derive(Clone, Default, PartialEq, Object)]
pub struct JobPod {
    /// CPU requested by all containers together.
    #[attr(computed)]
    pub cpu: Value<String>,
    /// Memory requested by all containers together.
    #[attr(computed)]
    pub memory: Value<String>,
    /// Ephemeral storage requested by all containers together.
    #[attr(computed)]
    pub ephemeral_storage: Value<String>,
    /// Labels that its node must have.
    #[attr(computed)]
    pub node_selector: Value<Map<String>>,
    /// Taints that it tolerates.
    #[attr(computed)]
    pub tolerations: Value<List<JobPodToleration>>,
}

/// A toleration of a job pod.
#[derive(Clone, Default, PartialEq, Object)]
pub struct JobPodToleration {
    /// Key of the taint.
    #[attr(computed)]
    pub key: Value<String>,
    /// `Equal` or `Exists`.
    #[attr(computed)]
    pub operator: Value<String>,
    /// Value of the taint.
    #[attr(computed)]
    pub value: Value<String>,
    /// Effect of the taint.
    #[attr(computed)]
    pub effect: Value<String>,
}

/// A value whose type the user chooses.
fn dynamic() -> Kind {
    Kind::Plain(Type::Dynamic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::conformance::check_schema;
    use crate::framework::schema::Schema;

    #[test]
    fn core_accepts_the_schema() {
        assert_eq!(check_schema(&Schema::of::<RunnerRelease>(0, "")), []);
    }

    #[test]
    fn what_hosts_would_leave_out_without_a_word_is_no_typed_object() {
        let schema = Schema::of::<RunnerRelease>(0, "");
        for name in ["affinity", "cache", "config"] {
            assert_eq!(schema.attribute(name).unwrap().kind, Kind::Plain(Type::Dynamic), "{name}");
        }
    }
}
