//! Objects in the cluster: looking at them, making them, taking them away.

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value as Json;

use super::manifest::{Manifest, parsed};
use crate::clients::kubernetes::{self, ApplyOptions, KubernetesError, ObjectRef, Propagation};
use crate::framework::wait::{Look, Wait, WaitError};

/// Says whose an object is; Helm refuses to touch objects that are not its own.
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Requests at a time.
const AT_A_TIME: usize = 8;

/// Whether an object was made by this provider.
pub(crate) fn is_ours(object: &Json) -> bool {
    object["metadata"]["labels"][MANAGED_BY] == "gitlabspot"
}

/// The places of a manifest's objects.
pub(crate) fn places(manifest: &Manifest) -> Vec<ObjectRef> {
    parsed(manifest).filter_map(|object| ObjectRef::of(&object).ok()).collect()
}

/// Reads objects; `None` for those that are not there.
pub(crate) async fn get_all(
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

/// Takes fields over that someone has changed by hand: the plan has shown them.
pub(crate) async fn apply(client: &kube::Client, object: &Json) -> Result<Json, KubernetesError> {
    kubernetes::apply(client, object, ApplyOptions { force: true, dry_run: false }).await
}

/// Deletes one object of ours, and waits until it is gone.
pub(crate) async fn remove(
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
