//! The release's objects in the cluster: what is special about looking at them and taking them away.

use gitlabspot_clients::kubernetes::{self, KubernetesError, ObjectRef};
use serde_json::Value as Json;
use tfplugin::framework::wait::{Look, Wait, WaitError};

use super::error::Error;
use super::expand::Manifest;
use super::flatten;
use super::manifests::{Fingerprints, RELEASE_NAMESPACE};
use super::memory::Memory;
use super::spec::Names;
use crate::live;
pub(super) use crate::live::{get_all, is_ours, places, until_ended};
use crate::owner::{self, Owner};
use crate::ownership::Claim;

/// What an apply may take from others: what was ours and is shown by the plan, or all that an import takes over.
pub(super) struct Claims<'a> {
    /// What the state has of the objects.
    pub(super) before: &'a Manifest,
    /// What the plan has of them.
    pub(super) after: &'a Manifest,
    /// Whether an import takes the objects over.
    pub(super) all: bool,
    /// Whose the objects are to be; `None` for a trial of what has no id yet.
    pub(super) owner: Option<Owner>,
    /// Whether it is a create.
    pub(super) is_new: bool,
}

/// An object that was applied.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) place: ObjectRef,
    /// As the plan shows it.
    pub(super) asked: Json,
    /// The same fields as the cluster has them.
    pub(super) made: Json,
}

impl Applied {
    fn of(object: &Json, asked: Json, answer: &Json) -> Result<Self, KubernetesError> {
        let made = flatten::flatten(&asked, answer, None, &[]);
        Ok(Self { place: ObjectRef::of(object)?, asked, made })
    }
}

impl Claims<'_> {
    /// Applies an object.
    pub(super) async fn apply(&self, client: &kube::Client, object: &Json) -> Result<Applied, KubernetesError> {
        let (before, after) = self.shown(object)?;
        let answer = live::apply(client, &self.stamped(object), self.claim(&before, &after)).await?;
        Applied::of(object, after, &answer)
    }

    /// Tries an object without keeping anything.
    pub(super) async fn try_out(&self, client: &kube::Client, object: &Json) -> Result<Applied, KubernetesError> {
        let (before, after) = self.shown(object)?;
        let answer = live::try_out(client, &self.stamped(object), self.claim(&before, &after)).await?;
        Applied::of(object, after, &answer)
    }

    fn stamped(&self, object: &Json) -> Json {
        match &self.owner {
            Some(owner) if self.is_new && object["kind"] == DEPLOYMENT => owner.stamp_unfinished(object),
            Some(owner) => owner.stamp(object),
            None => object.clone(),
        }
    }

    fn shown(&self, object: &Json) -> Result<(Json, Json), KubernetesError> {
        let key = ObjectRef::of(object)?.to_string();
        let of = |manifest: &Manifest| {
            manifest.get(&key).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
        };
        Ok((of(self.before), of(self.after)))
    }

    fn claim<'a>(&self, before: &'a Json, after: &'a Json) -> Claim<'a> {
        if self.all { Claim::Everything } else { Claim::Shown { before, after, hidden: &HIDDEN } }
    }
}

/// Fields of ours that no plan shows as they are.
const HIDDEN: [&str; 4] = [
    ".metadata.annotations.gitlabspot.io/last-applied",
    ".spec.template.metadata.annotations.checksum/secrets",
    owner::HIDDEN[0],
    owner::HIDDEN[1],
];

/// The object that makes the manager's pods.
pub(super) const DEPLOYMENT: &str = "Deployment";

/// Refuses to touch what others have made, other releases of this provider among them.
pub(super) fn refuse_strangers<'a>(
    found: impl IntoIterator<Item = &'a (ObjectRef, Json)>,
    names: &Names,
    is_known: impl Fn(&Json) -> bool,
) -> Result<(), Error> {
    for (place, object) in found {
        if !is_known(object) && !is_ours(object) {
            return Err(Error::Exists { object: place.to_string() });
        }
        if let Some(owner) = other_release(object, &names.namespace, &names.release) {
            return Err(Error::ExistsForOther { object: place.to_string(), owner });
        }
    }
    Ok(())
}

/// Refuses to go on with what another resource has made wholly; what a create has left that was killed is gone on with.
pub(super) fn refuse_made<'a>(found: impl IntoIterator<Item = &'a Json>, names: &Names) -> Result<(), Error> {
    let is_of_it = |object: &Json| is_ours(object) && other_release(object, &names.namespace, &names.release).is_none();
    let is_made = |object: &&Json| object["kind"] == DEPLOYMENT && is_of_it(object) && !owner::is_unfinished(object);
    found.into_iter().find(is_made).map_or(Ok(()), |object| Err(of_other(object, names)))
}

/// Refuses objects with the id of another resource.
pub(super) fn refuse_others<'a>(
    found: impl IntoIterator<Item = &'a Json>,
    own: Option<&Owner>,
    names: &Names,
) -> Result<(), Error> {
    let is_others = |object: &&Json| is_ours(object) && owner::is_of_other(object, own);
    found.into_iter().find(is_others).map_or(Ok(()), |object| Err(of_other(object, names)))
}

fn of_other(object: &Json, names: &Names) -> Error {
    let object = ObjectRef::of(object).map(|place| place.to_string()).unwrap_or_default();
    Error::OfOther { object, id: format!("{}/{}", names.namespace, names.release) }
}

/// What else of this provider has made an object.
pub(super) fn other_release(object: &Json, namespace: &str, release: &str) -> Option<String> {
    if !is_ours(object) {
        return None;
    }
    let label = |name: &str| object["metadata"]["labels"][name].as_str();
    let of = label(RELEASE_NAMESPACE).or_else(|| object["metadata"]["namespace"].as_str());
    match label("release") {
        None => Some("another resource of this provider".to_owned()),
        Some(name) if name == release && of == Some(namespace) => None,
        Some(name) => Some(format!("the release {}/{name}", of.unwrap_or_default())),
    }
}

/// Tries, without keeping anything, the objects whose kind a cluster may not know.
pub(super) async fn refuse_unknown_kinds(client: &kube::Client, objects: &[Json]) -> Result<(), Error> {
    for object in objects.iter().filter(|object| object["apiVersion"] == "monitoring.coreos.com/v1") {
        // Any other trouble, such as a namespace that is still to be made, shows when it is applied.
        if let Err(source @ KubernetesError::UnknownKind { .. }) =
            live::try_out(client, object, Claim::Everything).await
        {
            return Err(Error::Before { source });
        }
    }
    Ok(())
}

/// Keyed hashes of the Secrets in use, as they are now. A Secret that may not be read is left out of account.
pub(super) async fn fingerprints(
    client: &kube::Client,
    memory: &Memory,
    namespace: &str,
    names: impl IntoIterator<Item = &str>,
) -> Result<Fingerprints, KubernetesError> {
    let mut fingerprints = Fingerprints::new();
    for name in names {
        match kubernetes::get(client, &secret(namespace, name)).await {
            Ok(found) => drop(fingerprints.insert(name.to_owned(), memory.of_secret(found.as_ref()))),
            Err(KubernetesError::Forbidden { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(fingerprints)
}

/// The place of a Secret.
pub(super) fn secret(namespace: &str, name: &str) -> ObjectRef {
    ObjectRef {
        api_version: "v1".into(),
        kind: "Secret".into(),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
    }
}

/// The place of the manager's Deployment.
pub(super) fn deployment(namespace: &str, name: &str) -> ObjectRef {
    ObjectRef {
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
    }
}

/// The manager's pods, and not those of jobs that somebody labels like them.
pub(super) async fn pods(client: &kube::Client, deployment: &ObjectRef) -> Result<Vec<Json>, KubernetesError> {
    // The Deployment's own selector: any other label of theirs may be another one by `pod_labels`.
    let labels = format!("app={}", deployment.name);
    let mut found = kubernetes::list(client, "v1", "Pod", deployment.namespace.as_deref(), &labels).await?;
    found.retain(|pod| is_of(pod, &deployment.name));
    Ok(found)
}

/// Whether a pod belongs to a ReplicaSet of the Deployment. That may be gone already, so its name has to tell.
fn is_of(pod: &Json, deployment: &str) -> bool {
    let hash = pod["metadata"]["labels"]["pod-template-hash"].as_str().unwrap_or_default();
    let owners = pod["metadata"]["ownerReferences"].as_array();
    owners.into_iter().flatten().any(|owner| {
        let name = owner["name"].as_str().and_then(|name| name.strip_prefix(deployment)?.strip_prefix('-'));
        owner["kind"] == "ReplicaSet" && name == Some(hash)
    })
}

/// Waits until no pod of the manager is left.
pub(super) async fn pods_gone(
    client: &kube::Client,
    deployment: &ObjectRef,
    wait: Wait,
) -> Result<(), WaitError<KubernetesError>> {
    wait.until(|| async {
        let pods = pods(client, deployment).await?;
        let names: Vec<&str> = pods.iter().filter_map(|pod| pod["metadata"]["name"].as_str()).collect();
        Ok(match names.as_slice() {
            [] => Look::Done(()),
            names => Look::Pending(format!("the manager's pods are ending: {}", names.join(", "))),
        })
    })
    .await
}

/// Rank of a kind when objects are taken away: what works first, what it works with next, what it may do last, so that
/// the last job can still be cleaned up after.
pub(super) fn removal_rank(place: &ObjectRef) -> u8 {
    match place.kind.as_str() {
        "HorizontalPodAutoscaler" => 0,
        "Deployment" => 1,
        "RoleBinding" | "ClusterRoleBinding" => 3,
        "Role" | "ClusterRole" => 4,
        "ServiceAccount" => 5,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pods_of_jobs_are_not_the_managers() {
        let pod = |owner: Json| {
            let labels = json!({ "app": "ci", "release": "ci", "pod-template-hash": "5d4" });
            json!({ "metadata": { "labels": labels, "ownerReferences": [owner] } })
        };
        assert!(is_of(&pod(json!({ "kind": "ReplicaSet", "name": "ci-5d4" })), "ci"));
        assert!(!is_of(&pod(json!({ "kind": "ReplicaSet", "name": "ci-more-5d4" })), "ci"));
        assert!(!is_of(&pod(json!({ "kind": "Job", "name": "ci-5d4" })), "ci"));
        assert!(!is_of(&json!({ "metadata": { "labels": { "app": "ci", "release": "ci" } } }), "ci"));
    }

    #[test]
    fn objects_tell_their_release() {
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
