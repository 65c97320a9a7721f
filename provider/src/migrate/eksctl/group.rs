//! One managed node group to a resource and its import.

use serde_json::{Map, Value as Json};

use super::super::hcl::{Block, Value};
use super::super::project::{Cluster, Project, Variable};
use super::super::report::Topic;
use super::document::{Document, get};
use super::scaling::Sizes;
use super::tags::Tags;
use super::taints::Taint;
use super::{EksctlError, ami_type, keys, scaling, tags, taints};

const RESOURCE: &str = "gitlabspot_node_group";

/// eksctl's instance type where the file has none.
pub(super) const INSTANCE_TYPE: &str = "m5.large";

/// Labels that eksctl gives every node: the cluster and the group.
const LABEL_OF_CLUSTER: &str = "alpha.eksctl.io/cluster-name";
const LABEL_OF_GROUP: &str = "alpha.eksctl.io/nodegroup-name";

/// A group of the file.
pub(super) struct Group<'a> {
    pub(super) document: &'a Document,
    pub(super) prefix: String,
    pub(super) fields: &'a Map<String, Json>,
    pub(super) name: String,
}

impl<'a> Group<'a> {
    /// # Errors
    ///
    /// The group has no name.
    pub(super) fn new(
        document: &'a Document,
        list: &str,
        index: usize,
        fields: &'a Map<String, Json>,
    ) -> Result<Self, EksctlError> {
        let prefix = format!("{list}.{index}");
        let name = match get(fields, "name") {
            Some(name) => document.text(&format!("{prefix}.name"), name)?,
            None => return Err(document.invalid(&prefix, "the group has no name")),
        };
        Ok(Self { document, prefix, fields, name })
    }

    pub(super) fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.prefix)
    }

    pub(super) fn read<T>(
        &self,
        key: &str,
        read: impl Fn(&Document, &str, &Json) -> Result<T, EksctlError>,
    ) -> Result<Option<T>, EksctlError> {
        get(self.fields, key).map(|value| read(self.document, &self.path(key), value)).transpose()
    }

    /// Reports about a key of the group, or about the group where it has none.
    fn report(&self, project: &mut Project, topic: Topic, key: &str, text: impl Into<String>) {
        let path = if get(self.fields, key).is_some() { self.path(key) } else { self.prefix.clone() };
        project.report.add(topic, self.document.place(&path), text);
    }
}

pub(super) fn migrate(
    document: &Document,
    index: usize,
    fields: &Map<String, Json>,
    tags_of_all: &Map<String, Json>,
    project: &mut Project,
) -> Result<(), EksctlError> {
    let group = Group::new(document, "managedNodeGroups", index, fields)?;
    if get(fields, "instanceMarketOptions.marketType").is_some() {
        // EKS gives the group the capacity type CAPACITY_BLOCK, so that an import would replace it.
        let text = format!(
            "{} has a capacity block, which gitlabspot_node_group does not support: capacity_type is SPOT or ON_DEMAND. The \
             group is left out. Keep eksctl for it.",
            group.name
        );
        group.report(project, Topic::NoCounterpart, "instanceMarketOptions", text);
        return Ok(());
    }
    let label = project.name(RESOURCE, &group.name);
    let cluster = project.cluster();
    let address = format!("{RESOURCE}.{label}");
    let mut block = Block::new("resource", [RESOURCE, &label]);
    block.set("cluster_name", cluster.value());
    block.set("name", group.name.as_str());
    let types = instances(&group, &label, project, &mut block)?;
    let sizes = sizes(&group, project, &mut block)?;
    places(&group, project, &mut block)?;
    let labels = group.read("labels", Document::text_map)?.unwrap_or_default();
    let taints = group.read("taints", taints::read)?.unwrap_or_default();
    placement(&group, &labels, &taints, &cluster, &mut block);
    role(&group, project, &mut block)?;
    let template = template(&group, &cluster, &mut block)?;
    ami_type(&group, &types, project, &mut block)?;
    updates(&group, &mut block)?;
    let mut all = tags_of_all.clone();
    all.extend(group.read("tags", tags::read)?.unwrap_or_default());
    // Tags of a group override those of all, as in eksctl.
    let sorted = tags::sort(all, &labels, &taints);
    tags(&group, &sorted, project, &mut block);
    for (path, topic, text) in keys::remarks(fields, &template) {
        project.report.add(topic, document.place(&group.path(&path)), text);
    }
    announce(&address, sizes, project);
    region(&group, project)?;
    let id = cluster.within("", &format!(":{}", group.name));
    project.resource(block, Some(id));
    Ok(())
}

fn instances(
    group: &Group<'_>,
    label: &str,
    project: &mut Project,
    block: &mut Block,
) -> Result<Vec<String>, EksctlError> {
    let is_spot = group.read("spot", Document::flag)?.unwrap_or(false);
    block.set("capacity_type", if is_spot { "SPOT" } else { "ON_DEMAND" });
    let mut types = group.read("instanceTypes", Document::texts)?.unwrap_or_default();
    if types.is_empty() {
        types.extend(group.read("instanceType", Document::text)?);
    }
    let is_elsewhere = if get(group.fields, "instanceSelector")
        .is_some_and(|selector| selector.as_object().is_some_and(|it| !it.is_empty()))
    {
        Some(("instanceSelector", "eksctl chose the instance types when it created the group"))
    } else {
        get(group.fields, "launchTemplate").map(|_| ("launchTemplate", "the launch template has the instance type"))
    };
    match is_elsewhere {
        Some((key, why)) if types.is_empty() => {
            let about = format!(
                "Instance types of the node group {0}, in the order of `aws eks describe-nodegroup --nodegroup-name {0} --query \
                 nodegroup.instanceTypes`. An instance type that only the launch template has is a list of one.",
                group.name
            );
            let variable = project.variable(&format!("{label}_instance_types"), &about, Variable::Texts);
            let text = format!(
                "{why}, so that the file does not have them. Set the variable of instance_types to those of the group. For a \
                 new group the data source gitlabspot_spot_instance_types finds types by vCPUs and memory."
            );
            group.report(project, Topic::Task, key, text);
            block.set("instance_types", Value::variable(&variable));
        }
        _ => {
            if types.is_empty() {
                types.push(INSTANCE_TYPE.to_owned());
                let text = format!("the group has no instance type; eksctl uses {INSTANCE_TYPE}, which is written.");
                group.report(project, Topic::Kept, "instanceTypes", text);
            }
            block.set("instance_types", Value::texts(&types));
        }
    }
    Ok(types)
}

fn sizes(group: &Group<'_>, project: &mut Project, block: &mut Block) -> Result<Sizes, EksctlError> {
    let sizes = scaling::read(group.document, &group.prefix, group.fields)?;
    block.set("min_size", sizes.min);
    block.set("max_size", sizes.max);
    // desired_size is min_size by default.
    block.set_some("desired_size", sizes.desired.filter(|desired| *desired != sizes.min));
    if sizes.has_default {
        let text = format!(
            "minSize or maxSize is missing. eksctl's defaults are written: min_size = {}, max_size = {}.{}",
            sizes.min,
            sizes.max,
            if sizes.min > 0 { " With min_size = 0 the autoscaler could remove all nodes." } else { "" }
        );
        group.report(project, Topic::Kept, "desiredCapacity", text);
    }
    Ok(sizes)
}

fn places(group: &Group<'_>, project: &mut Project, block: &mut Block) -> Result<(), EksctlError> {
    let zones = group.read("availabilityZones", Document::texts)?.unwrap_or_default();
    let subnets = group.read("subnets", Document::texts)?.unwrap_or_default();
    if are_ids(&subnets) {
        block.set("subnet_ids", Value::texts(&subnets));
    } else if subnets.is_empty() && !zones.is_empty() {
        block.set("availability_zones", Value::texts(&zones));
    } else {
        let (key, why) = match subnets.is_empty() {
            true => (
                "availabilityZones",
                "the file has no zones, so that eksctl used the subnets of all zones of the cluster",
            ),
            false => ("subnets", "the subnets have names of eksctl and not IDs"),
        };
        let text = format!(
            "{why}. The import keeps the subnets of the group. Only a new group needs subnet_ids or availability_zones."
        );
        group.report(project, Topic::Kept, key, text);
    }
    Ok(())
}

/// Whether subnets are given by ID, and not by a name of eksctl.
pub(super) fn are_ids(subnets: &[String]) -> bool {
    !subnets.is_empty() && subnets.iter().all(|subnet| subnet.starts_with("subnet-"))
}

fn placement(group: &Group<'_>, labels: &Map<String, Json>, taints: &[Taint], cluster: &Cluster, block: &mut Block) {
    let of_eksctl =
        [(LABEL_OF_CLUSTER.to_owned(), cluster.value()), (LABEL_OF_GROUP.to_owned(), group.name.as_str().into())];
    let given = labels.iter().map(|(key, value)| (key.clone(), Value::from(value)));
    // The nodes have these labels: without them the first plan would remove them.
    let missing = of_eksctl.into_iter().filter(|(key, _)| !labels.contains_key(key));
    block.set("labels", Value::Object(given.chain(missing).collect()));
    if !taints.is_empty() {
        block.set("taints", self::taint_list(taints));
    }
}

pub(super) fn taint_list(taints: &[Taint]) -> Value {
    let taint = |taint: &Taint| {
        let mut fields = vec![("key".to_owned(), Value::from(taint.key.as_str()))];
        if !taint.value.is_empty() {
            fields.push(("value".to_owned(), taint.value.as_str().into()));
        }
        fields.push(("effect".to_owned(), taint.effect.into()));
        Value::Object(fields)
    };
    Value::List(taints.iter().map(taint).collect())
}

fn role(group: &Group<'_>, project: &mut Project, block: &mut Block) -> Result<(), EksctlError> {
    let arn = group.read("iam.instanceRoleARN", Document::text)?;
    let without_path = arn.as_deref().filter(|arn| arn.matches('/').count() == 1);
    block.set_some("node_role_arn", without_path);
    if without_path.is_none() {
        block.comment = Some(
            "The import keeps the role of the nodes. Only a new group needs node_role_arn or node_role.".to_owned(),
        );
    }
    if arn.is_some() && without_path.is_none() {
        let text = "eksctl leaves out the path of a role. The import keeps the role of the group.";
        group.report(project, Topic::Kept, "iam.instanceRoleARN", text);
    }
    Ok(())
}

/// The launch template of the group. Returns its name for remarks.
fn template(group: &Group<'_>, cluster: &Cluster, block: &mut Block) -> Result<String, EksctlError> {
    if let Some(id) = group.read("launchTemplate.id", Document::text)? {
        let mut fields = vec![("id".to_owned(), Value::from(id.as_str()))];
        let version = group.read("launchTemplate.version", Document::text)?;
        fields.extend(version.map(|version| ("version".to_owned(), version.into())));
        block.set("launch_template", Value::Object(fields));
        return Ok(id);
    }
    // eksctl names the template after its CloudFormation stack.
    let name = cluster.within("eksctl-", &format!("-nodegroup-{}", group.name));
    block.set("launch_template", Value::Object(vec![("name".to_owned(), name)]));
    let shown = cluster.name.as_deref().unwrap_or("CLUSTER");
    Ok(format!("eksctl-{shown}-nodegroup-{}", group.name))
}

/// The AMI type, if the file determines it: EKS reports CUSTOM for an image of the launch template.
fn ami_type(group: &Group<'_>, types: &[String], project: &mut Project, block: &mut Block) -> Result<(), EksctlError> {
    let Some(family) = group.read("amiFamily", Document::text)? else { return Ok(()) };
    let has_image = get(group.fields, "ami").is_some() || get(group.fields, "launchTemplate.id").is_some();
    match ami_type::of(&family, types).filter(|_| !has_image) {
        Some(name) => block.set("ami_type", name),
        None => group.report(project, Topic::Kept, "amiFamily", "the import keeps the AMI type of the group."),
    }
    Ok(())
}

fn updates(group: &Group<'_>, block: &mut Block) -> Result<(), EksctlError> {
    let numbers = [
        ("updateConfig.maxUnavailable", "max_unavailable"),
        ("updateConfig.maxUnavailablePercentage", "max_unavailable_percentage"),
    ];
    let mut fields = Vec::new();
    for (key, attribute) in numbers {
        let number = group.read(key, Document::integer)?;
        fields.extend(number.map(|number| (attribute.to_owned(), Value::from(number))));
    }
    if !fields.is_empty() {
        block.set("update_config", Value::Object(fields));
    }
    block.set_some("node_repair", group.read("nodeRepairConfig.enabled", Document::flag)?);
    Ok(())
}

fn tags(group: &Group<'_>, tags: &Tags, project: &mut Project, block: &mut Block) {
    tag_attributes(tags, block);
    let moved = tags.derived.len() + tags.of_asg.len() + tags.resources.len() + tags.options.len();
    if moved > 0 {
        let text = format!(
            "tags for the cluster autoscaler ({moved}) are removed from the node group, where the autoscaler does not read \
             them, and are managed on the Auto Scaling Group (`asg_tags_all`)."
        );
        group.report(project, Topic::Change, "tags", text);
    }
}

/// Tags of the node group, and settings of the autoscaler among them.
pub(super) fn tag_attributes(tags: &Tags, block: &mut Block) {
    let object = |fields: &Map<String, Json>| Value::from(&Json::Object(fields.clone()));
    let mut autoscaler = Vec::new();
    for (name, fields) in [("resources", &tags.resources), ("options", &tags.options)] {
        if !fields.is_empty() {
            autoscaler.push((name.to_owned(), object(fields)));
        }
    }
    if !autoscaler.is_empty() {
        block.set("autoscaler", Value::Object(autoscaler));
    }
    for (name, fields) in [("asg_tags", &tags.of_asg), ("tags", &tags.own)] {
        if !fields.is_empty() {
            block.set(name, object(fields));
        }
    }
}

fn announce(address: &str, sizes: Sizes, project: &mut Project) {
    let text = format!(
        "`{address}`: missing tags for labels, taints and capacity type are added to the Auto Scaling Group (`asg_tags_all`). \
         `labels`, `taints` and `tags` that differ from the file are changed to those of the file, and so are min_size = {} and \
         max_size = {} after `eksctl scale nodegroup`. Nodes are not replaced.",
        sizes.min, sizes.max
    );
    project.report.add(Topic::Change, None, text);
    let text = "The CloudFormation stack that eksctl created for each group still contains the group. Set the DeletionPolicy of \
                its resources to Retain, and delete the stack. Do not use `eksctl delete nodegroup`: it deletes the group.";
    project.report.add(Topic::Task, None, text);
}

/// A zone tells the region where nothing else does.
fn region(group: &Group<'_>, project: &mut Project) -> Result<(), EksctlError> {
    let zones = group.read("availabilityZones", Document::texts)?.unwrap_or_default();
    let region = zones.first().map(|zone| zone.trim_end_matches(|letter: char| letter.is_ascii_lowercase()).to_owned());
    if project.region.is_none() {
        project.region = region.filter(|region| region.ends_with(|letter: char| letter.is_ascii_digit()));
    }
    Ok(())
}
