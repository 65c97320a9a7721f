//! Variables of containers whose values are not shown: users write them, and they may come from a sensitive value.

use serde_json::{Value, json};

use super::super::config_toml::REDACTED;
use super::super::spec::ReleaseSpec;

/// A variable with a value, by the place at which it is remembered.
pub fn variables(deployment: &Value) -> impl Iterator<Item = (String, &str)> {
    let containers = deployment.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    containers.into_iter().flatten().flat_map(|container| {
        let env = container["env"].as_array().into_iter().flatten();
        env.filter_map(|variable| Some((place(container, variable), variable["value"].as_str()?)))
    })
}

/// Takes the values of the user's variables out of a Deployment.
pub fn hide(deployment: &mut Value, spec: &ReleaseSpec) {
    change(deployment, |container, variable| {
        let is_own = container["name"] == spec.names.full;
        let name = variable["name"].as_str().unwrap_or_default();
        let is_of_list = spec.pod.env.iter().any(|variable| variable["name"] == name);
        let is_hidden = !is_own || is_of_list || spec.pod.extra_env.contains_key(name);
        (is_hidden && variable["value"].as_str().is_some_and(|value| !value.is_empty())).then(|| json!(REDACTED))
    });
}

/// In a Deployment as it was found: where `shown` has no value, `told` says what to show of the one that is there.
pub fn hide_found(found: &mut Value, shown: &Value, told: impl Fn(&str, &str) -> Value) {
    let hidden: Vec<String> =
        variables(shown).filter(|(_, value)| *value == REDACTED).map(|(place, _)| place).collect();
    change(found, |container, variable| {
        let place = place(container, variable);
        let value = variable["value"].as_str().filter(|_| hidden.contains(&place))?;
        Some(told(&place, value))
    });
}

fn place(container: &Value, variable: &Value) -> String {
    let name = |of: &Value| of["name"].as_str().unwrap_or_default().to_owned();
    format!("{}/{}", name(container), name(variable))
}

fn change(deployment: &mut Value, to: impl Fn(&Value, &Value) -> Option<Value>) {
    let containers = deployment.pointer_mut("/spec/template/spec/containers").and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten() {
        let named = json!({ "name": container["name"] });
        for variable in container.get_mut("env").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(value) = to(&named, variable) {
                variable["value"] = value;
            }
        }
    }
}
