//! A switch to another access method: the new grant is created first, and the old grant is kept while pods use it.
//!
//! Until the new grant is complete, the state shows the old one and the journal contains both, so that a destroy finds
//! both after any error. In case the process is killed, a tag of the old grant's principal contains the new method
//! during the switch.

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

/// Tag of the old grant's principal during a switch. Its value is the new method.
pub(super) const SWITCHING: &str = "gitlabspot/switching";

impl Session<'_> {
    /// Switches from the current grant to the method of `planned`. Objects of the new grant that exist already are
    /// reused.
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

    /// Returns the managed tags of the new grant's principal, if it exists and this resource manages it.
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
        // Checked before the switch is recorded: afterwards a principal of this name is assumed to be this resource's.
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
            // The principal was deleted by others, so that only the private state contains the new method.
            Err(WaitError::Failed(error)) if error.is_not_found() => Ok(()),
            marked => marked.during(Step::TagPrincipal(principal.id(name)), Remains::Nothing),
        }
    }

    /// Removes the tag of a switch. A failure is only logged: the tag has no effect while the journal contains both
    /// grants, and the next switch removes it.
    pub(super) async fn unmark_switch(&self, principal: Principal, name: &str) {
        if let Err(error) = principal.finish(self.iam, name).await {
            tracing::warn!(name, %error, "the tag {SWITCHING} could not be removed");
        }
    }
}
