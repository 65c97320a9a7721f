//! Records the steps of an operation, in the state and in the private state.

use tfplugin::framework::Diagnostic;

use super::access_key::Listed;
use super::access_method::AccessMethod;
use super::journal::{Grant, Journal, Key};
use super::partial;
use super::private::Private;
use super::schema::RunnerCredentials;
use crate::steps;

/// An operation. If it fails, the host keeps the state that was recorded last.
type Operation = dyn steps::Operation<Model = RunnerCredentials, Private = Private>;

/// The grant that an operation changes, with the state and the journal that are recorded with it.
pub(super) struct Recorder<'a> {
    operation: &'a mut Operation,
    /// The state that shows `grant`. Attributes that are derived from the journal are set when it is recorded.
    pub(super) state: RunnerCredentials,
    /// During a switch, the state that shows the previous grant. It is recorded until the new grant is complete.
    previous: Option<RunnerCredentials>,
    pub(super) journal: Journal,
    /// The selected grant, which is initially the current one.
    pub(super) grant: Grant,
}

impl<'a> Recorder<'a> {
    /// Creates a recorder with the current grant selected.
    pub(super) fn new(operation: &'a mut Operation, state: RunnerCredentials, journal: Journal) -> Self {
        Self { operation, state, previous: None, grant: journal.current(), journal }
    }

    pub(super) fn warn(&mut self, warning: Diagnostic) {
        self.operation.warn(warning);
    }

    /// Name of the user and of the role.
    pub(super) fn name(&self) -> String {
        self.state.name.as_str().unwrap_or_default().to_owned()
    }

    /// Changes the selected grant, and records it.
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

    /// Records that the Secret contains a new key. `listed` are the keys that the user had before.
    pub(super) fn use_key(&mut self, key: Key, listed: &[Listed]) {
        self.journal.findings.rotation = None;
        self.state.rotation_trigger = key.rotation_trigger.clone().into();
        self.update(|grant| grant.replace_key(key, listed));
    }

    /// Selects another grant. The state still shows the current one.
    pub(super) fn select(&mut self, grant: Grant) {
        self.journal.put(std::mem::replace(&mut self.grant, grant));
    }

    /// Removes the selected grant, which no longer exists, and selects the current one.
    pub(super) fn forget(&mut self) {
        self.journal.remove(&self.grant.method);
        self.grant = self.journal.current();
        self.record();
    }

    /// Records that the current grant is bound to another service account.
    pub(super) fn rebind(&mut self, method: AccessMethod) {
        self.journal.rename_current(method.clone());
        self.journal.findings.unbound = None;
        self.update(|grant| grant.method = method);
    }

    /// Begins a switch to `grant`, which `planned` shows.
    pub(super) fn begin_switch(&mut self, grant: Grant, planned: &RunnerCredentials) {
        self.journal.findings.rotation = None;
        self.journal.remove(&grant.method);
        self.select(grant);
        self.previous = Some(std::mem::replace(&mut self.state, partial::granting(planned)));
    }

    /// Makes the selected grant the current one.
    pub(super) fn complete_switch(&mut self) {
        if let Some(previous) = self.previous.take() {
            self.journal.supersede(self.grant.method.clone(), &previous);
        }
        self.record();
    }

    /// Reverts a switch of which nothing was created: removes the selected grant, and selects the current one.
    pub(super) fn abandon_switch(&mut self) {
        if let Some(previous) = self.previous.take() {
            self.state = previous;
        }
        self.forget();
    }
}
