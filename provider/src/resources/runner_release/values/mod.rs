//! The official chart's values files, as they are written for Helm.
//!
//! Files are laid over one another by Helm's rules, every key is looked up in the table of the
//! chart's keys, and what it means is carried over: to [`ReleaseInputs`], to the runner's
//! configuration, or to a refusal with its reason.

mod carry;
mod keys;
mod layer;
mod shape;

use secrecy::SecretString;
use serde_json::{Map, Value, json};

pub use keys::{Becomes, KEYS, ValuesKey};

use super::config_toml::Config;
use super::finding::Finding;
use super::inputs::ReleaseInputs;
use super::spec::security_context;
use super::version::RunnerVersion;

/// Everything that the files say.
#[derive(Debug, Clone, Default)]
pub struct ChartValues {
    pub inputs: ReleaseInputs,
    /// Layers of configuration, the weakest first.
    pub config: Vec<Config>,
    /// Whether `runners.config` was given, which switches the chart's default text off.
    pub has_config: bool,
    /// Whether a file says anything of the pod's security context. Otherwise it is the chart's.
    pub has_pod_security_context: bool,
    pub runner_token: Option<SecretString>,
    pub registration_token: Option<SecretString>,
    pub warnings: Vec<Finding>,
}

/// What the files need to know of the resource itself.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub release: &'a str,
    pub namespace: &'a str,
    /// `runner_version`; unset, the image tag in the files tells it.
    pub version: Option<RunnerVersion>,
}

/// Reads the files in the order in which Helm would take them.
///
/// # Errors
///
/// Every key that is unknown, refused or of the wrong type. No finding quotes a value.
pub fn read(files: &[&str], context: Context<'_>) -> Result<ChartValues, Vec<Finding>> {
    let merged = layer::merge(chart_defaults(), files)?;
    let given = layer::merge(Value::Null, files)?;
    let has_pod_security_context =
        given.get("podSecurityContext").and_then(Value::as_object).is_some_and(|fields| !fields.is_empty());
    Ok(ChartValues { has_pod_security_context, ..carry::carry(&merged, context)? })
}

/// Values by the chart's keys, dotted; what the chart does not have, by its whole path.
pub fn leaves(values: &Map<String, Value>) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    walk(values, "", &mut found);
    found
}

fn walk(values: &Map<String, Value>, prefix: &str, found: &mut Vec<(String, Value)>) {
    for (name, value) in values.iter().filter(|(_, value)| !value.is_null()) {
        let path = format!("{prefix}{name}");
        match value {
            Value::Object(below) if !KEYS.iter().any(|key| key.path == path) => walk(below, &format!("{path}."), found),
            value => found.push((path, value.clone())),
        }
    }
}

/// The maps that the chart fills itself: a file adds to them, and takes away with null.
fn chart_defaults() -> Value {
    json!({ "securityContext": security_context(), "podSecurityContext": { "runAsUser": 100, "fsGroup": 65533 } })
}

#[cfg(test)]
mod tests;
