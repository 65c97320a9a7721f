//! What the resource keeps beside its state: nothing secret, but nothing for users either.

use serde::{Deserialize, Serialize};

use super::schema::RunnerCredentials;
use crate::framework::{Create, Delete, PrivateState, Update};

/// Kept between operations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    /// Fingerprint of the Secret as this resource wrote it; another one in the state means that somebody changed it.
    pub(super) fingerprint: Option<String>,
    /// Why the key has to be replaced, found by the last read. Decided there and not while planning, so that a plan and
    /// the apply of that plan agree.
    pub(super) rotation: Option<String>,
    /// Keys that are still to be deleted.
    pub(super) retiring: Vec<String>,
    /// Not updated since an import: what an import cannot know is taken from the configuration without consequences.
    pub(super) is_imported: bool,
    /// The Secret came with an import and was not written since: who made it still owns its fields.
    pub(super) is_adopted: bool,
}

const KEY: &str = "memory";

impl Memory {
    pub(super) fn of(private: &PrivateState) -> Self {
        private.get(KEY).unwrap_or_default()
    }

    pub(super) fn keep(&self, private: &mut PrivateState) {
        if self == &Self::default() {
            private.remove(KEY);
        } else {
            private.set(KEY, self);
        }
    }
}

/// Where an operation writes down what is true now.
pub(super) trait Book: Send {
    fn write(&mut self, state: &RunnerCredentials, memory: &Memory);
}

impl Book for Create<RunnerCredentials> {
    fn write(&mut self, state: &RunnerCredentials, memory: &Memory) {
        memory.keep(&mut self.private);
        Create::record(self, state.clone());
    }
}

impl Book for Update<RunnerCredentials> {
    fn write(&mut self, state: &RunnerCredentials, memory: &Memory) {
        memory.keep(&mut self.private);
        Update::record(self, state.clone());
    }
}

impl Book for Delete<RunnerCredentials> {
    fn write(&mut self, state: &RunnerCredentials, memory: &Memory) {
        memory.keep(&mut self.private);
        self.state = state.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_keep_is_not_kept() {
        let mut private = PrivateState::default();
        let memory = Memory { retiring: vec!["AKIA1".to_owned()], ..Memory::default() };
        memory.keep(&mut private);
        assert_eq!(Memory::of(&private), memory);
        Memory::default().keep(&mut private);
        assert_eq!(private, PrivateState::default());
    }
}
