//! Concurrent creates of the same objects from two states: one of them gets all objects, and the other one fails.
//!
//! Both find no objects, or objects that look like those of a create that was killed. The workload decides which create
//! succeeds: it is applied with the resource version at which it was checked. The other create gives back the objects
//! that it has written.

use std::collections::BTreeMap;
use std::time::Duration;

use gitlabspot_clients::kubernetes::{KubernetesError, ObjectRef};
use serde_json::Value as Json;

use super::apply::{Applied, ObjectSet, is_workload, is_workload_kind};
use super::manifest::Manifest;
use super::owner::{Owner, is_of_other, is_unfinished};
use super::requests::get_all;
use super::{During as _, Error, Objects, Reason, Session, Step};

/// Maximum number of attempts to apply a workload while its controller or another create also writes to it. The
/// controller of a new Deployment writes several times in the first second.
const ATTEMPTS: u32 = 30;
const PAUSE: Duration = Duration::from_millis(100);

impl<R: Objects> Session<'_, R> {
    /// Applies the workload of a create. The workload of a create that was killed is taken over, that of a completed
    /// one is not.
    pub(super) async fn apply_new_workload(&self, set: &ObjectSet<'_>, workload: &Json) -> Result<Applied, Error> {
        let is_lost = |found: &Json| is_of_other(found, set.owner.as_ref()) && !is_unfinished(found);
        self.apply_unless_lost(set, workload, is_lost).await
    }

    /// Completes a create by removing the mark of the workload. From then on, no other create takes the objects over.
    pub(crate) async fn finish_create(&self, set: &ObjectSet<'_>, workload: &Json) -> Result<(), Error> {
        let set = ObjectSet { is_new: false, ..set.clone() };
        let is_lost = |found: &Json| is_of_other(found, set.owner.as_ref());
        self.apply_unless_lost(&set, workload, is_lost).await.map(drop)
    }

    async fn apply_unless_lost(
        &self,
        set: &ObjectSet<'_>,
        workload: &Json,
        is_lost: impl Fn(&Json) -> bool,
    ) -> Result<Applied, Error> {
        let place = ObjectRef::of(workload).during(Step::Apply, self)?;
        let mut attempts = 0;
        loop {
            let mut exact = workload.clone();
            if let Some(found) = self.get(&place).await.during(Step::Apply, self)? {
                if is_lost(&found) {
                    return Err(self.fault(Reason::Lost(place.to_string())).into());
                }
                // The API server rejects the apply with 409 if the workload has changed since the check.
                exact["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"].clone();
            }
            attempts += 1;
            match set.apply(self, &exact).await {
                Err(KubernetesError::Api { code: 409, .. }) if attempts < ATTEMPTS => {
                    self.context.clock.sleep(PAUSE).await;
                }
                applied => return applied.during(Step::Apply, self),
            }
        }
    }

    /// Whether all objects of a create have its ID. Another create may have written to them in between.
    ///
    /// # Errors
    /// The workload has the ID of another create.
    pub(crate) async fn owns_all(&self, set: &ObjectSet<'_>, places: Vec<ObjectRef>) -> Result<bool, Error> {
        let owners = self.owners(places).await.during(Step::Apply, self)?;
        let others: Vec<&ObjectRef> = owners
            .iter()
            .filter(|(_, owner)| owner.is_some() && **owner != set.owner)
            .map(|(place, _)| place)
            .collect();
        match others.iter().find(|place| is_workload_kind(&place.kind)) {
            Some(workload) => Err(self.fault(Reason::Lost(workload.to_string())).into()),
            None => Ok(others.is_empty()),
        }
    }

    /// Changes the owner of the objects that a create has written to that of the workload, so that a destroy of this
    /// resource does not delete them.
    pub(crate) async fn give_back(&self, set: &ObjectSet<'_>, objects: &[Json]) -> Result<(), KubernetesError> {
        let places = objects.iter().map(ObjectRef::of).collect::<Result<Vec<_>, _>>()?;
        let owners = self.owners(places).await?;
        let workload = owners.iter().find(|(place, _)| is_workload_kind(&place.kind));
        let Some((_, Some(winner))) = workload else { return Ok(()) };
        let before = &Manifest::new();
        let theirs = ObjectSet { before, owner: Some(winner.clone()), is_new: false, ..set.clone() };
        for object in objects.iter().filter(|object| !is_workload(object)) {
            if owners.get(&ObjectRef::of(object)?) == Some(&set.owner) {
                theirs.apply(self, object).await?;
            }
        }
        Ok(())
    }

    /// Reads the owners of objects; `None` for objects that do not exist or have no ID.
    async fn owners(&self, places: Vec<ObjectRef>) -> Result<BTreeMap<ObjectRef, Option<Owner>>, KubernetesError> {
        let found = get_all(&self.client, places).await?;
        Ok(found.into_iter().map(|(place, object)| (place, object.as_ref().and_then(Owner::on))).collect())
    }
}
