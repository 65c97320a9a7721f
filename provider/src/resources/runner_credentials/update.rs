//! Updates in place, or with a switch to another access method.

use tfplugin::framework::Update;

use super::access_method::AccessMethod;
use super::error::{During, Fault, Remains, Result, Step};
use super::model::Desired;
use super::principal::{Observed, Principal};
use super::private::Private;
use super::recorder::Recorder;
use super::schema::RunnerCredentials;
use super::superseded::Candidates;
use super::{Session, partial, plan};
use crate::partition;

impl Session<'_> {
    pub(super) async fn update(&self, operation: &mut Update<RunnerCredentials, Private>) -> Result<()> {
        let (mut prior, mut planned) = (operation.prior.clone(), operation.planned.clone());
        // Tags that `ignore_tags` excludes now are not removed from the principal.
        self.tags.spare(&mut prior.tags_all);
        plan::derive(&mut planned, Some(&prior), Some(partition::name(self.region)), self.tags);
        let mut journal = operation.private.journal.clone().or_of(&prior);
        journal.is_imported = false;
        let recorder = &mut Recorder::new(operation, partial::begun(&prior, &planned), journal);
        recorder.record();
        let updated = if AccessMethod::of(&prior).requires_switch_to(&AccessMethod::of(&planned)) {
            self.switch(recorder, &planned).await
        } else {
            self.adjust(recorder, &prior, &planned).await?;
            let settled = self.revoke_unused(recorder, Candidates::Idle).await;
            if std::mem::take(&mut recorder.journal.findings.is_switching) {
                self.unmark_switch(recorder.grant.method.principal(), &recorder.name()).await;
            }
            settled
        };
        match updated {
            // `UsedAgain` means that only the revocation was not done: the state is that of a complete update.
            Err(error) if !matches!(*error.fault, Fault::UsedAgain(_)) => Err(error),
            updated => {
                recorder.state = partial::done(&recorder.state, &planned);
                recorder.record();
                updated
            }
        }
    }

    /// Updates in place the settings that differ between `prior` and `planned`.
    async fn adjust(
        &self,
        recorder: &mut Recorder<'_>,
        prior: &RunnerCredentials,
        planned: &RunnerCredentials,
    ) -> Result<()> {
        let before = Desired::of(prior, AccessMethod::of(prior));
        let desired = Desired::of(planned, AccessMethod::of(planned));
        let principal = desired.method.principal();
        let found = Observed::of(&before.settings);
        let adjusted = principal.adjust(self.iam, &found, &desired.settings).await;
        adjusted.during(Step::ChangePrincipal(principal), Remains::Recorded)?;
        recorder.state.tags = planned.tags.clone();
        recorder.state.tags_all = planned.tags_all.clone();
        recorder.state.permissions_boundary = planned.permissions_boundary.clone();
        recorder.record();
        if prior.policy_json != planned.policy_json {
            self.put_policy(&desired).await?;
            recorder.state.policy_json = planned.policy_json.clone();
            recorder.record();
        }
        if principal == Principal::Role {
            return self.repair_role(recorder, prior, planned).await;
        }
        self.retire(recorder).await?;
        if planned.access_key_id.is_unknown() {
            self.rotate(recorder, &desired).await
        } else if before.place != desired.place {
            self.relabel(recorder, &desired).await
        } else {
            Ok(())
        }
    }
}
