//! Updates a release: applies all objects, waits for the rollout, deletes objects that are no longer desired.

use std::time::{Duration, Instant};

use tfplugin::framework::value::known_map;
use tfplugin::framework::{Timeouts, Update};

use super::create::{described, desired};
use super::error::Error;
use super::expand::Manifest;
use super::model::Desired;
use super::private::Private;
use super::schema::RunnerRelease;
use super::{Session, adoption, live, running_version};
use crate::objects::owner::Owner;
use crate::objects::{ObjectSet, Prior, ShowsObjects as _};
use crate::steps::Progress;

const UPDATE: Duration = Duration::from_secs(15 * 60);

impl Session<'_> {
    pub(super) async fn update(&self, operation: &mut Update<RunnerRelease, Private>) -> Result<(), Error> {
        let deadline = self.deadline(Timeouts::update(&operation.planned.timeouts, UPDATE));
        let planned = operation.planned.clone();
        let before = operation.prior.manifest();
        let desired = self.desired_of_update(operation, &before).await?;
        let both: Manifest = before.clone().into_iter().chain(desired.manifest.clone()).collect();
        let _reservation = self.reserve(&live::places(&both), deadline).await?;
        let owner = self.check_update(&desired, &before, &mut operation.private, deadline).await?;
        self.namespace(&planned, &desired, deadline).await?;
        let status = operation.prior.status.clone();
        let state = RunnerRelease { status, ..described(&planned, &desired, &before)? };
        let progress = &mut Progress::begin(operation, state);
        self.remove_autoscaler(&desired, &before, Some(&owner), deadline).await?;
        self.begin_adoption(&desired, &mut progress.operation.private).await?;
        let adopts = progress.operation.private.adoption.claims_all();
        let (after, owner) = (&desired.manifest, Some(owner));
        let set = ObjectSet { before: &before, after, adopts, owner: owner.clone(), is_new: false };
        self.apply(&planned, &desired, &set, progress).await?;
        self.roll_out(&desired, &planned, deadline, progress).await?;
        self.clear(&planned, &desired, before.clone(), owner.as_ref(), deadline).await?;
        progress.done(|state| state.show(after));
        let remaining = self.finish_adoption(&desired, &mut progress.operation.private).await?;
        progress.operation.diagnostics.extend(remaining);
        Ok(())
    }

    /// Returns the desired release, with the pod template of an import if its pods are preserved.
    async fn desired_of_update(
        &self,
        operation: &mut Update<RunnerRelease, Private>,
        before: &Manifest,
    ) -> Result<Desired, Error> {
        let Update { planned, config, private, .. } = operation;
        let existing = self.existing(planned, config, private).await?;
        let mut desired = desired(&running_version::kept(planned, private), config, existing)?;
        adoption::preserve(&mut desired, known_map(&planned.manifest).as_ref(), before, private);
        Ok(desired)
    }

    /// Runs the preflight of the update. Records the owner ID of the objects, and returns it.
    async fn check_update(
        &self,
        desired: &Desired,
        before: &Manifest,
        private: &mut Private,
        deadline: Instant,
    ) -> Result<Owner, Error> {
        let prior = Prior::Update { owner: private.objects.owner.as_ref(), manifest: before };
        let owner = self.check_objects(desired, prior, &private.adoption, deadline).await?;
        private.objects.owner = Some(owner.clone());
        Ok(owner)
    }
}
