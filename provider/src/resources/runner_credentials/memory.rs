//! What the resource keeps beside its state: nothing secret, but nothing for users either.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tfplugin::framework::value::{List, known_map};
use tfplugin::framework::{Create, Delete, Update, Value};

use super::access_method::AccessMethod;
use super::principal::Principal;
use super::private::Private;
use super::schema::RunnerCredentials;
use crate::tags::Tags;

/// Kept between operations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Memory {
    /// Fingerprint of the Secret as this resource wrote it; another one in the state means that somebody changed it.
    pub(super) fingerprint: Option<String>,
    /// Why the key has to be replaced, found by the last read. Decided there and not while planning, so that a plan and
    /// the apply of that plan agree.
    pub(super) rotation: Option<String>,
    /// Keys that are still to be deleted.
    pub(super) retiring: Vec<String>,
    /// The key of before a rotation, as long as pods use it.
    pub(super) outgoing: Option<Outgoing>,
    /// A new key of which no answer told whether it is in the Secret.
    pub(super) unclear: Option<Key>,
    /// Not updated since an import: what an import cannot know is taken from the configuration without consequences.
    pub(super) is_imported: bool,
    /// The Secret came with an import and was not written since: who made it still owns its fields.
    pub(super) is_adopted: bool,
    /// Ways beside the one of the state.
    pub(super) beside: Vec<Beside>,
    /// The last read saw the mark of a switch on user or role: one that did not come to its end.
    pub(super) is_marked: bool,
    /// Who may use the role by right, where the last read found something else.
    pub(super) trust: Option<String>,
    /// What the last read found in place of the way from the service account to the role.
    pub(super) lost: Option<String>,
}

/// A way beside the one of the state: one that was superseded and still serves, or one that is being granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Beside {
    pub(super) way: AccessMethod,
    /// ARN of user or role, when it is certain that it is ours.
    pub(super) arn: Option<String>,
    pub(super) key: Option<Key>,
    /// Keys that are still to be deleted.
    pub(super) retiring: Vec<String>,
    /// The tags of ours.
    pub(super) tags: Tags,
    /// Whether the last read found no pod that uses it.
    pub(super) is_idle: bool,
}

/// A key that is in the Secret no more, but in pods that were started before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outgoing {
    pub(super) id: String,
    /// Time at which the new key was written to the Secret, by the cluster's clock. Pods created later have the new key.
    pub(super) until: String,
    /// Whether the last read found no pod that uses it.
    pub(super) is_idle: bool,
}

/// A key that is in the Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) created_at: Option<String>,
    pub(super) fingerprint: Option<String>,
    pub(super) rotation_trigger: Option<String>,
}

impl Beside {
    /// One of which nothing is there yet.
    pub(super) fn begun(way: AccessMethod) -> Self {
        Self { way, arn: None, key: None, retiring: Vec::new(), tags: Tags::new(), is_idle: false }
    }

    /// What is there of the way that a state has.
    pub(super) fn of(state: &RunnerCredentials, memory: &Memory) -> Self {
        let mut beside = Self::begun(AccessMethod::of(state));
        beside.note(state, memory);
        beside
    }

    /// Takes over what a state says of it.
    pub(super) fn note(&mut self, state: &RunnerCredentials, memory: &Memory) {
        let arn = match self.way.principal() {
            Principal::User => &state.user_arn,
            Principal::Role => &state.role_arn,
        };
        self.arn = arn.known().cloned();
        self.key = state.access_key_id.known().filter(|_| self.way.principal() == Principal::User).map(|id| Key {
            id: id.clone(),
            created_at: state.created_at.known().cloned(),
            fingerprint: memory.fingerprint.clone(),
            rotation_trigger: state.rotation_trigger.known().cloned(),
        });
        let unclear = memory.unclear.iter().map(|key| key.id.clone());
        let outgoing = memory.outgoing.iter().map(|key| key.id.clone());
        self.retiring = memory.retiring.iter().cloned().chain(unclear).chain(outgoing).collect();
        self.tags = known_map(&state.tags_all).unwrap_or_default();
    }

    /// Puts into a state what is there of it.
    pub(super) fn tell(&self, state: &mut RunnerCredentials, memory: &mut Memory) {
        match self.way.principal() {
            Principal::User => state.user_arn = self.arn.clone().into(),
            Principal::Role => state.role_arn = self.arn.clone().into(),
        }
        memory.retiring = self.retiring.clone();
        if let Some(key) = &self.key {
            key.tell(state, memory);
        }
    }
}

impl Outgoing {
    /// What users read of it.
    pub(super) fn shown(&self, state: &RunnerCredentials) -> String {
        let user = state.name.as_str().unwrap_or_default();
        format!("access key {} of the IAM user {user}, which the Secret had before", self.id)
    }

    /// Names of the pods that were started with it. Times are whole seconds, and a pod reads the Secret some time after it
    /// was made.
    pub(super) fn users(&self, state: &RunnerCredentials, pods: &[Json]) -> Vec<String> {
        let is_older =
            |pod: &&Json| pod["metadata"]["creationTimestamp"].as_str().is_none_or(|made| made < self.until.as_str());
        let older: Vec<Json> = pods.iter().filter(is_older).cloned().collect();
        AccessMethod::of(state).users(state, &older)
    }
}

impl Key {
    /// Puts into a state that it is the key in use.
    pub(super) fn tell(&self, state: &mut RunnerCredentials, memory: &mut Memory) {
        memory.fingerprint = self.fingerprint.clone();
        state.access_key_id = self.id.as_str().into();
        state.created_at = self.created_at.clone().into();
        state.secret_hash = self.fingerprint.clone().into();
        state.rotation_trigger = self.rotation_trigger.clone().into();
    }
}

impl Memory {
    /// What users read of the ways beside.
    pub(super) fn superseded(&self, state: &RunnerCredentials) -> Value<List<String>> {
        let keys = self.outgoing.iter().map(|key| key.shown(state).into());
        Value::Known(self.beside.iter().map(|beside| beside.way.shown(state).into()).chain(keys).collect())
    }

    /// The same, without those that no pod uses.
    pub(super) fn superseded_and_used(&self, state: &RunnerCredentials) -> Value<List<String>> {
        let used = self.beside.iter().filter(|beside| !beside.is_idle);
        let keys = self.outgoing.iter().filter(|key| !key.is_idle).map(|key| key.shown(state).into());
        Value::Known(used.map(|beside| beside.way.shown(state).into()).chain(keys).collect())
    }

    /// Has the key of before a rotation deleted, whoever uses it.
    pub(super) fn retire_outgoing(&mut self) {
        self.retiring.extend(self.outgoing.take().map(|key| key.id));
    }
}

/// Where an operation writes down what is true now.
pub(super) trait Book: Send {
    fn write(&mut self, state: &RunnerCredentials, memory: &Memory);
}

impl Book for Create<RunnerCredentials, Private> {
    fn write(&mut self, state: &RunnerCredentials, memory: &Memory) {
        self.private.memory = memory.clone();
        Create::record(self, state.clone());
    }
}

impl Book for Update<RunnerCredentials, Private> {
    fn write(&mut self, state: &RunnerCredentials, memory: &Memory) {
        self.private.memory = memory.clone();
        Update::record(self, state.clone());
    }
}

impl Book for Delete<RunnerCredentials, Private> {
    fn write(&mut self, state: &RunnerCredentials, memory: &Memory) {
        self.private.memory = memory.clone();
        self.state = state.clone();
    }
}
