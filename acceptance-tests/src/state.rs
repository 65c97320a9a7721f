//! A state as `show -json` prints it.

use base64::Engine as _;
use serde_json::Value;

/// Contents of a state.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    json: Value,
}

impl State {
    pub(crate) fn new(json: Value) -> Self {
        Self { json }
    }

    /// The attributes of a resource.
    ///
    /// # Panics
    ///
    /// If the state does not have it.
    #[must_use]
    pub fn resource(&self, address: &str) -> &Value {
        self.find(address).unwrap_or_else(|| panic!("{address} is not in the state: {:#}", self.json))
    }

    /// Whether a resource is in the state.
    #[must_use]
    pub fn contains(&self, address: &str) -> bool {
        self.find(address).is_some()
    }

    /// Addresses of all resources, in the order of the engine.
    #[must_use]
    pub fn addresses(&self) -> Vec<&str> {
        self.resources().into_iter().filter_map(|resource| resource["address"].as_str()).collect()
    }

    /// Value of an output; null if it does not exist.
    #[must_use]
    pub fn output(&self, name: &str) -> &Value {
        &self.json["values"]["outputs"][name]["value"]
    }

    fn find(&self, address: &str) -> Option<&Value> {
        self.resources().into_iter().find(|resource| resource["address"] == address).map(|resource| &resource["values"])
    }

    fn resources(&self) -> Vec<&Value> {
        resources_of(&self.json["values"]["root_module"])
    }
}

/// The resources of a module, then those of the modules that it calls.
fn resources_of(module: &Value) -> Vec<&Value> {
    let own = module["resources"].as_array().into_iter().flatten();
    let called = module["child_modules"].as_array().into_iter().flatten();
    own.chain(called.flat_map(resources_of)).collect()
}

/// Whether a state file has this name: as a value, as the end of an ARN or of an ID such as `cluster:name`, or anywhere
/// in private state.
pub(crate) fn mentions(states: &[Value], name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    states.iter().any(|state| contains_name(&state["resources"], last))
}

fn contains_name(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => {
            text.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with([':', '/']))
        }
        Value::Array(elements) => elements.iter().any(|element| contains_name(element, name)),
        Value::Object(attributes) => attributes.iter().any(|(attribute, value)| match (attribute.as_str(), value) {
            ("private", Value::String(text)) => is_in_private(text, name),
            _ => contains_name(value, name),
        }),
        _ => false,
    }
}

fn is_in_private(text: &str, name: &str) -> bool {
    let decoded = base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default();
    String::from_utf8_lossy(&decoded).contains(&format!("\"{name}\""))
}

/// Removes what is not compared after an import: nulls, empty containers, `timeouts` and the attributes in `except`.
pub(crate) fn significant(resource: &Value, except: &[&str]) -> Value {
    let mut resource = resource.clone();
    if let Some(attributes) = resource.as_object_mut() {
        attributes.retain(|name, _| name != "timeouts" && !except.contains(&name.as_str()));
    }
    prune(&mut resource);
    resource
}

fn prune(value: &mut Value) {
    match value {
        Value::Object(attributes) => {
            attributes.values_mut().for_each(prune);
            attributes.retain(|_, value| !is_insignificant(value));
        }
        Value::Array(elements) => elements.iter_mut().for_each(prune),
        _ => {}
    }
}

fn is_insignificant(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(attributes) => attributes.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state() -> State {
        State::new(json!({ "values": {
            "outputs": { "name": { "value": "x" } },
            "root_module": { "resources": [{ "address": "a.b", "values": { "id": "1" } }] },
        }}))
    }

    #[test]
    fn resources_are_found_by_address() {
        assert_eq!(state().resource("a.b"), &json!({ "id": "1" }));
        assert!(!state().contains("a.c"));
        assert_eq!(state().addresses(), ["a.b"]);
        assert_eq!((state().output("name"), state().output("other")), (&json!("x"), &Value::Null));
    }

    #[test]
    fn state_mentions_its_objects() {
        let private = base64::engine::general_purpose::STANDARD.encode(r#"{"association":"a-1"}"#);
        let attributes = json!({ "id": "prod:build", "role_arn": "arn:aws:iam::1:role/ci/nodes", "name": "cache" });
        let state = json!({
            "resources": [{ "instances": [{ "attributes": attributes, "private": private }] }],
            "outputs": { "other": { "value": "elsewhere" } },
        });
        let has = |name: &str| mentions(std::slice::from_ref(&state), name);
        assert!(has("prod/build") && has("nodes") && has("cache") && has("a-1"));
        assert!(!has("uild") && !has("elsewhere") && !has("a-2"));
    }

    #[test]
    fn insignificant_values_are_omitted() {
        let resource = json!({
            "id": "1", "timeouts": { "create": "1h" }, "tags": {}, "note": null, "token_version": 1,
            "node_role": { "path": null, "policies": [] }, "taints": [{ "key": "a", "value": null }],
        });
        assert_eq!(significant(&resource, &["token_version"]), json!({ "id": "1", "taints": [{ "key": "a" }] }));
    }
}
