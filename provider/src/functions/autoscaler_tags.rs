//! `provider::gitlabspot::autoscaler_tags(labels, taints)`: scale-from-zero tags for a node group that this
//! provider does not manage.

use std::collections::BTreeMap;

use tfplugin::framework::function::{Definition, Function, FunctionError, Parameter};
use tfplugin::framework::{Raw, Type};

use crate::resources::node_group::autoscaler_tags::{Effect, NodeTemplate, Taint, autoscaler_tags};

/// The function.
#[derive(Clone, Copy, Debug, Default)]
pub struct AutoscalerTags;

const LABELS: usize = 0;
const TAINTS: usize = 1;

impl Function for AutoscalerTags {
    fn name(&self) -> &'static str {
        "autoscaler_tags"
    }

    fn definition(&self) -> Definition {
        let parameter = |name: &'static str, description: &'static str, ty| Parameter {
            name: name.into(),
            description: description.into(),
            ty,
            allow_null: true,
            allow_unknown: false,
        };
        Definition {
            summary: "Returns the tags with which the cluster autoscaler scales a node group from zero.".into(),
            description: "While a node group has no nodes, the cluster autoscaler reads the labels and taints of new \
                          nodes from tags of the Auto Scaling Group. Use this function for node groups that \
                          `gitlabspot_node_group` does not manage: that resource sets the tags itself.\n\n\
                          Set the tags on the Auto Scaling Group: EKS does not propagate the tags of a node \
                          group to it."
                .into(),
            parameters: vec![
                parameter("labels", "Labels of the nodes. `null` means no labels.", Type::String.map()),
                parameter(
                    "taints",
                    "Taints of the nodes, as a list or set of objects with `key`, `effect` and optionally `value`. \
                     Effects are accepted as in Kubernetes (`NoSchedule`) and as in EKS (`NO_SCHEDULE`). `null` \
                     means no taints.",
                    Type::Dynamic,
                ),
            ],
            variadic: None,
            result: Type::String.map(),
        }
    }

    fn call(&self, arguments: Vec<Raw>) -> Result<Raw, FunctionError> {
        // The host only checks whether an argument is unknown as a whole. Parts of it can still be unknown.
        if !arguments.iter().all(Raw::is_wholly_known) {
            return Ok(Raw::unknown());
        }
        let mut arguments = arguments.into_iter();
        let labels = labels(arguments.next().unwrap_or_default())?;
        let taints = taints(arguments.next().unwrap_or_default())?;
        let tags = autoscaler_tags(&NodeTemplate { labels, taints, ..NodeTemplate::default() });
        Ok(Raw::Map(tags.into_iter().map(|(key, value)| (key, Raw::from(value))).collect()))
    }
}

fn labels(labels: Raw) -> Result<BTreeMap<String, String>, FunctionError> {
    let Raw::Map(labels) = plain(labels) else { return Ok(BTreeMap::new()) };
    labels
        .into_iter()
        .map(|(key, value)| match value {
            Raw::String(value) => Ok((key, value)),
            _ => Err(FunctionError::argument(
                LABELS,
                format!("The label {key:?} has no value. Set a value, or omit the label."),
            )),
        })
        .collect()
}

fn taints(taints: Raw) -> Result<Vec<Taint>, FunctionError> {
    match plain(taints) {
        Raw::Null => Ok(Vec::new()),
        Raw::List(taints) => taints.into_iter().enumerate().map(|(index, raw)| taint(index, plain(raw))).collect(),
        _ => Err(FunctionError::argument(
            TAINTS,
            "Taints must be a list of objects, for example [{ key = \"build\", value = \"true\", effect = \
             \"NoSchedule\" }].",
        )),
    }
}

fn taint(index: usize, taint: Raw) -> Result<Taint, FunctionError> {
    let wrong = |problem: &str| FunctionError::argument(TAINTS, format!("Taint {} is not valid: {problem}", index + 1));
    let Raw::Map(attributes) = &taint else {
        return Err(wrong("it must be an object with key, value and effect."));
    };
    if let Some(unknown) = attributes.keys().find(|name| !["key", "value", "effect"].contains(&name.as_str())) {
        return Err(wrong(&format!("the attribute {unknown:?} does not exist; a taint has key, value and effect.")));
    }
    let text = |name: &str| match plain(taint.get(name)) {
        Raw::String(text) => Some(text),
        // Kubernetes only has strings here, but `true` without quotes is common in HCL.
        Raw::Bool(flag) => Some(flag.to_string()),
        Raw::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let key = text("key").filter(|key| !key.is_empty()).ok_or_else(|| wrong("it does not have a key."))?;
    let effect = text("effect").ok_or_else(|| wrong("it does not have an effect."))?;
    let effect = Effect::parse(&effect).ok_or_else(|| {
        wrong(&format!("{effect:?} is not a taint effect. Use NoSchedule, NoExecute or PreferNoSchedule."))
    })?;
    Ok(Taint { key, value: text("value").unwrap_or_default(), effect })
}

/// The value of an argument of dynamic type.
fn plain(raw: Raw) -> Raw {
    match raw {
        Raw::Dynamic(dynamic) => dynamic.value,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(attributes: &[(&str, Raw)]) -> Raw {
        Raw::Map(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    #[test]
    fn labels_and_taints_become_tags() {
        let labels = object(&[("intent", "build".into())]);
        let taints = Raw::List(vec![
            object(&[("key", "buildInstance".into()), ("value", true.into()), ("effect", "NO_SCHEDULE".into())]),
            object(&[("key", "spot".into()), ("effect", "PreferNoSchedule".into())]),
        ]);
        let expected = object(&[
            ("k8s.io/cluster-autoscaler/node-template/label/intent", "build".into()),
            ("k8s.io/cluster-autoscaler/node-template/taint/buildInstance", "true:NoSchedule".into()),
            ("k8s.io/cluster-autoscaler/node-template/taint/spot", ":PreferNoSchedule".into()),
        ]);
        assert_eq!(AutoscalerTags.call(vec![labels, taints]), Ok(expected));
        assert_eq!(AutoscalerTags.call(vec![Raw::Null, Raw::Null]), Ok(object(&[])));
    }

    #[test]
    fn unknown_values_give_unknown_tags() {
        let labels = object(&[("intent", Raw::unknown())]);
        assert_eq!(AutoscalerTags.call(vec![labels, Raw::Null]), Ok(Raw::unknown()));
    }

    #[test]
    fn invalid_taint_is_named() {
        let text = |taint: Raw| AutoscalerTags.call(vec![Raw::Null, Raw::List(vec![taint])]).unwrap_err();
        let error = text(object(&[("key", "a".into()), ("effect", "noschedule".into())]));
        assert_eq!(
            error,
            FunctionError::argument(
                1,
                "Taint 1 is not valid: \"noschedule\" is not a taint effect. Use NoSchedule, NoExecute or PreferNoSchedule."
            )
        );
        assert_eq!(
            text(object(&[("effect", "NoSchedule".into())])).text,
            "Taint 1 is not valid: it does not have a key."
        );
        assert_eq!(
            text(object(&[("name", "a".into())])).text,
            "Taint 1 is not valid: the attribute \"name\" does not exist; a taint has key, value and effect."
        );
    }
}
