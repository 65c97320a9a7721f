//! Requests for single objects: read, apply, dry run and delete.

use futures::stream::{self, StreamExt, TryStreamExt};
use gitlabspot_clients::kubernetes::{self, ApplyOptions, KubernetesError, ObjectRef, Propagation};
use serde_json::Value as Json;
use tfplugin::framework::wait::{Look, Wait, WaitError};

use super::claim::Claim;
use super::manifest::{Manifest, parsed};
use super::owner::{Owner, is_of_other};

/// Label with the tool that manages an object. Helm refuses to change objects that do not have its name here.
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Maximum number of concurrent requests.
const AT_A_TIME: usize = 8;

/// Maximum number of attempts to apply an object that other clients change at the same time.
const ATTEMPTS: u32 = 5;

/// Whether this provider manages the object, according to its label.
pub(crate) fn is_ours(object: &Json) -> bool {
    object["metadata"]["labels"][MANAGED_BY] == "gitlabspot"
}

/// Whether an object is being deleted. An apply to it succeeds, but the object is deleted nevertheless.
pub(crate) fn is_ending(object: &Json) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// The places of the objects of a manifest.
pub(crate) fn places(manifest: &Manifest) -> Vec<ObjectRef> {
    parsed(manifest).filter_map(|object| ObjectRef::of(&object).ok()).collect()
}

/// Reads objects; `None` for an object that does not exist.
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

/// Applies an object. Takes only the claimed fields over from other field managers.
///
/// # Errors
/// [`KubernetesError::Conflict`] with the fields that are not claimed.
pub(crate) async fn apply(client: &kube::Client, object: &Json, claim: Claim<'_>) -> Result<Json, KubernetesError> {
    apply_or_try(client, object, claim, false).await
}

/// Applies an object in a dry run.
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
        // A forced apply takes over all conflicting fields. With the resource version it fails with 409 if the object
        // has changed since its conflicts were checked.
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

/// Deletes an object of the resource with the ID `own`, and waits until it no longer exists. An object of another owner
/// is not deleted, and the reason is returned.
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
    // With its UID as a precondition, the delete does not affect a new object of the same name.
    let uid = found["metadata"]["uid"].as_str();
    // Foreground deletion deletes the dependents first, so that the pods no longer exist when the workload no longer
    // does.
    let propagation = match place.kind.as_str() {
        "Deployment" | "CronJob" | "Job" => Propagation::Foreground,
        _ => Propagation::Background,
    };
    kubernetes::delete(client, place, propagation, uid).await?;
    wait_until_gone(client, place, uid, wait).await?;
    Ok(None)
}

/// An object that still exists after the wait for its deletion.
#[derive(Debug)]
pub(crate) struct StillEnding {
    pub(super) object: Box<ObjectRef>,
    pub(super) source: WaitError<KubernetesError>,
}

/// Waits until those of the objects that are being deleted no longer exist. An object that is applied before then would
/// be deleted as well.
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
        // An object with a different UID is a new one: the deletion is complete.
        Ok(match found.filter(|found| found["metadata"]["uid"].as_str() == uid) {
            None => Look::Done(()),
            Some(_) => Look::Pending(format!("{place} still exists")),
        })
    })
    .await
}
