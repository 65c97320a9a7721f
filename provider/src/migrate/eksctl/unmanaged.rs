//! Self-managed groups: explained, with a managed group that can take their place.

use serde_json::{Map, Value as Json};

use super::super::hcl::{Block, Value, render};
use super::super::project::Project;
use super::super::report::Topic;
use super::document::{Document, get};
use super::group::taint_list;
use super::{EksctlError, scaling, taints};

/// Keys that are in the suggested group.
const SUGGESTED: [&str; 11] = [
    "name",
    "availabilityZones",
    "desiredCapacity",
    "instanceType",
    "labels",
    "maxSize",
    "minSize",
    "subnets",
    "tags",
    "taints",
    "instancesDistribution",
];

/// Keys of self-managed groups alone, and what to do.
const OTHERS: [(&str, &str); 8] = [
    (
        "asgSuspendProcesses",
        "suspend_az_rebalance = true, the default for SPOT, suspends AZRebalance. There is nothing for other processes.",
    ),
    ("kubeletExtraConfig", "template.kubelet."),
    ("clusterDNS", "template.user_data with a NodeConfig of nodeadm."),
    ("cpuCredits", "a launch template of your own."),
    ("containerRuntime", "nothing: every AMI of EKS has containerd."),
    ("iam", "node_role: addon_policies, additional_policy_arns and permissions_boundary."),
    ("ssh", "template.key_name, and a group of template.security_group_ids that opens port 22."),
    ("targetGroupARNs", "nothing: build nodes serve no traffic."),
];

pub(super) fn explain(
    document: &Document,
    index: usize,
    group: &Map<String, Json>,
    project: &mut Project,
) -> Result<(), EksctlError> {
    let prefix = format!("nodeGroups.{index}");
    let name = match get(group, "name") {
        Some(name) => document.text(&format!("{prefix}.name"), name)?,
        None => return Err(document.invalid(&prefix, "the group has no name")),
    };
    let text = format!(
        "{name} is a self-managed Auto Scaling Group of eksctl and no EKS managed node group, so that it cannot be imported. \
         Create a managed group beside it, such as the one below, drain the old one with `eksctl delete nodegroup --cluster \
         CLUSTER --name {name}`, and remove it from the file."
    );
    project.report.add(Topic::NoCounterpart, document.place(&prefix), text);
    let suggestion = suggestion(document, &prefix, group, &name, project)?;
    project.report.suggest(format!("A managed group in place of {name}"), render(&[suggestion]));
    for key in group.keys().filter(|key| !SUGGESTED.contains(&key.as_str())) {
        let what =
            OTHERS.iter().find(|(other, _)| other == key).map_or("see the attributes of template.", |(_, what)| what);
        let text = format!("of the self-managed group {name}. In a managed group: {what}");
        project.report.add(Topic::NoCounterpart, document.place(&format!("{prefix}.{key}")), text);
    }
    for key in get(group, "instancesDistribution").and_then(Json::as_object).into_iter().flat_map(Map::keys) {
        let text = match key.as_str() {
            "instanceTypes" | "onDemandPercentageAboveBaseCapacity" => continue,
            "maxPrice" => "EKS pays at most the on-demand price and takes no other limit.",
            "onDemandBaseCapacity" => {
                "a managed group has one capacity type: make a second group with ON_DEMAND for it."
            }
            "spotAllocationStrategy" | "spotInstancePools" => "EKS uses price-capacity-optimized.",
            "capacityRebalance" => "EKS always has it for Spot.",
            _ => "a managed group does not have it.",
        };
        project.report.add(
            Topic::NoCounterpart,
            document.place(&format!("{prefix}.instancesDistribution.{key}")),
            text,
        );
    }
    Ok(())
}

fn suggestion(
    document: &Document,
    prefix: &str,
    group: &Map<String, Json>,
    name: &str,
    project: &mut Project,
) -> Result<Block, EksctlError> {
    let texts = |key: &str| get(group, key).map(|value| document.texts(&format!("{prefix}.{key}"), value)).transpose();
    let mut types = texts("instancesDistribution.instanceTypes")?.unwrap_or_default();
    if let (true, Some(one)) = (types.is_empty(), get(group, "instanceType")) {
        types.push(document.text(&format!("{prefix}.instanceType"), one)?);
    }
    let share = get(group, "instancesDistribution.onDemandPercentageAboveBaseCapacity").and_then(Json::as_i64);
    // A group of eksctl can be mixed; a managed group has one capacity type.
    let is_spot = share.is_some_and(|share| share < 100);
    let sizes = scaling::read(document, prefix, group)?;
    let label: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let mut block = Block::new("resource", ["gitlabspot_node_group".to_owned(), format!("{label}_managed")]);
    block.set("cluster_name", project.cluster.value());
    block.set("name", format!("{name}-managed"));
    block.set("capacity_type", if is_spot { "SPOT" } else { "ON_DEMAND" });
    block.set("instance_types", if types.is_empty() { Value::texts(["m5.large"]) } else { Value::texts(&types) });
    block.set("min_size", sizes.min);
    block.set("max_size", sizes.max);
    // subnet_ids and availability_zones exclude each other, and names of subnets are known to eksctl alone.
    let subnets = texts("subnets")?.unwrap_or_default();
    let zones = texts("availabilityZones")?.unwrap_or_default();
    if !subnets.is_empty() && subnets.iter().all(|subnet| subnet.starts_with("subnet-")) {
        block.set("subnet_ids", Value::texts(&subnets));
    } else if !zones.is_empty() {
        block.set("availability_zones", Value::texts(&zones));
    }
    if let Some(labels) = get(group, "labels") {
        let labels = document.text_map(&format!("{prefix}.labels"), labels)?;
        block.set("labels", &Json::Object(labels));
    }
    if let Some(given) = get(group, "taints") {
        block.set("taints", taint_list(&taints::read(document, &format!("{prefix}.taints"), given)?));
    }
    block.set("node_role", Value::Object(Vec::new()));
    block.set("template", root_volume(group));
    Ok(block)
}

/// eksctl's root volume has 80 GiB.
fn root_volume(group: &Map<String, Json>) -> Value {
    let size = get(group, "volumeSize").and_then(Json::as_i64).unwrap_or(80);
    let volume = Value::Object(vec![("size".to_owned(), size.into())]);
    Value::Object(vec![("root_volume".to_owned(), volume)])
}
