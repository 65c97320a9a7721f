//! Objects as shown in the plan and the state.

use std::collections::BTreeMap;

use serde_json::{Map as JsonMap, Value as Json};
use tfplugin::framework::Value;
use tfplugin::framework::value::Map;

/// The shown fields of objects as JSON texts, by kind and place.
pub(crate) type Manifest = BTreeMap<String, String>;

/// The entry of an object: its kind and place, and its text.
pub(crate) fn entry(object: &Json) -> Option<(String, String)> {
    let kind = object["kind"].as_str()?;
    let name = object["metadata"]["name"].as_str()?;
    let key = match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    };
    Some((key, text(object)))
}

/// JSON with sorted keys, so that equal objects have equal texts.
pub(crate) fn text(object: &Json) -> String {
    sorted(object).to_string()
}

fn sorted(value: &Json) -> Json {
    match value {
        Json::Object(fields) => {
            let fields: BTreeMap<&String, Json> = fields.iter().map(|(name, value)| (name, sorted(value))).collect();
            Json::Object(fields.into_iter().map(|(name, value)| (name.clone(), value)).collect::<JsonMap<_, _>>())
        }
        Json::Array(items) => Json::Array(items.iter().map(sorted).collect()),
        plain => plain.clone(),
    }
}

/// Restores the entry of one object from `before`.
pub(crate) fn restore(manifest: &mut Manifest, before: &Manifest, key: &str) {
    match before.get(key) {
        Some(text) => drop(manifest.insert(key.to_owned(), text.clone())),
        None => drop(manifest.remove(key)),
    }
}

/// The manifest as the value of an attribute.
pub(crate) fn shown_manifest(manifest: &Manifest) -> Value<Map<String>> {
    Value::Known(manifest.iter().map(|(key, text)| (key.clone(), text.as_str().into())).collect())
}

/// The objects of a manifest, in the order of their names.
pub(crate) fn parsed(manifest: &Manifest) -> impl Iterator<Item = Json> {
    manifest.values().filter_map(|text| serde_json::from_str(text).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_objects_are_equal_texts() {
        assert_eq!(text(&json!({"b": [{"d": 1, "c": 2}], "a": 1})), r#"{"a":1,"b":[{"c":2,"d":1}]}"#);
    }
}
