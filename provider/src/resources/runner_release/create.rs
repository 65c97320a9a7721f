//! Creates a release: checks the cluster, applies the objects, waits for the rollout.

use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tfplugin::framework::{Create, Diagnostic, Timeouts, Value};

use super::adoption::Adoption;
use super::apply::{self, Applying};
use super::error::{Error, Fault};
use super::expand::Manifest;
use super::model::Desired;
use super::private::Private;
use super::schema::RunnerRelease;
use super::settings::Unresolved;
use super::spec::TokenKind;
use super::{Session, live};
use crate::objects::owner::Owner;
use crate::objects::{ObjectSet, Prior, ShowsObjects as _};
use crate::reservations::Reservation;
use crate::steps::Progress;

const CREATE: Duration = Duration::from_secs(15 * 60);

/// Time limit for the controller to observe a change that starts no pods.
const OBSERVED: Duration = Duration::from_secs(30);

impl Session<'_> {
    pub(super) async fn create(&self, operation: &mut Create<RunnerRelease, Private>) -> Result<(), Error> {
        let deadline = self.deadline(Timeouts::create(&operation.planned.timeouts, CREATE));
        let planned = operation.planned.clone();
        let existing = self.existing(&planned, &operation.config, &mut operation.private).await?;
        let desired = desired(&planned, &operation.config, existing)?;
        let (_reservation, owner) = self.begin_create(&desired, deadline).await?;
        operation.private.objects.owner = Some(owner.clone());
        self.namespace(&planned, &desired, deadline).await?;
        let (before, after) = (&Manifest::new(), &desired.manifest);
        let progress = &mut Progress::begin(operation, described(&planned, &desired, before)?);
        let set = ObjectSet { before, after, adopts: false, owner: Some(owner), is_new: true };
        let created = self.create_objects(&desired, &planned, &set, progress, deadline).await;
        // Until this create is complete, another create of the same release can claim the Deployment.
        if created.as_ref().is_err_and(is_lost) {
            self.give_back_all(&planned, &desired, &set).await;
        }
        created
    }

    async fn create_objects(
        &self,
        desired: &Desired,
        planned: &RunnerRelease,
        set: &ObjectSet<'_>,
        progress: &mut Progress<'_, Create<RunnerRelease, Private>>,
        deadline: Instant,
    ) -> Result<(), Error> {
        let deployment = self.apply_new(desired, set, progress, planned).await?;
        self.roll_out(desired, planned, deadline, progress).await?;
        // Objects that remain of an earlier, interrupted create.
        self.clear(planned, desired, Manifest::new(), None, deadline).await?;
        self.complete_create(desired, planned, (set, &deployment), deadline).await
    }

    /// Reserves the names, and checks that the objects can be created. Returns the owner ID for them.
    async fn begin_create(&self, desired: &Desired, deadline: Instant) -> Result<(Reservation, Owner), Error> {
        let check = || self.check_objects(desired, Prior::Create, &Adoption::None, deadline);
        let is_passing = |error: &Error| matches!(&*error.fault, Fault::Objects(fault) if fault.is_of_other());
        self.begin(&live::places(&desired.manifest), deadline, check, is_passing).await
    }

    /// Marks the create as complete.
    async fn complete_create(
        &self,
        desired: &Desired,
        planned: &RunnerRelease,
        (set, deployment): (&ObjectSet<'_>, &Json),
        deadline: Instant,
    ) -> Result<(), Error> {
        self.finish_create(set, deployment).await?;
        if planned.wait.or(true) {
            // A change of annotations increases the generation of a Deployment, but starts no pods.
            let _ = self.rolled_out(desired, planned, deadline.min(self.deadline(OBSERVED))).await;
        }
        Ok(())
    }

    /// Checks that the namespace exists, or creates it.
    pub(super) async fn namespace(
        &self,
        planned: &RunnerRelease,
        desired: &Desired,
        deadline: Instant,
    ) -> Result<(), Error> {
        let names = &desired.spec.names;
        let made_by = planned.create_namespace.or(false).then(|| apply::owner(&names.release));
        Ok(self.ensure_namespace(&names.namespace, made_by, deadline).await?)
    }

    /// Waits for the rollout, and records its status.
    pub(super) async fn roll_out<O: Applying>(
        &self,
        desired: &Desired,
        planned: &RunnerRelease,
        deadline: Instant,
        progress: &mut Progress<'_, O>,
    ) -> Result<(), Error> {
        let status = self.rolled_out(desired, planned, deadline).await?;
        progress.operation.private().objects.is_applying = false;
        progress.done(|state| state.status = status.into());
        Ok(())
    }
}

/// Whether another create has claimed the Deployment.
fn is_lost(error: &Error) -> bool {
    matches!(&*error.fault, Fault::Objects(fault) if fault.is_lost())
}

pub(super) fn desired(
    planned: &RunnerRelease,
    config: &RunnerRelease,
    existing: Option<TokenKind>,
) -> Result<Desired, Error> {
    let desired = Desired::of(planned, config, existing).map_err(|unresolved| match unresolved {
        Unresolved::Invalid(found) => found,
        Unresolved::Unknown => {
            let detail = "A value is still unknown while the release is applied. This is a bug of the host.";
            Diagnostic::error("Unknown value", detail).into()
        }
    });
    Ok(desired?)
}

/// Returns the planned state with computed attributes, the objects that exist, and no status.
pub(super) fn described(
    planned: &RunnerRelease,
    desired: &Desired,
    existing: &Manifest,
) -> Result<RunnerRelease, Error> {
    let mut state = planned.clone();
    desired.describe(&mut state)?;
    state.show(existing);
    state.id = state.import_id();
    state.status = Value::Null;
    Ok(state)
}
