//! The Kubernetes Secret with the key: its manifest, reading it back, and a fingerprint that tells nothing.

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

/// Keys of the data, as the runner's chart reads them.
const ACCESS_KEY: &str = "accesskey";
const SECRET_KEY: &str = "secretkey";

/// Names the IAM user whose key it is.
pub(crate) const USER: &str = "gitlabspot.io/iam-user";

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// A key with its secret.
#[derive(Clone, Debug)]
pub(crate) struct KeyPair {
    pub(crate) id: String,
    pub(crate) secret: SecretString,
}

/// Labels or annotations.
pub(crate) type Metadata = BTreeMap<String, String>;

/// What the Secret is to be, apart from the key.
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

/// What the plan has seen in the Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) labels: Metadata,
    pub(crate) annotations: Metadata,
    /// That the key in it is not the one that was written.
    pub(crate) data_changed: bool,
    /// That it is as it was when it was imported.
    pub(crate) is_adopted: bool,
}

/// A Secret that was read.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The key in it, if it has both parts.
    pub(crate) pair: Option<KeyPair>,
    pub(crate) labels: Metadata,
    pub(crate) annotations: Metadata,
    /// Whether this provider has ever applied it.
    pub(crate) is_ours: bool,
    /// When this provider changed it last, by the cluster's clock.
    pub(crate) written_at: Option<String>,
}

impl Found {
    /// The IAM user that the Secret says it is for.
    pub(crate) fn user(&self) -> Option<&str> {
        self.annotations.get(USER).map(String::as_str)
    }

    /// Labels and annotations that a user gave, without those of this provider and of Kubernetes.
    pub(crate) fn given(&self) -> (Metadata, Metadata) {
        let given = |all: &Metadata| {
            let is_given = |key: &str| key != USER && key != MANAGED_BY && !key.contains("kubernetes.io/last-applied");
            all.iter().filter(|(key, _)| is_given(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        (given(&self.labels), given(&self.annotations))
    }
}

/// Why the Secret was not written.
#[derive(Debug)]
pub(crate) struct NotWritten {
    pub(crate) error: KubernetesError,
    /// Perhaps it was: neither the answer came nor could it be looked at.
    pub(crate) is_unclear: bool,
}

impl KeyPair {
    /// Changes with the key, and tells nothing about it: HMAC-SHA256 under the key's public id. A secret has 240 random
    /// bits, so nobody can find it by trying.
    pub(crate) fn fingerprint(&self, under: &str) -> String {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(under.as_bytes()).expect("a key of any length");
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

    /// The whole intent. It holds the secret: it goes to the cluster and nowhere else.
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

    /// Writes the Secret. Of what others did to managed fields it overwrites what the plan has `seen`. Where no answer tells
    /// whether it was written, it is looked at: the key in it is in use.
    pub(crate) async fn apply(&self, client: &kube::Client, pair: &KeyPair, seen: &Seen) -> Result<(), NotWritten> {
        let after = self.manifest(pair);
        let data = json!({ ACCESS_KEY: Json::Null, SECRET_KEY: Json::Null });
        let before = json!({
            "metadata": { "labels": seen.labels, "annotations": seen.annotations },
            // A key that the plan has not seen to be changed is not taken from others.
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

/// Whether everything of the intent stands in an object.
fn has(object: &Json, intent: &Json) -> bool {
    match intent {
        Json::Object(fields) => fields.iter().all(|(name, value)| has(&object[name], value)),
        value => object == value,
    }
}

/// The id of the access key in a Secret that has both parts of one.
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
