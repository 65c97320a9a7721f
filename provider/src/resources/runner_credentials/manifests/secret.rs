//! The Kubernetes Secret with the key: its manifest, its read, and the fingerprint of the key.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gitlabspot_clients::kubernetes::{self, FIELD_MANAGER, KubernetesError, ObjectRef, Propagation};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};
use sha2::Sha256;

use crate::objects::claim::Claim;
use crate::objects::requests;

/// Keys of the data, as the chart of GitLab Runner expects them.
const ACCESS_KEY: &str = "accesskey";
const SECRET_KEY: &str = "secretkey";

/// Annotation with the name of the IAM user.
pub(crate) const USER: &str = "gitlabspot.io/iam-user";

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// An access key ID with its secret access key.
#[derive(Clone, Debug)]
pub(crate) struct KeyPair {
    pub(crate) id: String,
    pub(crate) secret: SecretString,
}

/// Labels or annotations.
pub(crate) type Metadata = BTreeMap<String, String>;

/// The desired Secret without the key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) user: String,
    pub(crate) labels: Metadata,
    pub(crate) annotations: Metadata,
}

/// Managed fields that no plan shows.
const HIDDEN: [&str; 2] =
    [".metadata.labels.app.kubernetes.io/managed-by", ".metadata.annotations.gitlabspot.io/iam-user"];

/// The content of the Secret that the plan has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) labels: Metadata,
    pub(crate) annotations: Metadata,
    /// Whether the key in the Secret is not the one that was written.
    pub(crate) data_changed: bool,
    /// Whether the Secret was imported and not written since.
    pub(crate) is_adopted: bool,
}

/// An observed Secret.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The key in the Secret; `None` unless both parts exist.
    pub(crate) pair: Option<KeyPair>,
    pub(crate) labels: Metadata,
    pub(crate) annotations: Metadata,
    /// Whether this provider has ever applied it.
    pub(crate) is_ours: bool,
    /// Time of the last change by this provider, by the cluster's clock.
    pub(crate) written_at: Option<String>,
}

impl Found {
    /// The IAM user in the annotation of the Secret.
    pub(crate) fn user(&self) -> Option<&str> {
        self.annotations.get(USER).map(String::as_str)
    }

    /// Labels and annotations without those of this provider and of `kubectl apply`.
    pub(crate) fn given(&self) -> (Metadata, Metadata) {
        let given = |all: &Metadata| {
            let is_given = |key: &str| key != USER && key != MANAGED_BY && !key.contains("kubernetes.io/last-applied");
            all.iter().filter(|(key, _)| is_given(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        (given(&self.labels), given(&self.annotations))
    }
}

/// Error of a write of the Secret.
#[derive(Debug)]
pub(crate) struct NotWritten {
    pub(crate) error: KubernetesError,
    /// Whether the Secret may have been written: the response was lost, and the Secret could not be read.
    pub(crate) is_unclear: bool,
}

impl KeyPair {
    /// Returns a fingerprint that changes with the key and does not reveal it: HMAC-SHA256 with the public ID of the
    /// key. A secret access key has 240 random bits, so that a brute-force search is not possible.
    pub(crate) fn fingerprint(&self, under: &str) -> String {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(under.as_bytes()).expect("a key of any length");
        // With the lengths, a character that moves from one part to the other changes the fingerprint.
        for part in [self.id.as_str(), self.secret.expose_secret()] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        hex::encode(mac.finalize().into_bytes())
    }
}

impl Place {
    fn object(&self) -> ObjectRef {
        ObjectRef {
            api_version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: Some(self.namespace.clone()),
            name: self.name.clone(),
        }
    }

    /// Returns the manifest. It contains the secret and must only be sent to the cluster.
    fn manifest(&self, pair: &KeyPair) -> Json {
        let mut labels = self.labels.clone();
        labels.entry(MANAGED_BY.to_owned()).or_insert_with(|| FIELD_MANAGER.to_owned());
        let mut annotations = self.annotations.clone();
        annotations.insert(USER.to_owned(), self.user.clone());
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "namespace": self.namespace,
                "name": self.name,
                "labels": labels,
                "annotations": annotations,
            },
            "type": "Opaque",
            "data": {
                ACCESS_KEY: STANDARD.encode(&pair.id),
                SECRET_KEY: STANDARD.encode(pair.secret.expose_secret()),
            },
        })
    }

    /// Writes the Secret. Changes of others to managed fields are only overwritten if the plan has shown them, in
    /// `seen`. If the response is lost, the Secret is read to determine whether it was written, because pods may use
    /// its key.
    pub(crate) async fn apply(&self, client: &kube::Client, pair: &KeyPair, seen: &Seen) -> Result<(), NotWritten> {
        let after = self.manifest(pair);
        let data = json!({ ACCESS_KEY: Json::Null, SECRET_KEY: Json::Null });
        let before = json!({
            "metadata": { "labels": seen.labels, "annotations": seen.annotations },
            // A key that others have changed is only overwritten if the plan has shown the change.
            "data": if seen.data_changed { data } else { after["data"].clone() },
        });
        let claim = match seen.is_adopted {
            true => Claim::Everything,
            false => Claim::Shown { before: &before, after: &after, hidden: &HIDDEN },
        };
        let applied = requests::apply(client, &after, claim).await.map(drop);
        match applied {
            Err(error) if error.is_outcome_unknown() => match kubernetes::get(client, &self.object()).await {
                Ok(Some(found)) if has(&found, &after) => Ok(()),
                Ok(_) => Err(NotWritten { error, is_unclear: false }),
                Err(_) => Err(NotWritten { error, is_unclear: true }),
            },
            known => known.map_err(|error| NotWritten { error, is_unclear: false }),
        }
    }

    pub(crate) async fn read(&self, client: &kube::Client) -> Result<Option<Found>, KubernetesError> {
        Ok(kubernetes::get(client, &self.object()).await?.map(|object| found(&object)))
    }

    pub(crate) async fn delete(&self, client: &kube::Client) -> Result<(), KubernetesError> {
        kubernetes::delete(client, &self.object(), Propagation::Background, None).await.map(drop)
    }
}

/// Whether an object contains all fields of `intent`, with their values.
fn has(object: &Json, intent: &Json) -> bool {
    match intent {
        Json::Object(fields) => fields.iter().all(|(name, value)| has(&object[name], value)),
        value => object == value,
    }
}

/// Returns the access key ID in a Secret; `None` unless both parts of a key exist.
pub(crate) fn key_id(object: &Json) -> Option<String> {
    found(object).pair.map(|pair| pair.id)
}

fn found(object: &Json) -> Found {
    let metadata = |pointer: &str| -> Metadata {
        let entries = object.pointer(pointer).and_then(Json::as_object).into_iter().flatten();
        entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    };
    let data = |key: &str| -> Option<String> {
        let encoded = object["data"][key].as_str()?;
        String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
    };
    let pair = data(ACCESS_KEY).zip(data(SECRET_KEY));
    let managers = object.pointer("/metadata/managedFields").and_then(Json::as_array).into_iter().flatten();
    let mut ours = managers.filter(|entry| entry["manager"] == FIELD_MANAGER).peekable();
    let is_ours = ours.peek().is_some();
    Found {
        pair: pair.map(|(id, secret)| KeyPair { id, secret: secret.into() }),
        labels: metadata("/metadata/labels"),
        annotations: metadata("/metadata/annotations"),
        is_ours,
        written_at: ours.filter_map(|entry| entry["time"].as_str()).max().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(id: &str, secret: &str) -> KeyPair {
        KeyPair { id: id.to_owned(), secret: secret.to_owned().into() }
    }

    #[test]
    fn the_fingerprint_follows_both_halves() {
        let fingerprint = pair("AKIA1", "secret").fingerprint("AKIA1");
        assert_eq!(fingerprint.len(), 64);
        assert_eq!(fingerprint, pair("AKIA1", "secret").fingerprint("AKIA1"));
        for other in [pair("AKIA1", "other"), pair("AKIA2", "secret"), pair("AKIA1s", "ecret")] {
            assert_ne!(fingerprint, other.fingerprint("AKIA1"));
        }
    }

    #[test]
    fn there_and_back() {
        let place = Place {
            namespace: "ci".to_owned(),
            name: "cache".to_owned(),
            user: "runner".to_owned(),
            labels: Metadata::from([("team".to_owned(), "ci".to_owned())]),
            annotations: Metadata::new(),
        };
        let mut manifest = place.manifest(&pair("AKIA1", "secret"));
        assert_eq!(manifest["data"], json!({"accesskey": "QUtJQTE=", "secretkey": "c2VjcmV0"}));
        manifest["metadata"]["managedFields"] = json!([{"manager": "gitlabspot", "operation": "Apply"}]);
        let found = found(&manifest);
        assert!(found.is_ours);
        assert_eq!(found.user(), Some("runner"));
        assert_eq!(found.given(), (place.labels, Metadata::new()));
        assert_eq!(found.pair.unwrap().fingerprint("x"), pair("AKIA1", "secret").fingerprint("x"));
    }

    #[test]
    fn intent_is_found_among_foreign_annotations() {
        let intent = json!({ "metadata": { "labels": { "a": "1" } }, "data": { "accesskey": "x" } });
        let mut object = json!({
            "metadata": { "labels": { "a": "1", "b": "2" }, "uid": "u" }, "data": { "accesskey": "x", "more": "y" },
        });
        assert!(has(&object, &intent));
        object["data"]["accesskey"] = "other".into();
        assert!(!has(&object, &intent));
        assert!(!has(&Json::Null, &intent));
    }

    #[test]
    fn debug_output_has_no_secret() {
        assert!(!format!("{:?}", pair("AKIA1", "hidden-thing")).contains("hidden-thing"));
    }
}
