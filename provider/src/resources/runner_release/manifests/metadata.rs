//! Metadata that all objects have.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::spec::ReleaseSpec;

/// Label with the manager of an object. Helm refuses to change objects that it does not manage.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Label of objects outside the namespace of the release, with the namespace of the release.
pub const RELEASE_NAMESPACE: &str = "gitlabspot.io/release-namespace";

/// Returns an object in the namespace of the release.
pub(super) fn object(spec: &ReleaseSpec, api_version: &str, kind: &str, name: &str) -> Map<String, Value> {
    in_namespace(spec, api_version, kind, name, Some(&spec.names.namespace))
}

/// Returns an object in another namespace, or a cluster-scoped one.
pub(super) fn in_namespace(
    spec: &ReleaseSpec,
    api_version: &str,
    kind: &str,
    name: &str,
    namespace: Option<&str>,
) -> Map<String, Value> {
    let mut labels = spec.names.labels();
    labels.insert(MANAGED_BY.to_owned(), json!("gitlabspot"));
    if namespace != Some(spec.names.namespace.as_str()) {
        labels.insert(RELEASE_NAMESPACE.to_owned(), json!(spec.names.namespace));
    }
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(name));
    if let Some(namespace) = namespace {
        metadata.insert("namespace".to_owned(), json!(namespace));
    }
    metadata.insert("labels".to_owned(), Value::Object(labels));
    let parts = [("apiVersion", json!(api_version)), ("kind", json!(kind)), ("metadata", Value::Object(metadata))];
    parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Adds labels and annotations of the user, which have precedence.
pub(super) fn with(
    mut object: Map<String, Value>,
    labels: Option<&BTreeMap<String, String>>,
    annotations: Option<&BTreeMap<String, String>>,
) -> Map<String, Value> {
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        extend(metadata, "labels", labels);
        extend(metadata, "annotations", annotations);
    }
    object
}

pub(super) fn extend(map: &mut Map<String, Value>, name: &str, entries: Option<&BTreeMap<String, String>>) {
    let Some(entries) = entries.filter(|entries| !entries.is_empty()) else { return };
    let target = map.entry(name.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(target) = target {
        target.extend(entries.iter().map(|(name, value)| (name.clone(), json!(value))));
    }
}

/// Adds a field, unless its value is null, an empty list or an empty map.
pub(super) fn put(map: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    let value = value.into();
    let is_empty = match &value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    if !is_empty {
        map.insert(name.to_owned(), value);
    }
}
