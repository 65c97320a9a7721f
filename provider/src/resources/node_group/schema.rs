//! The attributes of a node group, which are its state as well.

use std::collections::BTreeMap;

use tfplugin::framework::value::{List, Map, Value};
use tfplugin::framework::{Number, Object, Set, Timeouts};

pub(super) use super::template::schema::Template;

/// A `gitlabspot_node_group`.
#[derive(Clone, Default, PartialEq, Object)]
pub struct NodeGroup {
    /// `cluster_name:name`, which is also the import ID.
    #[attr(computed, stable)]
    pub id: Value<String>,
    /// Name of the EKS cluster.
    #[attr(required, replace)]
    pub cluster_name: Value<String>,
    /// Name of the node group: up to 63 letters, digits, hyphens and underscores. One of `name` and `name_prefix` is
    /// required.
    #[attr(optional, computed, stable, replace)]
    pub name: Value<String>,
    /// Prefix of a generated name. Use it with `create_before_destroy`, so that the new node group can exist at the
    /// same time as the old one. A prefix that the current name does not start with replaces the node group. One of
    /// `name` and `name_prefix` is required.
    #[attr(optional)]
    pub name_prefix: Value<String>,
    /// Capacity type of the nodes: `SPOT` or `ON_DEMAND`.
    #[attr(optional, default = "SPOT", replace)]
    pub capacity_type: Value<String>,
    /// List of 1 to 20 EC2 instance types, in order of preference. Required with a `launch_template` as well, which
    /// then must not specify an instance type. The cluster autoscaler expects every node to be like the first type, so
    /// all types should have the same vCPUs, memory and architecture.
    #[attr(required, replace)]
    pub instance_types: Value<List<String>>,
    /// Minimum number of nodes. With `0` the node group costs nothing while there is no work.
    #[attr(optional, default = 0)]
    pub min_size: Value<i64>,
    /// Maximum number of nodes.
    #[attr(required)]
    pub max_size: Value<i64>,
    /// Initial number of nodes, at least `min_size`. Defaults to `min_size`. After creation the cluster autoscaler
    /// manages the number: a difference is not shown as a change, and an update only raises or lowers the number when
    /// it is outside of `min_size` and `max_size`.
    #[attr(optional, computed, stable)]
    pub desired_size: Value<i64>,
    /// Availability zones of the nodes. The cluster's subnets in these zones are used. If a zone has private and public
    /// subnets, the private ones are used and a warning lists both. One of `availability_zones` and `subnet_ids` is
    /// required to create a node group; without both an imported one keeps its subnets.
    #[attr(optional, computed, stable, replace)]
    pub availability_zones: Value<Set<String>>,
    /// IDs of the subnets of the nodes. One of `availability_zones` and `subnet_ids` is required to create a node group.
    #[attr(optional, computed, stable, replace)]
    pub subnet_ids: Value<Set<String>>,
    /// Kubernetes labels of the nodes. A key has up to 63 characters including its prefix, a value 1 to 63. The
    /// prefixes `kubernetes.io/`, `k8s.io/` and `eks.amazonaws.com/` are reserved, except for `node.kubernetes.io/` and
    /// `kubelet.kubernetes.io/`. Defaults to none. A change does not replace the nodes.
    #[attr(optional)]
    pub labels: Value<Map<String>>,
    /// Kubernetes taints of the nodes. Only pods that tolerate all of them are scheduled on the nodes. Defaults to
    /// none. A change does not replace the nodes.
    #[attr(optional)]
    pub taints: Value<Set<Taint>>,
    /// ARN of the IAM role of the nodes. Specify the resources that attach its policies in `depends_on`: EKS requires
    /// the policies before the first node is started and until the last node is terminated. One of `node_role_arn` and
    /// `node_role` is required to create a node group; without both an imported one keeps its role.
    #[attr(optional, computed, stable, replace)]
    pub node_role_arn: Value<String>,
    /// IAM role that is created, updated and deleted with the node group. `{}` creates it with the default settings.
    /// One of `node_role_arn` and `node_role` is required to create a node group. A node group that was created with
    /// `node_role_arn` is replaced.
    #[attr(optional)]
    pub node_role: Value<NodeRole>,
    /// SSH access to the nodes. Conflicts with `launch_template` and `template`; with `template`, use
    /// `template.key_name`. Defaults to no access.
    #[attr(optional, replace)]
    pub remote_access: Value<RemoteAccess>,
    /// AMI type of the nodes, for example `BOTTLEROCKET_x86_64`. Defaults to `AL2023_x86_64_STANDARD`, or to
    /// `AL2023_ARM_64_STANDARD` for Graviton instance types. Instance types with GPUs or other accelerators require a
    /// specific AMI type.
    #[attr(optional, computed, stable, replace)]
    pub ami_type: Value<String>,
    /// Size of the root volume of each node in GiB. Defaults to 20, or 50 for Windows AMI types. Conflicts with
    /// `launch_template` and `template`; with `template`, use `template.root_volume`.
    #[attr(optional, computed, stable, replace)]
    pub disk_size: Value<i64>,
    /// Kubernetes version of the nodes, for example `1.34`. Defaults to the version of the cluster at creation. A
    /// change replaces the nodes one after the other.
    #[attr(optional, computed, stable)]
    pub version: Value<String>,
    /// AMI release version of the nodes, for example `1.34.1-20260101`. Defaults to the latest at creation. A change
    /// replaces the nodes one after the other. A release of another Kubernetes version also changes `version`.
    #[attr(optional, computed, stable)]
    pub release_version: Value<String>,
    /// Whether a version update continues if pods cannot be evicted because of a disruption budget. Defaults to
    /// `false`.
    #[attr(optional)]
    pub force_update_version: Value<bool>,
    /// Existing EC2 launch template of the nodes. Defaults to none. Only its version can be changed in place: adding or
    /// removing the launch template replaces the node group. The template must not specify an instance type, a subnet
    /// or an instance profile. If it specifies an AMI, omit `ami_type`, `version` and `release_version`. Conflicts with
    /// `template`, `disk_size` and `remote_access`.
    #[attr(optional)]
    pub launch_template: Value<LaunchTemplate>,
    /// Settings of an EC2 launch template that is created, updated and deleted with the node group. A change creates a
    /// new version of the template, and EKS replaces the nodes one after the other. A node group that was created
    /// without a launch template or with `launch_template` is replaced. By default a launch template is only created
    /// with `node_role.addon_policies`, unless `remote_access` or `disk_size` is set. Conflicts with `launch_template`,
    /// `disk_size` and `remote_access`.
    #[attr(optional)]
    pub template: Value<Template>,
    /// How many nodes can be unavailable during an update. Defaults to one node at a time.
    #[attr(optional)]
    pub update_config: Value<UpdateConfig>,
    /// Whether EKS replaces unhealthy nodes automatically.
    #[attr(optional, default = false)]
    pub node_repair: Value<bool>,
    /// Information for the cluster autoscaler, which it reads from tags of the Auto Scaling Group. By default the tags
    /// are set, without additional resources and options.
    #[attr(optional)]
    pub autoscaler: Value<Autoscaler>,
    /// Additional tags of the Auto Scaling Group. Defaults to none. EC2 propagates them to new instances. An import
    /// does not know which of the existing tags are managed and imports none: the next apply manages the tags that are
    /// configured here, and other tags are kept.
    #[attr(optional)]
    pub asg_tags: Value<Map<String>>,
    /// Whether the `AZRebalance` process of the Auto Scaling Group is suspended, so that EC2 does not terminate nodes,
    /// and the jobs on them, to balance availability zones. Defaults to `true` for `SPOT`, otherwise to `false`. The
    /// process is resumed during a version update, which requires it. A suspension by AWS during a zonal shift is not
    /// changed.
    #[attr(optional, computed)]
    pub suspend_az_rebalance: Value<bool>,
    /// Tags of the node group and of the IAM role that is created for it, in addition to the `default_tags` of the
    /// provider. Defaults to none. EKS does not propagate them to the Auto Scaling Group: see `asg_tags`. Tags that are
    /// not managed here are kept. An import cannot distinguish them and imports all tags: configure them here, or
    /// exclude them with `ignore_tags` of the provider, so that the next apply keeps them.
    #[attr(optional)]
    pub tags: Value<Map<String>>,
    /// Timeouts of the operations. Each defaults to 60 minutes.
    #[attr(optional)]
    pub timeouts: Value<Timeouts>,
    /// All managed tags: `tags` and the `default_tags` of the provider.
    #[attr(computed)]
    pub tags_all: Value<Map<String>>,
    /// ARN of the node group.
    #[attr(computed, stable)]
    pub arn: Value<String>,
    /// ID of the launch template that was created for the node group; null without one.
    #[attr(computed, stable)]
    pub template_id: Value<String>,
    /// Version number of the created launch template that the node group uses.
    #[attr(computed, stable)]
    pub template_version: Value<String>,
    /// Status of the node group, for example `ACTIVE` or `DEGRADED`.
    #[attr(computed)]
    pub status: Value<String>,
    /// Names of the Auto Scaling Groups that EKS created for the node group.
    #[attr(computed, stable)]
    pub autoscaling_group_names: Value<List<String>>,
    /// All managed tags of the Auto Scaling Group: the tags that the cluster autoscaler reads, and `asg_tags`. Other
    /// tags are neither shown nor changed.
    #[attr(computed)]
    pub asg_tags_all: Value<Map<String>>,
    /// Node selector and tolerations of pods for these nodes, for `build_nodes` of `gitlabspot_runner_release`.
    #[attr(computed)]
    pub build_nodes: Value<BuildNodes>,
}

/// A taint.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Object)]
pub struct Taint {
    /// Key of the taint.
    #[attr(required)]
    pub key: Value<String>,
    /// Value of the taint. Defaults to no value.
    #[attr(optional)]
    pub value: Value<String>,
    /// Effect of the taint: `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    #[attr(required)]
    pub effect: Value<String>,
}

/// The role that the provider creates.
#[derive(Clone, Default, PartialEq, Object)]
pub struct NodeRole {
    /// Name of the role. Defaults to a name that is derived from the names of the cluster and the node group.
    #[attr(optional, computed, stable, replace)]
    pub name: Value<String>,
    /// Prefix of a generated name. The suffix is derived from region, cluster and node group. Defaults to no prefix:
    /// see `name`. A prefix that the current name does not start with replaces the node group and its role. Conflicts
    /// with `name`.
    #[attr(optional)]
    pub name_prefix: Value<String>,
    /// Path of the role, for example `/ci/`.
    #[attr(optional, default = "/", replace)]
    pub path: Value<String>,
    /// ARN of the policy that is the permissions boundary of the role. Defaults to none.
    #[attr(optional)]
    pub permissions_boundary: Value<String>,
    /// Add-ons whose pods use this role: `auto_scaler`, `cert_manager`, `external_dns`, `image_builder`, `ebs`, `efs`,
    /// `fsx`, `aws_load_balancer_controller`, `xray`, `cloud_watch`. Defaults to none. Each add-on gets the AWS managed
    /// policy if there is one, otherwise the permissions that its documentation or eksctl grants. Pods use the role
    /// through the instance metadata service. Therefore, a launch template with a hop limit of 2 is created for the
    /// node group (see `template`). An existing `launch_template` requires
    /// `metadata_options { http_put_response_hop_limit = 2 }`. IAM roles for service accounts and EKS Pod Identity
    /// require neither, and grant the permissions to one pod instead of every job on the node.
    #[attr(optional)]
    pub addon_policies: Value<Set<String>>,
    /// ARNs of additional policies to attach. The policies that every node requires are always attached. Defaults to
    /// none.
    #[attr(optional)]
    pub additional_policy_arns: Value<Set<String>>,
}

/// SSH access.
#[derive(Clone, Default, PartialEq, Object)]
pub struct RemoteAccess {
    /// Name of the EC2 key pair. Defaults to none.
    #[attr(optional)]
    pub ec2_ssh_key: Value<String>,
    /// IDs of the security groups from which SSH connections are allowed. Defaults to none: EKS then opens port 22 to
    /// the internet (0.0.0.0/0), which reaches nodes in public subnets.
    #[attr(optional)]
    pub source_security_group_ids: Value<Set<String>>,
}

/// A launch template.
#[derive(Clone, Default, PartialEq, Object)]
pub struct LaunchTemplate {
    /// ID of the launch template. One of `id` and `name` is required.
    #[attr(optional, computed, stable, replace)]
    pub id: Value<String>,
    /// Name of the launch template. One of `id` and `name` is required.
    #[attr(optional, computed, stable, replace)]
    pub name: Value<String>,
    /// Version number of the launch template, as a string. Defaults to the default version of the template. A change
    /// replaces the nodes one after the other.
    #[attr(optional, computed, stable)]
    pub version: Value<String>,
}

/// Settings of updates.
#[derive(Clone, Default, PartialEq, Object)]
pub struct UpdateConfig {
    /// Maximum number of nodes that are unavailable at the same time, 1 to 100. Conflicts with
    /// `max_unavailable_percentage`. Defaults to 1, unless `max_unavailable_percentage` is set.
    #[attr(optional)]
    pub max_unavailable: Value<i64>,
    /// Maximum percentage of nodes that are unavailable at the same time, 1 to 100. Conflicts with `max_unavailable`.
    /// By default `max_unavailable` applies.
    #[attr(optional)]
    pub max_unavailable_percentage: Value<i64>,
    /// Update strategy: `DEFAULT` starts new nodes before it terminates old ones, `MINIMAL` terminates old nodes first.
    /// Defaults to `DEFAULT`.
    #[attr(optional, computed, stable)]
    pub update_strategy: Value<String>,
}

/// Information for the cluster autoscaler.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Autoscaler {
    /// Whether the Auto Scaling Group is tagged with labels, taints and resources of the nodes. The cluster autoscaler
    /// requires these tags to scale from zero.
    #[attr(optional, default = true)]
    pub tags: Value<bool>,
    /// Resources of a node that the cluster autoscaler cannot derive from its instance type, by name, as Kubernetes
    /// quantities, for example `{ "ephemeral-storage" = "100G" }`. Defaults to none.
    #[attr(optional)]
    pub resources: Value<Map<String>>,
    /// Autoscaling options of this node group. Each defaults to the setting of the cluster autoscaler.
    #[attr(optional)]
    pub options: Value<AutoscalerOptions>,
}

/// Settings of the autoscaler.
#[derive(Clone, Default, PartialEq, Object)]
pub struct AutoscalerOptions {
    /// Requested share of CPU or memory of a node, 0 to 1, below which the node can be removed. Defaults to the setting
    /// of the cluster autoscaler.
    #[attr(optional)]
    pub scale_down_utilization_threshold: Value<Number>,
    /// Requested share of the GPUs of a node, 0 to 1, below which the node can be removed. Defaults to the setting of
    /// the cluster autoscaler.
    #[attr(optional)]
    pub scale_down_gpu_utilization_threshold: Value<Number>,
    /// Time after which an unneeded node is removed, for example `5m`. Defaults to the setting of the cluster
    /// autoscaler.
    #[attr(optional)]
    pub scale_down_unneeded_time: Value<String>,
    /// Time after which a node that is not ready is removed, for example `20m`. Defaults to the setting of the cluster
    /// autoscaler.
    #[attr(optional)]
    pub scale_down_unready_time: Value<String>,
    /// Whether pods of DaemonSets are ignored in the utilization of a node. Defaults to the setting of the cluster
    /// autoscaler.
    #[attr(optional)]
    pub ignore_daemonsets_utilization: Value<bool>,
}

/// Placement of pods on the nodes.
#[derive(Clone, Default, PartialEq, Object)]
pub struct BuildNodes {
    /// Labels of the nodes.
    #[attr(computed)]
    pub node_selector: Value<Map<String>>,
    /// Tolerations for the taints of the nodes.
    #[attr(computed)]
    pub tolerations: Value<List<Toleration>>,
    /// Capacity type of the nodes: `SPOT` or `ON_DEMAND`.
    #[attr(computed)]
    pub capacity_type: Value<String>,
}

/// A toleration.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Toleration {
    /// Key of the taint.
    #[attr(computed)]
    pub key: Value<String>,
    /// Operator: `Equal`, or `Exists` for a taint without a value.
    #[attr(computed)]
    pub operator: Value<String>,
    /// Value of the taint.
    #[attr(computed)]
    pub value: Value<String>,
    /// Effect of the taint.
    #[attr(computed)]
    pub effect: Value<String>,
}

/// Identity of a node group.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Identity {
    /// Name of the EKS cluster.
    #[attr(required)]
    pub cluster_name: Value<String>,
    /// Name of the node group.
    #[attr(required)]
    pub name: Value<String>,
    /// Region of the cluster. Defaults to the region of the provider.
    #[attr(optional)]
    pub region: Value<String>,
    /// ID of the AWS account of the cluster. Defaults to the account of the provider.
    #[attr(optional)]
    pub account_id: Value<String>,
}

/// A map attribute from plain text.
pub(super) fn map_value(map: BTreeMap<String, String>) -> Value<Map<String>> {
    Value::Known(map.into_iter().map(|(key, value)| (key, Value::Known(value))).collect())
}

/// The plain elements of a set; `None` while one of them, or the set, is unknown.
pub(super) fn known_set(set: &Value<Set<String>>) -> Option<Vec<String>> {
    match set {
        Value::Unknown => None,
        Value::Null => Some(Vec::new()),
        Value::Known(set) if set.has_unknown() => None,
        Value::Known(set) => Some(set.iter().filter_map(|element| element.known().cloned()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tfplugin::framework::conformance::check_schema;
    use tfplugin::framework::schema::Schema;

    #[test]
    fn core_accepts_the_schema() {
        assert_eq!(check_schema(&Schema::of::<NodeGroup>(0, "")), []);
    }
}
