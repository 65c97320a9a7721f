//! A state, as `show -json` tells it.

use serde_json::Value;

/// What is in the state.
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
    /// When the state does not have it.
    #[must_use]
    pub fn resource(&self, address: &str) -> &Value {
        self.find(address).unwrap_or_else(|| panic!("{address} is not in the state: {:#}", self.json))
    }

    /// Whether a resource is in the state.
    #[must_use]
    pub fn contains(&self, address: &str) -> bool {
        self.find(address).is_some()
    }

    /// The addresses of everything, in the engine's order.
    #[must_use]
    pub fn addresses(&self) -> Vec<&str> {
        self.resources().filter_map(|resource| resource["address"].as_str()).collect()
    }

    /// The value of an output; null when there is none.
    #[must_use]
    pub fn output(&self, name: &str) -> &Value {
        &self.json["values"]["outputs"][name]["value"]
    }

    fn find(&self, address: &str) -> Option<&Value> {
        self.resources().find(|resource| resource["address"] == address).map(|resource| &resource["values"])
    }

    fn resources(&self) -> impl Iterator<Item = &Value> {
        self.json["values"]["root_module"]["resources"].as_array().into_iter().flatten()
    }
}

/// A value without what does not count when an imported resource is compared: nulls, empty containers, `timeouts` and
/// the attributes in `except`.
pub(crate) fn essence(resource: &Value, except: &[&str]) -> Value {
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
            attributes.retain(|_, value| !is_void(value));
        }
        Value::Array(elements) => elements.iter_mut().for_each(prune),
        _ => {}
    }
}

fn is_void(value: &Value) -> bool {
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
    fn what_does_not_count_is_left_out() {
        let resource = json!({
            "id": "1", "timeouts": { "create": "1h" }, "tags": {}, "note": null, "token_version": 1,
            "node_role": { "path": null, "policies": [] }, "taints": [{ "key": "a", "value": null }],
        });
        assert_eq!(essence(&resource, &["token_version"]), json!({ "id": "1", "taints": [{ "key": "a" }] }));
    }
}
