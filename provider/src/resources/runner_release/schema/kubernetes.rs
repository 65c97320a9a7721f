//! Nested attributes that Kubernetes defines, in snake case.

use tfplugin::framework::value::{List, Map, Value};
use tfplugin::framework::{Object, Raw};

super::parts::objects! { []
    /// Toleration of the manager pods.
    Toleration {
        /// Key of the taint. Defaults to all keys.
        key: String,
        /// Operator: `Equal`, or `Exists` for any value. Defaults to `Equal`.
        operator: String,
        /// Value of the taint. Defaults to an empty value.
        value: String,
        /// Effect of the taint. Defaults to all effects.
        effect: String,
        /// Number of seconds for which a `NoExecute` taint is tolerated. Defaults to no limit.
        toleration_seconds: i64,
    }

    /// Topology spread constraint of the manager pods.
    SpreadConstraint {
        /// Maximum difference of the number of pods between two domains. Required.
        max_skew: i64,
        /// Node label whose values are the domains. Required.
        topology_key: String,
        /// Behavior if the constraint cannot be met: `DoNotSchedule` or `ScheduleAnyway`. Required.
        when_unsatisfiable: String,
        /// Selector of the pods that are counted. Defaults to none, which selects no pods.
        label_selector: LabelSelector,
        /// Minimum number of domains. Defaults to 1.
        min_domains: i64,
        /// Whether node affinity and node selector limit the domains: `Honor` or `Ignore`. Defaults to `Honor`.
        node_affinity_policy: String,
        /// Whether taints of nodes limit the domains: `Honor` or `Ignore`. Defaults to `Ignore`.
        node_taints_policy: String,
        /// Keys of labels whose value must be the same as that of the pod. Defaults to none.
        match_label_keys: List<String>,
    }

    /// Label selector.
    LabelSelector {
        /// Labels that must match. Defaults to none.
        match_labels: Map<String>,
        /// Requirements on labels. Defaults to none.
        match_expressions: List<LabelRequirement>,
    }

    /// Requirement on a label.
    LabelRequirement {
        /// Key of the label. Required.
        key: String,
        /// Operator: `In`, `NotIn`, `Exists` or `DoesNotExist`. Required.
        operator: String,
        /// Values of the requirement. Required with `In` and `NotIn`.
        values: List<String>,
    }

    /// Entry of `/etc/hosts`.
    HostAlias {
        /// IP address of the hosts. Required.
        ip: String,
        /// Names of the hosts. Defaults to none.
        hostnames: List<String>,
    }

    /// Resources of the manager container.
    Resources {
        /// Resource limits as Kubernetes quantities, for example `{ memory = "256Mi" }`. Defaults to none.
        limits: Map<String>,
        /// Resource requests as Kubernetes quantities, for example `{ cpu = "100m" }`. Defaults to the limits.
        requests: Map<String>,
    }

    /// Security context of a container.
    SecurityContext {
        /// Whether processes can gain more privileges than their parent. Defaults to `true`.
        allow_privilege_escalation: bool,
        /// Linux capabilities. Defaults to those of the container runtime.
        capabilities: Capabilities,
        /// Whether the container is privileged. Defaults to `false`.
        privileged: bool,
        /// Type of the proc mount: `Default` or `Unmasked`. Defaults to `Default`.
        proc_mount: String,
        /// Whether the root filesystem is read-only. Defaults to `false`.
        read_only_root_filesystem: bool,
        /// Group ID of the processes. Defaults to the setting of the pod.
        run_as_group: i64,
        /// Whether the container must run as a non-root user. Defaults to the setting of the pod.
        run_as_non_root: bool,
        /// User ID of the processes. Defaults to the setting of the pod.
        run_as_user: i64,
        /// Seccomp profile. Defaults to the setting of the pod.
        seccomp_profile: Profile,
        /// AppArmor profile. Defaults to the setting of the pod.
        app_armor_profile: Profile,
        /// SELinux label. Defaults to the setting of the pod.
        se_linux_options: SeLinuxOptions,
    }

    /// Security context of a pod.
    PodSecurityContext {
        /// Group ID of the files in volumes. Defaults to none.
        fs_group: i64,
        /// When the owner of the volumes is changed: `OnRootMismatch` or `Always`. Defaults to `Always`.
        fs_group_change_policy: String,
        /// Group ID of the processes. Defaults to the group of the image.
        run_as_group: i64,
        /// Whether the container must run as a non-root user. Defaults to `false`.
        run_as_non_root: bool,
        /// User ID of the processes. Defaults to the user of the image.
        run_as_user: i64,
        /// Supplemental group IDs of the processes. Defaults to none.
        supplemental_groups: List<i64>,
        /// Whether groups of the image apply as well: `Merge` or `Strict`. Defaults to `Merge`.
        supplemental_groups_policy: String,
        /// Sysctls of the pod. Defaults to none.
        sysctls: List<NamedValue>,
        /// Seccomp profile. Defaults to the setting of the node.
        seccomp_profile: Profile,
        /// AppArmor profile. Defaults to the profile of the container runtime.
        app_armor_profile: Profile,
        /// SELinux label. Defaults to a label of the container runtime.
        se_linux_options: SeLinuxOptions,
    }

    /// Linux capabilities.
    Capabilities {
        /// Capabilities to add. Defaults to none.
        add: List<String>,
        /// Capabilities to drop. Defaults to none.
        drop: List<String>,
    }

    /// Seccomp or AppArmor profile.
    Profile {
        /// Type of the profile: `RuntimeDefault`, `Localhost` or `Unconfined`. Required.
        r#type: String,
        /// File or name of a `Localhost` profile. Required with `Localhost`.
        localhost_profile: String,
    }

    /// SELinux label.
    SeLinuxOptions {
        /// Level of the SELinux label. Defaults to that of the container runtime.
        level: String,
        /// Role of the SELinux label. Defaults to that of the container runtime.
        role: String,
        /// Type of the SELinux label. Defaults to that of the container runtime.
        r#type: String,
        /// User of the SELinux label. Defaults to that of the container runtime.
        user: String,
    }

    /// Name and value.
    NamedValue {
        /// Name of the sysctl. Required.
        name: String,
        /// Value of the sysctl. Required.
        value: String,
    }

    /// Source of the value of a variable. Specify one.
    EnvSource {
        /// Key of a ConfigMap. One of the four attributes is required.
        config_map_key_ref: KeyRef,
        /// Key of a Secret. One of the four attributes is required.
        secret_key_ref: KeyRef,
        /// Field of the pod. One of the four attributes is required.
        field_ref: FieldRef,
        /// Resource of the container. One of the four attributes is required.
        resource_field_ref: ResourceFieldRef,
    }

    /// Key of a ConfigMap or a Secret.
    KeyRef {
        /// Name of the object. Required.
        name: String,
        /// Name of the key. Required.
        key: String,
        /// Whether the object or key may be missing. Defaults to `false`.
        optional: bool,
    }

    /// Field of the pod.
    FieldRef {
        /// Path of the field, for example `status.podIP`. Required.
        field_path: String,
        /// API version of the path. Defaults to `v1`.
        api_version: String,
    }

    /// Resource of the container.
    ResourceFieldRef {
        /// Name of the resource, for example `limits.memory`. Required.
        resource: String,
        /// Name of the container. Defaults to the manager container.
        container_name: String,
        /// Divisor of the value, as a Kubernetes quantity. Defaults to `1`.
        divisor: String,
    }

    /// All keys of a ConfigMap or a Secret as variables.
    EnvFrom {
        /// Prefix of the names of the variables. Defaults to none.
        prefix: String,
        /// ConfigMap with the variables. One of `config_map_ref` and `secret_ref` is required.
        config_map_ref: ObjectName,
        /// Secret with the variables. One of `config_map_ref` and `secret_ref` is required.
        secret_ref: ObjectName,
    }

    /// Name of a ConfigMap or a Secret.
    ObjectName {
        /// Name of the object. Required.
        name: String,
        /// Whether the object may be missing. Defaults to `false`.
        optional: bool,
    }

    /// Mount of a volume in the manager container.
    VolumeMount {
        /// Name of the volume. Required.
        name: String,
        /// Path in the container. Required.
        mount_path: String,
        /// Path in the volume. Defaults to the root of the volume.
        sub_path: String,
        /// Path in the volume, with variables of the container. Defaults to the root of the volume.
        sub_path_expr: String,
        /// Whether the mount is read-only. Defaults to `false`.
        read_only: bool,
        /// Mount propagation: `None`, `HostToContainer` or `Bidirectional`. Defaults to `None`.
        mount_propagation: String,
    }

    /// Update strategy of the Deployment.
    Strategy {
        /// Type of the strategy: `RollingUpdate` or `Recreate`. Defaults to `RollingUpdate`.
        r#type: String,
        /// Settings of a rolling update. Each defaults to 25 percent.
        rolling_update: RollingUpdate,
    }

    /// Settings of a rolling update: numbers or percentages.
    RollingUpdate {
        /// Maximum number or percentage of additional pods, for example `1` or `25%`. Defaults to `25%`.
        #[attr(marks(int_or_string))]
        max_surge: String,
        /// Maximum number or percentage of unavailable pods, for example `1` or `25%`. Defaults to `25%`.
        #[attr(marks(int_or_string))]
        max_unavailable: String,
    }

    /// Lifecycle hooks of the manager container.
    ContainerLifecycle {
        /// Hook after the container has started. Defaults to none.
        post_start: Hook,
        /// Hook before the container is stopped. Defaults to none.
        pre_stop: Hook,
        /// Stop signal of the container. Defaults to the stop signal of the image.
        stop_signal: String,
    }

    /// Lifecycle hook. Specify one.
    Hook {
        /// Command to run. One of the three attributes is required.
        exec: Exec,
        /// HTTP request, as Kubernetes defines it. One of the three attributes is required.
        #[attr(kind = super::dynamic)]
        http_get: Raw,
        /// Pause. One of the three attributes is required.
        sleep: Sleep,
    }

    /// Command in the container.
    Exec {
        /// Command and its arguments. Required.
        command: List<String>,
    }

    /// Pause.
    Sleep {
        /// Duration in seconds. Required.
        seconds: i64,
    }

    /// Relabeling.
    Relabeling {
        /// Labels whose values are concatenated. Defaults to none.
        source_labels: List<String>,
        /// Separator of the values. Defaults to `;`.
        separator: String,
        /// Label that is set. Required with the action `replace`.
        target_label: String,
        /// Regular expression for the concatenated value. Defaults to `(.*)`.
        regex: String,
        /// Modulus of the action `hashmod`. Required with that action.
        modulus: i64,
        /// Replacement value. Defaults to `$1`.
        replacement: String,
        /// Action. Defaults to `replace`.
        action: String,
    }
}
