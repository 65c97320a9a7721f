//! Another access method: it is granted first, and the old grant stays as long as pods use it.
//!
//! Until the new grant is complete, the state shows the old one and the journal has both, so that a destroy finds both
//! whatever fails. For the case that the process dies, the principal of the old grant has a tag meanwhile that names the
//! new method.

use tfplugin::framework::value::known_map;
use tfplugin::framework::wait::WaitError;

use super::Session;
use super::access_method::AccessMethod;
use super::error::{During, Fault, Remains, Result, Step};
use super::journal::Grant;
use super::model::Desired;
use super::principal::Principal;
use super::recorder::Recorder;
use super::schema::RunnerCredentials;
use super::superseded::Candidates;
use crate::steps::Fault as _;
use crate::tags::{Tags, UNFINISHED};

/// On the principal of the old grant: the method that is being granted.
pub(super) const SWITCHING: &str = "gitlabspot/switching";

impl Session<'_> {
    /// From the current grant to the method of `planned`. What exists of it already is reclaimed.
    pub(super) async fn switch(&self, recorder: &mut Recorder<'_>, planned: &RunnerCredentials) -> Result<()> {
        let (old, new) = (recorder.journal.current.clone(), AccessMethod::of(planned));
        let (old_principal, new_principal) = (old.principal(), new.principal());
        let mut desired = Desired::of(planned, new.clone());
        let name = desired.settings.name.clone();
        desired.settings.reclaim = self.reclaimable_tags(recorder, &desired).await?;

        let known = recorder.journal.find(&new).cloned();
        let is_new = known.is_none();
        let mut grant = known.unwrap_or_else(|| Grant::new(new.clone()));
        let policy_json = recorder.state.policy_json.clone();
        if old_principal == new_principal {
            grant.arn = recorder.grant.arn.clone();
        }
        recorder.begin_switch(grant, planned);
        if old_principal == new_principal {
            recorder.state.policy_json = policy_json;
        }
        recorder.record();
        let granted = match self.mark_switch(old_principal, &name, &new).await {
            Ok(()) => self.grant(recorder, &desired).await,
            refused => refused,
        };
        if let Err(error) = granted {
            if is_new && error.remains == Remains::Nothing {
                recorder.abandon_switch();
                self.unmark_switch(old_principal, &name).await;
            }
            return Err(error);
        }
        recorder.complete_switch();
        if old_principal != new_principal {
            let finished = new_principal.finish(self.iam, &name).await;
            finished.during(Step::CompleteSwitch, Remains::Recorded)?;
        }
        self.revoke_unused(recorder, Candidates::All).await?;
        if recorder.journal.grants.iter().any(|grant| grant.method.principal() == old_principal) {
            self.unmark_switch(old_principal, &name).await;
        }
        Ok(())
    }

    /// The managed tags of the principal of the new grant, if it exists and this resource manages it.
    async fn reclaimable_tags(&self, recorder: &Recorder<'_>, desired: &Desired) -> Result<Option<Tags>> {
        let (principal, name) = (desired.method.principal(), &desired.settings.name);
        if recorder.journal.current.principal() == principal {
            return Ok(Some(known_map(&recorder.state.tags_all).unwrap_or_default()));
        }
        for grant in recorder.journal.others().filter(|grant| grant.method.principal() == principal) {
            if self.is_managed(grant, name).await? {
                return Ok(Some(grant.tags.clone()));
            }
        }
        // Before anything records that one was begun: whatever is found afterwards belongs to this resource.
        let observed = principal.read(&self.iam, name).await;
        let observed = observed.during(Step::FindPrincipal(principal.id(name)), Remains::Nothing)?;
        match observed {
            Some(observed) if !observed.tags.contains_key(UNFINISHED) => {
                let (name, id) = (name.clone(), desired.import_id());
                Err(Fault::Exists { principal, name, id }.leaving(Remains::Nothing))
            }
            _ => Ok(None),
        }
    }

    async fn mark_switch(&self, principal: Principal, name: &str, new: &AccessMethod) -> Result<()> {
        match principal.mark(self.iam, name, (SWITCHING, &new.mark())).await {
            // Without a principal only the state can name the new method.
            Err(WaitError::Failed(error)) if error.is_not_found() => Ok(()),
            marked => marked.during(Step::TagPrincipal(principal.id(name)), Remains::Nothing),
        }
    }

    /// A tag that stays is of no consequence while the journal has both grants, and goes with the next switch.
    pub(super) async fn unmark_switch(&self, principal: Principal, name: &str) {
        if let Err(error) = principal.finish(self.iam, name).await {
            tracing::warn!(name, %error, "the tag {SWITCHING} could not be removed");
        }
    }
}
