//! Nested attributes that Kubernetes defines, in snake case.

use tfplugin::framework::value::{List, Map, Value};
use tfplugin::framework::{Object, Raw};

super::parts::objects! { []
    /// Toleration of the manager pods.
    Toleration {
        /// Key of the taint. Defaults to all keys.
        key: String,
        /// Operator: `Equal`, or `Exists` for any value.
        operator: String,
        /// Value of the taint.
        value: String,
        /// Effect of the taint. Defaults to all effects.
        effect: String,
        /// Number of seconds for which a `NoExecute` taint is tolerated.
        toleration_seconds: i64,
    }

    /// Topology spread constraint of the manager pods.
    SpreadConstraint {
        /// Maximum difference of the number of pods between two domains.
        max_skew: i64,
        /// Node label whose values are the domains.
        topology_key: String,
        /// `DoNotSchedule` or `ScheduleAnyway`.
        when_unsatisfiable: String,
        /// Selector of the pods that are counted.
        label_selector: LabelSelector,
        /// Minimum number of domains.
        min_domains: i64,
        /// `Honor` or `Ignore`.
        node_affinity_policy: String,
        /// `Honor` or `Ignore`.
        node_taints_policy: String,
        /// Labels whose value must be the pod's own.
        match_label_keys: List<String>,
    }

    /// Label selector.
    LabelSelector {
        /// Labels that must match.
        match_labels: Map<String>,
        /// Requirements on labels.
        match_expressions: List<LabelRequirement>,
    }

    /// Requirement on a label.
    LabelRequirement {
        /// Key of the label.
        key: String,
        /// Operator: `In`, `NotIn`, `Exists` or `DoesNotExist`.
        operator: String,
        /// Values of the requirement.
        values: List<String>,
    }

    /// Entry of `/etc/hosts`.
    HostAlias {
        /// IP address of the hosts.
        ip: String,
        /// Names of the hosts.
        hostnames: List<String>,
    }

    /// Resources of the manager container.
    Resources {
        /// Resource limits, for example `{ memory = "256Mi" }`.
        limits: Map<String>,
        /// Resource requests, for example `{ cpu = "100m" }`.
        requests: Map<String>,
    }

    /// Security context of a container.
    SecurityContext {
        /// Whether processes can gain more privileges than their parent.
        allow_privilege_escalation: bool,
        /// Linux capabilities.
        capabilities: Capabilities,
        /// Whether the container is privileged.
        privileged: bool,
        /// Type of the proc mount: `Default` or `Unmasked`.
        proc_mount: String,
        /// Whether the root filesystem is read-only.
        read_only_root_filesystem: bool,
        /// Group ID of the processes.
        run_as_group: i64,
        /// Whether the container must run as a non-root user.
        run_as_non_root: bool,
        /// User ID of the processes.
        run_as_user: i64,
        /// Seccomp profile.
        seccomp_profile: Profile,
        /// AppArmor profile.
        app_armor_profile: Profile,
        /// SELinux label.
        se_linux_options: SeLinuxOptions,
    }

    /// Security context of a pod.
    PodSecurityContext {
        /// Group that owns the volumes.
        fs_group: i64,
        /// When the owner of the volumes is changed: `OnRootMismatch` or `Always`.
        fs_group_change_policy: String,
        /// Group ID of the processes.
        run_as_group: i64,
        /// Whether the container must run as a non-root user.
        run_as_non_root: bool,
        /// User ID of the processes. Defaults to 100.
        run_as_user: i64,
        /// Supplemental groups of the processes.
        supplemental_groups: List<i64>,
        /// `Merge` or `Strict`.
        supplemental_groups_policy: String,
        /// Sysctls of the pod.
        sysctls: List<NamedValue>,
        /// Seccomp profile.
        seccomp_profile: Profile,
        /// AppArmor profile.
        app_armor_profile: Profile,
        /// SELinux label.
        se_linux_options: SeLinuxOptions,
    }

    /// Linux capabilities.
    Capabilities {
        /// Capabilities to add.
        add: List<String>,
        /// Capabilities to drop.
        drop: List<String>,
    }

    /// Seccomp or AppArmor profile.
    Profile {
        /// Type of the profile: `RuntimeDefault`, `Localhost` or `Unconfined`.
        r#type: String,
        /// File or name of a `Localhost` profile.
        localhost_profile: String,
    }

    /// SELinux label.
    SeLinuxOptions {
        /// Level.
        level: String,
        /// Role.
        role: String,
        /// Type.
        r#type: String,
        /// User.
        user: String,
    }

    /// Name and value.
    NamedValue {
        /// Name.
        name: String,
        /// Value.
        value: String,
    }

    /// Source of the value of a variable. Specify one.
    EnvSource {
        /// Key of a ConfigMap.
        config_map_key_ref: KeyRef,
        /// Key of a Secret.
        secret_key_ref: KeyRef,
        /// Field of the pod.
        field_ref: FieldRef,
        /// Resource of the container.
        resource_field_ref: ResourceFieldRef,
    }

    /// Key of a ConfigMap or a Secret.
    KeyRef {
        /// Name of the object.
        name: String,
        /// Name of the key.
        key: String,
        /// Whether it is optional.
        optional: bool,
    }

    /// Field of the pod.
    FieldRef {
        /// Path of the field, for example `status.podIP`.
        field_path: String,
        /// API version of the path. Defaults to `v1`.
        api_version: String,
    }

    /// Resource of the container.
    ResourceFieldRef {
        /// Name of the resource, for example `limits.memory`.
        resource: String,
        /// Name of the container.
        container_name: String,
        /// Divisor of the value.
        divisor: String,
    }

    /// All keys of a ConfigMap or a Secret as variables.
    EnvFrom {
        /// Prefix of the names of the variables.
        prefix: String,
        /// ConfigMap with the variables.
        config_map_ref: ObjectName,
        /// Secret with the variables.
        secret_ref: ObjectName,
    }

    /// Name of a ConfigMap or a Secret.
    ObjectName {
        /// Name.
        name: String,
        /// Whether it is optional.
        optional: bool,
    }

    /// Mount of a volume in the manager container.
    VolumeMount {
        /// Name of the volume.
        name: String,
        /// Path in the container.
        mount_path: String,
        /// Path in the volume.
        sub_path: String,
        /// Path in the volume, with variables of the container.
        sub_path_expr: String,
        /// Whether the mount is read-only.
        read_only: bool,
        /// Mount propagation: `None`, `HostToContainer` or `Bidirectional`.
        mount_propagation: String,
    }

    /// Update strategy of the Deployment.
    Strategy {
        /// Type of the strategy: `RollingUpdate` or `Recreate`.
        r#type: String,
        /// Settings of a rolling update.
        rolling_update: RollingUpdate,
    }

    /// Settings of a rolling update: numbers or percentages.
    RollingUpdate {
        /// Maximum number or percentage of additional pods.
        #[attr(marks(int_or_string))]
        max_surge: String,
        /// Maximum number or percentage of unavailable pods.
        #[attr(marks(int_or_string))]
        max_unavailable: String,
    }

    /// Lifecycle hooks of the manager container.
    ContainerLifecycle {
        /// Hook after the container has started.
        post_start: Hook,
        /// Hook before the container is stopped.
        pre_stop: Hook,
        /// Stop signal of the container.
        stop_signal: String,
    }

    /// Lifecycle hook. Specify one.
    Hook {
        /// Command to run.
        exec: Exec,
        /// HTTP request, as Kubernetes defines it.
        #[attr(kind = super::dynamic)]
        http_get: Raw,
        /// Pause.
        sleep: Sleep,
    }

    /// Command in the container.
    Exec {
        /// Command and its arguments.
        command: List<String>,
    }

    /// Pause.
    Sleep {
        /// Duration in seconds.
        seconds: i64,
    }

    /// Relabeling.
    Relabeling {
        /// Labels whose values are concatenated.
        source_labels: List<String>,
        /// Separator of the values.
        separator: String,
        /// Label that is set.
        target_label: String,
        /// Regular expression for the concatenated value.
        regex: String,
        /// Modulus of the action `hashmod`.
        modulus: i64,
        /// Replacement value.
        replacement: String,
        /// Action. Defaults to `replace`.
        action: String,
    }
}
