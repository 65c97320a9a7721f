//! Deletes the objects: placeholders first, then their priority class if no others use it.

use std::time::Instant;

use gitlabspot_clients::kubernetes::{self, KubernetesError, ObjectRef};
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Delete, Diagnostic, Timeouts};

use super::error::Error;
use super::manifests::{is_warm_capacity, priority_class, selector_of_all, workloads};
use super::model::{Desired, priority_of_class};
use super::private::Private;
use super::schema::WarmCapacity;
use super::{Session, TIMEOUT, expand};
use crate::objects::manifest::Manifest;
use crate::objects::owner::{Owner, is_of_other};
use crate::objects::requests::{self, MANAGED_BY, NotDeleted};
use crate::objects::{self, During as _, ShowsObjects as _, Step, Whose};

const CLASS: &str = "PriorityClass";
const JOB: &str = "Job";

impl Session<'_> {
    pub(super) async fn delete(&self, operation: &mut Delete<WarmCapacity, Private>) -> Result<(), Error> {
        let manifest = operation.state.manifest();
        let deadline = self.deadline(Timeouts::delete(&operation.state.timeouts, TIMEOUT));
        let _reservation = self.reserve_for_removal(&[], deadline).await?;
        let owner = self.owner(&operation.private.objects, &requests::places(&manifest)).await?;
        let existing = self.existing(&operation.state, &manifest, owner.as_ref()).await.during(Step::Remove, self)?;
        let (classes, workloads) = split(existing);
        for warning in self.remove_workloads(workloads, owner.as_ref(), deadline).await? {
            operation.warn(warning);
        }
        for warning in self.remove_classes(&classes, deadline).await? {
            operation.warn(warning);
        }
        Ok(())
    }

    /// All objects that may exist: those in the state, those of a run that was killed before its state was written, and
    /// Jobs without their CronJob.
    pub(super) async fn existing(
        &self,
        model: &WarmCapacity,
        manifest: &Manifest,
        owner: Option<&Owner>,
    ) -> Result<Vec<ObjectRef>, KubernetesError> {
        let mut places = requests::places(manifest);
        let [namespace, name] = model.namespace_and_name();
        let mut others = Vec::new();
        for (place, found) in requests::get_all(&self.client, workloads(namespace, name)).await? {
            let is_known = places.contains(&place);
            let Some(found) = found.filter(|found| is_known || is_warm_capacity(found)) else { continue };
            if is_of_other(&found, owner) {
                others.push(found["metadata"]["uid"].clone());
                continue;
            }
            let class = priority_class::of_workload(&found);
            places.extend([place].into_iter().filter(|_| !is_known));
            places.extend(class.filter(|class| !places.contains(class)));
        }
        let mut jobs = self.jobs(namespace, name).await?;
        // A Job of the CronJob of another resource has the same labels, and must be preserved.
        jobs.retain(|job| !others.contains(&job["metadata"]["ownerReferences"][0]["uid"]));
        places.extend(jobs.iter().filter_map(|job| ObjectRef::of(job).ok()));
        Ok(places)
    }

    /// Deletes the workloads with their pods and Jobs, then the remaining Jobs.
    pub(super) async fn remove_workloads(
        &self,
        places: Vec<ObjectRef>,
        owner: Option<&Owner>,
        deadline: Instant,
    ) -> Result<Vec<Diagnostic>, objects::Error> {
        let remaining = self.remove(places, Whose::Of(owner), deadline).await?;
        let warnings = remaining.into_iter().map(|(place, reason)| {
            let why = match reason {
                NotDeleted::OfOther => "it now belongs to another resource".to_owned(),
                NotDeleted::Foreign => {
                    format!("it no longer has the label \"{MANAGED_BY}: gitlabspot\". Delete it if it is not used")
                }
            };
            let detail = format!("{place} was not deleted: {why}.");
            Diagnostic::warning("Placeholders were not removed", detail)
        });
        Ok(warnings.collect())
    }

    /// Deletes the priority classes that placeholders no longer use.
    pub(super) async fn remove_classes(
        &self,
        places: &[ObjectRef],
        deadline: Instant,
    ) -> Result<Vec<Diagnostic>, objects::Error> {
        let mut warnings = Vec::new();
        for place in places {
            match self.remove_class(place, deadline).await {
                Err(WaitError::Failed(error @ KubernetesError::Forbidden { .. })) => {
                    let detail = format!(
                        "{place} was not deleted, because it could not be determined whether other placeholder pods \
                         use it: {error}."
                    );
                    warnings.push(Diagnostic::warning("Priority class was not removed", detail));
                }
                other => other.during(Step::Remove, self)?,
            }
        }
        Ok(warnings)
    }

    async fn remove_class(&self, place: &ObjectRef, deadline: Instant) -> Result<(), WaitError<KubernetesError>> {
        if self.is_used(&place.name).await? {
            return Ok(());
        }
        requests::remove(&self.client, place, None, self.wait(deadline)).await?;
        // Placeholders that were applied in the meantime need the class: without it their new pods are rejected.
        if let Some(priority) = priority_of_class(&place.name)
            && self.is_used(&place.name).await?
        {
            let class = priority_class::object(priority);
            self.apply_unrecorded(&class).await?;
        }
        Ok(())
    }

    /// Whether placeholders of any namespace have this class.
    async fn is_used(&self, class: &str) -> Result<bool, KubernetesError> {
        for (api_version, kind) in [("apps/v1", "Deployment"), ("batch/v1", "CronJob")] {
            let found = kubernetes::list(&self.client, api_version, kind, None, &selector_of_all()).await?;
            if found.iter().filter_map(priority_class::of_workload).any(|used| used.name == class) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Separates the priority classes from the other objects.
fn split(places: Vec<ObjectRef>) -> (Vec<ObjectRef>, Vec<ObjectRef>) {
    places.into_iter().partition(|place| place.kind == CLASS)
}

/// The existing objects that an update deletes: priority classes, and other objects.
pub(super) fn leaving(mut existing: Vec<ObjectRef>, desired: &Desired) -> (Vec<ObjectRef>, Vec<ObjectRef>) {
    existing.retain(|place| !stays(place, desired));
    split(existing)
}

/// Whether an update keeps an object. With a schedule it keeps all Jobs at first: the apply deletes those that are not
/// desired.
pub(super) fn stays(place: &ObjectRef, desired: &Desired) -> bool {
    place.kind == JOB && desired.schedule.is_some() || expand::manifest(desired).contains_key(&place.to_string())
}
