//! Observed values of the applied fields.
//!
//! Only applied fields are compared, so that defaults of the API server and fields of other managers are not drift.

use serde_json::{Map, Value as Json};

use crate::quantity::Quantity;

/// The values that `live` has in the fields of `shown`. An equal quantity keeps the spelling of `shown`.
pub(crate) fn project(shown: &Json, live: &Json) -> Json {
    projected(shown, live, false)
}

fn projected(shown: &Json, live: &Json, is_amount: bool) -> Json {
    match (shown, live) {
        (Json::Object(shown), Json::Object(live)) => {
            // The target of a metric of a HorizontalPodAutoscaler. Its `value` is a quantity, other fields of that name
            // are not.
            let is_target = shown.get("type").is_some_and(|kind| kind == "Value" || kind == "AverageValue");
            let fields = shown.iter().filter_map(|(name, shown)| {
                let is_amount = is_amount || AMOUNTS.contains(&name.as_str()) || is_target && name == "value";
                match live.get(name) {
                    Some(live) => Some((name.clone(), projected(shown, live, is_amount))),
                    // The API server omits empty values.
                    None if is_empty(shown) => Some((name.clone(), shown.clone())),
                    None => None,
                }
            });
            Json::Object(fields.collect::<Map<_, _>>())
        }
        (Json::Array(shown), Json::Array(live)) => match key_of(shown) {
            Some(key) => Json::Array(
                shown
                    .iter()
                    .filter_map(|shown| {
                        // Other managers can add elements, so that the position does not identify an element.
                        let live = live.iter().find(|live| key(live) == key(shown))?;
                        Some(projected(shown, live, is_amount))
                    })
                    .collect(),
            ),
            // API servers that store autoscalers in an older API version return the metrics in a different order.
            None if !shown.is_empty() && shown.iter().all(|it| metric(it).is_some()) => {
                let known = shown.iter().filter_map(|shown| {
                    let live = live.iter().find(|live| metric(live) == metric(shown))?;
                    Some(projected(shown, live, is_amount))
                });
                let others = live.iter().filter(|live| !shown.iter().any(|shown| metric(shown) == metric(live)));
                Json::Array(known.chain(others.cloned()).collect())
            }
            None => Json::Array(
                live.iter()
                    .enumerate()
                    .map(|(index, live)| {
                        shown.get(index).map_or(live.clone(), |shown| projected(shown, live, is_amount))
                    })
                    .collect(),
            ),
        },
        _ if is_amount && is_same_amount(shown, live) => shown.clone(),
        _ => live.clone(),
    }
}

/// Maps and fields that hold quantities.
const AMOUNTS: [&str; 6] = ["limits", "requests", "sizeLimit", "storage", "divisor", "averageValue"];

/// Key fields of lists that server-side apply merges, and to which other managers can add elements. `mountPath` comes
/// before `name`, because a volume can be mounted twice.
const KEYS: [&str; 5] = ["mountPath", "name", "containerPort", "devicePath", "ip"];

/// Returns a function for the key of an element: the first of [`KEYS`] that all elements have.
fn key_of(items: &[Json]) -> Option<impl Fn(&Json) -> (Json, Json)> {
    let is_key = |key: &&&str| !items.is_empty() && items.iter().all(|item| item.get(**key).is_some());
    let key = KEYS.iter().find(is_key).copied()?;
    Some(move |item: &Json| {
        // A port number can be used once for each protocol, and TCP is the default of the API.
        let protocol =
            if key == "containerPort" { item.get("protocol").cloned().unwrap_or("TCP".into()) } else { Json::Null };
        (item[key].clone(), protocol)
    })
}

/// Type and name of a metric of a HorizontalPodAutoscaler, with its container or object.
fn metric(item: &Json) -> Option<(&str, Option<&Json>, Option<&Json>)> {
    let kind = item["type"].as_str()?;
    let field = match kind {
        "ContainerResource" => "containerResource".to_owned(),
        other => other.to_lowercase(),
    };
    let of = item.get(&field)?;
    let name = of.get("name").or_else(|| of.pointer("/metric/name"));
    Some((kind, name, of.get("container").or_else(|| of.get("describedObject"))))
}

pub(crate) fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Bool(value) => !value,
        Json::Number(number) => number.as_i64() == Some(0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
    }
}

fn is_same_amount(one: &Json, other: &Json) -> bool {
    matches!((Quantity::of(one), Quantity::of(other)), (Some(one), Some(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_and_fields_of_others_are_not_drift() {
        let shown = json!({ "spec": { "replicas": 1, "template": { "spec": { "containers": [{
            "name": "runner", "env": [{ "name": "TAGS", "value": "" }], "command": ["a", "b"],
            "resources": { "requests": { "cpu": "1000m" } }, "privileged": false,
        }] } } } });
        let live = json!({ "spec": { "replicas": 1, "paused": false, "template": { "spec": { "containers": [
            { "name": "sidecar" },
            {
                "name": "runner", "env": [{ "name": "TAGS" }, { "name": "MORE", "value": "1" }], "command": ["a", "b"],
                "resources": { "requests": { "cpu": "1" } }, "imagePullPolicy": "Always",
            },
        ] } } }, "status": {} });
        assert_eq!(project(&shown, &live), shown);
    }

    #[test]
    fn quantities_are_compared_by_amount() {
        let resources =
            |cpu: Json, memory: Json| json!({ "resources": { "limits": { "cpu": cpu, "memory": memory } } });
        let shown = resources(json!(0.5), json!(536_870_912));
        assert_eq!(project(&shown, &resources(json!("500m"), json!("536870912"))), shown);
        let other = resources(json!("600m"), json!("512Mi"));
        assert_eq!(project(&shown, &other), resources(json!("600m"), json!(536_870_912)));
    }

    #[test]
    fn metrics_are_compared_by_amount_in_any_order() {
        let metric =
            |name: &str, target: Json| json!({ "type": "Resource", "resource": { "name": name, "target": target } });
        let average = |value: &str| json!({ "type": "AverageValue", "averageValue": value });
        let external = |value: &str| {
            let target = json!({ "type": "Value", "value": value });
            json!({ "type": "External", "external": { "metric": { "name": "jobs" }, "target": target } })
        };
        let shown = json!({ "metrics": [metric("cpu", average("0.4")), metric("memory", average("1024Mi")), external("1000m")] });
        let live =
            json!({ "metrics": [external("1"), metric("memory", average("1Gi")), metric("cpu", average("400m"))] });
        assert_eq!(project(&shown, &live), shown);
        let other = json!({ "metrics": [metric("cpu", average("500m")), metric("disk", average("1"))] });
        assert_eq!(project(&shown, &other), other);
    }

    #[test]
    fn ports_with_one_number_are_matched_by_protocol() {
        let port = |protocol: &str, host: i64| json!({ "containerPort": 53, "protocol": protocol, "hostPort": host });
        let shown = json!([port("UDP", 1), port("TCP", 2)]);
        assert_eq!(project(&shown, &json!([port("TCP", 2), port("UDP", 1)])), shown);
    }

    #[test]
    fn changed_managed_fields_are_drift() {
        let shown = json!({ "data": { "a": "1", "b": "2" }, "rules": [{ "verbs": ["get", "list"] }], "value": "1" });
        let live = json!({
            "data": { "a": "x", "c": "3" }, "rules": [{ "verbs": ["get"] }, { "verbs": ["*"] }], "value": "1000m",
        });
        assert_eq!(
            project(&shown, &live),
            json!({ "data": { "a": "x" }, "rules": [{ "verbs": ["get"] }, { "verbs": ["*"] }], "value": "1000m" })
        );
    }
}
