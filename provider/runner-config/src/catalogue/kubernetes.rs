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
    text("host", "API server; found out when unset."),
    text("context", "Kubeconfig context when no host is set.").since(18, 5),
    text("cert_file", "Client certificate for the API server."),
    text("key_file", "Key of that certificate."),
    text("ca_file", "Certificate authority of the API server."),
    flag("bearer_token_overwrite_allowed", "Lets jobs bring a token of their own."),
    text("bearer_token", "Token to make job pods with.").secret(),
];

static POD: &[Key] = &[
    text("image", "Image of jobs that name none."),
    text("namespace", "Namespace of the job pods."),
    text("namespace_overwrite_allowed", "Pattern of namespaces that jobs may choose."),
    flag("namespace_per_job", "A namespace of its own for every job.").since(16, 10),
    flag("privileged", "Runs all containers privileged; Docker-in-Docker needs it."),
    text("runtime_class_name", "Runtime class of the pods."),
    flag("allow_privilege_escalation", "allowPrivilegeEscalation of all containers."),
];

/// The empty string selects the default of the cluster.
const DNS_POLICY: Choice =
    Choice::exact(&["none", "default", "cluster-first", "cluster-first-with-host-net"]).else_uses("cluster-first");
const PULL_POLICY: Choice = Choice::exact(&["never", "if-not-present", "always"]).or(&[""]);

static PERMITTED: &[Key] = &[
    texts("allowed_images", "Patterns of images that jobs may use."),
    Key::new("allowed_pull_policies", Kind::Choices(PULL_POLICY), "Pull policies that jobs may use.").since(15, 2),
    texts("allowed_services", "Patterns of service images that jobs may use."),
    texts("allowed_users", "Users that jobs may run as.").since(18, 4),
    texts("allowed_groups", "Groups that jobs may run as.").since(18, 4),
];

static SCHEDULING: &[Key] = &[
    text_map("node_selector", "Labels that a node must have."),
    text("node_selector_overwrite_allowed", "Pattern of selectors that jobs may set.").since(15, 6),
    text_map("node_tolerations", "Taints that pods tolerate: `key=value` or `key`, and the effect."),
    text("node_tolerations_overwrite_allowed", "Pattern of tolerations that jobs may set.").since(16, 9),
    table("affinity", &AFFINITY, "Rules by which nodes are chosen."),
    text("scheduler_name", "Scheduler to use instead of the default one.").since(15, 5),
    text("priority_class_name", "Priority class of the pods.").since(15, 1),
];

static IMAGES: &[Key] = &[
    Key::new("pull_policy", Kind::ChoiceOrChoices(PULL_POLICY), "When images are pulled; several are tried in turn."),
    texts("image_pull_secrets", "Secrets for private registries."),
    flag("use_service_account_image_pull_secrets", "Leaves them to the service account.").since(16, 9),
    text("helper_image", "Image of the helper container."),
    text("helper_image_flavor", "Flavour of the default helper image, such as alpine or ubuntu."),
    flag("helper_image_autoset_arch_and_os", "Takes architecture and system of the helper from the node's.")
        .since(16, 5),
];

static WAITING: &[Key] = &[
    integer("pod_termination_grace_period_seconds", "Seconds the whole pod has to end."),
    integer("terminationGracePeriodSeconds", "Seconds a pod has to end.")
        .hcl("termination_grace_period_seconds")
        .until(16, 11, "pod_termination_grace_period_seconds"),
    integer("cleanup_grace_period_seconds", "Seconds a pod has to end after its job."),
    duration("cleanup_resources_timeout", "Longest clean-up after a job; 5m when unset.").since(16, 4),
    integer("poll_interval", "Seconds between two looks at a starting pod; 3 when unset."),
    integer("poll_timeout", "Seconds a pod may take to start; 180 when unset, too short for a new node."),
    integer(
        "resource_availability_check_max_attempts",
        "Attempts, five seconds apart, to find service account and secrets.",
    ),
    integer("retry_limit", "Attempts of a request to the API server; 5 when unset.").since(16, 9),
    integer("retry_backoff_max", "Longest pause between attempts, in milliseconds; 2000 when unset.").since(17, 1),
    integer_map("retry_limits", "Attempts by error text.").since(16, 9),
];

static METADATA: &[Key] = &[
    text_map("pod_labels", "Labels of the pods."),
    text("pod_labels_overwrite_allowed", "Pattern of labels that jobs may set.").since(15, 1),
    text_map("pod_annotations", "Annotations of the pods."),
    text("pod_annotations_overwrite_allowed", "Pattern of annotations that jobs may set."),
    text("service_account", "Service account of the pods."),
    text("service_account_overwrite_allowed", "Pattern of service accounts that jobs may choose."),
    flag("automount_service_account_token", "Mounts the account's token in the pods.").since(16, 9),
];

static SECURITY: &[Key] = &[
    table("pod_security_context", &POD_SECURITY, "Security context of the pod."),
    table(
        "init_permissions_container_security_context",
        &CONTAINER_SECURITY,
        "Of the init container that sets permissions.",
    )
    .since(15, 2),
    table("build_container_security_context", &CONTAINER_SECURITY, "Security context of the build container."),
    table("helper_container_security_context", &CONTAINER_SECURITY, "Security context of the helper container."),
    table("service_container_security_context", &CONTAINER_SECURITY, "Security context of service containers."),
    texts("cap_add", "Linux capabilities to add."),
    texts("cap_drop", "Linux capabilities to drop."),
];

static PARTS: &[Key] = &[
    table("volumes", &VOLUMES, "Volumes mounted in every container."),
    tables("host_aliases", &HOST_ALIASES, "Further lines of /etc/hosts."),
    tables("services", &SERVICES, "Containers started beside every job."),
    text("suspend_pvc_size", "Size of the volume of a suspendable job; 20Gi when unset.").since(19, 4),
    text("suspend_pvc_storage_class", "Storage class of that volume.").since(19, 4),
    Key::new("dns_policy", Kind::Choice(DNS_POLICY), "How pods resolve names."),
    table("dns_config", &DNS_CONFIG, "Resolver settings of the pods."),
    table("container_lifecycle", &CONTAINER_LIFECYCLE, "Hooks of the build container."),
    tables("pod_spec", &POD_SPEC, "Patches of the generated pod; needs FF_USE_ADVANCED_POD_SPEC_CONFIGURATION.")
        .since(15, 10),
    text("logs_base_dir", "Folder under which job logs are kept.").since(17, 2),
    text("scripts_base_dir", "Folder under which job scripts are kept.").since(17, 2),
    flag("print_pod_warning_events", "Shows a failed pod's warnings in the job log; true when unset.").since(18, 0),
    flag("pod_disruption_budget", "Protects every job pod from eviction.").since(18, 11),
    table("autoscaler", &AUTOSCALER, "Pause pods that keep nodes ready.").since(18, 11),
];
