//! Self-managed groups: explained, with a managed group that can take their place.

use serde_json::{Map, Value as Json};

use super::super::hcl::{Block, Value, render};
use super::super::project::Project;
use super::super::report::Topic;
use super::document::{Document, get};
use super::group::{INSTANCE_TYPE, tag_attributes, taint_list};
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
    group: &Map<String, Json>,
    tags_of_all: &Map<String, Json>,
    project: &mut Project,
) -> Result<(), EksctlError> {
    let prefix = format!("nodeGroups.{index}");
    let name = match get(group, "name") {
        Some(name) => document.text(&format!("{prefix}.name"), name)?,
        None => return Err(document.invalid(&prefix, "the group has no name")),
    };
    let text = format!(
        "{name} is a self-managed group: an Auto Scaling Group that eksctl created, and not a managed node group of EKS. It \
         cannot be imported. Create a managed group, such as the one below, drain the old one with `eksctl delete nodegroup \
         --cluster {} --name {name}`, and remove it from the file.",
        project.cluster.name.as_deref().unwrap_or("CLUSTER")
    );
    project.report.add(Topic::NoCounterpart, document.place(&prefix), text);
    let suggestion = suggestion(document, &prefix, group, &name, tags_of_all, project)?;
    project.report.suggest(format!("A managed group in place of {name}"), render(&[suggestion]));
    let has_ami_type = ami_type_of(group, &instance_types(document, &prefix, group)?).is_some();
    let is_suggested = |key: &str| SUGGESTED.contains(&key) || (key == "amiFamily" && has_ami_type);
    for key in group.keys().filter(|key| !is_suggested(key.as_str())) {
        let other = OTHERS.iter().find(|(other, _)| other == key).map(|(_, what)| (*what).to_owned());
        let text = match other.or_else(|| keys::equivalent(key).map(|attribute| format!("{attribute}."))) {
            Some(what) => format!("part of the self-managed group {name}. Equivalent in a managed group: {what}"),
            None => format!("part of the self-managed group {name}. A managed group has no equivalent."),
        };
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

/// A managed group with the settings of the self-managed one.
fn suggestion(
    document: &Document,
    prefix: &str,
    group: &Map<String, Json>,
    name: &str,
    tags_of_all: &Map<String, Json>,
    project: &mut Project,
) -> Result<Block, EksctlError> {
    let types = instance_types(document, prefix, group)?;
    let share = get(group, "instancesDistribution.onDemandPercentageAboveBaseCapacity").and_then(Json::as_i64);
    // A group of eksctl can be mixed; a managed group has one capacity type.
    let is_spot = share.is_some_and(|share| share < 100);
    let sizes = scaling::read(document, prefix, group)?;
    let label: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let mut block = Block::new("resource", ["gitlabspot_node_group".to_owned(), format!("{label}_managed")]);
    block.set("cluster_name", project.cluster.value());
    block.set("name", format!("{name}-managed"));
    block.set("capacity_type", if is_spot { "SPOT" } else { "ON_DEMAND" });
    block.set("instance_types", Value::texts(&types));
    block.set("min_size", sizes.min);
    block.set("max_size", sizes.max);
    places(document, prefix, group, &mut block)?;
    let at = |key: &str| format!("{prefix}.{key}");
    let labels = get(group, "labels").map(|labels| document.text_map(&at("labels"), labels)).transpose()?;
    let labels = labels.unwrap_or_default();
    if !labels.is_empty() {
        block.set("labels", &Json::Object(labels.clone()));
    }
    let taints = get(group, "taints").map(|taints| taints::read(document, &at("taints"), taints)).transpose()?;
    let taints = taints.unwrap_or_default();
    if !taints.is_empty() {
        block.set("taints", taint_list(&taints));
    }
    block.set_some("ami_type", ami_type_of(group, &types));
    block.set("node_role", Value::Object(Vec::new()));
    block.set("template", root_volume(group));
    let mut all = tags_of_all.clone();
    all.extend(get(group, "tags").map(|tags| tags::read(document, &at("tags"), tags)).transpose()?.unwrap_or_default());
    tag_attributes(&tags::sort(all, &labels, &taints), &mut block);
    Ok(block)
}

fn instance_types(document: &Document, prefix: &str, group: &Map<String, Json>) -> Result<Vec<String>, EksctlError> {
    let path = "instancesDistribution.instanceTypes";
    let types = get(group, path).map(|types| document.texts(&format!("{prefix}.{path}"), types)).transpose()?;
    let mut types = types.unwrap_or_default();
    if let (true, Some(one)) = (types.is_empty(), get(group, "instanceType")) {
        types.push(document.text(&format!("{prefix}.instanceType"), one)?);
    }
    if types.is_empty() {
        types.push(INSTANCE_TYPE.to_owned());
    }
    Ok(types)
}

/// The AMI type of the managed group, unless the group has a custom AMI or EKS has none for its family.
fn ami_type_of(group: &Map<String, Json>, types: &[String]) -> Option<&'static str> {
    match get(group, "ami") {
        None => ami_type::of(get(group, "amiFamily")?.as_str()?, types),
        Some(_) => None,
    }
}

fn places(document: &Document, prefix: &str, group: &Map<String, Json>, block: &mut Block) -> Result<(), EksctlError> {
    let texts = |key: &str| get(group, key).map(|value| document.texts(&format!("{prefix}.{key}"), value)).transpose();
    let subnets = texts("subnets")?.unwrap_or_default();
    let zones = texts("availabilityZones")?.unwrap_or_default();
    // subnet_ids and availability_zones exclude each other, and only eksctl knows names of subnets.
    if !subnets.is_empty() && subnets.iter().all(|subnet| subnet.starts_with("subnet-")) {
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
