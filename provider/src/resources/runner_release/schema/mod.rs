//! The attributes of a release, which are also its state.
//!
//! Marks of the attributes:
//!
//! | mark | meaning |
//! | --- | --- |
//! | `kubernetes` | Kubernetes defines its content; settings contain it with the names of the API |
//! | `int_or_string` | a number or a string of the API, for which HCL has one type |
//! | `global = "KEY"` | it is a key of the global section of config.toml |
//! | `object = "KIND"` | objects of the kind are created from it; `KIND *SUFFIX`: those with names that end with it |
//! | `deployment = "FIELD"` | the field of the Deployment is set from it |

mod kubernetes;
mod parts;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value as Json;
use tfplugin::framework::value::{List, Map, Secret, Value};
use tfplugin::framework::{Attribute, Kind, Object, Raw, Settings, Timeouts, Type};

pub(super) use self::kubernetes::*;
pub(super) use self::parts::*;

/// The attributes with their marks.
pub(super) static ATTRIBUTES: LazyLock<Vec<Attribute>> = LazyLock::new(RunnerRelease::attributes);

/// An object and a list of objects of Kubernetes.
type Fields = serde_json::Map<String, Json>;
type Objects = Vec<Json>;

/// A `gitlabspot_runner_release`.
#[derive(Clone, Default, PartialEq, Object, Settings)]
pub struct RunnerRelease {
    /// `namespace/name`, which is also the import ID.
    #[attr(computed, stable)]
    pub id: Value<String>,
    /// Name of the release. The objects have this name if it starts with `gitlab-runner`, otherwise this name followed
    /// by `-gitlab-runner`.
    #[attr(optional, default = "gitlab-runner", replace)]
    pub name: Value<String>,
    /// Namespace of the manager, and of the jobs unless the configuration specifies another one.
    #[attr(optional, default = "gitlab-runner", replace)]
    pub namespace: Value<String>,
    /// Whether the namespace is created if it does not exist. A destroy only deletes a namespace that this release
    /// created and that contains no other objects.
    #[attr(optional, default = false, no_setting)]
    pub create_namespace: Value<bool>,
    /// Name of the EKS cluster. Defaults to the provider's `kubernetes` settings. A change replaces the resource.
    #[attr(optional, no_setting)]
    pub cluster_name: Value<String>,
    /// Text that replaces `gitlab-runner` in the names of the objects. Defaults to `gitlab-runner`.
    #[attr(optional)]
    pub name_override: Value<String>,
    /// Name of the objects, independent of the name of the release. Defaults to a name derived from `name`.
    #[attr(optional)]
    pub fullname_override: Value<String>,

    /// URL of GitLab, for example `https://gitlab.com/`. Required here or as `gitlabUrl` of a values file.
    #[attr(optional)]
    pub gitlab_url: Value<String>,
    /// Authentication token (`glrt-...`) of a runner that was created in GitLab, only stored in a Secret. Required
    /// unless another token is set. Change `runner_token_wo_version` to write a new token.
    #[attr(optional, write_only, sensitive)]
    pub runner_token_wo: Value<Secret>,
    /// Arbitrary number. A change writes `runner_token_wo` again. Defaults to none.
    #[attr(optional, no_setting)]
    pub runner_token_wo_version: Value<i64>,
    /// Registration token of the deprecated registration workflow: each manager pod registers itself when it starts.
    /// Defaults to none.
    #[attr(optional, write_only, sensitive)]
    pub registration_token_wo: Value<Secret>,
    /// Arbitrary number. A change writes `registration_token_wo` again. Defaults to none.
    #[attr(optional, no_setting)]
    pub registration_token_wo_version: Value<i64>,
    /// Whether a manager pod that registered itself unregisters when it is terminated: on a destroy, and also when the
    /// pod is replaced, evicted or scaled in. Defaults to `true`. No effect on authentication tokens, which pods share.
    /// A pod that ends without a signal, for example with its node, leaves its registration in GitLab.
    #[attr(optional)]
    pub unregister_on_destroy: Value<bool>,
    /// Name of an existing Secret that contains the token, with the key `runner-token` or `runner-registration-token`.
    /// It replaces `runner_token_wo` and `registration_token_wo`. Defaults to none.
    #[attr(optional)]
    pub token_secret_name: Value<String>,
    /// Options of the deprecated registration workflow. By default the runner is locked and has no tags.
    #[attr(optional)]
    pub registration: Value<Registration>,
    /// Name of the runner in GitLab. Defaults to the name in `config`.
    #[attr(optional)]
    pub runner_name: Value<String>,
    /// Version of GitLab Runner including its patch release. Defaults to the version in the tag of the image, for an
    /// imported release without `values` to the version that it ran, otherwise to 19.3.0. The oldest supported version
    /// is 15.0. Configuration keys that the version does not support are an error.
    #[attr(optional)]
    pub runner_version: Value<String>,
    /// Image of the manager. Defaults to `registry.gitlab.com/gitlab-org/gitlab-runner:alpine-v<runner_version>`.
    #[attr(optional, marks(deployment = "spec.template.spec.containers.image"))]
    pub image: Value<String>,
    /// Pull policy of the image. Defaults to `IfNotPresent`.
    #[attr(optional, marks(deployment = "spec.template.spec.containers.imagePullPolicy"))]
    pub image_pull_policy: Value<String>,
    /// Whether the manager is started with tini instead of dumb-init, which GitLab's image for OpenShift
    /// (`gitlab-runner-ocp`) requires. Other images, including `ubi-fips`, have dumb-init. Defaults to `false`.
    #[attr(optional)]
    pub use_tini: Value<bool>,

    /// The `[[runners]]` section of config.toml as an object, with its [keys](#keys-of-configtoml) in snake case:
    /// `{ kubernetes = { cpu_request = "2" } }`. An unknown key or a value of a wrong type is an error at plan. Keys
    /// that are listed there as sensitive are not hidden in plans: use `sensitive()`. By default jobs that do not
    /// specify an image use `alpine`.
    #[attr(optional, kind = dynamic)]
    pub config: Value<Raw>,
    /// The `[[runners]]` section as TOML, in which `{{.Release.Namespace}}` and `{{.Release.Name}}` are evaluated.
    /// Defaults to none.
    #[attr(optional)]
    pub config_toml: Value<String>,
    /// List of values files of the official Helm chart, as YAML. Later files override earlier ones, and attributes
    /// override values files. Defaults to none.
    #[attr(optional, no_setting)]
    pub values: Value<List<String>>,
    /// Maximum number of concurrent jobs. Defaults to 10.
    #[attr(optional, marks(global = "concurrent"))]
    pub concurrent: Value<i64>,
    /// Number of seconds between two requests for new jobs. Defaults to 3.
    #[attr(optional, marks(global = "check_interval"))]
    pub check_interval: Value<i64>,
    /// Log level: `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `panic`. Defaults to `info`.
    #[attr(optional, marks(global = "log_level"))]
    pub log_level: Value<String>,
    /// Log format: `runner`, `text` or `json`. Defaults to `runner`.
    #[attr(optional, marks(global = "log_format"))]
    pub log_format: Value<String>,
    /// Number of seconds in which jobs can finish during a forceful shutdown of the manager. Defaults to 0, which the
    /// manager reads as 30.
    #[attr(optional, marks(global = "shutdown_timeout"))]
    pub shutdown_timeout: Value<i64>,
    /// DSN of the Sentry project to which errors of the manager are reported. Defaults to none.
    #[attr(optional, sensitive, marks(global = "sentry_dsn"))]
    pub sentry_dsn: Value<Secret>,
    /// Maximum age of a connection to GitLab as a duration, for example `15m`. Defaults to 15 minutes.
    #[attr(optional, marks(global = "connection_max_age"))]
    pub connection_max_age: Value<String>,
    /// Session server for interactive web terminals. Defaults to none.
    #[attr(optional, marks(object = "Ingress", object = "Service *-session-server"))]
    pub session_server: Value<SessionServer>,
    /// The `[runners.cache]` section as an object, for example `gitlabspot_cache_bucket.runner_cache`. Validated like
    /// `config`. Defaults to no cache.
    #[attr(optional, kind = dynamic)]
    pub cache: Value<Raw>,
    /// Name of the Secret with the credentials of the cache, whose keys are `accesskey` and `secretkey`. By default the
    /// manager uses the credentials of its pod.
    #[attr(optional)]
    pub cache_secret_name: Value<String>,
    /// Namespace of the jobs. Defaults to the namespace of the release. It must exist.
    #[attr(optional)]
    pub job_namespace: Value<String>,
    /// Node selector and tolerations of the jobs, for example `gitlabspot_node_group.build_nodes`. Defaults to none.
    #[attr(optional)]
    pub build_nodes: Value<BuildNodes>,
    /// Docker-in-Docker service of the jobs. Defaults to none.
    #[attr(optional)]
    pub docker_in_docker: Value<DockerInDocker>,

    /// Service account of the manager. By default one is created.
    #[attr(optional, marks(object = "ServiceAccount", deployment = "spec.template.spec.serviceAccountName"))]
    pub service_account: Value<ServiceAccount>,
    /// Permissions of the manager in the cluster. Default to the minimum permissions that its configuration requires.
    #[attr(
        optional,
        marks(object = "Role", object = "RoleBinding", object = "ClusterRole", object = "ClusterRoleBinding")
    )]
    pub rbac: Value<Rbac>,
    /// Prometheus metrics. Defaults to none.
    #[attr(optional, marks(deployment = "spec.template.spec.containers.ports"))]
    pub metrics: Value<Metrics>,
    /// Service of the metrics. Defaults to none.
    #[attr(optional, marks(object = "Service"))]
    pub service: Value<Service>,
    /// ServiceMonitor of the metrics. Requires the Prometheus operator. Defaults to none.
    #[attr(optional, marks(object = "ServiceMonitor"))]
    pub service_monitor: Value<Monitor>,
    /// PodMonitor of the metrics. Requires the Prometheus operator. Defaults to none.
    #[attr(optional, marks(object = "PodMonitor"))]
    pub pod_monitor: Value<Monitor>,
    /// PodDisruptionBudget of the manager pods. Defaults to none.
    #[attr(optional, marks(object = "PodDisruptionBudget"))]
    pub pod_disruption_budget: Value<DisruptionBudget>,
    /// HorizontalPodAutoscaler of the manager. Defaults to none.
    #[attr(optional, marks(object = "HorizontalPodAutoscaler"))]
    pub hpa: Value<Hpa>,

    /// Number of manager pods. Defaults to 1. It replaces a number that an autoscaler or `kubectl scale` has set. With
    /// `hpa` the autoscaler changes the number afterwards.
    #[attr(optional, marks(deployment = "spec.replicas"))]
    pub replicas: Value<i64>,
    /// Number of old ReplicaSets to keep. Defaults to 10.
    #[attr(optional, marks(deployment = "spec.revisionHistoryLimit"))]
    pub revision_history_limit: Value<i64>,
    /// Update strategy of the Deployment. Defaults to a rolling update.
    #[attr(optional, marks(kubernetes, deployment = "spec.strategy"), setting = Fields)]
    pub strategy: Value<Strategy>,
    /// Labels of the Deployment. Defaults to none.
    #[attr(optional, marks(deployment = "metadata.labels"))]
    pub deployment_labels: Value<Map<String>>,
    /// Annotations of the Deployment. Defaults to none.
    #[attr(optional, marks(deployment = "metadata.annotations"))]
    pub deployment_annotations: Value<Map<String>>,
    /// Labels of the manager pods. Defaults to none.
    #[attr(optional, marks(deployment = "spec.template.metadata.labels", deployment = "spec.template.labels"))]
    pub pod_labels: Value<Map<String>>,
    /// Annotations of the manager pods. Defaults to none.
    #[attr(
        optional,
        marks(deployment = "spec.template.metadata.annotations", deployment = "spec.template.annotations")
    )]
    pub pod_annotations: Value<Map<String>>,
    /// Arbitrary strings. A change of any of them replaces the manager pods, for example `{ cache =
    /// gitlabspot_runner_credentials.cache.secret_hash }`. Defaults to none.
    #[attr(optional)]
    pub restart_on: Value<Map<String>>,
    /// Names of the image pull Secrets of the manager pods. Defaults to none.
    #[attr(optional, marks(deployment = "spec.template.spec.imagePullSecrets"))]
    pub image_pull_secrets: Value<List<String>>,
    /// Number of seconds in which jobs can finish when a manager pod is terminated. Defaults to 3600.
    #[attr(optional, marks(deployment = "spec.template.spec.terminationGracePeriodSeconds"))]
    pub termination_grace_period_seconds: Value<i64>,
    /// Name of the scheduler of the manager pods. Defaults to `default-scheduler`.
    #[attr(optional, marks(deployment = "spec.template.spec.schedulerName"))]
    pub scheduler_name: Value<String>,
    /// Name of the PriorityClass of the manager pods. Defaults to the default of the cluster.
    #[attr(optional, marks(deployment = "spec.template.spec.priorityClassName"))]
    pub priority_class_name: Value<String>,
    /// Name of the RuntimeClass of the manager pods. Defaults to the runtime of the node.
    #[attr(optional, marks(deployment = "spec.template.spec.runtimeClassName"))]
    pub runtime_class_name: Value<String>,
    /// Host name of the manager pods. Defaults to the name of the pod.
    #[attr(optional, marks(deployment = "spec.template.spec.hostname"))]
    pub hostname: Value<String>,
    /// Whether the token of the service account is mounted. Defaults to `true`.
    #[attr(optional, marks(deployment = "spec.template.spec.automountServiceAccountToken"))]
    pub automount_service_account_token: Value<bool>,
    /// Labels that the node of a manager pod must have. Defaults to none.
    #[attr(optional, marks(deployment = "spec.template.spec.nodeSelector"))]
    pub node_selector: Value<Map<String>>,
    /// Affinity of the manager pods, with the keys of `config.kubernetes.affinity`. Validated like `config`. Defaults
    /// to none.
    #[attr(optional, kind = dynamic, marks(kubernetes, deployment = "spec.template.spec.affinity"), setting = Fields)]
    pub affinity: Value<Raw>,
    /// Tolerations of the manager pods. Defaults to none.
    #[attr(optional, marks(kubernetes, deployment = "spec.template.spec.tolerations"), setting = Objects)]
    pub tolerations: Value<List<Toleration>>,
    /// Topology spread constraints of the manager pods. Defaults to none.
    #[attr(optional, marks(kubernetes, deployment = "spec.template.spec.topologySpreadConstraints"), setting = Objects)]
    pub topology_spread_constraints: Value<List<SpreadConstraint>>,
    /// Entries of `/etc/hosts` in the manager pods. Defaults to none.
    #[attr(optional, marks(kubernetes, deployment = "spec.template.spec.hostAliases"), setting = Objects)]
    pub host_aliases: Value<List<HostAlias>>,
    /// Security context of the manager container. By default a non-root user without privileges.
    #[attr(optional, marks(kubernetes, deployment = "spec.template.spec.containers.securityContext"), setting = Fields)]
    pub security_context: Value<SecurityContext>,
    /// Security context of the manager pods. Defaults to user 100, group 65533 for files, and the seccomp profile
    /// `RuntimeDefault`. A context here replaces the default.
    #[attr(optional, marks(kubernetes, deployment = "spec.template.spec.securityContext"), setting = Fields)]
    pub pod_security_context: Value<PodSecurityContext>,
    /// Resource requests and limits of the manager container. Defaults to none.
    #[attr(optional, marks(kubernetes, deployment = "spec.template.spec.containers.resources"), setting = Fields)]
    pub resources: Value<Resources>,
    /// Lifecycle hooks of the manager container. Defaults to none.
    #[attr(optional, marks(kubernetes, deployment = "spec.template.spec.containers.lifecycle"), setting = Fields)]
    pub container_lifecycle: Value<ContainerLifecycle>,
    /// Timeout of the probes in seconds. Defaults to 4.
    #[attr(optional)]
    pub probe_timeout_seconds: Value<i64>,
    /// Settings of the liveness probe. The initial delay and the period default to 60 seconds.
    #[attr(optional, marks(deployment = "spec.template.spec.containers.livenessProbe"))]
    pub liveness_probe: Value<Probe>,
    /// Settings of the readiness probe. The initial delay defaults to 0 and the period to 10 seconds. The probe starts
    /// after the startup probe, which checks every 2 seconds whether the registration and `pre_entrypoint_script` are
    /// complete, for up to 10 minutes.
    #[attr(optional, marks(deployment = "spec.template.spec.containers.readinessProbe"))]
    pub readiness_probe: Value<Probe>,
    /// Additional environment variables of the manager container. Defaults to none.
    #[attr(optional, marks(deployment = "spec.template.spec.containers.env"))]
    pub extra_env: Value<Map<String>>,
    /// Additional environment variables whose values come from other objects. Defaults to none.
    #[attr(optional, marks(kubernetes), setting = BTreeMap<String, Json>)]
    pub extra_env_from: Value<Map<EnvSource>>,
    /// ConfigMaps and Secrets whose keys all become environment variables. Defaults to none.
    #[attr(optional, marks(kubernetes, deployment = "spec.template.spec.containers.envFrom"), setting = Objects)]
    pub extra_env_from_refs: Value<List<EnvFrom>>,
    /// Additional volumes as in Kubernetes, in snake case: `[{ name = "x", empty_dir = {} }]`. Defaults to none.
    #[attr(optional, kind = dynamic, marks(kubernetes, deployment = "spec.template.spec.volumes"), setting = Objects)]
    pub volumes: Value<Raw>,
    /// Mounts of the volumes in the manager container. Defaults to none.
    #[attr(optional, marks(kubernetes, deployment = "spec.template.spec.containers.volumeMounts"), setting = Objects)]
    pub volume_mounts: Value<List<VolumeMount>>,
    /// Additional containers of the manager pods, as Kubernetes defines them, in snake case. Defaults to none.
    #[attr(optional, kind = dynamic, marks(kubernetes), setting = Objects)]
    pub extra_containers: Value<Raw>,
    /// Additional Secrets that are mounted at `/secrets`. Defaults to none.
    #[attr(optional, setting = Vec<SecretProjection>)]
    pub secrets: Value<List<SecretItems>>,
    /// Additional files that are mounted at `/configmaps`, as a map of file names to contents. Defaults to none.
    #[attr(optional)]
    pub config_maps: Value<Map<String>>,
    /// Name of the Secret with the TLS certificates of GitLab, which is mounted in the manager pods. Defaults to none.
    #[attr(optional)]
    pub certs_secret_name: Value<String>,
    /// Bash script that runs before the manager starts. Defaults to none.
    #[attr(optional)]
    pub pre_entrypoint_script: Value<String>,

    /// Whether an apply waits until the new manager pods are available.
    #[attr(optional, default = true, no_setting)]
    pub wait: Value<bool>,
    /// Timeouts of the operations. Default to 15 minutes for create and update, and to the grace period of the pods
    /// plus 10 minutes for delete.
    #[attr(optional, no_setting)]
    pub timeouts: Value<Timeouts>,
    /// Status of the manager's Deployment: `available`, `progressing`, `failed` or `missing`.
    #[attr(computed)]
    pub status: Value<String>,
    /// Every object as it is applied, in JSON, by kind, namespace and name. It does not contain Secrets, sensitive
    /// settings, and texts that may contain sensitive values: values of environment variables, scripts, `config_maps`
    /// and commands of additional containers. After a change by others it shows the object in the cluster, so that the
    /// plan shows what is reverted.
    #[attr(computed)]
    pub manifest: Value<Map<String>>,
    /// The complete config.toml without secrets, scripts, commands, patches and values of variables.
    #[attr(computed)]
    pub config_toml_rendered: Value<String>,
    /// List of the objects of the release.
    #[attr(computed)]
    pub objects: Value<List<ReleaseObject>>,
    /// Resources and placement of a complete job pod, for `pod` of `gitlabspot_warm_capacity`.
    #[attr(computed)]
    pub job_pod: Value<JobPod>,
}

/// An object of the release.
#[derive(Clone, Default, PartialEq, Object)]
pub struct ReleaseObject {
    /// API version, for example `apps/v1`.
    #[attr(computed)]
    pub api_version: Value<String>,
    /// Kind, for example `Deployment`.
    #[attr(computed)]
    pub kind: Value<String>,
    /// Namespace of the object; null for cluster-scoped objects.
    #[attr(computed)]
    pub namespace: Value<String>,
    /// Name of the object.
    #[attr(computed)]
    pub name: Value<String>,
}

/// What a job pod needs as a whole.
#[derive(Clone, Default, PartialEq, Object)]
pub struct JobPod {
    /// CPU requests of all containers in total.
    #[attr(computed)]
    pub cpu: Value<String>,
    /// Memory requests of all containers in total.
    #[attr(computed)]
    pub memory: Value<String>,
    /// Ephemeral storage requests of all containers in total.
    #[attr(computed)]
    pub ephemeral_storage: Value<String>,
    /// Labels that the node must have.
    #[attr(computed)]
    pub node_selector: Value<Map<String>>,
    /// Tolerations of the pod.
    #[attr(computed)]
    pub tolerations: Value<List<JobPodToleration>>,
}

/// A toleration of a job pod.
#[derive(Clone, Default, PartialEq, Object)]
pub struct JobPodToleration {
    /// Key of the taint.
    #[attr(computed)]
    pub key: Value<String>,
    /// Operator: `Equal` or `Exists`.
    #[attr(computed)]
    pub operator: Value<String>,
    /// Value of the taint.
    #[attr(computed)]
    pub value: Value<String>,
    /// Effect of the taint.
    #[attr(computed)]
    pub effect: Value<String>,
}

/// The kind of an attribute with a dynamic type.
fn dynamic() -> Kind {
    Kind::Plain(Type::Dynamic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gitlabspot_runner_config::catalogue::GLOBAL;
    use tfplugin::framework::conformance::check_schema;
    use tfplugin::framework::schema::Schema;

    #[test]
    fn core_accepts_the_schema() {
        assert_eq!(check_schema(&Schema::of::<RunnerRelease>(0, "")), []);
    }

    #[test]
    fn marks_are_those_of_the_table() {
        fn check(attributes: &[Attribute]) {
            for attribute in attributes {
                for (mark, value) in attribute.marks {
                    let is_of_table = match *mark {
                        "kubernetes" | "int_or_string" => value.is_empty(),
                        "global" => GLOBAL.by_hcl(value).is_some(),
                        "object" | "deployment" => !value.is_empty(),
                        _ => false,
                    };
                    assert!(is_of_table, "{}: {mark} = {value:?}", attribute.name);
                }
                if let Kind::Nested(_, below) = &attribute.kind {
                    check(below);
                }
            }
        }
        check(&ATTRIBUTES);
    }

    #[test]
    fn attributes_whose_unknown_keys_hosts_drop_are_dynamic() {
        let schema = Schema::of::<RunnerRelease>(0, "");
        for name in ["affinity", "cache", "config"] {
            assert_eq!(schema.attribute(name).unwrap().kind, Kind::Plain(Type::Dynamic), "{name}");
        }
    }
}
