//! Maps observed objects to the state: the fields that this provider applies, with their observed values.
//!
//! Only these fields are compared, so that defaults of the API server and fields of other managers are no drift.

use gitlabspot_runner_config::config_toml::{Config, REDACTED, hide, render};
use serde_json::{Value as Json, json};

use super::expand::{CURRENT, Manifest, SECRETS_CHECKSUM};
use super::manifests::hide_found_texts;
use super::model::Observed;
use super::private::Private;
use super::schema::RunnerRelease;
use super::secret_hashes::SecretHashes;
use super::wait::rollout;
use crate::objects::ShowsObjects as _;
use crate::objects::requests::is_ending;
use crate::projection::{is_empty, project};

/// Replaces secret content that differs from the applied content.
const CHANGED: &str = "(changed outside of this configuration)";

/// Files of the ConfigMap that can contain secrets.
const CONFIG_FILES: [&str; 2] = ["config.toml", "config.template.toml"];

/// Writes the observed objects to the state.
pub(super) fn flatten(state: &mut RunnerRelease, recorded: &Manifest, observed: &Observed, private: &Private) {
    let Observed { objects, outdated } = observed;
    let shown = |shown: &Json, live: &Json| flatten_object(shown, live, private.hashes.as_ref(), outdated);
    state.show(&objects.manifest(recorded, &private.objects, shown));
    let is_denied = |key: &String| key.starts_with("Deployment ") && objects.denied.has(key);
    state.status = match objects.workload() {
        Some(deployment) => rollout(deployment).status().into(),
        // The status of a Deployment that cannot be read is unchanged.
        None if recorded.keys().any(is_denied) => state.status.as_str().unwrap_or("progressing").to_owned().into(),
        None => "missing".into(),
    };
    state.id = state.import_id();
}

/// Returns an object as the state shows it.
///
/// An object that is being deleted has its deletion timestamp, which no configuration has, so that a plan shows a
/// difference. `outdated` contains the Secrets that changed since the manager was started with them.
pub(super) fn flatten_object(shown: &Json, live: &Json, hashes: Option<&SecretHashes>, outdated: &[String]) -> Json {
    let mut found = project(shown, live);
    match shown["kind"].as_str() {
        Some("Secret") => {
            let name = shown.pointer("/metadata/name").and_then(Json::as_str).unwrap_or_default();
            found["data"] = match hashes {
                Some(hashes) if hashes.is_same_secret(name, Some(live)) => shown["data"].clone(),
                _ => hidden(&shown["data"]),
            };
        }
        Some("ConfigMap") => {
            for name in CONFIG_FILES {
                let (Some(shown), Some(live)) = (shown["data"][name].as_str(), live["data"][name].as_str()) else {
                    continue;
                };
                let is_same = hashes.and_then(|hashes| hashes.is_same_file(name, live));
                found["data"][name] = match (is_same, redacted(live)) {
                    (Some(true), _) => json!(shown),
                    (_, Some(live)) if live != shown => json!(live),
                    (None, Some(live)) => json!(live),
                    // Only secrets in the file differ, or the file cannot be parsed.
                    _ => json!(CHANGED),
                };
            }
            let hidden = shown["data"].as_object().into_iter().flatten().filter(|(_, shown)| *shown == REDACTED);
            for (name, shown) in hidden {
                let Some(live) = live["data"][name].as_str() else { continue };
                let is_same = hashes.and_then(|hashes| hashes.is_same_file(name, live)) == Some(true);
                found["data"][name] = if is_same { shown.clone() } else { json!(CHANGED) };
            }
        }
        Some("Deployment") => {
            let annotations = found.pointer_mut("/spec/template/metadata/annotations").and_then(Json::as_object_mut);
            if let Some(checksum) = annotations.and_then(|annotations| annotations.get_mut(SECRETS_CHECKSUM)) {
                *checksum = match outdated {
                    [] => json!(CURRENT),
                    names => json!(format!("(before changes of {})", names.join(", "))),
                };
            }
            hide_found_texts(&mut found, shown, |place, live| {
                let is_same = hashes.is_some_and(|hashes| hashes.is_same_text(place, live));
                json!(if is_same { REDACTED } else { CHANGED })
            });
        }
        _ => {}
    }
    if let (true, Some(metadata)) = (is_ending(live), found["metadata"].as_object_mut()) {
        metadata.insert("deletionTimestamp".to_owned(), live["metadata"]["deletionTimestamp"].clone());
    }
    found
}

fn hidden(data: &Json) -> Json {
    let fields = data.as_object().into_iter().flatten().map(|(name, value)| {
        let value = if is_empty(value) { value.clone() } else { json!(CHANGED) };
        (name.clone(), value)
    });
    Json::Object(fields.collect())
}

/// Returns the configuration without its secrets; `None` if it cannot be parsed.
fn redacted(text: &str) -> Option<String> {
    let mut global: toml::Table = text.parse().ok()?;
    let runner = match global.remove("runners") {
        None => toml::Table::new(),
        Some(toml::Value::Array(runners)) => match runners.as_slice() {
            [toml::Value::Table(runner)] => runner.clone(),
            _ => return None,
        },
        Some(_) => return None,
    };
    render(&hide(&Config { global, runner })).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_values_are_compared_by_hash() {
        let deployment = |value: &str| {
            let env = [json!({ "name": "A", "value": value }), json!({ "name": "CI_SERVER_URL", "value": "u" })];
            let containers = [json!({ "name": "r", "env": env, "args": [value] })];
            json!({ "kind": "Deployment", "metadata": {}, "spec": { "template": { "spec": { "containers": containers } } } })
        };
        let config_map = |text: &str| json!({ "kind": "ConfigMap", "metadata": {}, "data": { "file": text } });
        let mut hashes = SecretHashes::stored_or_new(&Private::default());
        hashes.record_objects(&Default::default(), &[deployment("very-secret"), config_map("very-secret")]);
        let shown = |shown: &Json, live: &Json| flatten_object(shown, live, Some(&hashes), &[]);
        for object in [deployment, config_map as fn(&str) -> Json] {
            assert_eq!(shown(&object(REDACTED), &object("very-secret")), object(REDACTED));
            assert_eq!(shown(&object(REDACTED), &object("other")), object(CHANGED));
            assert_eq!(flatten_object(&object(REDACTED), &object("very-secret"), None, &[]), object(CHANGED));
        }
    }
}
