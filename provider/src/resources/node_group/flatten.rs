//! Converts the observed node group to the state.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_eks::types::Nodegroup;
use tfplugin::framework::value::known_map;
use tfplugin::framework::{Number, Object, Raw, Set, Value};

use super::autoscaler_tags::{self, Effect, ScaleDownOptions};
use super::model::{Observed, desired_asg_tags};
use super::plan::build_nodes;
use super::schema::{
    Autoscaler, AutoscalerOptions, LaunchTemplate, NodeGroup, RemoteAccess, Taint, UpdateConfig, map_value,
};
use super::template;
use crate::provider_tags::ProviderTags;
use crate::tags;

/// Process of an Auto Scaling Group that balances its instances across availability zones.
pub(super) const AZ_REBALANCE: &str = "AZRebalance";

/// Settings for the conversion to a state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    pub(super) tags: &'a ProviderTags,
    /// Whether to set attributes that otherwise only the user sets.
    pub(super) importing: bool,
    /// Whether this resource suspended AZRebalance.
    pub(super) suspended_by_us: bool,
}

/// The observed state; `state` is the recorded one.
pub(super) fn flatten(state: &NodeGroup, observed: &Observed, reading: Reading<'_>) -> NodeGroup {
    let group = &observed.group;
    let mut new = state.clone();
    let text = |value: &Option<String>| Value::from(value.clone());
    if let (Some(cluster), Some(name)) = (&group.cluster_name, &group.nodegroup_name) {
        new.id = format!("{cluster}:{name}").into();
        new.cluster_name = cluster.as_str().into();
        new.name = name.as_str().into();
    }
    new.arn = text(&group.nodegroup_arn);
    new.status = group.status.as_ref().map(|status| status.as_str().to_owned()).into();
    new.capacity_type = group.capacity_type.as_ref().map_or("ON_DEMAND", |kind| kind.as_str()).into();
    // EKS returns none if the launch template specifies the instance type.
    if let Some(types) = group.instance_types.as_ref().filter(|types| !types.is_empty()) {
        new.instance_types = Value::Known(types.iter().map(|name| name.as_str().into()).collect());
    }
    if let Some(scaling) = &group.scaling_config {
        let number = |value: Option<i32>| Value::from(value.map(i64::from));
        new.min_size = number(scaling.min_size);
        new.max_size = number(scaling.max_size);
        new.desired_size = number(scaling.desired_size);
    }
    new.subnet_ids = Value::Known(group.subnets().iter().cloned().collect());
    let labels = group.labels.iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
    new.labels = like_before(map_value(labels), &state.labels, BTreeMap::is_empty);
    new.taints = like_before(taints(group, &state.taints), &state.taints, Set::is_empty);
    new.node_role_arn = text(&group.node_role);
    new.remote_access = group.remote_access.as_ref().map(|access| remote_access(access, &state.remote_access)).into();
    new.ami_type = group.ami_type.as_ref().map(|kind| kind.as_str().to_owned()).into();
    new.disk_size = group.disk_size.map(i64::from).into();
    new.version = text(&group.version);
    new.release_version = text(&group.release_version);
    let is_ours = template::is_managed(state)
        && group.launch_template.as_ref().is_some_and(|template| template.id.as_deref() == state.template_id.as_str());
    if is_ours {
        new.template_version = group.launch_template.as_ref().and_then(|template| template.version.clone()).into();
    } else {
        new.launch_template = launch_template(group, &state.launch_template);
        (new.template_id, new.template_version) = (Value::Null, Value::Null);
    }
    new.update_config = update_config(group, &state.update_config);
    new.node_repair = group.node_repair_config.as_ref().and_then(|repair| repair.enabled).unwrap_or(false).into();
    let found = group.tags.iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
    tags::flatten(&found, (&mut new.tags, &mut new.tags_all), reading.importing.then_some(reading.tags));
    if let Some(asgs) = &observed.asgs {
        let names = asgs.iter().filter_map(|asg| asg.auto_scaling_group_name.as_deref());
        new.autoscaling_group_names = Value::Known(names.map(Value::from).collect());
        read_asgs(&mut new, state, asgs, reading);
    }
    new.build_nodes = Value::Known(build_nodes(&new));
    new
}

/// The plan, with observed values in place of unknown ones. Terraform Core rejects a new state in which a known planned
/// value has changed.
pub(super) fn settle(planned: &NodeGroup, found: NodeGroup) -> NodeGroup {
    let settled = fill(planned.clone().into_raw(), &found.clone().into_raw());
    NodeGroup::from_raw(settled).ok().flatten().unwrap_or(found)
}

fn fill(planned: Raw, found: &Raw) -> Raw {
    match planned {
        Raw::Unknown(_) => found.clone(),
        Raw::Map(attributes) => Raw::Map(
            attributes.into_iter().map(|(name, value)| (name.clone(), fill(value, &found.get(&name)))).collect(),
        ),
        known => known,
    }
}

/// An empty collection becomes null, unless the recorded one is not null: EKS does not distinguish them.
fn like_before<T>(found: Value<T>, before: &Value<T>, is_empty: impl Fn(&T) -> bool) -> Value<T> {
    match found {
        Value::Known(found) if is_empty(&found) && before.is_null() => Value::Null,
        found => found,
    }
}

/// EKS returns a taint without a value either with an empty value or with none: the recorded form is kept.
fn taints(group: &Nodegroup, before: &Value<Set<Taint>>) -> Value<Set<Taint>> {
    let before: Vec<&Taint> = before.known().into_iter().flat_map(Set::iter).filter_map(Value::known).collect();
    let found = group.taints().iter().map(|taint| {
        let key = taint.key.clone().unwrap_or_default();
        let value = taint.value.clone().unwrap_or_default();
        let effect = taint.effect.as_ref().map(|effect| effect.as_str()).unwrap_or_default();
        let effect = Effect::parse(effect).map_or(effect, |known| known.kubernetes());
        let same = |known: &&&Taint| {
            known.key.as_str() == Some(&key)
                && known.effect.as_str() == Some(effect)
                && known.value.as_str().unwrap_or_default() == value
        };
        match before.iter().find(same) {
            Some(known) => (*known).clone(),
            None => {
                let value = if value.is_empty() { Value::Null } else { value.into() };
                Taint { key: key.into(), value, effect: effect.into() }
            }
        }
    });
    Value::Known(found.collect())
}

fn remote_access(access: &aws_sdk_eks::types::RemoteAccessConfig, before: &Value<RemoteAccess>) -> RemoteAccess {
    let before = before.known().map(|access| access.source_security_group_ids.clone()).unwrap_or_default();
    let groups = Value::Known(access.source_security_groups().iter().cloned().collect());
    RemoteAccess {
        ec2_ssh_key: access.ec2_ssh_key.clone().into(),
        source_security_group_ids: like_before(groups, &before, Set::is_empty),
    }
}

fn launch_template(group: &Nodegroup, before: &Value<LaunchTemplate>) -> Value<LaunchTemplate> {
    let Some(template) = &group.launch_template else { return Value::Null };
    let asked = before.known().and_then(|template| template.version.as_str()).unwrap_or_default();
    // EKS resolves `$Latest` and `$Default` once, to a number. The state keeps the word, as the configuration has it.
    let version = if asked.starts_with('$') { Value::from(asked) } else { template.version.clone().into() };
    Value::Known(LaunchTemplate { id: template.id.clone().into(), name: template.name.clone().into(), version })
}

/// The default of EKS becomes null if nothing is recorded: otherwise a configuration without the attribute would show a
/// change.
fn update_config(group: &Nodegroup, before: &Value<UpdateConfig>) -> Value<UpdateConfig> {
    let Some(update) = &group.update_config else { return Value::Null };
    let found = UpdateConfig {
        max_unavailable: update.max_unavailable.map(i64::from).into(),
        max_unavailable_percentage: update.max_unavailable_percentage.map(i64::from).into(),
        update_strategy: update.update_strategy.as_ref().map_or("DEFAULT", |strategy| strategy.as_str()).into(),
    };
    let usual = UpdateConfig {
        max_unavailable: 1.into(),
        max_unavailable_percentage: Value::Null,
        update_strategy: "DEFAULT".into(),
    };
    if before.is_null() && found == usual { Value::Null } else { Value::Known(found) }
}

fn read_asgs(new: &mut NodeGroup, state: &NodeGroup, asgs: &[AutoScalingGroup], reading: Reading<'_>) {
    let found = common_tags(asgs);
    let suspended = !asgs.is_empty() && asgs.iter().all(is_az_rebalance_suspended);
    new.suspend_az_rebalance = match &state.suspend_az_rebalance {
        // A suspension by others, for example by AWS during a zonal shift, is not a difference from `false`.
        Value::Known(false) if !reading.suspended_by_us => false.into(),
        _ => suspended.into(),
    };
    if reading.importing {
        let (resources, options) = autoscaler_tags::from_tags(&found);
        new.autoscaler = imported_autoscaler(resources, options);
        // An import cannot determine which of the other tags are managed, and tags of others must be preserved: none is
        // managed before the configuration contains it.
        new.asg_tags = Value::Null;
    }
    let mut ours: BTreeSet<String> = known_map(&state.asg_tags_all).unwrap_or_default().into_keys().collect();
    ours.extend(desired_asg_tags(if reading.importing { new } else { state }).unwrap_or_default().into_keys());
    new.asg_tags_all = map_value(found.into_iter().filter(|(key, _)| ours.contains(key)).collect());
}

/// The tags that all groups have, with the same value.
pub(super) fn common_tags(asgs: &[AutoScalingGroup]) -> BTreeMap<String, String> {
    let tags = |asg: &AutoScalingGroup| -> BTreeMap<String, String> {
        asg.tags().iter().filter_map(|tag| Some((tag.key.clone()?, tag.value.clone().unwrap_or_default()))).collect()
    };
    let mut groups = asgs.iter().map(tags);
    let mut common = groups.next().unwrap_or_default();
    for other in groups {
        common.retain(|key, value| other.get(key) == Some(value));
    }
    common
}

pub(super) fn is_az_rebalance_suspended(asg: &AutoScalingGroup) -> bool {
    asg.suspended_processes().iter().any(|process| process.process_name.as_deref() == Some(AZ_REBALANCE))
}

fn imported_autoscaler(resources: BTreeMap<String, String>, options: ScaleDownOptions) -> Value<Autoscaler> {
    let nothing = ScaleDownOptions::default();
    if resources.is_empty() && options == nothing {
        return Value::Null;
    }
    let given = options != nothing;
    let options = AutoscalerOptions {
        scale_down_utilization_threshold: options.utilization_threshold.map(Number::from).into(),
        scale_down_gpu_utilization_threshold: options.gpu_utilization_threshold.map(Number::from).into(),
        scale_down_unneeded_time: options.unneeded_time.into(),
        scale_down_unready_time: options.unready_time.into(),
        ignore_daemonsets_utilization: options.ignore_daemonsets_utilization.into(),
    };
    Value::Known(Autoscaler {
        tags: true.into(),
        resources: if resources.is_empty() { Value::Null } else { map_value(resources) },
        options: if given { Value::Known(options) } else { Value::Null },
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_autoscaling::types::{SuspendedProcess, TagDescription};
    use aws_sdk_eks::types::{NodegroupScalingConfig, NodegroupStatus, TaintEffect};

    use super::*;

    fn map(pairs: &[(&str, &str)]) -> Value<tfplugin::framework::value::Map<String>> {
        Value::Known(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect())
    }

    fn asg(tags: &[(&str, &str)]) -> AutoScalingGroup {
        let tag = |(key, value): &(&str, &str)| {
            TagDescription::builder().key(*key).value(*value).propagate_at_launch(true).build()
        };
        AutoScalingGroup::builder()
            .auto_scaling_group_name("eks-build-1")
            .set_tags(Some(tags.iter().map(tag).collect()))
            .build()
    }

    fn group() -> aws_sdk_eks::types::builders::NodegroupBuilder {
        Nodegroup::builder()
            .cluster_name("prod")
            .nodegroup_name("build")
            .nodegroup_arn("arn")
            .status(NodegroupStatus::Active)
            .capacity_type(aws_sdk_eks::types::CapacityTypes::Spot)
            .instance_types("c5a.2xlarge")
            .scaling_config(NodegroupScalingConfig::builder().min_size(0).max_size(5).desired_size(2).build())
            .subnets("subnet-1")
            .labels("intent", "build")
            .taints(aws_sdk_eks::types::Taint::builder().key("build").effect(TaintEffect::NoSchedule).build())
            .node_role("role")
            .tags("team", "ci")
            .tags("cost", "1")
            .tags("gitlabspot/owner", "x")
            .tags("aws:cloudformation:stack-name", "eksctl-prod")
    }

    fn reading(tags: &ProviderTags, importing: bool) -> Reading<'_> {
        Reading { tags, importing, suspended_by_us: false }
    }

    const INTENT: &str = "k8s.io/cluster-autoscaler/node-template/label/intent";
    const UNNEEDED: &str = "k8s.io/cluster-autoscaler/node-template/autoscaling-options/scaledownunneededtime";

    #[test]
    fn import_sets_every_readable_attribute() {
        let tags =
            ProviderTags { default: Some([("team".to_owned(), "ci".to_owned())].into()), ..ProviderTags::default() };
        let asg = asg(&[(INTENT, "build"), (UNNEEDED, "5m"), ("eks:cluster-name", "prod"), ("theirs", "x")]);
        let found = Observed { group: group().build(), asgs: Some(vec![asg]) };
        let start = NodeGroup { cluster_name: "prod".into(), name: "build".into(), ..NodeGroup::default() };
        let state = flatten(&start, &found, reading(&tags, true));
        let options = AutoscalerOptions { scale_down_unneeded_time: "5m".into(), ..AutoscalerOptions::default() };
        let mut expected = NodeGroup {
            id: "prod:build".into(),
            arn: "arn".into(),
            status: "ACTIVE".into(),
            capacity_type: "SPOT".into(),
            instance_types: Value::Known(vec!["c5a.2xlarge".into()]),
            min_size: 0.into(),
            max_size: 5.into(),
            desired_size: 2.into(),
            subnet_ids: Value::Known(["subnet-1".to_owned()].into_iter().collect()),
            labels: map(&[("intent", "build")]),
            taints: Value::Known(
                [Taint { key: "build".into(), value: Value::Null, effect: "NoSchedule".into() }].into_iter().collect(),
            ),
            node_role_arn: "role".into(),
            node_repair: false.into(),
            autoscaler: Value::Known(Autoscaler {
                tags: true.into(),
                resources: Value::Null,
                options: Value::Known(options),
            }),
            suspend_az_rebalance: false.into(),
            tags: map(&[("cost", "1")]),
            tags_all: map(&[("cost", "1"), ("team", "ci")]),
            autoscaling_group_names: Value::Known(vec!["eks-build-1".into()]),
            asg_tags_all: map(&[(INTENT, "build"), (UNNEEDED, "5m")]),
            ..start
        };
        expected.build_nodes = Value::Known(build_nodes(&expected));
        assert_eq!(state, expected);
    }

    #[test]
    fn unreadable_auto_scaling_group_keeps_the_state() {
        let before = NodeGroup {
            suspend_az_rebalance: true.into(),
            autoscaling_group_names: Value::Known(vec!["eks-build-1".into()]),
            asg_tags_all: map(&[(INTENT, "build")]),
            ..NodeGroup::default()
        };
        let found = Observed { group: group().build(), asgs: None };
        let state = flatten(&before, &found, reading(&ProviderTags::default(), false));
        assert_eq!(state.suspend_az_rebalance, before.suspend_az_rebalance);
        assert_eq!(state.autoscaling_group_names, before.autoscaling_group_names);
        assert_eq!((state.asg_tags_all, state.desired_size), (before.asg_tags_all, 2.into()));
    }

    #[test]
    fn refresh_reads_managed_tags_only() {
        let tags = ProviderTags::default();
        let before = NodeGroup {
            labels: map(&[("intent", "build")]),
            tags: map(&[("team", "ops"), ("gone", "x")]),
            tags_all: map(&[("team", "ops"), ("gone", "x")]),
            asg_tags_all: map(&[(INTENT, "build"), ("mine", "1")]),
            ..NodeGroup::default()
        };
        let found = Observed { group: group().build(), asgs: Some(vec![asg(&[(INTENT, "other"), ("theirs", "x")])]) };
        let state = flatten(&before, &found, reading(&tags, false));
        assert_eq!(state.tags, map(&[("team", "ci")]));
        assert_eq!(state.tags_all, map(&[("team", "ci")]));
        assert_eq!(state.asg_tags_all, map(&[(INTENT, "other")]));
    }

    #[test]
    fn null_and_empty_are_kept_as_configured() {
        let tags = ProviderTags::default();
        let empty = Nodegroup::builder().build();
        let found = Observed { group: empty, asgs: Some(vec![]) };
        let written = NodeGroup { labels: map(&[]), taints: Value::Known(Set::default()), ..NodeGroup::default() };
        let state = flatten(&written, &found, reading(&tags, false));
        assert_eq!((state.labels, state.taints), (written.labels, written.taints));
        let state = flatten(&NodeGroup::default(), &found, reading(&tags, false));
        assert_eq!((state.labels, state.taints), (Value::Null, Value::Null));
    }

    #[test]
    fn empty_taint_value_is_kept_as_configured() {
        let written = Value::Known(
            [Taint { key: "build".into(), value: "".into(), effect: "NoSchedule".into() }].into_iter().collect(),
        );
        assert_eq!(taints(&group().build(), &written), written);
    }

    #[test]
    fn foreign_suspension_is_not_managed() {
        let suspended = SuspendedProcess::builder().process_name(AZ_REBALANCE).build();
        let asgs = [AutoScalingGroup::builder().suspended_processes(suspended).build()];
        let tags = ProviderTags::default();
        let read = |before: Value<bool>, suspended_by_us| {
            let state = NodeGroup { suspend_az_rebalance: before, ..NodeGroup::default() };
            let mut new = state.clone();
            read_asgs(&mut new, &state, &asgs, Reading { suspended_by_us, ..reading(&tags, false) });
            new.suspend_az_rebalance
        };
        assert_eq!(read(false.into(), false), false.into());
        assert_eq!(read(false.into(), true), true.into());
        assert_eq!(read(true.into(), false), true.into());
        assert_eq!(read(Value::Null, false), true.into());
    }

    #[test]
    fn unknown_values_are_set_at_apply() {
        let planned = NodeGroup {
            desired_size: 0.into(),
            arn: Value::Unknown,
            update_config: Value::Known(UpdateConfig {
                max_unavailable: 1.into(),
                update_strategy: Value::Unknown,
                ..UpdateConfig::default()
            }),
            ..NodeGroup::default()
        };
        let update =
            UpdateConfig { max_unavailable: 1.into(), update_strategy: "DEFAULT".into(), ..UpdateConfig::default() };
        let found = NodeGroup {
            desired_size: 3.into(),
            arn: "arn".into(),
            update_config: Value::Known(update.clone()),
            ..NodeGroup::default()
        };
        let settled = settle(&planned, found);
        assert_eq!((settled.desired_size, settled.arn), (0.into(), "arn".into()));
        assert_eq!(settled.update_config, Value::Known(update));
    }
}
