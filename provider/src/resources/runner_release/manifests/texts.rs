//! Texts of containers that are not shown: values of variables, and commands of the user's containers. Users write
//! them, and they may contain a sensitive value.

use gitlabspot_runner_config::config_toml::REDACTED;
use serde_json::{Value, json};

use super::super::spec::ReleaseSpec;

/// Fields of a container with the words of a command.
const COMMANDS: [&str; 2] = ["command", "args"];

/// Returns the texts, each with the name under which its hash is recorded.
pub fn texts(deployment: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    change(&mut deployment.clone(), |container, name, value| {
        found.push((place(container, name), value.to_owned()));
        None
    });
    found
}

/// Replaces the texts of the user in a Deployment.
pub fn hide(deployment: &mut Value, spec: &ReleaseSpec) {
    change(deployment, |container, name, value| {
        let is_own = container == spec.names.full;
        let is_of_list = spec.pod.env.iter().any(|variable| variable["name"] == name);
        let is_hidden =
            !is_own || is_of_list || spec.settings.extra_env.as_ref().is_some_and(|env| env.contains_key(name));
        (is_hidden && !value.is_empty()).then(|| json!(REDACTED))
    });
}

/// Replaces those texts of an observed Deployment that `shown` hides with the result of `replacement`.
pub fn hide_found(found: &mut Value, shown: &Value, replacement: impl Fn(&str, &str) -> Value) {
    let hidden: Vec<String> =
        texts(shown).into_iter().filter(|(_, value)| *value == REDACTED).map(|(place, _)| place).collect();
    change(found, |container, name, value| {
        let place = place(container, name);
        hidden.contains(&place).then(|| replacement(&place, value))
    });
}

fn place(container: &str, name: &str) -> String {
    format!("{container}/{name}")
}

/// Calls `to` for all texts with container, variable or position in the command, and text.
fn change(deployment: &mut Value, mut to: impl FnMut(&str, &str, &str) -> Option<Value>) {
    let containers = deployment.pointer_mut("/spec/template/spec/containers").and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten() {
        let container_name = container["name"].as_str().unwrap_or_default().to_owned();
        for variable in container.get_mut("env").and_then(Value::as_array_mut).into_iter().flatten() {
            let name = variable["name"].as_str().unwrap_or_default();
            if let Some(value) = variable["value"].as_str().and_then(|value| to(&container_name, name, value)) {
                variable["value"] = value;
            }
        }
        for field in COMMANDS {
            let words = container.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten();
            for (index, word) in words.enumerate() {
                let name = format!("{field}[{index}]");
                if let Some(value) = word.as_str().and_then(|value| to(&container_name, &name, value)) {
                    *word = value;
                }
            }
        }
    }
}
