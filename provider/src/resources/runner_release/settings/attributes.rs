//! Converts settings to attributes: the inverse of [`super::of`].

use serde_json::{Map, Value as Json};
use tfplugin::framework::{Attribute, Kind, Nesting, Type};

use super::api_names::from_api;
use crate::resources::runner_release::schema::ATTRIBUTES;

/// The attributes of a release, in the order of the schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes {
    pub given: Map<String, Json>,
    /// Settings without a corresponding attribute, as dotted paths with the names of the API.
    pub lost: Vec<String>,
}

/// Returns the attributes for settings with the names of [`super::RunnerReleaseSettings`].
pub fn attributes(settings: Map<String, Json>) -> Attributes {
    let mut lost = Vec::new();
    let given = object(&ATTRIBUTES, settings, false, "", &mut lost);
    Attributes { given, lost }
}

/// Converts the fields of an object. `is_api`: whether they have the names of the Kubernetes API.
fn object(
    schema: &[Attribute],
    mut fields: Map<String, Json>,
    is_api: bool,
    path: &str,
    lost: &mut Vec<String>,
) -> Map<String, Json> {
    let mut given = Map::new();
    for attribute in schema {
        let key = if is_api { super::api_names::api_name(&attribute.name) } else { attribute.name.to_string() };
        let Some(found) = fields.remove(&key).filter(|value| !value.is_null()) else { continue };
        let is_api = is_api || attribute.is_marked("kubernetes");
        given.insert(attribute.name.to_string(), value(attribute, found, is_api, &format!("{path}{key}."), lost));
    }
    lost.extend(fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| format!("{path}{key}")));
    given
}

fn value(attribute: &Attribute, value: Json, is_api: bool, path: &str, lost: &mut Vec<String>) -> Json {
    match (&attribute.kind, value) {
        (Kind::Nested(Nesting::Map, below), Json::Object(entries)) => {
            let entry = |(name, entry)| match entry {
                Json::Object(fields) => {
                    let path = format!("{path}{name}.");
                    (name, Json::Object(object(below, fields, is_api, &path, lost)))
                }
                other => (name, other),
            };
            entries.into_iter().map(entry).collect()
        }
        (Kind::Nested(_, below), Json::Array(items)) => {
            let item = |(index, item)| match item {
                Json::Object(fields) => Json::Object(object(below, fields, is_api, &format!("{path}{index}."), lost)),
                other => other,
            };
            items.into_iter().enumerate().map(item).collect()
        }
        (Kind::Nested(_, below), Json::Object(fields)) => Json::Object(object(below, fields, is_api, path, lost)),
        (Kind::Plain(Type::Dynamic), value) if is_api => from_api(value, path, lost),
        (Kind::Plain(ty), value) => plain(ty, value),
        (_, value) => value,
    }
}

/// Converts numbers to strings where the attribute is a string: Kubernetes allows both for quantities and ports.
fn plain(ty: &Type, value: Json) -> Json {
    match (ty, value) {
        (Type::String, Json::Number(number)) => number.to_string().into(),
        (Type::String, Json::Bool(flag)) => flag.to_string().into(),
        (Type::List(of) | Type::Set(of), Json::Array(items)) => items.into_iter().map(|item| plain(of, item)).collect(),
        (Type::Map(of), Json::Object(fields)) => {
            let known = fields.into_iter().filter(|(_, value)| !value.is_null());
            known.map(|(name, value)| (name, plain(of, value))).collect()
        }
        (_, value) => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attributes_give_the_settings() {
        let settings = json!({
            "gitlab_url": "https://gitlab.com/",
            "config": { "kubernetes": { "node_selector": { "myLabel": "x" } } },
            "strategy": { "rollingUpdate": { "maxSurge": 1 } },
            "resources": { "limits": { "cpu": 1, "example.com/myGpu": "1" } },
            "extra_env_from": { "MY_TOKEN": { "secretKeyRef": { "name": "s", "key": "k" } } },
            "volumes": [{ "name": "a", "emptyDir": { "sizeLimit": "1Gi" }, "hostPath": null }],
            "affinity": { "podAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [
                { "weight": 1, "podAffinityTerm": { "topologyKey": "x", "labelSelector": { "matchLabels": { "myApp": "a" } } } },
            ] } },
            "security_context": { "runAsNonRoot": true, "windowsOptions": { "hostProcess": true } },
        });
        let Attributes { given, lost } = attributes(settings.as_object().unwrap().clone());
        let expected = json!({
            "gitlab_url": "https://gitlab.com/",
            "config": { "kubernetes": { "node_selector": { "myLabel": "x" } } },
            "strategy": { "rolling_update": { "max_surge": "1" } },
            "affinity": { "pod_affinity": { "preferred_during_scheduling_ignored_during_execution": [
                { "weight": 1, "pod_affinity_term": { "topology_key": "x", "label_selector": { "match_labels": { "myApp": "a" } } } },
            ] } },
            "security_context": { "run_as_non_root": true },
            "resources": { "limits": { "cpu": "1", "example.com/myGpu": "1" } },
            "extra_env_from": { "MY_TOKEN": { "secret_key_ref": { "name": "s", "key": "k" } } },
            "volumes": [{ "name": "a", "empty_dir": { "size_limit": "1Gi" } }],
        });
        assert_eq!(Json::Object(given), expected);
        assert_eq!(lost, ["security_context.windowsOptions"]);
    }
}
