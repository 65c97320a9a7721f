//! The one place where an operation records its steps: in the state, and in the private state.

use tfplugin::framework::Diagnostic;

use super::access_key::Listed;
use super::access_method::AccessMethod;
use super::journal::{Grant, Journal, Key};
use super::partial;
use super::private::Private;
use super::schema::RunnerCredentials;
use crate::steps;

/// An operation, which keeps what was recorded last if it fails.
type Operation = dyn steps::Operation<Model = RunnerCredentials, Private = Private>;

/// One grant in the course of an operation, and everything that is recorded with it.
pub(super) struct Recorder<'a> {
    operation: &'a mut Operation,
    /// The state that shows `grant`. Attributes that follow from the journal are set when it is recorded.
    pub(super) state: RunnerCredentials,
    /// During a switch: the state that shows the previous grant, and is recorded until the new one is complete.
    previous: Option<RunnerCredentials>,
    pub(super) journal: Journal,
    /// The grant at hand: the current one, unless another one was selected.
    pub(super) grant: Grant,
}

impl<'a> Recorder<'a> {
    /// With the current grant at hand.
    pub(super) fn new(operation: &'a mut Operation, state: RunnerCredentials, journal: Journal) -> Self {
        Self { operation, state, previous: None, grant: journal.current(), journal }
    }

    pub(super) fn warn(&mut self, warning: Diagnostic) {
        self.operation.warn(warning);
    }

    /// The name of the principals.
    pub(super) fn name(&self) -> String {
        self.state.name.as_str().unwrap_or_default().to_owned()
    }

    /// Changes the grant, and records.
    pub(super) fn update(&mut self, change: impl FnOnce(&mut Grant)) {
        change(&mut self.grant);
        self.record();
    }

    pub(super) fn record(&mut self) {
        self.journal.put(self.grant.clone());
        let state = self.previous.as_mut().unwrap_or(&mut self.state);
        self.journal.view(state);
        self.operation.private().journal = self.journal.clone();
        self.operation.record(state.clone());
    }

    /// The Secret has a new key; `listed` are the keys of before.
    pub(super) fn use_key(&mut self, key: Key, listed: &[Listed]) {
        self.journal.findings.rotation = None;
        self.state.rotation_trigger = key.rotation_trigger.clone().into();
        self.update(|grant| grant.replace_key(key, listed));
    }

    /// Takes another grant to hand. The state still shows the current one.
    pub(super) fn select(&mut self, grant: Grant) {
        self.journal.put(std::mem::replace(&mut self.grant, grant));
    }

    /// The grant at hand no longer exists: continues with the current one.
    pub(super) fn forget(&mut self) {
        self.journal.remove(&self.grant.method);
        self.grant = self.journal.current();
        self.record();
    }

    /// The service account of the current grant is another one.
    pub(super) fn rebind(&mut self, method: AccessMethod) {
        self.journal.rename_current(method.clone());
        self.journal.findings.unbound = None;
        self.update(|grant| grant.method = method);
    }

    /// Begins a switch to a grant, which `planned` is the state of.
    pub(super) fn begin_switch(&mut self, grant: Grant, planned: &RunnerCredentials) {
        self.journal.findings.rotation = None;
        self.journal.remove(&grant.method);
        self.select(grant);
        self.previous = Some(std::mem::replace(&mut self.state, partial::granting(planned)));
    }

    /// The grant at hand takes the place of the current one.
    pub(super) fn complete_switch(&mut self) {
        if let Some(previous) = self.previous.take() {
            self.journal.supersede(self.grant.method.clone(), &previous);
        }
        self.record();
    }

    /// Nothing of the grant at hand was created: goes back to the current one.
    pub(super) fn abandon_switch(&mut self) {
        if let Some(previous) = self.previous.take() {
            self.state = previous;
        }
        self.forget();
    }
}
