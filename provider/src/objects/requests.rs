//! Requests for single objects: read, apply, dry run, delete.

use futures::stream::{self, StreamExt, TryStreamExt};
use gitlabspot_clients::kubernetes::{self, ApplyOptions, KubernetesError, ObjectRef, Propagation};
use serde_json::Value as Json;
use tfplugin::framework::wait::{Look, Wait, WaitError};

use super::claim::Claim;
use super::manifest::{Manifest, parsed};
use super::owner::{Owner, is_of_other};

/// Says whose an object is; Helm refuses to touch objects that are not its own.
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Requests at a time.
const AT_A_TIME: usize = 8;

/// Races with other writers that are lost before giving up.
const ATTEMPTS: u32 = 5;

/// Whether an object was made by this provider.
pub(crate) fn is_ours(object: &Json) -> bool {
    object["metadata"]["labels"][MANAGED_BY] == "gitlabspot"
}

/// Whether an object is being deleted: what is applied to it goes with it.
pub(crate) fn is_ending(object: &Json) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
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

/// Applies an object. From other managers it takes only the fields that are claimed; one that is not is a
/// [`KubernetesError::Conflict`].
pub(crate) async fn apply(client: &kube::Client, object: &Json, claim: Claim<'_>) -> Result<Json, KubernetesError> {
    apply_or_try(client, object, claim, false).await
}

/// The same, with nothing kept.
pub(crate) async fn try_out(client: &kube::Client, object: &Json, claim: Claim<'_>) -> Result<Json, KubernetesError> {
    apply_or_try(client, object, claim, true).await
}

async fn apply_or_try(
    client: &kube::Client,
    object: &Json,
    claim: Claim<'_>,
    dry_run: bool,
) -> Result<Json, KubernetesError> {
    let options = |force| ApplyOptions { force, dry_run, hands_over: false };
    let first = kubernetes::apply(client, object, options(matches!(claim, Claim::Everything))).await;
    let place = match &first {
        Err(KubernetesError::Conflict { object, .. }) => object.clone(),
        _ => return first,
    };
    let mut last = first;
    for _ in 0..ATTEMPTS {
        let Some(live) = kubernetes::get(client, &place).await? else {
            return kubernetes::apply(client, object, options(false)).await;
        };
        // Force takes every field, so the object must still be the one that was judged.
        let mut exact = object.clone();
        exact["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
        last = match kubernetes::apply(client, &exact, options(false)).await {
            Err(KubernetesError::Conflict { object, mut conflicts }) => {
                conflicts.retain(|conflict| !claim.covers(conflict, &live));
                if !conflicts.is_empty() {
                    return Err(KubernetesError::Conflict { object, conflicts });
                }
                kubernetes::apply(client, &exact, options(true)).await
            }
            answer => answer,
        };
        if !matches!(last, Err(KubernetesError::Api { code: 409, .. })) {
            return last;
        }
    }
    last
}

/// Why an object was not deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotDeleted {
    /// It does not have the label of this provider.
    Foreign,
    /// It belongs to another resource.
    OfOther,
}

/// Deletes an object of the resource with the ID `own`, and waits until it no longer exists. Returns the reason if it is not
/// an object of this resource.
pub(crate) async fn remove(
    client: &kube::Client,
    place: &ObjectRef,
    own: Option<&Owner>,
    wait: Wait,
) -> Result<Option<NotDeleted>, WaitError<KubernetesError>> {
    let found = match kubernetes::get(client, place).await? {
        None => return Ok(None),
        Some(found) if !is_ours(&found) => return Ok(Some(NotDeleted::Foreign)),
        Some(found) if is_of_other(&found, own) => return Ok(Some(NotDeleted::OfOther)),
        Some(found) => found,
    };
    let uid = found["metadata"]["uid"].as_str();
    // Of what has pods, these go first, so that its end is their end.
    let propagation = match place.kind.as_str() {
        "Deployment" | "CronJob" | "Job" => Propagation::Foreground,
        _ => Propagation::Background,
    };
    kubernetes::delete(client, place, propagation, uid).await?;
    wait_until_gone(client, place, uid, wait).await?;
    Ok(None)
}

/// An object whose end was waited for in vain.
#[derive(Debug)]
pub(crate) struct StillEnding {
    pub(super) object: Box<ObjectRef>,
    pub(super) source: WaitError<KubernetesError>,
}

/// Of what was found, waits until that is gone which is being deleted: what is applied onto it would go with it.
pub(crate) async fn until_ended(
    client: &kube::Client,
    found: &[(ObjectRef, Json)],
    wait: impl Fn() -> Wait,
) -> Result<(), StillEnding> {
    for (place, object) in found.iter().filter(|(_, object)| is_ending(object)) {
        let gone = wait_until_gone(client, place, object["metadata"]["uid"].as_str(), wait()).await;
        gone.map_err(|source| StillEnding { object: Box::new(place.clone()), source })?;
    }
    Ok(())
}

async fn wait_until_gone(
    client: &kube::Client,
    place: &ObjectRef,
    uid: Option<&str>,
    wait: Wait,
) -> Result<(), WaitError<KubernetesError>> {
    wait.until(|| async {
        let found = kubernetes::get(client, place).await?;
        Ok(match found.filter(|found| found["metadata"]["uid"].as_str() == uid) {
            None => Look::Done(()),
            Some(_) => Look::Pending(format!("{place} still exists")),
        })
    })
    .await
}
