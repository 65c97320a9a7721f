//! Helm's record of a release: its chart, and the values that were set.
//!
//! Values may contain secrets: only the names of their keys are shown, and keyed hashes of them are stored.

use std::collections::BTreeMap;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tfplugin::framework::value::known_list;
use tfplugin::framework::{Diagnostic, Object, Raw};

use crate::resources::runner_release::schema::RunnerRelease;
use crate::resources::runner_release::secret_hashes::SecretHashes;
use crate::resources::runner_release::values::{KEYS, MapsTo, leaves, parse};

/// Maximum size of an unpacked record. A Secret has at most 1 MiB.
const LARGEST: u64 = 32 * 1024 * 1024;

/// The stored part of the newest record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    chart: String,
    chart_version: String,
    /// Version of GitLab Runner that the chart deploys by default.
    runner_version: String,
    /// Keys of values that differ from the defaults, with keyed hashes of the values.
    values: BTreeMap<String, String>,
}

impl Record {
    /// Returns the newest record that can be read.
    pub(super) fn newest(records: &[Json], hashes: &SecretHashes) -> Option<Self> {
        let revision = |record: &&Json| record["metadata"]["labels"]["version"].as_str()?.parse::<u64>().ok();
        let mut records: Vec<&Json> = records.iter().collect();
        records.sort_by_key(revision);
        let release = records.into_iter().rev().find_map(unpacked)?;
        let text = |pointer: &str| release.pointer(pointer).and_then(Json::as_str).unwrap_or_default().to_owned();
        let config = release["config"].as_object().cloned().unwrap_or_default();
        let explicit = leaves(&config).into_iter().filter(|(key, value)| !is_default(key, value));
        let hashed = explicit.map(|(key, value)| (key.clone(), hash(&key, &value, hashes)));
        Some(Self {
            chart: text("/chart/metadata/name"),
            chart_version: text("/chart/metadata/version"),
            runner_version: text("/chart/metadata/appVersion"),
            values: hashed.collect(),
        })
    }

    /// Returns the chart of the record, as text for users.
    pub(super) fn described(&self) -> String {
        let chart = format!("the chart {} {} ({})", self.chart, self.chart_version, self.runner_version);
        match self.chart.as_str() {
            "gitlab-runner" => chart,
            _ => format!("{chart}, which is not the official gitlab-runner"),
        }
    }

    /// Returns a hint about the attribute that selects the image of the chart.
    pub(super) fn hint(&self) -> Option<String> {
        let version = self.runner_version.trim_start_matches('v');
        let is_one = version.starts_with(|c: char| c.is_ascii_digit());
        is_one.then(|| format!("The chart deploys GitLab Runner {version} by default: runner_version = \"{version}\"."))
    }

    /// Returns a warning about values that the configuration sets neither in `values` nor with attributes.
    pub(super) fn uncovered(&self, config: &RunnerRelease, hashes: &SecretHashes) -> Option<Diagnostic> {
        let files = known_list(&config.values)?;
        let own: Vec<serde_json::Map<String, Json>> = files.iter().filter_map(|file| parse(file)).collect();
        // The files are merged, so each of them may contain the value.
        let own: Vec<(String, Json)> = own.iter().flat_map(leaves).collect();
        let given = config.clone().into_raw_object();
        let is_set = |name: &&str| given.get(*name).is_some_and(|value| *value != Raw::Null);
        let is_covered = |key: &str, hashed: &str| {
            let attributes = attributes(key);
            attributes.is_empty()
                || attributes.iter().any(is_set)
                || own.iter().any(|(name, value)| name == key && hash(key, value, hashes) == hashed)
        };
        let uncovered: Vec<&str> =
            self.values.iter().filter(|(key, hash)| !is_covered(key, hash)).map(|(key, _)| key.as_str()).collect();
        (!uncovered.is_empty()).then(|| {
            let detail = format!(
                "These values of the Helm release are missing in this configuration, or differ from it: {}. The apply \
                 uses the configuration.",
                uncovered.join(", ")
            );
            Diagnostic::warning("Values of the Helm release are missing", detail)
        })
    }
}

/// Whether a value is the default of this resource.
fn is_default(key: &str, value: &Json) -> bool {
    match value {
        Json::Bool(flag) => *flag == ["rbac.create", "serviceAccount.create", "unregisterRunners"].contains(&key),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// Returns the attributes that can set a key. None for a key without effect, or one that the chart does not have.
fn attributes(key: &str) -> Vec<&'static str> {
    let Some(key) = KEYS.iter().find(|known| known.path == key) else { return Vec::new() };
    match (key.path, key.maps_to) {
        (_, MapsTo::Attribute(to)) => vec![to.split('.').next().unwrap_or(to)],
        ("image.registry" | "image.image" | "image.tag", _) => vec!["image", "runner_version"],
        (_, MapsTo::Global(attribute)) => vec![attribute, "config_toml"],
        ("runners.config" | "runners.configOverride", _) => vec!["config", "config_toml"],
        ("runnerToken" | "runnerRegistrationToken", _) => {
            vec!["runner_token_wo", "registration_token_wo", "token_secret_name"]
        }
        ("rbac.rules" | "rbac.resources" | "rbac.verbs", _) => vec!["rbac"],
        ("securityContext", _) => vec!["security_context"],
        ("rbac.generatedServiceAccountName" | "rbac.serviceAccountName", _)
        | ("rbac.serviceAccountAnnotations" | "rbac.imagePullSecrets", _) => vec!["service_account"],
        ("runners.name", _) => vec!["runner_name"],
        ("runners.tags" | "runners.protected", _) => vec!["registration"],
        ("topologySpreadConstraints", _) => vec!["topology_spread_constraints"],
        ("envVars", _) => vec!["extra_env", "extra_env_from"],
        _ => Vec::new(),
    }
}

fn hash(key: &str, value: &Json, hashes: &SecretHashes) -> String {
    hashes.of_text(key, &crate::objects::manifest::text(value)).0
}

/// Returns the release in a record: JSON in base64, with or without gzip, in the base64 of the Secret.
fn unpacked(record: &Json) -> Option<Json> {
    let inner = STANDARD.decode(record["data"]["release"].as_str()?).ok()?;
    let packed = STANDARD.decode(inner.trim_ascii()).ok()?;
    // Helm recognizes gzip by these bytes, and reads plain JSON otherwise.
    if !packed.starts_with(&[0x1f, 0x8b, 0x08]) {
        return serde_json::from_slice(&packed).ok();
    }
    let mut text = Vec::new();
    let _ = flate2::read::GzDecoder::new(packed.as_slice()).take(LARGEST).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use serde_json::json;

    use super::*;
    use crate::resources::runner_release::private::Private;

    fn record(version: &str, release: &Json, is_packed: bool) -> Json {
        let mut bytes = release.to_string().into_bytes();
        if is_packed {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            packer.write_all(&bytes).unwrap();
            bytes = packer.finish().unwrap();
        }
        let text = STANDARD.encode(STANDARD.encode(bytes));
        json!({ "metadata": { "labels": { "version": version } }, "data": { "release": text } })
    }

    fn release(version: &str) -> Json {
        json!({
            "chart": { "metadata": { "name": "gitlab-runner", "version": version, "appVersion": "18.9.0" } },
            "config": {
                "gitlabUrl": "https://gitlab.com/", "runnerToken": "glrt-very-secret", "concurrent": 4,
                "metrics": { "enabled": true }, "resources": { "limits": { "cpu": "1" } }, "tolerations": [{ "key": "a" }],
                "affinity": null, "nodeSelector": {}, "rbac": { "create": true, "clusterWideAccess": false },
                "runners": { "config": "[[runners]]\n", "executor": "kubernetes" }, "nobody": "knows",
            },
        })
    }

    #[test]
    fn the_newest_record_is_read_packed_or_not() {
        let hashes = SecretHashes::stored_or_new(&Private::default());
        let broken = json!({ "metadata": { "labels": { "version": "11" } }, "data": { "release": "e30=" } });
        for is_packed in [true, false] {
            let records = [record("10", &release("0.86.0"), is_packed), record("9", &release("0.85.0"), true)];
            let found = Record::newest(&[&records[..], std::slice::from_ref(&broken)].concat(), &hashes).unwrap();
            assert_eq!(found.described(), "the chart gitlab-runner 0.86.0 (18.9.0)");
            assert!(!format!("{found:?}").contains("very-secret"));
        }
        assert_eq!(Record::newest(&[broken], &hashes), None);
    }

    #[test]
    fn recorded_keys_outside_the_configuration_are_reported() {
        let hashes = SecretHashes::stored_or_new(&Private::default());
        let found = Record::newest(&[record("1", &release("0.86.0"), true)], &hashes).unwrap();
        let reported = |config: &RunnerRelease| found.uncovered(config, &hashes).map(|warning| warning.detail);
        let config = RunnerRelease {
            gitlab_url: "https://gitlab.com/".into(),
            runner_token_wo: "glrt-other".into(),
            config_toml: "[[runners]]".into(),
            values: tfplugin::framework::Value::Known(vec!["tolerations: [{key: a}]\nresources: {}".into()]),
            ..RunnerRelease::default()
        };
        let detail = reported(&config).unwrap();
        assert!(detail.contains("differ from it: metrics.enabled, resources. The apply"), "{detail}");
        let values = "metrics: {enabled: true}\ntolerations: [{key: a}]\nresources: {limits: {cpu: '1'}}";
        let config = RunnerRelease { values: tfplugin::framework::Value::Known(vec![values.into()]), ..config };
        assert_eq!(reported(&config), None);
    }
}
