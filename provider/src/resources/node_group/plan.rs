//! Completes a plan beyond the schema: attributes that are derived, so that the plan shows them; values that others
//! manage, so that they show no change; and attributes that cannot be changed in place.

use tfplugin::framework::value::known_list;
use tfplugin::framework::{AttributePath, Diagnostic, Plan, Value};

use super::model::{desired_asg_tags, taints};
use super::private::Private;
use super::schema::{BuildNodes, NodeGroup, Toleration, map_value};
use super::{ami_type, az_rebalance, launch_template, release, template, validate};
use crate::names::needs_another_name;
use crate::provider_tags::ProviderTags;

/// Status of a group that no longer exists while its role or its launch template remains, so that the next apply or
/// destroy deletes these.
pub(super) const DELETED: &str = "DELETED";

/// Completes a plan.
pub(super) fn complete(plan: &mut Plan<NodeGroup, Private>, tags: &ProviderTags) {
    derive(&mut plan.planned, &plan.config, tags);
    for problem in validate::tags_of_all(&plan.planned) {
        plan.diagnostics.push(problem);
    }
    desired_size(plan);
    suspend_az_rebalance(plan);
    template::plan(plan);
    if plan.is_create() {
        warn(plan);
    }
    if let Some(warning) = template::without_one(plan) {
        plan.warn(warning);
    }
    let Some(prior) = plan.prior.clone() else { return };
    versions(plan, &prior);
    prefixes(plan, &prior);
    // EKS cannot add a launch template to an existing group, or remove it.
    if prior.launch_template.is_null() != plan.planned.launch_template.is_null() {
        plan.require_replace("launch_template");
        if let Value::Known(template) = &prior.launch_template
            && plan.planned.template.is_null()
        {
            plan.warn(launch_template::dropped(template));
        }
    }
    if prior.node_role.is_null() && !plan.planned.node_role.is_null() {
        // EKS cannot change the role of an existing group.
        plan.require_replace("node_role");
    }
    if prior.status.as_str() == Some(DELETED) {
        plan.planned.status = Value::Unknown;
        // A replacement also deletes the remaining role and launch template.
        plan.require_replace("status");
        return;
    }
    // Differences that were resolved above must not leave the status as "known after apply".
    plan.planned.status = prior.status.clone();
    if plan.planned != prior {
        plan.planned.status = Value::Unknown;
    }
}

/// Derives attributes from known values: for the plan and, when the last values are known, for the state. A value that
/// is configured but unknown is not derived.
pub(super) fn derive(model: &mut NodeGroup, config: &NodeGroup, tags: &ProviderTags) {
    model.id = match (&model.cluster_name, &model.name) {
        (Value::Known(cluster), Value::Known(name)) => format!("{cluster}:{name}").into(),
        _ => Value::Unknown,
    };
    if model.ami_type.is_unknown()
        && !config.ami_type.is_unknown()
        && model.launch_template.is_null()
        && let Some(types) = known_list(&model.instance_types)
        && let Some(kind) = ami_type::for_instance_types(&types)
    {
        model.ami_type = kind.into();
    }
    if model.version.is_unknown()
        && !config.version.is_unknown()
        && let Some(version) = release::version_of(&model.release_version, &model.ami_type)
    {
        model.version = version;
    }
    model.tags_all = tags.all(&model.tags);
    model.asg_tags_all = desired_asg_tags(model).map_or(Value::Unknown, map_value);
    model.build_nodes = Value::Known(build_nodes(model));
}

/// Node selector and tolerations of pods for these nodes.
pub(super) fn build_nodes(model: &NodeGroup) -> BuildNodes {
    let node_selector = match &model.labels {
        Value::Null => Value::Known(std::collections::BTreeMap::new()),
        given => given.clone(),
    };
    let tolerations = match taints(&model.taints) {
        None => Value::Unknown,
        Some(taints) => {
            let tolerate = |taint: super::autoscaler_tags::Taint| {
                let without_value = taint.value.is_empty();
                Value::Known(Toleration {
                    key: taint.key.into(),
                    operator: if without_value { "Exists" } else { "Equal" }.into(),
                    value: if without_value { Value::Null } else { taint.value.into() },
                    effect: taint.effect.kubernetes().into(),
                })
            };
            Value::Known(taints.into_iter().map(tolerate).collect())
        }
    };
    BuildNodes { node_selector, tolerations, capacity_type: model.capacity_type.clone() }
}

/// The autoscaler manages the number of nodes: the current number is kept as long as it is within the bounds.
fn desired_size(plan: &mut Plan<NodeGroup, Private>) {
    let (min, max) = (plan.planned.min_size.known().copied(), plan.planned.max_size.known().copied());
    let clamp = |size: i64| match (min, max) {
        (Some(min), Some(max)) if min <= max => Value::Known(size.clamp(min, max)),
        _ => Value::Unknown,
    };
    let given = plan.config.desired_size.clone();
    let before = plan.prior.as_ref().map(|prior| prior.desired_size.clone()).unwrap_or_default();
    plan.planned.desired_size = match (given, before) {
        (Value::Null, Value::Known(before)) => clamp(before),
        (Value::Null, _) => clamp(0),
        // Terraform Core only accepts the configured or the prior value: a size out of bounds is corrected in EKS, and
        // the next refresh shows it here.
        (Value::Known(given), Value::Known(before)) if clamp(before) == Value::Known(given) => given.into(),
        (_, Value::Known(before)) => before.into(),
        (given, _) => given,
    };
}

fn suspend_az_rebalance(plan: &mut Plan<NodeGroup, Private>) {
    if !plan.config.suspend_az_rebalance.is_null() {
        return;
    }
    plan.planned.suspend_az_rebalance = match &plan.prior {
        // A suspension by this resource is restored: AWS resumes the process after a zonal shift, even if it was
        // suspended before.
        Some(prior) if prior.suspend_az_rebalance == Value::Known(false) && az_rebalance::is_ours(&plan.private) => {
            true.into()
        }
        // Without the attribute the recorded value is kept: AWS suspends the process itself during a zonal shift.
        Some(prior) if prior.suspend_az_rebalance.known().is_some() => prior.suspend_az_rebalance.clone(),
        _ => plan.planned.capacity_type.as_ref().map(|capacity_type| capacity_type == "SPOT"),
    };
}

/// A change of the version or the launch template makes the release unknown, and a release determines the version if it
/// contains one. Neither applies to a version or release that is configured.
fn versions(plan: &mut Plan<NodeGroup, Private>, prior: &NodeGroup) {
    let template = |model: &NodeGroup| model.launch_template.known().map(|template| template.version.clone());
    let version_changes = plan.planned.version != prior.version;
    let release_changes = plan.planned.release_version != prior.release_version;
    let template_changes =
        template(&plan.planned) != template(prior) || plan.planned.template_version != prior.template_version;
    if (version_changes || template_changes) && plan.config.release_version.is_null() {
        plan.planned.release_version = Value::Unknown;
    }
    if release_changes
        && plan.config.version.is_null()
        && let Some(version) = release::version_of(&plan.config.release_version, &prior.ami_type)
    {
        plan.planned.version = version;
    }
}

/// A changed prefix replaces the group, or its role, only if the current name does not start with it. Without a prefix
/// the name stays.
fn prefixes(plan: &mut Plan<NodeGroup, Private>, prior: &NodeGroup) {
    if needs_another_name(&prior.name, &prior.name_prefix, &plan.planned.name_prefix) {
        plan.require_replace("name_prefix");
    }
    if let (Value::Known(before), Value::Known(after)) = (&prior.node_role, &plan.planned.node_role)
        && needs_another_name(&before.name, &before.name_prefix, &after.name_prefix)
    {
        plan.require_replace(AttributePath::of("node_role").attribute("name_prefix"));
    }
}

/// Warns about settings that are valid but rarely intended.
fn warn(plan: &mut Plan<NodeGroup, Private>) {
    let types = known_list(&plan.planned.instance_types).unwrap_or_default();
    if plan.planned.capacity_type.as_str() == Some("SPOT") && (1..3).contains(&types.len()) {
        let text = format!(
            "With {}, EC2 has few pools of Spot instances and interrupts nodes more often. Specify at least three \
             types with the same vCPUs and memory.",
            types.join(" and ")
        );
        plan.warn(Diagnostic::warning("Few instance types for Spot", text).at("instance_types"));
    }
    let zones = plan.config.availability_zones.known().map(tfplugin::framework::Set::len);
    if zones == Some(1) {
        let text = "Nodes can only be launched while this zone has capacity. Specify more zones, unless the jobs need \
                    volumes in this zone.";
        plan.warn(Diagnostic::warning("Only one availability zone", text).at("availability_zones"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::{NodeRole, Taint};
    use super::*;
    use tfplugin::framework::plan::propose;
    use tfplugin::framework::schema::{Object, Schema};
    use tfplugin::framework::value::Map;

    fn map(pairs: &[(&str, &str)]) -> Value<Map<String>> {
        Value::Known(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect())
    }

    fn tags() -> ProviderTags {
        ProviderTags { default: Some([("team".to_owned(), "ci".to_owned())].into()), ..ProviderTags::default() }
    }

    fn config() -> NodeGroup {
        NodeGroup {
            labels: map(&[("intent", "build")]),
            taints: Value::Known(
                [Taint { key: "build".into(), value: "true".into(), effect: "NoSchedule".into() }]
                    .into_iter()
                    .collect(),
            ),
            desired_size: 0.into(),
            ..super::super::validate::tests::minimal()
        }
    }

    /// Plans as Terraform Core and the framework do, with computed values from the prior state.
    fn planned(prior: Option<&NodeGroup>, config: &NodeGroup) -> Plan<NodeGroup, Private> {
        let schema = Schema::of::<NodeGroup>(0, "");
        let mut proposed = config.clone();
        if let Some(prior) = prior {
            let given = config.clone().into_raw();
            let mut raw = given.as_map().cloned().unwrap();
            for attribute in &schema.attributes {
                let name = attribute.name.as_ref();
                if given.get(name).is_null() && attribute.mode.computed().is_some() {
                    raw.insert(name.to_owned(), prior.clone().into_raw().get(name));
                }
            }
            proposed = NodeGroup::from_raw(tfplugin::framework::Raw::Map(raw)).unwrap().unwrap();
            if let (Value::Known(role), Value::Known(before)) = (&mut proposed.node_role, &prior.node_role) {
                role.name = before.name.clone();
            }
        }
        let before = prior.cloned().map_or(tfplugin::framework::Raw::Null, Object::into_raw);
        let (raw, changed) = propose(&schema, &before, &config.clone().into_raw(), &proposed.into_raw());
        let raw = NodeGroup::from_raw(raw).unwrap().unwrap();
        let mut plan = Plan::new(prior.cloned(), config.clone(), raw, Private::default(), changed);
        complete(&mut plan, &tags());
        plan
    }

    /// The state after this configuration was applied.
    pub(in super::super) fn applied(config: &NodeGroup) -> NodeGroup {
        let mut state = planned(None, config).planned;
        state.arn = "arn:aws:eks:af-south-1:123456789012:nodegroup/prod/build/1".into();
        state.status = "ACTIVE".into();
        state.version = "1.34".into();
        state.release_version = "1.34.0-20260101".into();
        let raw = state.into_raw().without_unknown();
        NodeGroup::from_raw(raw).unwrap().unwrap()
    }

    fn paths(plan: &mut Plan<NodeGroup, Private>) -> Vec<String> {
        plan.take_replace().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn create_plan_shows_derived_values() {
        let plan = planned(None, &config());
        let NodeGroup { id, tags_all, asg_tags_all, build_nodes, suspend_az_rebalance, desired_size, .. } =
            plan.planned;
        assert_eq!(id, "prod:build".into());
        assert_eq!(tags_all, map(&[("team", "ci")]));
        assert_eq!((suspend_az_rebalance, desired_size), (true.into(), 0.into()));
        let prefix = "k8s.io/cluster-autoscaler/node-template";
        assert_eq!(
            asg_tags_all,
            map(&[
                (&format!("{prefix}/label/eks.amazonaws.com/capacityType"), "SPOT"),
                (&format!("{prefix}/label/intent"), "build"),
                (&format!("{prefix}/taint/build"), "true:NoSchedule"),
            ])
        );
        let toleration = Toleration {
            key: "build".into(),
            operator: "Equal".into(),
            value: "true".into(),
            effect: "NoSchedule".into(),
        };
        let expected = BuildNodes {
            node_selector: map(&[("intent", "build")]),
            tolerations: Value::Known(vec![Value::Known(toleration)]),
            capacity_type: "SPOT".into(),
        };
        assert_eq!(build_nodes, Value::Known(expected));
    }

    #[test]
    fn spot_with_one_type_in_one_zone_is_warned_about() {
        let plan = planned(None, &config());
        let summaries: Vec<_> = plan.diagnostics.iter().map(|warning| warning.summary.to_string()).collect();
        assert_eq!(summaries, ["Few instance types for Spot", "Only one availability zone"]);
    }

    #[test]
    fn unchanged_input_changes_nothing() {
        let state = applied(&config());
        let plan = planned(Some(&state), &config());
        assert_eq!(plan.planned, state);
        assert!(plan.diagnostics.is_empty());
    }

    #[test]
    fn the_autoscalers_size_is_no_difference() {
        let state = NodeGroup { desired_size: 3.into(), ..applied(&config()) };
        assert_eq!(planned(Some(&state), &config()).planned, state);
        let silent = NodeGroup { desired_size: Value::Null, ..config() };
        assert_eq!(planned(Some(&state), &silent).planned, state);
    }

    #[test]
    fn a_size_out_of_bounds_is_corrected() {
        let state = NodeGroup { desired_size: 3.into(), ..applied(&config()) };
        let silent = NodeGroup { desired_size: Value::Null, max_size: 2.into(), ..config() };
        assert_eq!(planned(Some(&state), &silent).planned.desired_size, 2.into());
        let given = NodeGroup { max_size: 2.into(), ..config() };
        assert_eq!(planned(Some(&state), &given).planned.desired_size, 3.into());
    }

    #[test]
    fn a_missing_asg_tag_is_a_change() {
        let mut state = applied(&config());
        state.asg_tags_all = map(&[]);
        let plan = planned(Some(&state), &config());
        assert_eq!(plan.planned.asg_tags_all, applied(&config()).asg_tags_all);
        assert_eq!(plan.planned.status, Value::Unknown);
    }

    #[test]
    fn az_rebalance_is_unmanaged_unless_configured() {
        let state = NodeGroup { suspend_az_rebalance: false.into(), ..applied(&config()) };
        assert_eq!(planned(Some(&state), &config()).planned, state);
        let given = NodeGroup { suspend_az_rebalance: true.into(), ..config() };
        assert_eq!(planned(Some(&state), &given).planned.suspend_az_rebalance, true.into());
    }

    #[test]
    fn own_suspension_is_restored() {
        let state = NodeGroup { suspend_az_rebalance: false.into(), ..applied(&config()) };
        let mut plan = planned(Some(&state), &config());
        az_rebalance::claim(&mut plan.private);
        suspend_az_rebalance(&mut plan);
        assert_eq!(plan.planned.suspend_az_rebalance, true.into());
    }

    #[test]
    fn a_prefix_that_fits_the_name_is_no_reason_for_another_group() {
        let prefixed = |prefix: Value<String>| NodeGroup { name: Value::Null, name_prefix: prefix, ..config() };
        let named = NodeGroup { name: "gen-5pw3v3qahk".into(), ..config() };
        let state = |prefix: Value<String>| NodeGroup { name_prefix: prefix, ..applied(&named) };
        let imported = state("gen-".into());
        assert_eq!(paths(&mut planned(Some(&imported), &named)), [""; 0]);
        assert_eq!(paths(&mut planned(Some(&state(Value::Null)), &prefixed("gen-".into()))), [""; 0]);
        assert_eq!(paths(&mut planned(Some(&imported), &prefixed("ge".into()))), [""; 0]);
        assert_eq!(paths(&mut planned(Some(&imported), &prefixed("other-".into()))), ["name_prefix"]);
    }

    #[test]
    fn a_prefix_that_fits_the_role_is_no_reason_for_another_one() {
        let role = |prefix: Value<String>| NodeGroup {
            node_role: Value::Known(NodeRole { name_prefix: prefix, ..NodeRole::default() }),
            ..config()
        };
        let mut state = applied(&role("ci-".into()));
        if let Value::Known(role) = &mut state.node_role {
            role.name = "ci-0123456789".into();
        }
        assert_eq!(paths(&mut planned(Some(&state), &role(Value::Null))), [""; 0]);
        assert_eq!(paths(&mut planned(Some(&state), &role("other-".into()))), ["node_role.name_prefix"]);
    }

    #[test]
    fn release_version_determines_the_version() {
        let config = NodeGroup { release_version: "1.35.1-20260301".into(), ..config() };
        assert_eq!(planned(Some(&applied(&self::config())), &config).planned.version, "1.35".into());
        assert_eq!(planned(None, &config).planned.version, "1.35".into());
        let bottlerocket = |release: Value<String>| NodeGroup {
            ami_type: "BOTTLEROCKET_x86_64".into(),
            release_version: release,
            ..config.clone()
        };
        let state = applied(&bottlerocket("1.49.0-abcdef12".into()));
        let plan = planned(Some(&state), &bottlerocket("1.50.0-abcdef34".into()));
        assert_eq!(plan.planned.version, "1.34".into());
    }

    #[test]
    fn graviton_gets_its_ami() {
        let types = Value::Known(vec!["m6g.large".into()]);
        let config = NodeGroup { instance_types: types, ..config() };
        assert_eq!(planned(None, &config).planned.ami_type, "AL2023_ARM_64_STANDARD".into());
        assert_eq!(planned(None, &self::config()).planned.ami_type, Value::Unknown);
    }

    #[test]
    fn configured_unknown_values_are_not_predicted() {
        let types = Value::Known(vec!["m6g.large".into()]);
        let config = NodeGroup {
            instance_types: types,
            ami_type: Value::Unknown,
            version: Value::Unknown,
            release_version: "1.35.1-20260301".into(),
            ..config()
        };
        let plan = planned(None, &config).planned;
        assert_eq!((plan.ami_type, plan.version), (Value::Unknown, Value::Unknown));
    }

    #[test]
    fn a_version_decides_the_release() {
        let config = NodeGroup { version: "1.35".into(), ..config() };
        let mut plan = planned(Some(&applied(&self::config())), &config);
        assert_eq!(plan.planned.release_version, Value::Unknown);
        assert_eq!(paths(&mut plan), [""; 0]);
    }

    #[test]
    fn a_role_of_our_own_needs_a_new_group() {
        let foreign = NodeGroup {
            node_role: Value::Null,
            node_role_arn: "arn:aws:iam::123456789012:role/x".into(),
            ..applied(&config())
        };
        assert_eq!(paths(&mut planned(Some(&foreign), &config())), ["node_role"]);
        let ours = NodeGroup {
            node_role: Value::Known(NodeRole { name: "r".into(), path: "/".into(), ..NodeRole::default() }),
            ..foreign
        };
        assert_eq!(paths(&mut planned(Some(&ours), &config())), [""; 0]);
    }

    #[test]
    fn partially_deleted_objects_are_recreated() {
        let state = NodeGroup { status: DELETED.into(), ..applied(&config()) };
        assert_eq!(paths(&mut planned(Some(&state), &config())), ["status"]);
    }
}
