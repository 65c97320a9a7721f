//! Taking objects away: placeholders first, then their priority class if nobody else uses it.

use std::time::Instant;

use gitlabspot_clients::kubernetes::{self, KubernetesError, ObjectRef};
use tfplugin::framework::value::known_map;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Delete, Diagnostic, Timeouts};

use super::error::Error;
use super::manifests::{is_warm_capacity, priority_class, selector_of_all, shapes};
use super::model::{Placeholders, priority_of_class};
use super::private::Private;
use super::schema::WarmCapacity;
use super::{Scene, expand, time_for, turn_names};
use crate::live::{self, MANAGED_BY, Removed};
use crate::manifest::Manifest;
use crate::owner::{Owner, is_of_other};

const CLASS: &str = "PriorityClass";
const JOB: &str = "Job";

impl Scene<'_> {
    pub(super) async fn delete(&self, operation: &mut Delete<WarmCapacity, Private>) -> Result<(), Error> {
        let failed = |source| Error::Remove { source };
        let manifest = known_map(&operation.state.manifest).unwrap_or_default();
        let end = self.context.clock.now() + time_for(&operation.state.timeouts, Timeouts::delete);
        let turns = &self.context.data().map_err(Error::Configuration)?.turns;
        let turn = turns.remove(turn_names(&operation.state), self.wait(end)).await;
        let _turn = turn.map_err(|source| Error::Taken { source })?;
        let places = live::places(&manifest);
        let workload = places.iter().find(|place| place.kind != CLASS);
        let owner = Owner::of_or_live(operation.private.owner.as_ref(), &self.client, workload).await;
        let owner = owner.map_err(WaitError::Failed).map_err(failed)?;
        let owner = owner.as_ref();
        let present = self.present(&operation.state, &manifest, owner).await.map_err(WaitError::Failed);
        let present = present.map_err(failed)?;
        for warning in self.remove_placeholders(&present, owner, end).await.map_err(failed)? {
            operation.warn(warning);
        }
        for warning in self.remove_classes(&present, end).await.map_err(failed)? {
            operation.warn(warning);
        }
        Ok(())
    }

    /// All that there may be of these placeholders: what the state knows, what a run has made that was killed right after,
    /// and Jobs that their CronJob has lost.
    pub(super) async fn present(
        &self,
        model: &WarmCapacity,
        manifest: &Manifest,
        owner: Option<&Owner>,
    ) -> Result<Vec<ObjectRef>, KubernetesError> {
        let mut places = live::places(manifest);
        let (Some(namespace), Some(name)) = (model.namespace.as_str(), model.name.as_str()) else { return Ok(places) };
        let mut others = Vec::new();
        for (place, found) in live::get_all(&self.client, shapes(namespace, name)).await? {
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
        jobs.retain(|job| !others.contains(&job["metadata"]["ownerReferences"][0]["uid"]));
        places.extend(jobs.iter().filter_map(|job| ObjectRef::of(job).ok()));
        Ok(places)
    }

    /// Removes what makes placeholders, and with it pods and Jobs; then Jobs by themselves.
    pub(super) async fn remove_placeholders(
        &self,
        places: &[ObjectRef],
        owner: Option<&Owner>,
        end: Instant,
    ) -> Result<Vec<Diagnostic>, WaitError<KubernetesError>> {
        let mut warnings = Vec::new();
        let is_job = |place: &&ObjectRef| place.kind == JOB;
        let workloads = places.iter().filter(|place| place.kind != CLASS && !is_job(place));
        for place in workloads.chain(places.iter().filter(is_job)) {
            let why = match live::remove(&self.client, place, owner, self.wait(end)).await? {
                Removed::Gone => continue,
                Removed::Foreign => {
                    format!("it no longer has the label \"{MANAGED_BY}: gitlabspot\". Delete it if it is not used")
                }
                Removed::OfOther => "it now belongs to another resource".to_owned(),
            };
            let detail = format!("{place} was not deleted: {why}.");
            warnings.push(Diagnostic::warning("Placeholders were not removed", detail));
        }
        Ok(warnings)
    }

    /// Removes priority classes that no placeholders use any more.
    pub(super) async fn remove_classes(
        &self,
        places: &[ObjectRef],
        end: Instant,
    ) -> Result<Vec<Diagnostic>, WaitError<KubernetesError>> {
        let mut warnings = Vec::new();
        for place in places.iter().filter(|place| place.kind == CLASS) {
            match self.remove_class(place, end).await {
                Err(WaitError::Failed(error @ KubernetesError::Forbidden { .. })) => {
                    let detail = format!(
                        "{place} was not deleted, because it could not be determined whether other placeholders use \
                         it: {error}."
                    );
                    warnings.push(Diagnostic::warning("Priority class was not removed", detail));
                }
                other => other?,
            }
        }
        Ok(warnings)
    }

    async fn remove_class(&self, place: &ObjectRef, end: Instant) -> Result<(), WaitError<KubernetesError>> {
        if self.is_used(&place.name).await? {
            return Ok(());
        }
        live::remove(&self.client, place, None, self.wait(end)).await?;
        // Placeholders that were applied in between rely on it.
        if let Some(priority) = priority_of_class(&place.name)
            && self.is_used(&place.name).await?
        {
            let class = priority_class::object(priority);
            self.apply_class(&class, &Manifest::new()).await?;
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

/// Whether what is at a place is wanted there. Jobs of a schedule are: of them, the apply sorts out which are not.
pub(super) fn stays(place: &ObjectRef, wanted: &Placeholders) -> bool {
    place.kind == JOB && wanted.schedule.is_some() || expand::manifest(wanted).contains_key(&place.to_string())
}
