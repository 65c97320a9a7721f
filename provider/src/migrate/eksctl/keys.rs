//! Every key of a node group of eksctl, and what becomes of it.

use gitlabspot_runner_config::suggest::did_you_mean;
use serde_json::{Map, Value as Json};

use super::super::report::Topic;

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// An attribute of the resource.
    Attribute,
    /// Part of the launch template of eksctl, which is not changed; the attribute of a new group.
    Template(&'static str),
    /// Part of the IAM role of eksctl, which is not changed; the attribute of a new group.
    Role(&'static str),
    /// Kept by the import; the text is the reason.
    Kept(&'static str),
    /// Without a counterpart; the text is what to do.
    Nothing(&'static str),
}

use Fate::{Attribute, Kept, Nothing, Role, Template};

const OF_UNMANAGED: &str = "only self-managed groups have it. Remove it";
const OF_REPAIR: &str =
    "the import keeps it. node_repair turns node repair on and off, and has no thresholds and overrides";

/// Keys by their path below the group.
const KEYS: &[(&str, Fate)] = &[
    ("name", Attribute),
    ("amiFamily", Attribute),
    ("availabilityZones", Attribute),
    ("desiredCapacity", Attribute),
    ("iam.instanceRoleARN", Attribute),
    ("instanceSelector", Attribute),
    ("instanceType", Attribute),
    ("instanceTypes", Attribute),
    ("labels", Attribute),
    ("launchTemplate.id", Attribute),
    ("launchTemplate.version", Attribute),
    ("maxSize", Attribute),
    ("minSize", Attribute),
    ("nodeRepairConfig.enabled", Attribute),
    ("spot", Attribute),
    ("subnets", Attribute),
    ("tags", Attribute),
    ("taints", Attribute),
    ("updateConfig.maxUnavailable", Attribute),
    ("updateConfig.maxUnavailablePercentage", Attribute),
    ("additionalVolumes", Template("template.volumes")),
    ("bottlerocket", Template("template.user_data, with the settings in TOML")),
    ("disableIMDSv1", Template("template.metadata.http_tokens (\"required\" by default)")),
    ("disablePodIMDS", Template("template.metadata.pods")),
    ("enableDetailedMonitoring", Template("template.detailed_monitoring")),
    ("instanceName", Template("template.instance_tags = { Name = ... }")),
    ("instancePrefix", Template("template.instance_tags = { Name = ... }")),
    ("maxPodsPerNode", Template("template.kubelet.max_pods")),
    ("overrideBootstrapCommand", Template("template.user_data")),
    ("preBootstrapCommands", Template("template.user_data")),
    ("securityGroups.attachIDs", Template("template.security_group_ids")),
    (
        "ssh.allow",
        Template(
            "template.key_name, and for port 22 a group of template.security_group_ids; without a key nobody logs in by SSH",
        ),
    ),
    (
        "ssh.enableSsm",
        Template("node_role.additional_policy_arns with AmazonSSMManagedInstanceCore; the AMIs have the agent"),
    ),
    ("ssh.publicKey", Template("template.key_name with the name of an EC2 key pair; eksctl imported the key as one")),
    ("ssh.publicKeyName", Template("template.key_name")),
    (
        "ssh.publicKeyPath",
        Template("template.key_name with the name of an EC2 key pair; eksctl imported the key as one"),
    ),
    (
        "ssh.sourceSecurityGroupIds",
        Template("a group of template.security_group_ids that opens port 22 to these groups"),
    ),
    ("volumeEncrypted", Template("template.root_volume.encrypted")),
    ("volumeIOPS", Template("template.root_volume.iops")),
    ("volumeKmsKeyID", Template("template.root_volume.kms_key_id")),
    ("volumeName", Template("template.root_volume, whose device follows from the AMI type")),
    ("volumeSize", Template("template.root_volume.size")),
    ("volumeThroughput", Template("template.root_volume.throughput")),
    ("volumeType", Template("template.root_volume.type")),
    ("ami", Template("launch_template, as a custom AMI needs a launch template of your own")),
    ("capacityReservation", Template("launch_template, as a capacity reservation needs a launch template of your own")),
    ("ebsOptimized", Kept("current instance types are always optimized for EBS")),
    ("efaEnabled", Template("launch_template, as EFA needs a launch template of your own")),
    ("placement", Template("launch_template, as a placement group needs a launch template of your own")),
    ("iam.attachPolicy", Role("node_role.additional_policy_arns, with a policy of your own")),
    ("iam.attachPolicyARNs", Role("node_role.additional_policy_arns")),
    ("iam.instanceRoleName", Role("node_role.name")),
    ("iam.instanceRolePermissionsBoundary", Role("node_role.permissions_boundary")),
    ("iam.withAddonPolicies.albIngress", Role("node_role.addon_policies = [\"aws_load_balancer_controller\"]")),
    ("iam.withAddonPolicies.appMesh", Role("node_role.additional_policy_arns; App Mesh has ended")),
    ("iam.withAddonPolicies.appMeshPreview", Role("node_role.additional_policy_arns; App Mesh has ended")),
    ("iam.withAddonPolicies.autoScaler", Role("node_role.addon_policies = [\"auto_scaler\"]")),
    (
        "iam.withAddonPolicies.awsLoadBalancerController",
        Role("node_role.addon_policies = [\"aws_load_balancer_controller\"]"),
    ),
    ("iam.withAddonPolicies.certManager", Role("node_role.addon_policies = [\"cert_manager\"]")),
    ("iam.withAddonPolicies.cloudWatch", Role("node_role.addon_policies = [\"cloud_watch\"]")),
    ("iam.withAddonPolicies.ebs", Role("node_role.addon_policies = [\"ebs\"]")),
    ("iam.withAddonPolicies.efs", Role("node_role.addon_policies = [\"efs\"]")),
    ("iam.withAddonPolicies.externalDNS", Role("node_role.addon_policies = [\"external_dns\"]")),
    ("iam.withAddonPolicies.fsx", Role("node_role.addon_policies = [\"fsx\"]")),
    ("iam.withAddonPolicies.imageBuilder", Role("node_role.addon_policies = [\"image_builder\"]")),
    ("iam.withAddonPolicies.xRay", Role("node_role.addon_policies = [\"xray\"]")),
    (
        "privateNetworking",
        Kept("the import keeps the subnets of the group. For a new group name private subnets in subnet_ids"),
    ),
    ("propagateASGTags", Kept("the tags for labels and taints are always derived, read back and repaired")),
    (
        "releaseVersion",
        Kept("the import keeps the release that runs; set release_version to pin one, or follow_latest_ami to follow"),
    ),
    (
        "asgSuspendProcesses",
        Nothing(
            "only self-managed groups have it. suspend_az_rebalance = true suspends AZRebalance, which ends running jobs",
        ),
    ),
    ("instancesDistribution", Nothing("use instance_types and capacity_type; EKS chooses the pools")),
    ("maxPrice", Nothing("EKS pays at most the on-demand price and takes no other limit. Remove it")),
    ("spotAllocationStrategy", Nothing("EKS uses price-capacity-optimized. Remove it")),
    ("kubeletExtraConfig", Nothing("only self-managed groups have it. Equivalent for a new group: template.kubelet")),
    ("nodeRepairConfig.maxParallelNodesRepairedCount", Kept(OF_REPAIR)),
    ("nodeRepairConfig.maxParallelNodesRepairedPercentage", Kept(OF_REPAIR)),
    ("nodeRepairConfig.maxUnhealthyNodeThresholdCount", Kept(OF_REPAIR)),
    ("nodeRepairConfig.maxUnhealthyNodeThresholdPercentage", Kept(OF_REPAIR)),
    ("nodeRepairConfig.nodeRepairConfigOverrides", Kept(OF_REPAIR)),
    ("outpostARN", Nothing("eksctl does not support Outposts for managed groups. Remove it")),
    ("iam.instanceProfileARN", Nothing("EKS creates the instance profile of a managed group itself. Remove it")),
    ("securityGroups.withLocal", Nothing(OF_UNMANAGED)),
    ("securityGroups.withShared", Nothing(OF_UNMANAGED)),
    ("asgMetricsCollection", Nothing(OF_UNMANAGED)),
    ("classicLoadBalancerNames", Nothing(OF_UNMANAGED)),
    (
        "clusterDNS",
        Nothing(
            "only self-managed groups have it. Equivalent for a new group: template.user_data with a NodeConfig of nodeadm",
        ),
    ),
    ("containerRuntime", Nothing("every AMI of EKS has containerd. Remove it")),
    (
        "cpuCredits",
        Nothing(
            "only self-managed groups have it. Equivalent for a new group: launch_template, as credits need a launch template of your own",
        ),
    ),
    (
        "enclaveEnabled",
        Nothing(
            "only self-managed groups have it. Equivalent for a new group: launch_template, as enclaves need a launch template of your own",
        ),
    ),
    ("localZones", Nothing("EKS has no managed groups in local zones. Keep eksctl for this group")),
    ("maxInstanceLifetime", Nothing("EKS does not have it. version and release_version replace nodes")),
    ("targetGroupARNs", Nothing(OF_UNMANAGED)),
];

/// Each key of the group that is not an attribute: its path, the topic and what to say.
pub(super) fn remarks(group: &Map<String, Json>, template: &str) -> Vec<(String, Topic, String)> {
    let mut found = Vec::new();
    walk(group, "", template, &mut found);
    found
}

fn walk(values: &Map<String, Json>, prefix: &str, template: &str, found: &mut Vec<(String, Topic, String)>) {
    for (name, value) in values.iter().filter(|(_, value)| !value.is_null()) {
        let path = format!("{prefix}{name}");
        let below = format!("{path}.");
        let fate = KEYS.iter().find(|(key, _)| *key == path).map(|(_, fate)| *fate);
        let has_more = KEYS.iter().any(|(key, _)| key.starts_with(&below));
        match (fate, value) {
            (_, Json::Object(values)) if has_more => walk(values, &below, template, found),
            (Some(Attribute), _) => {}
            (Some(fate), _) => found.push(remark(path, fate, template)),
            (None, _) => {
                let known = KEYS.iter().filter_map(|(key, _)| key.strip_prefix(prefix));
                let hint = did_you_mean(name, known.filter_map(|rest| rest.split('.').next()));
                let text = format!("this version of the provider does not know this key of managed groups.{hint}");
                found.push((path, Topic::NoCounterpart, text));
            }
        }
    }
}

fn remark(path: String, fate: Fate, template: &str) -> (String, Topic, String) {
    let (topic, text) = match fate {
        Attribute => (Topic::Kept, String::new()),
        Template(attribute) => (
            Topic::Kept,
            format!(
                "part of the launch template {template}, which is not changed. Equivalent for a new group: {attribute}."
            ),
        ),
        Role(attribute) => (
            Topic::Kept,
            format!("part of the role of the nodes, which is not changed. Equivalent for a new group: {attribute}."),
        ),
        Kept(why) => (Topic::Kept, format!("{why}.")),
        Nothing(what) => (Topic::NoCounterpart, format!("{what}.")),
    };
    (path, topic, text)
}

/// The attribute of a managed group for a key of a self-managed group.
pub(super) fn equivalent(key: &str) -> Option<&'static str> {
    KEYS.iter().find(|(path, _)| *path == key).and_then(|(_, fate)| match fate {
        Template(attribute) | Role(attribute) => Some(*attribute),
        Attribute | Kept(_) | Nothing(_) => None,
    })
}

/// Every path of the table, for a comparison with the documentation.
#[cfg(test)]
pub(super) fn paths() -> Vec<&'static str> {
    KEYS.iter().map(|(path, _)| *path).collect()
}
