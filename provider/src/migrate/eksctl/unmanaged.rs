//! Self-managed groups: explained, with a managed group that can take their place.

use serde_json::{Map, Value as Json};

use super::super::hcl::{Block, Value, render};
use super::super::project::Project;
use super::super::report::Topic;
use super::document::{Document, get};
use super::group::{Group, INSTANCE_TYPE, are_ids, tag_attributes, taint_list};
use super::{EksctlError, ami_type, keys, scaling, tags, taints};

/// Keys that are in the suggested group.
const SUGGESTED: [&str; 12] = [
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
    "volumeSize",
    "instancesDistribution",
];

/// Keys of self-managed groups alone, and what to do.
const OTHERS: [(&str, &str); 10] = [
    (
        "asgSuspendProcesses",
        "suspend_az_rebalance = true, the default for SPOT, suspends AZRebalance. There is nothing for other processes.",
    ),
    ("kubeletExtraConfig", "template.kubelet."),
    ("clusterDNS", "template.user_data with a NodeConfig of nodeadm."),
    ("cpuCredits", "launch_template, as credits need a launch template of your own."),
    ("containerRuntime", "every AMI of EKS has containerd."),
    ("privateNetworking", "private subnets in subnet_ids."),
    ("securityGroups", "template.security_group_ids."),
    ("iam", "node_role: addon_policies, additional_policy_arns and permissions_boundary."),
    ("ssh", "template.key_name, and a group of template.security_group_ids that opens port 22."),
    ("targetGroupARNs", "none, as build nodes serve no traffic."),
];

pub(super) fn explain(
    document: &Document,
    index: usize,
    fields: &Map<String, Json>,
    tags_of_all: &Map<String, Json>,
    project: &mut Project,
) -> Result<(), EksctlError> {
    let group = Group::new(document, "nodeGroups", index, fields)?;
    let name = &group.name;
    let text = format!(
        "{name} is a self-managed group: an Auto Scaling Group that eksctl created, and not a managed node group of EKS. It \
         cannot be imported. Create a managed group, such as the one below, drain the old one with `eksctl delete nodegroup \
         --cluster {} --name {name}`, and remove it from the file.",
        project.cluster.name.as_deref().unwrap_or("CLUSTER")
    );
    project.report.add(Topic::NoCounterpart, document.place(&group.prefix), text);
    let types = instance_types(&group)?;
    let ami_type = ami_type_of(&group, &types);
    let suggestion = suggestion(&group, &types, ami_type, tags_of_all, project)?;
    project.report.suggest(format!("A managed group in place of {name}"), render(&[suggestion]));
    let is_suggested = |key: &str| SUGGESTED.contains(&key) || (key == "amiFamily" && ami_type.is_some());
    for key in fields.keys().filter(|key| !is_suggested(key.as_str())) {
        let other = OTHERS.iter().find(|(other, _)| other == key).map(|(_, what)| (*what).to_owned());
        let text = match other.or_else(|| keys::equivalent(key).map(|attribute| format!("{attribute}."))) {
            Some(what) => format!("part of the self-managed group {name}. Equivalent in a managed group: {what}"),
            None => format!("part of the self-managed group {name}. A managed group has no equivalent."),
        };
        project.report.add(Topic::NoCounterpart, document.place(&group.path(key)), text);
    }
    for key in get(fields, "instancesDistribution").and_then(Json::as_object).into_iter().flat_map(Map::keys) {
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
        let place = document.place(&group.path(&format!("instancesDistribution.{key}")));
        project.report.add(Topic::NoCounterpart, place, text);
    }
    Ok(())
}

/// A managed group with the settings of the self-managed one.
fn suggestion(
    group: &Group<'_>,
    types: &[String],
    ami_type: Option<&'static str>,
    tags_of_all: &Map<String, Json>,
    project: &Project,
) -> Result<Block, EksctlError> {
    let Group { document, prefix, fields, name } = group;
    let share = get(fields, "instancesDistribution.onDemandPercentageAboveBaseCapacity").and_then(Json::as_i64);
    // A group of eksctl can be mixed; a managed group has one capacity type.
    let is_spot = share.is_some_and(|share| share < 100);
    let sizes = scaling::read(document, prefix, fields)?;
    let label: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let mut block = Block::new("resource", ["gitlabspot_node_group".to_owned(), format!("{label}_managed")]);
    block.set("cluster_name", project.cluster.value());
    block.set("name", format!("{name}-managed"));
    block.set("capacity_type", if is_spot { "SPOT" } else { "ON_DEMAND" });
    block.set("instance_types", Value::texts(types));
    block.set("min_size", sizes.min);
    block.set("max_size", sizes.max);
    places(group, &mut block)?;
    let labels = group.read("labels", Document::text_map)?.unwrap_or_default();
    if !labels.is_empty() {
        block.set("labels", &Json::Object(labels.clone()));
    }
    let taints = group.read("taints", taints::read)?.unwrap_or_default();
    if !taints.is_empty() {
        block.set("taints", taint_list(&taints));
    }
    block.set_some("ami_type", ami_type);
    block.set("node_role", Value::Object(Vec::new()));
    block.set("template", root_volume(fields));
    let mut all = tags_of_all.clone();
    all.extend(group.read("tags", tags::read)?.unwrap_or_default());
    tag_attributes(&tags::sort(all, &labels, &taints), &mut block);
    Ok(block)
}

fn instance_types(group: &Group<'_>) -> Result<Vec<String>, EksctlError> {
    let mut types = group.read("instancesDistribution.instanceTypes", Document::texts)?.unwrap_or_default();
    if types.is_empty() {
        types.extend(group.read("instanceType", Document::text)?);
    }
    if types.is_empty() {
        types.push(INSTANCE_TYPE.to_owned());
    }
    Ok(types)
}

/// The AMI type of the managed group, unless the group has a custom AMI or EKS has none for its family.
fn ami_type_of(group: &Group<'_>, types: &[String]) -> Option<&'static str> {
    match get(group.fields, "ami") {
        None => ami_type::of(get(group.fields, "amiFamily")?.as_str()?, types),
        Some(_) => None,
    }
}

fn places(group: &Group<'_>, block: &mut Block) -> Result<(), EksctlError> {
    let subnets = group.read("subnets", Document::texts)?.unwrap_or_default();
    let zones = group.read("availabilityZones", Document::texts)?.unwrap_or_default();
    // subnet_ids and availability_zones exclude each other, and only eksctl knows names of subnets.
    if are_ids(&subnets) {
        block.set("subnet_ids", Value::texts(&subnets));
    } else if !zones.is_empty() {
        block.set("availability_zones", Value::texts(&zones));
    } else {
        block.comment = Some("Set subnet_ids or availability_zones as well: the file does not have them.".to_owned());
    }
    Ok(())
}

/// eksctl's root volume has 80 GiB.
fn root_volume(group: &Map<String, Json>) -> Value {
    let size = get(group, "volumeSize").and_then(Json::as_i64).unwrap_or(80);
    let volume = Value::Object(vec![("size".to_owned(), size.into())]);
    Value::Object(vec![("root_volume".to_owned(), volume)])
}
