//! The release's objects in the cluster: looking at them, making them, taking them away.

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value as Json;

use super::error::Error;
use super::expand::{Manifest, parsed};
use super::manifests::Fingerprints;
use super::memory::Memory;
use crate::clients::kubernetes::{self, ApplyOptions, KubernetesError, ObjectRef, Propagation};
use crate::framework::wait::{Look, Wait, WaitError};

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Requests at a time.
const AT_A_TIME: usize = 8;

/// Whether an object was made by this provider.
pub(super) fn is_ours(object: &Json) -> bool {
    object["metadata"]["labels"][MANAGED_BY] == "gitlabspot"
}

/// The places of a manifest's objects.
pub(super) fn places(manifest: &Manifest) -> Vec<ObjectRef> {
    parsed(manifest).filter_map(|object| ObjectRef::of(&object).ok()).collect()
}

/// Reads objects; `None` for those that are not there.
pub(super) async fn get_all(
    client: &kube::Client,
    places: impl IntoIterator<Item = ObjectRef>,
) -> Result<Vec<(ObjectRef, Option<Json>)>, KubernetesError> {
    stream::iter(places)
        .map(async |place| {
            let found = kubernetes::get(client, &place).await?;
            Ok((place, found))
        })
        .buffered(AT_A_TIME)
        .try_collect()
        .await
}

/// Refuses to touch what others have made.
pub(super) async fn refuse_strangers(client: &kube::Client, places: Vec<ObjectRef>) -> Result<(), Error> {
    let found = get_all(client, places).await.map_err(|source| Error::Before { source })?;
    let stranger = found.into_iter().find(|(_, object)| object.as_ref().is_some_and(|object| !is_ours(object)));
    stranger.map_or(Ok(()), |(place, _)| Err(Error::Exists { object: place.to_string() }))
}

/// Tries, without keeping anything, the objects whose kind a cluster may not know.
pub(super) async fn refuse_unknown_kinds(client: &kube::Client, objects: &[Json]) -> Result<(), Error> {
    let options = ApplyOptions { dry_run: true, force: true };
    for object in objects.iter().filter(|object| object["apiVersion"] == "monitoring.coreos.com/v1") {
        // Any other trouble, such as a namespace that is still to be made, shows when it is applied.
        if let Err(source @ KubernetesError::UnknownKind { .. }) = kubernetes::apply(client, object, options).await {
            return Err(Error::Before { source });
        }
    }
    Ok(())
}

/// Takes fields over that someone has changed by hand: the plan has shown them.
pub(super) async fn apply(client: &kube::Client, object: &Json) -> Result<Json, KubernetesError> {
    kubernetes::apply(client, object, ApplyOptions { force: true, dry_run: false }).await
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

/// The manager's pods.
pub(super) async fn pods(client: &kube::Client, deployment: &ObjectRef) -> Result<Vec<Json>, KubernetesError> {
    let labels = format!("app={}", deployment.name);
    kubernetes::list(client, "v1", "Pod", deployment.namespace.as_deref(), &labels).await
}

/// Deletes one object of ours, and waits until it is gone.
pub(super) async fn remove(
    client: &kube::Client,
    place: &ObjectRef,
    wait: Wait,
) -> Result<(), WaitError<KubernetesError>> {
    let found = kubernetes::get(client, place).await.map_err(WaitError::Failed)?;
    let Some(found) = found.filter(is_ours) else { return Ok(()) };
    let uid = found["metadata"]["uid"].as_str();
    kubernetes::delete(client, place, Propagation::Foreground, uid).await.map_err(WaitError::Failed)?;
    wait.until(|| async {
        let found = kubernetes::get(client, place).await?;
        Ok(match found.filter(|found| found["metadata"]["uid"].as_str() == uid) {
            None => Look::Done(()),
            Some(_) => Look::Pending(format!("{place} is still there")),
        })
    })
    .await
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
