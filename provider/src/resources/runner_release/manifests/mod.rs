//! The Kubernetes objects of a release, one file for each, in the form of the API.
//!
//! Names, labels and selectors are those of the official chart, so that a Helm release can be adopted in place. The
//! docs page lists the differences from the chart.

mod checksum;
mod config_map;
mod deployment;
mod horizontal_pod_autoscaler;
mod ingress;
mod metadata;
mod pod_disruption_budget;
mod pod_monitor;
mod role;
mod role_binding;
mod secret;
mod service;
mod service_account;
mod service_monitor;
mod session_server;
mod settings;

use std::collections::BTreeMap;

pub use checksum::{Fingerprint, fingerprint};
use gitlabspot_runner_config::config_toml::{REDACTED, hide, render};
pub use metadata::RELEASE_NAMESPACE;
pub use secret::SecretObject;
use serde_json::Value;
pub use texts::{hide as hide_texts, hide_found as hide_found_texts, texts};

use super::spec::ReleaseSpec;

/// Keyed hashes of the Secrets that the manager uses, by name. A changed hash replaces the pods.
pub type Fingerprints = BTreeMap<String, Fingerprint>;

/// Returns all objects of the release except the Secret of the token, in the order in which they are created.
///
/// # Errors
///
/// A configuration that cannot be written as TOML, which is not possible after its validation.
pub fn objects(spec: &ReleaseSpec, fingerprints: &Fingerprints) -> Result<Vec<Value>, toml::ser::Error> {
    let config_map = config_map::object(spec)?;
    let deployment = deployment::object(spec, &config_map, fingerprints);
    let mut objects = Vec::new();
    // Pods use the service account, its permissions and the ConfigMap from their start on.
    objects.extend(service_account::object(spec));
    objects.extend(role::objects(spec));
    objects.extend(role_binding::objects(spec));
    objects.push(config_map);
    objects.extend(service::object(spec));
    objects.extend(session_server::object(spec));
    objects.extend(ingress::object(spec));
    objects.push(deployment);
    objects.extend(horizontal_pod_autoscaler::object(spec));
    objects.extend(pod_disruption_budget::object(spec));
    objects.extend(service_monitor::object(spec));
    objects.extend(pod_monitor::object(spec));
    Ok(objects)
}

/// Returns the same objects as plan and state show them: without sensitive values of the configuration and texts of
/// users, but with the checksums of what is applied.
///
/// Texts of the user in the Deployment are still included: see [`hide_texts`].
///
/// # Errors
///
/// As [`objects`].
pub fn shown(spec: &ReleaseSpec, fingerprints: &Fingerprints) -> Result<Vec<Value>, toml::ser::Error> {
    let mut objects = objects(spec, fingerprints)?;
    let script = spec.pre_entrypoint_script.as_deref().map(hidden);
    let config_maps = spec.config_maps.iter().map(|(name, text)| (name.clone(), hidden(text))).collect();
    let config = hide(&spec.config);
    let redacted =
        config_map::object(&ReleaseSpec { config, pre_entrypoint_script: script, config_maps, ..spec.clone() })?;
    if let Some(config_map) = objects.iter_mut().find(|object| object["kind"] == "ConfigMap") {
        *config_map = redacted;
    }
    Ok(objects)
}

fn hidden(text: &str) -> String {
    if text.is_empty() { String::new() } else { REDACTED.to_owned() }
}

/// Returns the whole configuration of the runner as text, as plan and state show it.
///
/// # Errors
///
/// As [`objects`].
pub fn config_toml_rendered(spec: &ReleaseSpec) -> Result<String, toml::ser::Error> {
    render(&hide(&spec.config))
}

/// Returns the Secret of the token, if this resource manages it.
pub fn token_secret(spec: &ReleaseSpec, token: &secrecy::SecretString) -> Option<SecretObject> {
    spec.token.owned.then(|| secret::object(spec, token))
}

/// Returns the names of all Secrets that the manager's pods read when they start.
pub fn used_secrets(spec: &ReleaseSpec) -> Vec<&str> {
    let further = spec.settings.secrets.iter().flatten().filter_map(|secret| secret.name.as_deref());
    let mut names: Vec<&str> = [Some(spec.token.name.as_str()), spec.cache_secret_name.as_deref()]
        .into_iter()
        .chain([spec.settings.certs_secret_name.as_deref()])
        .flatten()
        .chain(further)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests;
mod texts;
