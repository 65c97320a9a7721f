//! The attributes of a node group, which are its state as well.

use std::collections::BTreeMap;

pub(super) use super::template::schema::Template;
use crate::framework::value::{List, Map, Value};
use crate::framework::{Number, Object, Set, Timeouts};

/// A `gitlabspot_node_group`.
#[derive(Clone, Default, PartialEq, Object)]
pub struct NodeGroup {
    /// `cluster_name:name`, which is also the import id.
    #[attr(computed, stable)]
    pub id: Value<String>,
    /// Name of the EKS cluster.
    #[attr(required, replace)]
    pub cluster_name: Value<String>,
    /// Name of the node group, at most 63 letters, digits, hyphens and underscores. Give this or `name_prefix`.
    #[attr(optional, computed, stable, replace)]
    pub name: Value<String>,
    /// Beginning of a name that gets a random ending, so that with `create_before_destroy` a new group can stand beside
    /// the old one. A prefix that the name does not have replaces the group. Give this or `name`.
    #[attr(optional)]
    pub name_prefix: Value<String>,
    /// `SPOT` or `ON_DEMAND`.
    #[attr(optional, default = "SPOT", replace)]
    pub capacity_type: Value<String>,
    /// 1 to 20 instance types in order of preference. With a `launch_template`, too: EKS takes the types from one place, so
    /// the template must not name one. The cluster autoscaler takes every node to be like the first, so
    /// they should agree in vCPUs, memory and architecture.
    #[attr(required, replace)]
    pub instance_types: Value<List<String>>,
    /// Fewest nodes. 0 lets the group cost nothing while there is no work.
    #[attr(optional, default = 0)]
    pub min_size: Value<i64>,
    /// Most nodes.
    #[attr(required)]
    pub max_size: Value<i64>,
    /// Nodes to begin with, at least `min_size`. Afterwards the number belongs to the autoscaler: a difference is never a
    /// change, and it is only raised or lowered when it is outside `min_size` and `max_size`.
    #[attr(optional, computed, stable)]
    pub desired_size: Value<i64>,
    /// Availability zones, resolved to the cluster's subnets in them. Where a zone has private and public subnets, the
    /// private ones are used, and a warning names both. Give this or `subnet_ids`.
    #[attr(optional, computed, stable, replace)]
    pub availability_zones: Value<Set<String>>,
    /// Subnets of the nodes. Give this or `availability_zones`.
    #[attr(optional, computed, stable, replace)]
    pub subnet_ids: Value<Set<String>>,
    /// Labels of the nodes. A key has at most 63 characters with its prefix, a value 1 to 63. The prefixes `kubernetes.io/`,
    /// `k8s.io/` and `eks.amazonaws.com/` are reserved, except `node.kubernetes.io/` and `kubelet.kubernetes.io/`.
    #[attr(optional)]
    pub labels: Value<Map<String>>,
    /// Taints of the nodes, which keep away everything but jobs that tolerate them.
    #[attr(optional)]
    pub taints: Value<Set<Taint>>,
    /// ARN of the nodes' IAM role. Give this or `node_role`. Name whatever attaches its policies in `depends_on`: EKS needs
    /// them before the first node starts and until the last one is gone.
    #[attr(optional, computed, stable, replace)]
    pub node_role_arn: Value<String>,
    /// An IAM role for the nodes, made, changed and deleted with the group. Give this, `{}` is enough, or
    /// `node_role_arn`.
    #[attr(optional)]
    pub node_role: Value<NodeRole>,
    /// SSH access to the nodes. Conflicts with `launch_template` and `template`; with the latter use `template.key_name`.
    #[attr(optional, replace)]
    pub remote_access: Value<RemoteAccess>,
    /// AMI type, for instance `BOTTLEROCKET_x86_64`. Unless set, it is `AL2023_x86_64_STANDARD`, or
    /// `AL2023_ARM_64_STANDARD` for Graviton instance types. Types with GPUs or other accelerators need theirs.
    #[attr(optional, computed, stable, replace)]
    pub ami_type: Value<String>,
    /// Size of the nodes' root volume in GiB. Conflicts with `launch_template` and `template`; with the latter use
    /// `template.root_volume`.
    #[attr(optional, computed, stable, replace)]
    pub disk_size: Value<i64>,
    /// Kubernetes version, for instance `1.34`. Begins as the cluster's; a change replaces node by node, in place.
    #[attr(optional, computed, stable)]
    pub version: Value<String>,
    /// Version of the AMI, for instance `1.34.1-20260101`. Begins as the newest; a change replaces node by node, in place. A
    /// release of another Kubernetes version changes `version`, too.
    #[attr(optional, computed, stable)]
    pub release_version: Value<String>,
    /// Go on with an update of the version when pods cannot be evicted because of a disruption budget.
    #[attr(optional)]
    pub force_update_version: Value<bool>,
    /// An EC2 launch template to make the nodes from. Only its version can change in place. It must not have an instance
    /// type, a subnet or an instance profile; if it has an AMI, leave out `ami_type`, `version` and `release_version`.
    #[attr(optional)]
    pub launch_template: Value<LaunchTemplate>,
    /// A launch template that the provider makes, changes and deletes with the group. A change adds a version, and EKS
    /// replaces node by node, in place. A group that was made without a launch template, or with one of `launch_template`, is
    /// replaced. With `node_role.addon_policies` a template is made without this attribute too, unless `remote_access` or
    /// `disk_size` is set. Not together with `launch_template`, `disk_size` and `remote_access`.
    #[attr(optional)]
    pub template: Value<Template>,
    /// How many nodes may be away during an update. One at a time, unless set.
    #[attr(optional)]
    pub update_config: Value<UpdateConfig>,
    /// Let EKS replace nodes that are not healthy.
    #[attr(optional, default = false)]
    pub node_repair: Value<bool>,
    /// What the cluster autoscaler is told through tags of the Auto Scaling Group.
    #[attr(optional)]
    pub autoscaler: Value<Autoscaler>,
    /// Further tags of the Auto Scaling Group. EC2 passes them on to the instances. An import cannot tell which of those
    /// that are there are yours, and takes none: the next apply takes over those that are named here, and the rest stays.
    #[attr(optional)]
    pub asg_tags: Value<Map<String>>,
    /// Keep EC2 from terminating nodes only to even out the zones, which kills the jobs on them. `true` for `SPOT`
    /// unless set. It is resumed while an update of the version runs, which needs it, and suspended again. What AWS itself
    /// suspends during a zonal shift is left alone.
    #[attr(optional, computed)]
    pub suspend_az_rebalance: Value<bool>,
    /// Tags of the node group, and of the role that is made for it. EKS does not pass them on to the Auto Scaling Group:
    /// see `asg_tags`. Tags that others put there are left alone. An import cannot tell whose they are and takes all of
    /// them: name them here, or leave them out with `ignore_tags` of the provider, if the next apply is to keep them.
    #[attr(optional)]
    pub tags: Value<Map<String>>,
    /// How long operations may take; 60 minutes each unless set.
    #[attr(optional)]
    pub timeouts: Value<Timeouts>,
    /// `tags` together with the provider's `default_tags`.
    #[attr(computed)]
    pub tags_all: Value<Map<String>>,
    /// ARN of the node group.
    #[attr(computed, stable)]
    pub arn: Value<String>,
    /// ID of the launch template that the provider made for the group; null without one.
    #[attr(computed, stable)]
    pub template_id: Value<String>,
    /// Number of the version of that launch template that the group has.
    #[attr(computed, stable)]
    pub template_version: Value<String>,
    /// What EKS says of it: `ACTIVE`, `DEGRADED` and others.
    #[attr(computed)]
    pub status: Value<String>,
    /// Names of the Auto Scaling Groups that EKS made for it.
    #[attr(computed, stable)]
    pub autoscaling_group_names: Value<List<String>>,
    /// The tags that this resource keeps on the Auto Scaling Group: those that the cluster autoscaler reads, and
    /// `asg_tags`. Tags of others are neither shown nor touched.
    #[attr(computed)]
    pub asg_tags_all: Value<Map<String>>,
    /// What a pod needs to land on these nodes, for `build_nodes` of `gitlabspot_runner_release`.
    #[attr(computed)]
    pub build_nodes: Value<BuildNodes>,
}

/// A taint.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Object)]
pub struct Taint {
    /// Its key.
    #[attr(required)]
    pub key: Value<String>,
    /// Its value.
    #[attr(optional)]
    pub value: Value<String>,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    #[attr(required)]
    pub effect: Value<String>,
}

/// The role that the provider makes.
#[derive(Clone, Default, PartialEq, Object)]
pub struct NodeRole {
    /// Name of the role. Made from the names of cluster and node group unless set.
    #[attr(optional, computed, stable, replace)]
    pub name: Value<String>,
    /// Beginning of the name; the ending is made from region, cluster and node group. A prefix that the name does not have
    /// makes a new role.
    #[attr(optional)]
    pub name_prefix: Value<String>,
    /// Path of the role.
    #[attr(optional, default = "/", replace)]
    pub path: Value<String>,
    /// ARN of a policy that limits what the role may ever do.
    #[attr(optional)]
    pub permissions_boundary: Value<String>,
    /// Add-ons whose pods may use this role: `auto_scaler`, `cert_manager`, `external_dns`, `image_builder`, `ebs`, `efs`,
    /// `fsx`, `aws_load_balancer_controller`, `xray`, `cloud_watch`. Each gets AWS's managed policy where there is one, and
    /// otherwise what its documentation or eksctl grants. Pods reach the role through the instance metadata service, so that
    /// a launch template with a hop limit of 2 is made for the group (see `template`). A `launch_template` of your own needs
    /// `metadata_options { http_put_response_hop_limit = 2 }`. IAM roles for service accounts and EKS Pod Identity need
    /// neither, and give the rights to one pod and not to every job on the node.
    #[attr(optional)]
    pub addon_policies: Value<Set<String>>,
    /// ARNs of further policies to attach. Those that every node needs are attached in any case.
    #[attr(optional)]
    pub additional_policy_arns: Value<Set<String>>,
}

/// SSH access.
#[derive(Clone, Default, PartialEq, Object)]
pub struct RemoteAccess {
    /// Name of an EC2 key pair.
    #[attr(optional)]
    pub ec2_ssh_key: Value<String>,
    /// Security groups that may connect. Without any, EKS opens port 22 to the whole internet (0.0.0.0/0), which reaches
    /// nodes in public subnets.
    #[attr(optional)]
    pub source_security_group_ids: Value<Set<String>>,
}

/// A launch template.
#[derive(Clone, Default, PartialEq, Object)]
pub struct LaunchTemplate {
    /// Its id. Give this or `name`.
    #[attr(optional, computed, stable, replace)]
    pub id: Value<String>,
    /// Its name. Give this or `id`.
    #[attr(optional, computed, stable, replace)]
    pub name: Value<String>,
    /// Number of the version, as text. The template's default version unless set.
    #[attr(optional, computed, stable)]
    pub version: Value<String>,
}

/// How an update goes.
#[derive(Clone, Default, PartialEq, Object)]
pub struct UpdateConfig {
    /// Most nodes away at once, 1 to 100. Give this or `max_unavailable_percentage`.
    #[attr(optional)]
    pub max_unavailable: Value<i64>,
    /// Most nodes away at once, in per cent. Give this or `max_unavailable`.
    #[attr(optional)]
    pub max_unavailable_percentage: Value<i64>,
    /// `DEFAULT` starts new nodes before old ones go, `MINIMAL` the other way round.
    #[attr(optional, computed, stable)]
    pub update_strategy: Value<String>,
}

/// What the autoscaler is told.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Autoscaler {
    /// Whether to tag the Auto Scaling Group with labels, taints and the rest, which scaling from zero needs.
    #[attr(optional, default = true)]
    pub tags: Value<bool>,
    /// Resources of a node that cannot be told from its instance type, by name, for instance
    /// `{ "ephemeral-storage" = "100G" }`.
    #[attr(optional)]
    pub resources: Value<Map<String>>,
    /// Settings of the autoscaler for this group alone.
    #[attr(optional)]
    pub options: Value<AutoscalerOptions>,
}

/// Settings of the autoscaler.
#[derive(Clone, Default, PartialEq, Object)]
pub struct AutoscalerOptions {
    /// Share of a node's CPU or memory that is requested, 0 to 1, below which it may be removed.
    #[attr(optional)]
    pub scale_down_utilization_threshold: Value<Number>,
    /// The same for GPUs.
    #[attr(optional)]
    pub scale_down_gpu_utilization_threshold: Value<Number>,
    /// How long a node is not needed before it is removed, for instance `5m`.
    #[attr(optional)]
    pub scale_down_unneeded_time: Value<String>,
    /// How long a node is not ready before it is removed, for instance `20m`.
    #[attr(optional)]
    pub scale_down_unready_time: Value<String>,
    /// Leave DaemonSets out of account.
    #[attr(optional)]
    pub ignore_daemonsets_utilization: Value<bool>,
}

/// What a pod needs.
#[derive(Clone, Default, PartialEq, Object)]
pub struct BuildNodes {
    /// Labels of the nodes.
    #[attr(computed)]
    pub node_selector: Value<Map<String>>,
    /// Tolerations of the nodes' taints.
    #[attr(computed)]
    pub tolerations: Value<List<Toleration>>,
    /// `SPOT` or `ON_DEMAND`.
    #[attr(computed)]
    pub capacity_type: Value<String>,
}

/// A toleration.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Toleration {
    /// Key of the taint.
    #[attr(computed)]
    pub key: Value<String>,
    /// `Equal`, or `Exists` for a taint without a value.
    #[attr(computed)]
    pub operator: Value<String>,
    /// Value of the taint.
    #[attr(computed)]
    pub value: Value<String>,
    /// Effect of the taint.
    #[attr(computed)]
    pub effect: Value<String>,
}

/// What makes a node group this one and no other.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Identity {
    /// Name of the EKS cluster.
    #[attr(required)]
    pub cluster_name: Value<String>,
    /// Name of the node group.
    #[attr(required)]
    pub name: Value<String>,
    /// Region of the cluster; the provider's unless given.
    #[attr(optional)]
    pub region: Value<String>,
    /// Account of the cluster; the provider's unless given.
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
    use crate::framework::conformance::check_schema;
    use crate::framework::schema::Schema;

    #[test]
    fn core_accepts_the_schema() {
        assert_eq!(check_schema(&Schema::of::<NodeGroup>(0, "")), []);
    }
}
