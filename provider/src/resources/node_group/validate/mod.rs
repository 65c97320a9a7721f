//! Validates a configuration without any request, so that an error is reported before an apply and not minutes into it.

mod labels;
mod names;
mod scaling;
mod tags;

use tfplugin::framework::value::known_list;
use tfplugin::framework::{AttributePath, Diagnostics, Timeouts, Value};

pub(super) use self::names::{SUFFIX, generated_prefix};
pub(super) use self::tags::of_all as tags_of_all;
use super::autoscaler_tags::Effect;
use super::schema::{NodeGroup, known_set};
use super::{pairs, template};

/// Checks a configuration. Unknown values are assumed to be valid.
pub(super) fn check(config: &NodeGroup, diagnostics: &mut Diagnostics) {
    pairs::check(config, diagnostics);
    labels::check(config, diagnostics);
    names::check(config, diagnostics);
    scaling::check(config, diagnostics);
    tags::check(config, diagnostics);
    places(config, diagnostics);
    instance_types(config, diagnostics);
    taints(config, diagnostics);
    launch_template(config, diagnostics);
    template::validate::check(config, diagnostics);
    if let Some(capacity_type) = config.capacity_type.as_str()
        && !["SPOT", "ON_DEMAND"].contains(&capacity_type)
    {
        diagnostics.error(
            "capacity_type",
            "Invalid capacity type",
            format!("{capacity_type:?} is not a capacity type. Use \"SPOT\" or \"ON_DEMAND\"."),
        );
    }
    Timeouts::validate(&config.timeouts, diagnostics);
}

/// Whether the user sets a value; `None` while this is unknown, for example because the value comes from a variable.
pub(super) fn given<T>(value: &Value<T>) -> Option<bool> {
    match value {
        Value::Known(_) => Some(true),
        Value::Null => Some(false),
        Value::Unknown => None,
    }
}

fn places(config: &NodeGroup, diagnostics: &mut Diagnostics) {
    for (name, set) in [("availability_zones", &config.availability_zones), ("subnet_ids", &config.subnet_ids)] {
        if set.known().is_some_and(tfplugin::framework::Set::is_empty) {
            diagnostics.error(name, "Empty set", format!("{name} needs at least one element."));
        }
    }
    for id in known_set(&config.subnet_ids).unwrap_or_default() {
        if !id.starts_with("subnet-") {
            diagnostics.error(
                "subnet_ids",
                "Invalid subnet ID",
                format!("{id:?} is not a subnet ID, which begins with \"subnet-\"."),
            );
        }
    }
}

fn instance_types(config: &NodeGroup, diagnostics: &mut Diagnostics) {
    let Some(types) = known_list(&config.instance_types) else { return };
    let path = AttributePath::of("instance_types");
    if types.is_empty() || types.len() > 20 {
        diagnostics.error(
            path.clone(),
            "Invalid number of instance types",
            format!("EKS accepts 1 to 20 instance types, but {} are set.", types.len()),
        );
    }
    for (index, instance_type) in types.iter().enumerate() {
        let well_formed = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if !instance_type.split_once('.').is_some_and(|(family, size)| well_formed(family) && well_formed(size)) {
            diagnostics.error(
                path.index(index),
                "Invalid instance type",
                format!("{instance_type:?} is not an instance type, for example \"c5a.2xlarge\"."),
            );
        }
        if types.iter().take(index).any(|earlier| earlier == instance_type) {
            diagnostics.error(
                path.index(index),
                "Duplicate instance type",
                format!("{instance_type} is already in the list."),
            );
        }
    }
}

fn taints(config: &NodeGroup, diagnostics: &mut Diagnostics) {
    let Value::Known(taints) = &config.taints else { return };
    if taints.len() > 50 {
        diagnostics.error(
            "taints",
            "Too many taints",
            format!("EKS accepts at most 50 taints, but {} are set.", taints.len()),
        );
    }
    let mut seen = std::collections::BTreeSet::new();
    for taint in taints.iter().filter_map(Value::known) {
        if let Some(key) = taint.key.as_str()
            && let Some(problem) = labels::label_key(key)
        {
            diagnostics.error("taints", "Invalid taint", format!("The key {key:?} {problem}"));
        }
        if let Some(value) = taint.value.as_str()
            && let Some(problem) = labels::label_value(value)
        {
            diagnostics.error("taints", "Invalid taint", format!("The value {value:?} {problem}"));
        }
        let Some(effect) = taint.effect.as_str() else { continue };
        match Effect::parse(effect) {
            Some(known) if known.kubernetes() == effect => {}
            Some(known) => diagnostics.error(
                "taints",
                "Invalid taint effect",
                format!(
                    "{effect:?} is the spelling of EKS. Write the effect as in Kubernetes: {:?}.",
                    known.kubernetes()
                ),
            ),
            None => diagnostics.error(
                "taints",
                "Invalid taint effect",
                format!("{effect:?} is not a taint effect. Use \"NoSchedule\", \"PreferNoSchedule\" or \"NoExecute\"."),
            ),
        }
        if let Some(key) = taint.key.as_str()
            && !seen.insert((key, effect))
        {
            diagnostics.error(
                "taints",
                "Duplicate taint",
                format!("A node can only have one taint with the key {key:?} and the effect {effect:?}."),
            );
        }
    }
}

fn launch_template(config: &NodeGroup, diagnostics: &mut Diagnostics) {
    let Value::Known(template) = &config.launch_template else { return };
    let path = AttributePath::of("launch_template");
    if (given(&template.id), given(&template.name)) == (Some(false), Some(false)) {
        diagnostics.error(path, "Missing argument", "Exactly one of id and name of the launch template must be set.");
    }
    for (name, given) in [("remote_access", given(&config.remote_access)), ("disk_size", given(&config.disk_size))] {
        if given == Some(true) {
            diagnostics.error(
                name,
                "Conflicting arguments",
                format!("With a launch_template, EKS does not accept {name}: set it in the template."),
            );
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::schema::{LaunchTemplate, NodeRole, RemoteAccess, Taint};
    use super::*;

    /// The smallest valid configuration.
    pub(in super::super) fn minimal() -> NodeGroup {
        NodeGroup {
            cluster_name: "prod".into(),
            name: "build".into(),
            instance_types: Value::Known(vec!["c5a.2xlarge".into()]),
            max_size: 5.into(),
            availability_zones: Value::Known(["af-south-1b".to_owned()].into_iter().collect()),
            node_role: Value::Known(NodeRole::default()),
            ..NodeGroup::default()
        }
    }

    pub(super) fn problems(config: &NodeGroup) -> Vec<(String, String)> {
        let mut diagnostics = Diagnostics::new();
        check(config, &mut diagnostics);
        diagnostics.iter().map(|d| (d.path.to_string(), d.summary.to_string())).collect()
    }

    pub(super) fn one(path: &str, summary: &str) -> Vec<(String, String)> {
        vec![(path.to_owned(), summary.to_owned())]
    }

    fn taint(key: &str, effect: &str) -> Taint {
        Taint { key: key.into(), value: Value::Null, effect: effect.into() }
    }

    #[test]
    fn the_least_that_is_right() {
        assert_eq!(problems(&minimal()), []);
    }

    #[test]
    fn unknown_is_right() {
        let config = NodeGroup {
            name: Value::Unknown,
            instance_types: Value::Unknown,
            max_size: Value::Unknown,
            taints: Value::Unknown,
            ..minimal()
        };
        assert_eq!(problems(&config), []);
        // Terraform validates a configuration before its variables have values.
        let role = NodeRole { name: Value::Unknown, name_prefix: Value::Unknown, ..NodeRole::default() };
        let config = NodeGroup {
            name_prefix: Value::Unknown,
            subnet_ids: Value::Unknown,
            node_role_arn: Value::Unknown,
            node_role: Value::Known(role),
            ..minimal()
        };
        assert_eq!(problems(&config), []);
    }

    #[test]
    fn one_of_two() {
        let config =
            NodeGroup { name: Value::Null, node_role_arn: "arn:aws:iam::123456789012:role/x".into(), ..minimal() };
        assert_eq!(
            problems(&config),
            [one("name", "Missing argument"), one("node_role", "Conflicting arguments")].concat()
        );
    }

    #[test]
    fn instance_types_are_looked_at() {
        let types = Value::Known(vec!["c5a.2xlarge".into(), "c5a".into(), "c5a.2xlarge".into()]);
        assert_eq!(
            problems(&NodeGroup { instance_types: types, ..minimal() }),
            [one("instance_types[1]", "Invalid instance type"), one("instance_types[2]", "Duplicate instance type")]
                .concat()
        );
    }

    #[test]
    fn effects_are_spelt_as_kubernetes_does() {
        let config = NodeGroup {
            taints: Value::Known(
                [taint("a", "NO_SCHEDULE"), taint("b", "None"), taint("c", "NoSchedule")].into_iter().collect(),
            ),
            ..minimal()
        };
        let wrong = one("taints", "Invalid taint effect");
        assert_eq!(problems(&config), [wrong.clone(), wrong].concat());
    }

    #[test]
    fn launch_template_conflicts_with_attributes_it_contains() {
        let config = NodeGroup {
            launch_template: Value::Known(LaunchTemplate::default()),
            remote_access: Value::Known(RemoteAccess::default()),
            ..minimal()
        };
        assert_eq!(
            problems(&config),
            [one("launch_template", "Missing argument"), one("remote_access", "Conflicting arguments")].concat()
        );
    }
}
