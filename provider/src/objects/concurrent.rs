//! Two creates of the same objects at the same time, of two states: one gets all objects, the other one an error.
//!
//! Both find nothing, or what looks like the rest of a create that was killed. The workload decides: it is applied at the
//! resource version at which it was judged, and a create that loses it gives back what it has written.

use std::collections::BTreeMap;
use std::time::Duration;

use gitlabspot_clients::kubernetes::{KubernetesError, ObjectRef};
use serde_json::Value as Json;

use super::apply::{Applied, ObjectSet, is_workload, is_workload_kind};
use super::manifest::Manifest;
use super::owner::{Owner, is_of_other, is_unfinished};
use super::requests::get_all;
use super::{During as _, Error, Objects, Reason, Session, Step};

/// How often a workload is judged again that its controller or another create writes to at the same time. The controller
/// of a new Deployment writes several times in the first second.
const ATTEMPTS: u32 = 30;
const PAUSE: Duration = Duration::from_millis(100);

impl<R: Objects> Session<'_, R> {
    /// Applies the workload of a create. What a create has left that was killed is taken over; what another one has
    /// completed is not.
    pub(super) async fn apply_new_workload(&self, set: &ObjectSet<'_>, workload: &Json) -> Result<Applied, Error> {
        let is_lost = |found: &Json| is_of_other(found, set.owner.as_ref()) && !is_unfinished(found);
        self.apply_unless_lost(set, workload, is_lost).await
    }

    /// Ends a create: from now on its objects belong to this resource alone.
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

    /// Whether all objects of a create are its own. Another create may have written to them in between.
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

    /// Gives the objects that a create has written to the owner of the workload, so that a destroy of this resource does not
    /// delete them.
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

    /// The IDs on existing objects.
    async fn owners(&self, places: Vec<ObjectRef>) -> Result<BTreeMap<ObjectRef, Option<Owner>>, KubernetesError> {
        let found = get_all(&self.client, places).await?;
        Ok(found.into_iter().map(|(place, object)| (place, object.as_ref().and_then(Owner::on))).collect())
    }
}
