//! Converts the desired node group to requests of the EKS API.

use std::collections::BTreeMap;

use aws_sdk_eks::operation::create_nodegroup::builders::CreateNodegroupInputBuilder;
use aws_sdk_eks::operation::update_nodegroup_config::builders::UpdateNodegroupConfigInputBuilder;
use aws_sdk_eks::operation::update_nodegroup_version::builders::UpdateNodegroupVersionInputBuilder;
use aws_sdk_eks::types::{
    LaunchTemplateSpecification, NodeRepairConfig, NodegroupScalingConfig, NodegroupUpdateConfig, RemoteAccessConfig,
    TaintEffect, UpdateLabelsPayload, UpdateTaintsPayload,
};

use super::autoscaler_tags::Taint;
use super::model::{Desired, LaunchTemplate, UpdateConfig};

/// The values of a create that are not in [`Desired`].
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) subnets: Vec<String>,
    pub(super) role_arn: String,
    /// EKS treats requests with the same token as one request.
    pub(super) token: String,
    /// Whether the launch template is new, and may not have propagated to EKS yet.
    pub(super) has_new_template: bool,
    /// Tags of the provider, in addition to those of the user.
    pub(super) marks: BTreeMap<String, String>,
}

pub(super) fn create(spec: &Desired, place: &Place) -> CreateNodegroupInputBuilder {
    let tags = spec.tags.iter().chain(&place.marks).map(|(key, value)| (key.clone(), value.clone()));
    let scaling = NodegroupScalingConfig::builder()
        .min_size(spec.min_size)
        .max_size(spec.max_size)
        .desired_size(spec.initial_size())
        .build();
    let remote_access = spec.remote_access.as_ref().map(|access| {
        RemoteAccessConfig::builder()
            .set_ec2_ssh_key(access.ec2_ssh_key.clone())
            .set_source_security_groups(not_empty(access.source_security_groups.clone()))
            .build()
    });
    let labels = spec.labels.iter().map(|(key, value)| (key.clone(), value.clone()));
    CreateNodegroupInputBuilder::default()
        .cluster_name(&spec.cluster_name)
        .nodegroup_name(&place.name)
        .client_request_token(&place.token)
        .capacity_type(spec.capacity_type.as_str().into())
        .set_instance_types(Some(spec.instance_types.clone()))
        .scaling_config(scaling)
        .set_subnets(Some(place.subnets.clone()))
        .node_role(&place.role_arn)
        .set_labels((!spec.labels.is_empty()).then(|| labels.collect()))
        .set_taints(not_empty(spec.taints.iter().map(taint).collect()))
        .set_remote_access(remote_access)
        .set_ami_type(spec.ami_type.as_deref().map(Into::into))
        .set_disk_size(spec.disk_size)
        .set_version(spec.version.clone())
        .set_release_version(spec.release_version.clone())
        .set_launch_template(spec.launch_template.as_ref().map(launch_template))
        .set_update_config(spec.update_config.as_ref().map(update_config))
        .set_node_repair_config(spec.node_repair.then(|| NodeRepairConfig::builder().enabled(true).build()))
        .set_tags(Some(tags.collect()))
}

/// The request that changes labels, taints, sizes, update settings and node repair; `None` if none of them changes.
/// `current_size` is the current desired size of the group, which only changes if it is out of bounds.
pub(super) fn update_config_request(
    before: &Desired,
    after: &Desired,
    current_size: Option<i32>,
) -> Option<UpdateNodegroupConfigInputBuilder> {
    let labels = (before.labels != after.labels).then(|| labels_payload(&before.labels, &after.labels));
    let taints = (before.taints != after.taints).then(|| taints_payload(&before.taints, &after.taints));
    let size = current_size.unwrap_or_else(|| after.initial_size());
    let corrected = size.clamp(after.min_size, after.max_size.max(after.min_size));
    let bounds_change = (before.min_size, before.max_size) != (after.min_size, after.max_size);
    let scaling = (bounds_change || size != corrected).then(|| {
        NodegroupScalingConfig::builder()
            .min_size(after.min_size)
            .max_size(after.max_size)
            // Omitted if it does not change: the autoscaler may have set another size in the meantime.
            .set_desired_size((size != corrected).then_some(corrected))
            .build()
    });
    // EKS keeps settings that a request omits: if the attribute is removed, the default has to be sent.
    let usual = UpdateConfig {
        max_unavailable: Some(1),
        max_unavailable_percentage: None,
        update_strategy: before.update_config.as_ref().and(Some("DEFAULT".to_owned())),
    };
    let update = (before.update_config != after.update_config)
        .then(|| update_config(after.update_config.as_ref().unwrap_or(&usual)));
    let repair = (before.node_repair != after.node_repair)
        .then(|| NodeRepairConfig::builder().enabled(after.node_repair).build());
    let changes =
        [labels.is_some(), taints.is_some(), scaling.is_some(), update.is_some(), repair.is_some()].contains(&true);
    changes.then(|| {
        UpdateNodegroupConfigInputBuilder::default()
            .set_labels(labels)
            .set_taints(taints)
            .set_scaling_config(scaling)
            .set_update_config(update)
            .set_node_repair_config(repair)
    })
}

/// The request that replaces the nodes with those of another version; `None` if no version changes.
///
/// It contains version and release even if they do not change: EKS uses the newest AMI for a request without a release,
/// and the documentation of AWS contradicts itself about a request without a version. Values that EKS chooses are
/// unknown after a change, and are not sent. With a custom AMI EKS accepts neither.
pub(super) fn update_version_request(
    before: &Desired,
    after: &Desired,
    force: bool,
) -> Option<UpdateNodegroupVersionInputBuilder> {
    let own_ami = before.ami_type.as_deref() == Some("CUSTOM");
    let changed = |before: &Option<String>, after: &Option<String>| after.is_some() && before != after;
    let template = (before.launch_template != after.launch_template)
        .then(|| after.launch_template.as_ref().map(launch_template))
        .flatten();
    let changes = changed(&before.version, &after.version)
        || changed(&before.release_version, &after.release_version)
        || template.is_some();
    changes.then(|| {
        UpdateNodegroupVersionInputBuilder::default()
            .set_version(after.version.clone().filter(|_| !own_ami))
            .set_release_version(after.release_version.clone().filter(|_| !own_ami))
            .set_launch_template(template)
            .force(force)
    })
}

fn labels_payload(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> UpdateLabelsPayload {
    let set = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
    let set: std::collections::HashMap<_, _> = set.map(|(key, value)| (key.clone(), value.clone())).collect();
    let removed: Vec<String> = before.keys().filter(|key| !after.contains_key(*key)).cloned().collect();
    UpdateLabelsPayload::builder()
        .set_add_or_update_labels((!set.is_empty()).then_some(set))
        .set_remove_labels(not_empty(removed))
        .build()
}

/// Key and effect identify a taint. A taint with another value is set, and not removed as well: EKS rejects a taint
/// that is in both lists.
fn taints_payload(before: &[Taint], after: &[Taint]) -> UpdateTaintsPayload {
    let same = |one: &Taint, other: &Taint| one.key == other.key && one.effect == other.effect;
    let set: Vec<_> = after.iter().filter(|taint| !before.contains(taint)).map(taint).collect();
    let removed = before.iter().filter(|old| !after.iter().any(|new| same(old, new)));
    UpdateTaintsPayload::builder()
        .set_add_or_update_taints(not_empty(set))
        .set_remove_taints(not_empty(removed.map(taint).collect()))
        .build()
}

fn taint(taint: &Taint) -> aws_sdk_eks::types::Taint {
    aws_sdk_eks::types::Taint::builder()
        .key(&taint.key)
        .set_value((!taint.value.is_empty()).then(|| taint.value.clone()))
        .effect(TaintEffect::from(taint.effect.eks()))
        .build()
}

/// EKS accepts either the ID or the name. The state has both.
fn launch_template(template: &LaunchTemplate) -> LaunchTemplateSpecification {
    LaunchTemplateSpecification::builder()
        .set_id(template.id.clone())
        .set_name(if template.id.is_some() { None } else { template.name.clone() })
        .set_version(template.version.clone())
        .build()
}

fn update_config(update: &UpdateConfig) -> NodegroupUpdateConfig {
    NodegroupUpdateConfig::builder()
        .set_max_unavailable(update.max_unavailable)
        .set_max_unavailable_percentage(update.max_unavailable_percentage)
        .set_update_strategy(update.update_strategy.as_deref().map(Into::into))
        .build()
}

fn not_empty<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

#[cfg(test)]
mod tests {
    use super::super::autoscaler_tags::Effect;
    use super::*;

    fn spec() -> Desired {
        Desired {
            cluster_name: "prod".to_owned(),
            capacity_type: "SPOT".to_owned(),
            instance_types: vec!["c5a.2xlarge".to_owned(), "c5.2xlarge".to_owned()],
            max_size: 5,
            labels: labels(&[("intent", "build")]),
            taints: vec![build("true")],
            tags: labels(&[("team", "ci")]),
            ..Desired::default()
        }
    }

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn build(value: &str) -> Taint {
        Taint { key: "build".to_owned(), value: value.to_owned(), effect: Effect::NoSchedule }
    }

    #[test]
    fn create_request_has_configured_values_only() {
        let place = Place {
            name: "build".to_owned(),
            subnets: vec!["subnet-1".to_owned()],
            role_arn: "arn".to_owned(),
            token: "token".to_owned(),
            has_new_template: false,
            marks: labels(&[("gitlabspot/owner", "token")]),
        };
        let request = create(&spec(), &place);
        let scaling = NodegroupScalingConfig::builder().min_size(0).max_size(5).desired_size(0).build();
        assert_eq!(request.get_scaling_config(), &Some(scaling));
        assert_eq!(
            request.get_tags().as_ref().map(|tags| tags.len()),
            Some(2),
            "the user's tag and our mark: {request:?}"
        );
        assert_eq!(request.get_taints().as_deref(), Some([taint(&build("true"))].as_slice()));
        let absent = (request.get_ami_type(), request.get_disk_size(), request.get_remote_access());
        assert_eq!(absent, (&None, &None, &None));
    }

    #[test]
    fn unchanged_values_make_no_request() {
        assert!(update_config_request(&spec(), &spec(), Some(3)).is_none());
        assert!(update_version_request(&spec(), &spec(), false).is_none());
    }

    #[test]
    fn only_differences_of_labels_and_taints_are_sent() {
        let other = Taint { key: "other".to_owned(), value: String::new(), effect: Effect::NoExecute };
        let before = Desired {
            labels: labels(&[("a", "1"), ("b", "1"), ("c", "1")]),
            taints: vec![build("true"), other.clone()],
            ..spec()
        };
        let after =
            Desired { labels: labels(&[("a", "1"), ("b", "2"), ("d", "1")]), taints: vec![build("yes")], ..spec() };
        let request = update_config_request(&before, &after, Some(0)).unwrap();
        let expected = UpdateLabelsPayload::builder()
            .add_or_update_labels("b", "2")
            .add_or_update_labels("d", "1")
            .remove_labels("c")
            .build();
        assert_eq!(request.get_labels(), &Some(expected));
        let expected = UpdateTaintsPayload::builder()
            .add_or_update_taints(taint(&build("yes")))
            .remove_taints(taint(&other))
            .build();
        assert_eq!(request.get_taints(), &Some(expected));
        assert_eq!(request.get_scaling_config(), &None);
    }

    #[test]
    fn the_size_is_sent_only_when_it_is_out_of_bounds() {
        let bounds = |min_size, max_size| Desired { min_size, max_size, ..spec() };
        let scaling = |after: &Desired, size| {
            let request = update_config_request(&spec(), after, Some(size))?;
            let scaling = request.get_scaling_config().clone()?;
            Some((scaling.min_size, scaling.max_size, scaling.desired_size))
        };
        assert_eq!(scaling(&bounds(0, 9), 3), Some((Some(0), Some(9), None)));
        assert_eq!(scaling(&bounds(4, 9), 3), Some((Some(4), Some(9), Some(4))));
        assert_eq!(scaling(&bounds(0, 2), 3), Some((Some(0), Some(2), Some(2))));
        assert_eq!(scaling(&bounds(0, 5), 3), None);
    }

    #[test]
    fn a_launch_template_is_named_once() {
        let template = |version: &str| LaunchTemplate {
            id: Some("lt-1".to_owned()),
            name: Some("ci".to_owned()),
            version: Some(version.to_owned()),
        };
        let before = Desired { launch_template: Some(template("1")), ..spec() };
        let after = Desired { launch_template: Some(template("2")), ..spec() };
        let request = update_version_request(&before, &after, true).unwrap();
        let expected = LaunchTemplateSpecification::builder().id("lt-1").version("2").build();
        assert_eq!(request.get_launch_template(), &Some(expected));
        assert_eq!(request.get_force(), &Some(true));
    }

    #[test]
    fn pins_are_sent_with_every_update_of_the_version() {
        let template = |version: &str| LaunchTemplate {
            id: Some("lt-1".to_owned()),
            version: Some(version.to_owned()),
            ..LaunchTemplate::default()
        };
        let pinned = |template_version: &str| Desired {
            version: Some("1.34".to_owned()),
            release_version: Some("1.34.0-20250101".to_owned()),
            launch_template: Some(template(template_version)),
            ..spec()
        };
        let request = update_version_request(&pinned("1"), &pinned("2"), false).unwrap();
        assert_eq!(request.get_version().as_deref(), Some("1.34"));
        assert_eq!(request.get_release_version().as_deref(), Some("1.34.0-20250101"));
        // Without a release in the plan EKS chooses it.
        let after = Desired { release_version: None, ..pinned("2") };
        let request = update_version_request(&pinned("1"), &after, false).unwrap();
        assert_eq!((request.get_version().as_deref(), request.get_release_version()), (Some("1.34"), &None));
        let own_ami =
            |template_version: &str| Desired { ami_type: Some("CUSTOM".to_owned()), ..pinned(template_version) };
        let request = update_version_request(&own_ami("1"), &own_ami("2"), false).unwrap();
        assert_eq!((request.get_version(), request.get_release_version()), (&None, &None));
    }
}
