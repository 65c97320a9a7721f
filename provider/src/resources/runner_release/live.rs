//! The objects of a release in the cluster: their owners, unknown kinds, and hashes of Secrets.

use std::collections::BTreeMap;

use gitlabspot_clients::kubernetes::{self, KubernetesError, ObjectRef};
use serde_json::Value as Json;

use super::Session;
use super::error::{Error, Fault};
use super::expand::{Manifest, text};
use super::manifests::{Fingerprints, RELEASE_NAMESPACE};
use super::secret_hashes::SecretHashes;
use super::spec::Names;
use crate::denied_reads::DeniedReads;
use crate::objects::claim::Claim;
pub(super) use crate::objects::requests::{get_all, is_ours, places};
use crate::objects::{During as _, Reason, Step, requests};

/// Returns a manifest of objects with unknown attributes: type, name and labels.
pub(super) fn skeletons(found: &[Json]) -> Manifest {
    let entry = |object: &Json| {
        let place = ObjectRef::of(object).ok()?;
        let mut metadata = BTreeMap::from([("name", &object["metadata"]["name"])]);
        metadata.insert("namespace", &object["metadata"]["namespace"]);
        metadata.insert("labels", &object["metadata"]["labels"]);
        let skeleton = serde_json::json!({
            "apiVersion": place.api_version, "kind": place.kind, "metadata": metadata,
        });
        Some((place.to_string(), text(&skeleton)))
    };
    found.iter().filter_map(entry).collect()
}

impl Session<'_> {
    /// Returns an error for an object of another owner, including other releases of this provider.
    pub(super) fn refuse_others(
        &self,
        place: &ObjectRef,
        object: &Json,
        names: &Names,
        is_adopted: impl Fn(&Json) -> bool,
    ) -> Result<(), Error> {
        let place = place.to_string();
        if !is_adopted(object) && !is_ours(object) {
            return Err(Fault::Objects(self.fault(Reason::Exists(place))).into());
        }
        match other_release(object, &names.namespace, &names.release) {
            Some(owner) => Err(Fault::ExistsForOther { release: self.id(), object: place, owner }.into()),
            None => Ok(()),
        }
    }

    /// Dry run of the objects with kinds that a cluster may not have. Returns an error for an unknown kind.
    pub(super) async fn refuse_unknown_kinds(&self, objects: &[Json]) -> Result<(), Error> {
        // All other kinds are built into Kubernetes; these are defined by the Prometheus operator.
        for object in objects.iter().filter(|object| object["apiVersion"] == "monitoring.coreos.com/v1") {
            let tried = requests::try_out(&self.client, object, Claim::Everything).await;
            // The apply returns all other errors: a namespace, for instance, may not exist yet.
            if matches!(tried, Err(KubernetesError::UnknownKind { .. })) {
                tried.during(Step::Check, self)?;
            }
        }
        Ok(())
    }
}

/// Returns the other resource of this provider that manages an object, as text for users.
pub(super) fn other_release(object: &Json, namespace: &str, release: &str) -> Option<String> {
    if !is_ours(object) {
        return None;
    }
    let label = |name: &str| object["metadata"]["labels"][name].as_str();
    // Only objects outside the namespace of their release have the label.
    let of = label(RELEASE_NAMESPACE).or_else(|| object["metadata"]["namespace"].as_str());
    match label("release") {
        None => Some("another resource of this provider".to_owned()),
        Some(name) if name == release && of == Some(namespace) => None,
        Some(name) => Some(format!("the release {}/{name}", of.unwrap_or_default())),
    }
}

/// Returns keyed hashes of the current Secrets. Secrets that cannot be read are omitted.
pub(super) async fn fingerprints(
    client: &kube::Client,
    hashes: &SecretHashes,
    namespace: &str,
    names: impl IntoIterator<Item = &str>,
) -> Result<Fingerprints, KubernetesError> {
    readable_fingerprints(client, hashes, namespace, names, &mut DeniedReads::default()).await
}

/// Returns the same, and records in `denied` the Secrets that the credentials are not allowed to read.
pub(super) async fn readable_fingerprints(
    client: &kube::Client,
    hashes: &SecretHashes,
    namespace: &str,
    names: impl IntoIterator<Item = &str>,
    denied: &mut DeniedReads,
) -> Result<Fingerprints, KubernetesError> {
    let mut fingerprints = Fingerprints::new();
    for name in names {
        let place = secret(namespace, name);
        // Secrets that could not be read together with the objects are recorded already.
        if denied.has(&place.to_string()) {
            continue;
        }
        match kubernetes::get(client, &place).await {
            Ok(found) => drop(fingerprints.insert(name.to_owned(), hashes.of_secret(found.as_ref()))),
            Err(KubernetesError::Forbidden { message, .. }) => denied.note(&place.to_string(), &message),
            Err(error) => return Err(error),
        }
    }
    Ok(fingerprints)
}

/// Returns the reference to a Secret.
pub(super) fn secret(namespace: &str, name: &str) -> ObjectRef {
    ObjectRef {
        api_version: "v1".into(),
        kind: "Secret".into(),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
    }
}

/// Returns the reference to the manager's Deployment.
pub(super) fn deployment(namespace: &str, name: &str) -> ObjectRef {
    ObjectRef {
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_labelled_with_their_release() {
        let of = |managed_by: &str, namespace: &str, labels: Json| {
            let mut labels = labels;
            labels["app.kubernetes.io/managed-by"] = json!(managed_by);
            other_release(&json!({ "metadata": { "namespace": namespace, "labels": labels } }), "ci", "runner")
        };
        assert_eq!(of("gitlabspot", "ci", json!({ "release": "runner" })), None);
        assert_eq!(of("gitlabspot", "ci", json!({ "release": "other" })), Some("the release ci/other".to_owned()));
        let elsewhere = |namespace: &str| json!({ "release": "runner", RELEASE_NAMESPACE: namespace });
        assert_eq!(of("gitlabspot", "jobs", elsewhere("ci")), None);
        assert_eq!(of("gitlabspot", "jobs", elsewhere("cd")), Some("the release cd/runner".to_owned()));
        assert_eq!(of("gitlabspot", "ci", json!({})), Some("another resource of this provider".to_owned()));
        assert_eq!(of("Helm", "ci", json!({ "release": "other" })), None);
    }
}
