//! `[runners.kubernetes]`: scheduling, contents and timeouts of job pods.

use super::affinity::AFFINITY;
use super::pod::{AUTOSCALER, CONTAINER_LIFECYCLE, DNS_CONFIG, HOST_ALIASES, POD_SPEC, SERVICES};
use super::security::{CONTAINER_SECURITY, POD_SECURITY};
use super::volumes::VOLUMES;
use super::*;

pub(super) static KUBERNETES: Table = Table {
    groups: &[
        CONNECTION,
        POD,
        resource_limits::BUILD,
        resource_limits::SERVICE,
        resource_limits::HELPER,
        resource_limits::POD,
        PERMITTED,
        SCHEDULING,
        IMAGES,
        WAITING,
        METADATA,
        SECURITY,
        PARTS,
    ],
};

static CONNECTION: &[Key] = &[
    text("host", "URL of the API server. Defaults to the cluster of the pod, or to the kubeconfig."),
    text("context", "Context of the kubeconfig, if `host` is not set.").since(18, 5),
    text("cert_file", "File with the client certificate for the API server."),
    text("key_file", "File with the key of the client certificate."),
    text("ca_file", "File with the certificate authority of the API server."),
    flag("bearer_token_overwrite_allowed", "Whether jobs can specify their own bearer token."),
    text("bearer_token", "Bearer token with which job pods are created.").secret(),
];

static POD: &[Key] = &[
    text("image", "Image of jobs that do not specify one."),
    text("namespace", "Namespace of the job pods."),
    text("namespace_overwrite_allowed", "Pattern of the namespaces that jobs can specify."),
    flag("namespace_per_job", "Whether each job gets its own namespace.").since(16, 10),
    flag("privileged", "Whether all containers are privileged, which Docker-in-Docker requires."),
    text("runtime_class_name", "RuntimeClass of the pods."),
    flag(
        "allow_privilege_escalation",
        "Whether processes of all containers can gain more privileges than their parent.",
    ),
];

/// The empty string selects the default of the cluster.
const DNS_POLICY: Choice =
    Choice::exact(&["none", "default", "cluster-first", "cluster-first-with-host-net"]).else_uses("cluster-first");
const PULL_POLICY: Choice = Choice::exact(&["never", "if-not-present", "always"]).or(&[""]);

static PERMITTED: &[Key] = &[
    texts("allowed_images", "Patterns of the images that jobs can use."),
    Key::new("allowed_pull_policies", Kind::Choices(PULL_POLICY), "Pull policies that jobs can use.").since(15, 2),
    texts("allowed_services", "Patterns of the service images that jobs can use."),
    texts("allowed_users", "Users that jobs can run as.").since(18, 4),
    texts("allowed_groups", "Groups that jobs can run as.").since(18, 4),
];

static SCHEDULING: &[Key] = &[
    text_map("node_selector", "Labels that a node must have."),
    text("node_selector_overwrite_allowed", "Pattern of the node selectors that jobs can set.").since(15, 6),
    text_map(
        "node_tolerations",
        "Tolerations of the pods, as a map of `key=value` or `key` to the effect of the taint.",
    ),
    text("node_tolerations_overwrite_allowed", "Pattern of the tolerations that jobs can set.").since(16, 9),
    table("affinity", &AFFINITY, "Affinity of the pods."),
    text("scheduler_name", "Name of the scheduler. Defaults to the default scheduler.").since(15, 5),
    text("priority_class_name", "PriorityClass of the pods.").since(15, 1),
];

static IMAGES: &[Key] = &[
    Key::new("pull_policy", Kind::ChoiceOrChoices(PULL_POLICY), "Pull policy. Several policies are tried in order."),
    texts("image_pull_secrets", "Names of the image pull Secrets."),
    flag("use_service_account_image_pull_secrets", "Whether the image pull Secrets of the service account are used.")
        .since(16, 9),
    text("helper_image", "Image of the helper container."),
    text("helper_image_flavor", "Flavor of the default helper image, for example `alpine` or `ubuntu`."),
    flag(
        "helper_image_autoset_arch_and_os",
        "Whether architecture and operating system of the helper image are those of the node.",
    )
    .since(16, 5),
];

static WAITING: &[Key] = &[
    integer("pod_termination_grace_period_seconds", "Number of seconds in which the pod can terminate."),
    integer("terminationGracePeriodSeconds", "Number of seconds in which the pod can terminate.")
        .hcl("termination_grace_period_seconds")
        .until(16, 11, "pod_termination_grace_period_seconds"),
    integer("cleanup_grace_period_seconds", "Number of seconds in which the pod can terminate after its job."),
    duration("cleanup_resources_timeout", "Timeout of the cleanup after a job. Defaults to `5m`.").since(16, 4),
    integer("poll_interval", "Number of seconds between two status checks of a starting pod. Defaults to 3."),
    integer(
        "poll_timeout",
        "Number of seconds in which a pod must start. Defaults to 180, which is too short for a new node.",
    ),
    integer(
        "resource_availability_check_max_attempts",
        "Maximum number of checks, one every five seconds, whether service account and Secrets exist.",
    ),
    integer("retry_limit", "Maximum number of attempts of a request to the API server. Defaults to 5.").since(16, 9),
    integer("retry_backoff_max", "Maximum pause between two attempts in milliseconds. Defaults to 2000.").since(17, 1),
    integer_map("retry_limits", "Maximum number of attempts by text of the error.").since(16, 9),
];

static METADATA: &[Key] = &[
    text_map("pod_labels", "Labels of the pods."),
    text("pod_labels_overwrite_allowed", "Pattern of the labels that jobs can set.").since(15, 1),
    text_map("pod_annotations", "Annotations of the pods."),
    text("pod_annotations_overwrite_allowed", "Pattern of the annotations that jobs can set."),
    text("service_account", "Service account of the pods."),
    text("service_account_overwrite_allowed", "Pattern of the service accounts that jobs can specify."),
    flag("automount_service_account_token", "Whether the token of the service account is mounted in the pods.")
        .since(16, 9),
];

static SECURITY: &[Key] = &[
    table("pod_security_context", &POD_SECURITY, "Security context of the pod."),
    table(
        "init_permissions_container_security_context",
        &CONTAINER_SECURITY,
        "Security context of the init container that sets permissions.",
    )
    .since(15, 2),
    table("build_container_security_context", &CONTAINER_SECURITY, "Security context of the build container."),
    table("helper_container_security_context", &CONTAINER_SECURITY, "Security context of the helper container."),
    table("service_container_security_context", &CONTAINER_SECURITY, "Security context of service containers."),
    texts("cap_add", "Linux capabilities to add."),
    texts("cap_drop", "Linux capabilities to drop."),
];

static PARTS: &[Key] = &[
    table("volumes", &VOLUMES, "Volumes that are mounted in all containers."),
    tables("host_aliases", &HOST_ALIASES, "Additional entries of `/etc/hosts`."),
    tables("services", &SERVICES, "Services of all jobs."),
    text("suspend_pvc_size", "Size of the volume of a job that can be suspended. Defaults to `20Gi`.").since(19, 4),
    text("suspend_pvc_storage_class", "StorageClass of the volume of a job that can be suspended.").since(19, 4),
    Key::new("dns_policy", Kind::Choice(DNS_POLICY), "DNS policy of the pods."),
    table("dns_config", &DNS_CONFIG, "DNS configuration of the pods."),
    table("container_lifecycle", &CONTAINER_LIFECYCLE, "Lifecycle hooks of the build container."),
    tables(
        "pod_spec",
        &POD_SPEC,
        "Patches of the job pod. Requires the feature flag `FF_USE_ADVANCED_POD_SPEC_CONFIGURATION`.",
    )
    .since(15, 10),
    text("logs_base_dir", "Directory of the job logs.").since(17, 2),
    text("scripts_base_dir", "Directory of the job scripts.").since(17, 2),
    flag(
        "print_pod_warning_events",
        "Whether warning events of a failed pod are shown in the job log. Defaults to `true`.",
    )
    .since(18, 0),
    flag("pod_disruption_budget", "Whether a PodDisruptionBudget protects each job pod from eviction.").since(18, 11),
    table("autoscaler", &AUTOSCALER, "Pause pods that reserve capacity for jobs.").since(18, 11),
];
