//! Nested attributes that Kubernetes defines, in snake case.

use crate::framework::value::{List, Map, Value};
use crate::framework::{Object, Raw};

super::parts::objects! {
    /// A toleration of the manager pod.
    Toleration {
        /// Key of the taint; every key unless set.
        key: String,
        /// `Equal`, or `Exists` for any value.
        operator: String,
        /// Value of the taint.
        value: String,
        /// Effect of the taint; every effect unless set.
        effect: String,
        /// Seconds that `NoExecute` is borne.
        toleration_seconds: i64,
    }

    /// How manager pods are spread.
    SpreadConstraint {
        /// Most pods that one domain may have more than another.
        max_skew: i64,
        /// Node label whose values are the domains.
        topology_key: String,
        /// `DoNotSchedule` or `ScheduleAnyway`.
        when_unsatisfiable: String,
        /// Pods that are counted.
        label_selector: LabelSelector,
        /// Fewest domains.
        min_domains: i64,
        /// `Honor` or `Ignore`.
        node_affinity_policy: String,
        /// `Honor` or `Ignore`.
        node_taints_policy: String,
        /// Labels whose value must be the pod's own.
        match_label_keys: List<String>,
    }

    /// Selects by labels.
    LabelSelector {
        /// Labels with their values.
        match_labels: Map<String>,
        /// Conditions on labels.
        match_expressions: List<LabelRequirement>,
    }

    /// A condition on a label.
    LabelRequirement {
        /// The label.
        key: String,
        /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
        operator: String,
        /// What it is compared with.
        values: List<String>,
    }

    /// Lines of /etc/hosts.
    HostAlias {
        /// Address of the hosts.
        ip: String,
        /// Their names.
        hostnames: List<String>,
    }

    /// Room for the manager container.
    Resources {
        /// Most that it gets, such as `{ memory = "256Mi" }`.
        limits: Map<String>,
        /// What is kept for it.
        requests: Map<String>,
    }

    /// Security context of a container.
    SecurityContext {
        /// Lets processes gain privileges.
        allow_privilege_escalation: bool,
        /// Linux capabilities.
        capabilities: Capabilities,
        /// Runs the container privileged.
        privileged: bool,
        /// `Default` or `Unmasked`.
        proc_mount: String,
        /// Makes the image's files read-only.
        read_only_root_filesystem: bool,
        /// Group id of the processes.
        run_as_group: i64,
        /// Refuses to run as root.
        run_as_non_root: bool,
        /// User id of the processes.
        run_as_user: i64,
        /// Filter of system calls.
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
        /// `OnRootMismatch` or `Always`.
        fs_group_change_policy: String,
        /// Group id of the processes.
        run_as_group: i64,
        /// Refuses to run as root.
        run_as_non_root: bool,
        /// User id of the processes; 100 unless set.
        run_as_user: i64,
        /// Further groups of every process.
        supplemental_groups: List<i64>,
        /// `Merge` or `Strict`.
        supplemental_groups_policy: String,
        /// Kernel parameters.
        sysctls: List<NamedValue>,
        /// Filter of system calls.
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

    /// A seccomp or AppArmor profile.
    Profile {
        /// `RuntimeDefault`, `Localhost` or `Unconfined`.
        r#type: String,
        /// File or name of a `Localhost` profile.
        localhost_profile: String,
    }

    /// An SELinux label.
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

    /// A name with a value.
    NamedValue {
        /// The name.
        name: String,
        /// The value.
        value: String,
    }

    /// Where a variable gets its value from. Give one.
    EnvSource {
        /// A key of a ConfigMap.
        config_map_key_ref: KeyRef,
        /// A key of a Secret.
        secret_key_ref: KeyRef,
        /// A field of the pod.
        field_ref: FieldRef,
        /// A resource of the container.
        resource_field_ref: ResourceFieldRef,
    }

    /// A key of a ConfigMap or a Secret.
    KeyRef {
        /// Name of the object.
        name: String,
        /// The key.
        key: String,
        /// Whether it may be missing.
        optional: bool,
    }

    /// A field of the pod.
    FieldRef {
        /// Such as `status.podIP`.
        field_path: String,
        /// Version of the path; `v1` unless set.
        api_version: String,
    }

    /// A resource of the container.
    ResourceFieldRef {
        /// Such as `limits.memory`.
        resource: String,
        /// Name of the container.
        container_name: String,
        /// Unit.
        divisor: String,
    }

    /// All keys of a ConfigMap or a Secret as variables.
    EnvFrom {
        /// Beginning of the variables' names.
        prefix: String,
        /// The ConfigMap.
        config_map_ref: ObjectName,
        /// The Secret.
        secret_ref: ObjectName,
    }

    /// A ConfigMap or a Secret by name.
    ObjectName {
        /// The name.
        name: String,
        /// Whether it may be missing.
        optional: bool,
    }

    /// Where a volume appears in the manager container.
    VolumeMount {
        /// Name of the volume.
        name: String,
        /// Folder in the container.
        mount_path: String,
        /// Folder or file of the volume.
        sub_path: String,
        /// The same with variables of the container.
        sub_path_expr: String,
        /// Whether nothing may be written.
        read_only: bool,
        /// `None`, `HostToContainer` or `Bidirectional`.
        mount_propagation: String,
    }

    /// How pods are replaced.
    Strategy {
        /// `RollingUpdate` or `Recreate`.
        r#type: String,
        /// How many at a time.
        rolling_update: RollingUpdate,
    }

    /// How many pods are replaced at a time: numbers or percentages.
    RollingUpdate {
        /// Most that are there beyond the wanted number.
        max_surge: String,
        /// Most that are away.
        max_unavailable: String,
    }

    /// What happens after the start and before the end of the manager container.
    ContainerLifecycle {
        /// After the start.
        post_start: Hook,
        /// Before the end.
        pre_stop: Hook,
        /// Signal that ends it.
        stop_signal: String,
    }

    /// A hook. Give one.
    Hook {
        /// A command.
        exec: Exec,
        /// A request, as Kubernetes defines it.
        #[attr(kind = super::dynamic)]
        http_get: Raw,
        /// A pause.
        sleep: Sleep,
    }

    /// A command in the container.
    Exec {
        /// The command and its arguments.
        command: List<String>,
    }

    /// A pause.
    Sleep {
        /// How long.
        seconds: i64,
    }

    /// A change of labels.
    Relabeling {
        /// Labels whose values are joined.
        source_labels: List<String>,
        /// What they are joined with.
        separator: String,
        /// Label that is written.
        target_label: String,
        /// Pattern for the joined value.
        regex: String,
        /// For the action `hashmod`.
        modulus: i64,
        /// What is written.
        replacement: String,
        /// What is done; `replace` unless set.
        action: String,
    }
}
