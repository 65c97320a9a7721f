//! Configuration of the job pod with which jobs are scheduled on the build nodes.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::super::schema::{BuildNodesSettings, BuildNodesTolerationSettings};

const REQUIRED: &str = "required_during_scheduling_ignored_during_execution";
const PREFERRED: &str = "preferred_during_scheduling_ignored_during_execution";

/// The label that EKS sets on the nodes of a managed node group.
const CAPACITY_TYPE: &str = "eks.amazonaws.com/capacityType";

/// Returns the `[runners.kubernetes]` keys: affinity and tolerations.
///
/// The labels are required with affinity and not with `node_selector`, so that a job can still be allowed to restrict
/// its own node selector.
pub(super) fn kubernetes(nodes: &BuildNodesSettings) -> Table {
    let mut node_affinity = Table::new();
    if nodes.capacity_type.as_deref() == Some("SPOT") {
        let mut preferred = Table::new();
        preferred.insert("weight".into(), Value::Integer(1));
        preferred.insert("preference".into(), term(vec![is_in(CAPACITY_TYPE, "SPOT")]));
        node_affinity.insert(PREFERRED.into(), Value::Array(vec![Value::Table(preferred)]));
    }
    let required: Vec<Value> = nodes.node_selector.iter().flatten().map(|(label, value)| is_in(label, value)).collect();
    if !required.is_empty() {
        let terms = Value::Array(vec![term(required)]);
        node_affinity.insert(REQUIRED.into(), table([("node_selector_terms", terms)]));
    }
    let mut kubernetes = Table::new();
    if !node_affinity.is_empty() {
        kubernetes.insert("affinity".into(), table([("node_affinity", Value::Table(node_affinity))]));
    }
    let tolerations = tolerations(nodes.tolerations.as_deref().unwrap_or_default());
    if !tolerations.is_empty() {
        kubernetes.insert("node_tolerations".into(), Value::Table(tolerations));
    }
    kubernetes
}

/// Adds the labels to the node selector if there is an `autoscaler` table: the runner sets the node selector of its
/// pause pods, but not their affinity.
pub(super) fn for_pause_pods(nodes: &BuildNodesSettings, kubernetes: &mut Table) {
    if !kubernetes.contains_key("autoscaler") {
        return;
    }
    let selector = kubernetes.entry("node_selector").or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(selector) = selector {
        for (label, value) in nodes.node_selector.iter().flatten() {
            selector.entry(label.clone()).or_insert_with(|| Value::from(value.as_str()));
        }
    }
}

/// Returns the tolerations in the form of the runner: `key=value` or `key`, with the effect. This map has one effect
/// for each key, so two effects become the empty one, which matches all.
fn tolerations(given: &[BuildNodesTolerationSettings]) -> Table {
    let mut map: BTreeMap<String, String> = BTreeMap::new();
    for toleration in given {
        let key = toleration.key.as_deref().unwrap_or_default();
        let name = match (toleration.operator.as_deref(), toleration.value.as_deref()) {
            (Some("Exists"), _) | (_, None) => key.to_owned(),
            (_, Some(value)) => format!("{key}={value}"),
        };
        let effect = toleration.effect.clone().unwrap_or_default();
        map.entry(name)
            .and_modify(|known| {
                if *known != effect {
                    known.clear();
                }
            })
            .or_insert(effect);
    }
    map.into_iter().map(|(name, effect)| (name, Value::String(effect))).collect()
}

fn term(expressions: Vec<Value>) -> Value {
    table([("match_expressions", Value::Array(expressions))])
}

fn is_in(label: &str, value: &str) -> Value {
    table([
        ("key", Value::from(label)),
        ("operator", Value::from("In")),
        ("values", Value::Array(vec![Value::from(value)])),
    ])
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Table(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn from(nodes: serde_json::Value) -> Table {
        kubernetes(&serde_json::from_value(nodes).unwrap())
    }

    #[test]
    fn equals_the_policy_of_the_guide() {
        let nodes = json!({
            "node_selector": { "intent": "build" },
            "tolerations": [{ "key": "buildInstance", "operator": "Equal", "value": "true", "effect": "NoSchedule" }],
            "capacity_type": "SPOT",
        });
        let expected = toml::toml! {
            node_tolerations = { "buildInstance=true" = "NoSchedule" }
            [affinity.node_affinity.required_during_scheduling_ignored_during_execution]
            node_selector_terms = [{ match_expressions = [{ key = "intent", operator = "In", values = ["build"] }] }]
            [[affinity.node_affinity.preferred_during_scheduling_ignored_during_execution]]
            weight = 1
            preference = { match_expressions = [{ key = "eks.amazonaws.com/capacityType", operator = "In", values = ["SPOT"] }] }
        };
        assert_eq!(from(nodes), expected);
    }

    #[test]
    fn on_demand_nodes_have_no_preference() {
        assert_eq!(from(json!({ "capacity_type": "ON_DEMAND" })), Table::new());
    }

    #[test]
    fn pause_pods_get_the_labels_as_selector() {
        let nodes: BuildNodesSettings =
            serde_json::from_value(json!({ "node_selector": { "a": "1", "b": "2" } })).unwrap();
        let mut kubernetes = toml::toml! { node_selector = { a = "3" } };
        for_pause_pods(&nodes, &mut kubernetes);
        assert_eq!(kubernetes, toml::toml! { node_selector = { a = "3" } });
        kubernetes.insert("autoscaler".into(), Value::Table(Table::new()));
        for_pause_pods(&nodes, &mut kubernetes);
        assert_eq!(kubernetes, toml::toml! { autoscaler = {} node_selector = { a = "3", b = "2" } });
    }

    #[test]
    fn tolerations_in_the_runners_form() {
        let nodes = json!({ "tolerations": [
            { "key": "a", "operator": "Exists", "effect": "NoSchedule" },
            { "key": "b", "value": "1", "effect": "NoSchedule" },
            { "key": "b", "value": "1", "effect": "NoExecute" },
            { "key": "c" },
        ] });
        assert_eq!(from(nodes), toml::toml! { node_tolerations = { a = "NoSchedule", "b=1" = "", c = "" } });
    }
}
