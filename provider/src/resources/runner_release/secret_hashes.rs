//! Keyed hashes of secret content in the private state: they show whether the content changed, but not the content.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::manifests::{Fingerprint, Fingerprints, fingerprint, texts};
use super::private::Private;

/// The hashes, which are in the private state from the first apply on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SecretHashes {
    /// Key of the hashes, in hex.
    key: String,
    /// Secrets in use by name, and files of the ConfigMap and texts of containers that may contain secrets.
    pub(super) fingerprints: BTreeMap<String, String>,
}

impl SecretHashes {
    /// Returns the stored hashes, or none with a new key.
    pub(super) fn stored_or_new(private: &Private) -> Self {
        private.hashes.clone().unwrap_or_else(|| {
            let mut key = [0; 32];
            // If no random bytes are available, the hashes still show changes.
            let _ = getrandom::fill(&mut key);
            Self { key: hex::encode(key), fingerprints: BTreeMap::new() }
        })
    }

    /// Stores the hashes in the private state.
    pub(super) fn store(&self, private: &mut Private) {
        private.hashes = Some(self.clone());
    }

    /// Returns the hash of a Secret. A missing Secret has a different hash than an empty one.
    pub(super) fn of_secret(&self, secret: Option<&Json>) -> Fingerprint {
        let Some(secret) = secret else { return Fingerprint("absent".to_owned()) };
        let data = secret["data"].as_object();
        let decoded: Vec<(&str, Vec<u8>)> = data
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                (name.as_str(), STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default())
            })
            .collect();
        fingerprint(self.key.as_bytes(), decoded.iter().map(|(name, value)| (*name, value.as_slice())))
    }

    /// Returns the hash of a text.
    pub(super) fn of_text(&self, name: &str, text: &str) -> Fingerprint {
        fingerprint(self.key.as_bytes(), [(name, text.as_bytes())])
    }

    /// Records the Secrets in use and the files of the ConfigMap that are applied.
    pub(super) fn record(&mut self, secrets: &Fingerprints, config_map: Option<&Json>) {
        self.fingerprints = secrets.iter().map(|(name, fingerprint)| (secret(name), fingerprint.0.clone())).collect();
        for (name, text) in config_map.and_then(|object| object["data"].as_object()).into_iter().flatten() {
            let fingerprint = self.of_text(name, text.as_str().unwrap_or_default());
            self.fingerprints.insert(file(name), fingerprint.0);
        }
    }

    /// Records the same for all objects, and the texts of the containers.
    pub(super) fn record_objects(&mut self, secrets: &Fingerprints, objects: &[Json]) {
        let of = |kind: &str| objects.iter().find(|object| object["kind"] == kind);
        self.record(secrets, of("ConfigMap"));
        self.record_texts(of("Deployment"));
    }

    /// Records the same for preserved pods: of the Secrets only new ones, and `token`, which has the same content.
    pub(super) fn record_files(&mut self, secrets: &Fingerprints, token: &str, config_map: Option<&Json>) {
        let before = self.fingerprints.clone();
        self.record(secrets, config_map);
        let is_kept = |name: &String| name.starts_with("secret ") && *name != secret(token);
        self.fingerprints.extend(before.into_iter().filter(|(name, _)| is_kept(name)));
    }

    /// Records the texts of the containers.
    pub(super) fn record_texts(&mut self, deployment: Option<&Json>) {
        for (place, value) in deployment.into_iter().flat_map(texts) {
            let fingerprint = self.of_text(&place, &value);
            self.fingerprints.insert(variable(&place), fingerprint.0);
        }
    }

    /// Whether a text of a container is the one that was applied.
    pub(super) fn is_same_text(&self, place: &str, value: &str) -> bool {
        self.fingerprints.get(&variable(place)) == Some(&self.of_text(place, value).0)
    }

    /// Records a Secret that is written.
    pub(super) fn record_secret(&mut self, name: &str, object: &Json) {
        let fingerprint = self.of_secret(Some(object)).0;
        self.fingerprints.insert(secret(name), fingerprint);
    }

    /// Returns the names of the Secrets in use.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.fingerprints.keys().filter_map(|name| name.strip_prefix("secret "))
    }

    /// Whether a hash is the one that was recorded last.
    pub(super) fn is_same(&self, name: &str, now: &Fingerprint) -> bool {
        self.fingerprints.get(&secret(name)) == Some(&now.0)
    }

    /// Whether the content of a Secret is the one that was recorded last.
    pub(super) fn is_same_secret(&self, name: &str, live: Option<&Json>) -> bool {
        self.is_same(name, &self.of_secret(live))
    }

    /// Whether a file of the ConfigMap is the one that was recorded last; `None` if none was recorded.
    pub(super) fn is_same_file(&self, name: &str, text: &str) -> Option<bool> {
        Some(self.fingerprints.get(&file(name))? == &self.of_text(name, text).0)
    }
}

fn secret(name: &str) -> String {
    format!("secret {name}")
}

fn variable(place: &str) -> String {
    format!("variable {place}")
}

fn file(name: &str) -> String {
    format!("file {name}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hashes_show_changes_and_no_content() {
        let mut private = Private::default();
        let mut hashes = SecretHashes::stored_or_new(&private);
        let secret = json!({ "data": { "runner-token": "Z2xydC1h" } });
        let secrets = [("gitlab-runner".to_owned(), hashes.of_secret(Some(&secret)))].into();
        hashes.record(&secrets, Some(&json!({ "data": { "config.toml": "concurrent = 1" } })));
        hashes.store(&mut private);
        let hashes = private.hashes.clone().unwrap();
        assert_eq!(hashes.secrets().collect::<Vec<_>>(), ["gitlab-runner"]);
        assert!(hashes.is_same_secret("gitlab-runner", Some(&secret)));
        assert!(!hashes.is_same_secret("gitlab-runner", Some(&json!({ "data": { "runner-token": "Z2xydC1i" } }))));
        assert!(!hashes.is_same_secret("gitlab-runner", None));
        assert_eq!(hashes.is_same_file("config.toml", "concurrent = 1"), Some(true));
        assert_eq!(hashes.is_same_file("config.toml", "concurrent = 2"), Some(false));
        assert_eq!(hashes.is_same_file("entrypoint", ""), None);
        assert!(!serde_json::to_string(&private).unwrap().contains("Z2xydC1h"));
    }
}
