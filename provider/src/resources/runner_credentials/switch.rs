//! Another way to the bucket: it is granted first, and the old one stays as long as pods use it.
//!
//! Until the new way is complete, the state has the old one and remembers the new one beside it, so that a destroy
//! finds both whatever fails. For the case that the process dies, the user or role of the old way has a tag meanwhile
//! that names the new one.

use std::time::Duration;

use tfplugin::framework::Diagnostic;
use tfplugin::framework::value::known_map;
use tfplugin::framework::wait::WaitError;

use super::access_method::AccessMethod;
use super::error::Error;
use super::key_grant::{IN_STATE, NOTHING, aws};
use super::memory::{Beside, Book, Memory};
use super::model::Desired;
use super::principal::Principal;
use super::schema::RunnerCredentials;
use super::superseded::Candidates;
use super::{Session, bare};
use crate::tags::{Tags, UNFINISHED};

/// On the user or role of the old way: the way that is being granted.
pub(super) const SWITCHING: &str = "gitlabspot/switching";

impl Session<'_> {
    /// From the way of `prior` to that of `planned`. What is there of the new one already is taken back.
    pub(super) async fn switch(
        &self,
        (prior, planned): (&RunnerCredentials, &RunnerCredentials),
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
        limit: Duration,
    ) -> Result<Vec<Diagnostic>, Error> {
        let (old, new) = (AccessMethod::of(prior), AccessMethod::of(planned));
        let (old_principal, new_principal) = (old.principal(), new.principal());
        let mut desired = Desired::of(planned);
        let name = desired.settings.name.clone();
        desired.settings.reclaim = self.ours(prior, memory, &desired).await?;

        let mut granted = bare(planned);
        let mut remembered = Memory::default();
        let known = memory.beside.iter().find(|beside| beside.way == new).cloned();
        let begun = known.clone().unwrap_or_else(|| Beside::begun(new.clone()));
        begun.tell(&mut granted, &mut remembered);
        if old_principal == new_principal {
            granted.role_arn = prior.role_arn.clone();
            granted.policy_json = prior.policy_json.clone();
        }
        desired.beside = memory.beside.iter().map(|beside| beside.way.clone()).collect();
        desired.beside.retain(|way| way != &new);
        desired.beside.push(old.clone());

        memory.beside.retain(|beside| beside.way != new);
        memory.beside.push(begun);
        state.superseded = memory.superseded(state);
        book.write(state, memory);
        let done = match self.mark_switch(old_principal, &name, &new).await {
            Ok(()) => {
                let mut aside = Aside { book, state, memory };
                Box::pin(self.grant(&desired, &mut granted, &mut remembered, &mut aside, limit)).await
            }
            Err(error) => Err(error),
        };
        if let Err(mut error) = done {
            if known.is_none() && error.left_nothing() {
                memory.beside.pop();
                state.superseded = memory.superseded(state);
                book.write(state, memory);
                self.unmark_switch(old_principal, &name).await;
            }
            return Err(error);
        }

        memory.beside.pop();
        let superseded = Beside::of(state, memory);
        remembered.beside = std::mem::take(&mut memory.beside);
        remembered.beside.push(superseded);
        *memory = remembered;
        *state = granted;
        state.superseded = memory.superseded(state);
        book.write(state, memory);
        if old_principal != new_principal {
            let finished = new_principal.finish(self.context, self.iam, &name).await;
            finished.map_err(|source| aws("Completing the new credentials", source, IN_STATE))?;
        }
        let warnings = self.settle(Candidates::All, state, memory, book).await?;
        if old_principal == new_principal || memory.beside.iter().any(|beside| beside.way.principal() == old_principal)
        {
            self.unmark_switch(old_principal, &name).await;
        }
        Ok(warnings)
    }

    /// The tags of ours on the user or role of the new way, if it is there and ours.
    async fn ours(&self, prior: &RunnerCredentials, memory: &Memory, desired: &Desired) -> Result<Option<Tags>, Error> {
        let (principal, name) = (desired.mode.principal(), &desired.settings.name);
        if AccessMethod::of(prior).principal() == principal {
            return Ok(Some(known_map(&prior.tags_all).unwrap_or_default()));
        }
        for beside in memory.beside.iter().filter(|beside| beside.way.principal() == principal) {
            if self.is_ours(beside, name).await? {
                return Ok(Some(beside.tags.clone()));
            }
        }
        // Before anything says that one was begun: what is found from then on is ours.
        let found = principal.read(self.iam, name).await;
        let failed =
            |error| aws(format!("Looking for an IAM {} {name}", principal.label()), WaitError::Failed(error), NOTHING);
        match found.map_err(failed)? {
            Some(found) if !found.tags.contains_key(UNFINISHED) => {
                Err(Error::Exists { principal, name: name.clone(), id: desired.import_id() })
            }
            _ => Ok(None),
        }
    }

    async fn mark_switch(&self, principal: Principal, name: &str, new: &AccessMethod) -> Result<(), Error> {
        let marked = principal.mark(self.context, self.iam, name, SWITCHING, &new.mark()).await;
        // Without a user or role there is nothing that could tell of the new one but the state.
        match marked {
            Err(WaitError::Failed(error)) if error.is_not_found() => Ok(()),
            other => {
                other.map_err(|source| aws(format!("Tagging the IAM {} {name}", principal.label()), source, NOTHING))
            }
        }
    }

    /// A mark that stays is of no consequence while the state has both ways, and goes with the next switch.
    pub(super) async fn unmark_switch(&self, principal: Principal, name: &str) {
        if let Err(error) = principal.finish(self.context, self.iam, name).await {
            tracing::warn!(name, %error, "the tag {SWITCHING} could not be removed");
        }
    }
}

/// Writes down what a grant makes as that of the last way beside: the way of the state is still the old one.
struct Aside<'a> {
    book: &'a mut dyn Book,
    state: &'a RunnerCredentials,
    memory: &'a mut Memory,
}

impl Book for Aside<'_> {
    fn write(&mut self, granted: &RunnerCredentials, remembered: &Memory) {
        if let Some(beside) = self.memory.beside.last_mut() {
            beside.note(granted, remembered);
        }
        self.book.write(self.state, self.memory);
    }
}
