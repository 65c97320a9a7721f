//! Migrates `aws_eks_node_group`.

use serde_json::{Map, Value as Json};

use super::super::hcl::{Block, Value};
use super::super::project::{Project, Variable};
use super::super::report::Topic;
use super::instance::{Instance, Instances};
use super::place;

const RESOURCE: &str = "gitlabspot_node_group";

/// Taint effects in the spelling of EKS and in that of Kubernetes.
const EFFECTS: [(&str, &str); 3] =
    [("NO_SCHEDULE", "NoSchedule"), ("PREFER_NO_SCHEDULE", "PreferNoSchedule"), ("NO_EXECUTE", "NoExecute")];

/// Adds the node groups. Returns those that are migrated.
pub(super) fn migrate<'a>(instances: &'a Instances, project: &mut Project) -> Vec<&'a Instance> {
    let mut migrated = Vec::new();
    for instance in instances.of("aws_eks_node_group") {
        if instance.text("capacity_type").is_some_and(|kind| !["SPOT", "ON_DEMAND"].contains(&kind.as_str())) {
            let text = "capacity_type is neither SPOT nor ON_DEMAND, and this provider has no other. It stays with hashicorp/aws.";
            project.report.add(Topic::NoCounterpart, place(instance), text);
            continue;
        }
        migrated.push(instance);
        group(instance, project);
    }
    migrated
}

/// The region of a node group or a cluster, from its ARN: `arn:aws:eks:REGION:ACCOUNT:...`.
pub(super) fn region(instance: &Instance) -> Option<String> {
    let of_arn = instance.text("arn").and_then(|arn| arn.split(':').nth(3).map(str::to_owned));
    // Version 6 of hashicorp/aws has `region` in every resource.
    of_arn.filter(|region| !region.is_empty()).or_else(|| instance.text("region"))
}

fn group(instance: &Instance, project: &mut Project) {
    let _ = project.cluster();
    let label = project.name(RESOURCE, &instance.label());
    let mut block = Block::new("resource", [RESOURCE, &label]);
    block.set_some("provider", project.provider_of_group(region(instance).as_deref()));
    let cluster = instance.text("cluster_name").unwrap_or_default();
    let name = instance.text("node_group_name").unwrap_or_default();
    block.set("cluster_name", cluster.as_str());
    block.set("name", name.as_str());
    block.set("capacity_type", instance.text("capacity_type").unwrap_or_else(|| "ON_DEMAND".to_owned()));
    block.set("instance_types", types(instance, &label, project));
    for (attribute, size) in [("min_size", "min_size"), ("max_size", "max_size")] {
        block.set_some(attribute, instance.integer(&format!("scaling_config.0.{size}")));
    }
    // The subnets of a node group cannot be changed: a different set in the configuration would replace the group.
    block.set("subnet_ids", Value::texts(sorted(instance.texts("subnet_ids"))));
    block.set_some("labels", instance.map("labels").map(|labels| Value::from(&Json::Object(labels))));
    let taints = taints(instance);
    if !taints.is_empty() {
        block.set("taints", Value::List(taints));
    }
    block.set_some("node_role_arn", instance.text("node_role_arn"));
    place_of_nodes(instance, &mut block);
    updates(instance, &mut block);
    block.set_some("tags", all_tags(instance));
    let address = format!("{RESOURCE}.{label}");
    let text = format!(
        "`{address}`: missing tags for labels, taints and capacity type are added to the Auto Scaling Group (`asg_tags_all`)."
    );
    project.report.add(Topic::Change, None, text);
    project.resource(block, Some(format!("{cluster}:{name}").into()));
    project.forget(&instance.address);
}

fn types(instance: &Instance, label: &str, project: &mut Project) -> Value {
    let types = instance.texts("instance_types");
    if !types.is_empty() {
        return Value::texts(types);
    }
    let text =
        "its instance type is that of the launch template. Set the variable of instance_types to a list of this type.";
    project.report.add(Topic::Task, place(instance), text);
    let about = format!("Instance type of the launch template of {}, as a list of one.", instance.address);
    Value::variable(&project.variable(&format!("{label}_instance_types"), &about, Variable::Texts))
}

fn taints(instance: &Instance) -> Vec<Value> {
    let taint = |taint: &Json| {
        let text = |name: &str| taint[name].as_str().unwrap_or_default();
        let effect = EFFECTS.iter().find(|(eks, _)| *eks == text("effect")).map_or(text("effect"), |(_, name)| *name);
        let fields = [("key", text("key")), ("value", text("value")), ("effect", effect)];
        let given = fields.into_iter().filter(|(_, text)| !text.is_empty());
        Value::Object(given.map(|(name, text)| (name.to_owned(), text.into())).collect())
    };
    instance.list("taint").into_iter().map(taint).collect()
}

/// Sets launch template, disk size, AMI type and SSH access.
fn place_of_nodes(instance: &Instance, block: &mut Block) {
    let object = |fields: Vec<(&str, Option<Value>)>| {
        let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(given.collect())
    };
    if let Some(id) = instance.text("launch_template.0.id") {
        let version = instance.text("launch_template.0.version").map(Value::from);
        block.set("launch_template", object(vec![("id", Some(id.into())), ("version", version)]));
    } else {
        block.set_some("disk_size", instance.integer("disk_size").filter(|size| *size > 0));
        if let Some(key) = instance.text("remote_access.0.ec2_ssh_key") {
            let groups = sorted(instance.texts("remote_access.0.source_security_group_ids"));
            let groups = (!groups.is_empty()).then(|| Value::texts(groups));
            let access = vec![("ec2_ssh_key", Some(key.into())), ("source_security_group_ids", groups)];
            block.set("remote_access", object(access));
        }
    }
    // EKS returns `CUSTOM` for an AMI of a launch template, but does not accept it in requests.
    block.set_some("ami_type", instance.text("ami_type").filter(|kind| kind != "CUSTOM"));
}

fn updates(instance: &Instance, block: &mut Block) {
    // In the state of hashicorp/aws, the one of the two numbers that is not set is 0.
    let number = |name: &str| instance.integer(&format!("update_config.0.{name}")).filter(|number| *number > 0);
    let (nodes, share) = (number("max_unavailable"), number("max_unavailable_percentage"));
    let strategy = instance.text("update_config.0.update_strategy").filter(|strategy| strategy != "DEFAULT");
    if share.is_some() || strategy.is_some() || nodes.is_some_and(|nodes| nodes != 1) {
        let fields = [
            ("max_unavailable", nodes.map(Value::from)),
            ("max_unavailable_percentage", share.map(Value::from)),
            ("update_strategy", strategy.map(Value::from)),
        ];
        let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        block.set("update_config", Value::Object(given.collect()));
    }
    // `false` is the default of EKS.
    let repair = instance.get("node_repair_config.0.enabled").and_then(Json::as_bool);
    block.set_some("node_repair", repair.filter(|repair| *repair));
    block.set_some(
        "force_update_version",
        instance.get("force_update_version").and_then(Json::as_bool).filter(|it| *it),
    );
}

/// Sorts the elements of a set, so that the result is always the same.
fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// All tags of the object, including the `default_tags` of hashicorp/aws, which would be removed otherwise.
pub(super) fn all_tags(instance: &Instance) -> Option<Value> {
    let tags: Option<Map<String, Json>> = instance.map("tags_all").or_else(|| instance.map("tags"));
    tags.map(|tags| Value::from(&Json::Object(tags)))
}
