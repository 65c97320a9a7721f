//! The journal in the private state: every grant that exists or is being created, and the findings of the last read.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tfplugin::framework::Value;
use tfplugin::framework::value::{Map, known_map};

use super::access_key::Listed;
use super::access_method::{AccessMethod, Mode};
use super::manifests::secret::KeyPair;
use super::plan::rotates_at;
use super::principal::Principal;
use super::schema::RunnerCredentials;
use crate::tags::Tags;

/// Annotation of a service account with the ARN of its IAM role, for IRSA.
pub(super) const ANNOTATION: &str = "eks.amazonaws.com/role-arn";

/// The grants of one resource. It contains no secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Journal {
    /// One grant for each access method, the oldest first: the current one, the superseded ones that pods still use,
    /// and one that is being created.
    pub(super) grants: Vec<Grant>,
    /// Access method of the grant that the state shows.
    pub(super) current: AccessMethod,
    /// Whether no update followed the import. Attributes that an import cannot read are then taken from the
    /// configuration without a rotation or a replacement.
    pub(super) is_imported: bool,
    pub(super) findings: Findings,
}

/// Problems that the last read found. The read decides and not the plan, so that a plan and its apply agree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Findings {
    /// Reason why the key must be replaced.
    pub(super) rotation: Option<String>,
    /// Desired trust policy, if that of the role differs.
    pub(super) trust: Option<String>,
    /// Text on the missing binding of the service account to the role, for a warning.
    pub(super) unbound: Option<String>,
    /// Whether the principal has the tag of an interrupted switch.
    pub(super) is_switching: bool,
}

/// The access of the runner by one access method: a principal, and its key or the binding of the service account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Grant {
    pub(super) method: AccessMethod,
    /// ARN of the principal. `None` until it is certain that this resource manages the principal.
    pub(super) arn: Option<String>,
    /// The key that was written to the Secret.
    pub(super) key: Option<Key>,
    /// A new key that may or may not be in the Secret, because the outcome of the write is unknown.
    pub(super) unclear: Option<Key>,
    /// The key before the last rotation, while pods use it.
    pub(super) outgoing: Option<OutgoingKey>,
    /// IDs of the keys that are to be deleted.
    pub(super) retiring: Vec<String>,
    /// Fingerprint of the key in the Secret. If it differs from that of `key`, others have changed the Secret.
    pub(super) secret_hash: Option<String>,
    /// Whether the Secret was imported and not written since, so that its creator still owns its fields.
    pub(super) is_adopted: bool,
    /// Managed tags of the principal.
    pub(super) tags: Tags,
    /// Whether no pod used the grant at the last read.
    pub(super) is_idle: bool,
}

/// A key that was written to the Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) created_at: Option<String>,
    pub(super) fingerprint: Option<String>,
    pub(super) rotation_trigger: Option<String>,
}

/// The key that the Secret contained before a rotation. Pods that started before it still use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutgoingKey {
    pub(super) id: String,
    /// Time at which the new key was written to the Secret, by the cluster's clock. Pods created later use the new key.
    pub(super) until: String,
    /// Whether no pod used the key at the last read.
    pub(super) is_idle: bool,
}

impl Key {
    pub(super) fn of(pair: &KeyPair, created_at: Option<String>, trigger: &Value<String>) -> Self {
        let rotation_trigger = trigger.known().cloned();
        Self { id: pair.id.clone(), created_at, fingerprint: Some(pair.fingerprint(&pair.id)), rotation_trigger }
    }

    /// Whether `pair` is this key, with the secret that was written.
    pub(super) fn is(&self, pair: &KeyPair) -> bool {
        Some(pair.fingerprint(&self.id)) == self.fingerprint
    }
}

impl OutgoingKey {
    /// Description for users.
    pub(super) fn describe(&self, state: &RunnerCredentials) -> String {
        let user = state.name.as_str().unwrap_or_default();
        format!("access key {} of the IAM user {user}, which the Secret contained before", self.id)
    }

    /// Names of the pods that started with this key.
    pub(super) fn users(&self, state: &RunnerCredentials, pods: &[Json]) -> Vec<String> {
        // A pod of the same second as the write has the new key: times are whole seconds, and the kubelet reads the
        // Secret some time after the pod was created.
        let is_older =
            |pod: &&Json| pod["metadata"]["creationTimestamp"].as_str().is_none_or(|made| made < self.until.as_str());
        let older: Vec<Json> = pods.iter().filter(is_older).cloned().collect();
        AccessMethod::of(state).users(state, &older)
    }
}

impl Grant {
    /// A grant that does not exist yet.
    pub(super) fn new(method: AccessMethod) -> Self {
        Self { method, ..Self::default() }
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        self.key.as_ref().map(|key| key.id.as_str())
    }

    /// Records that the Secret contains a new key. The previous key, if it is active, remains valid for pods that
    /// started with it. `listed` are the keys that the user had before the new one.
    pub(super) fn replace_key(&mut self, new: Key, listed: &[Listed]) {
        let old = self.key.take().and_then(|old| listed.iter().find(|key| key.id == old.id));
        match old {
            // Until the time of the write is known, every pod is treated as older than the new key.
            Some(old) if old.is_active => {
                self.retire_outgoing();
                self.outgoing = Some(OutgoingKey { id: old.id.clone(), until: "9999".to_owned(), is_idle: false });
            }
            old => self.retiring.extend(old.map(|old| old.id.clone())),
        }
        self.secret_hash = new.fingerprint.clone();
        self.key = Some(new);
        self.unclear = None;
        self.is_adopted = false;
    }

    /// Marks the key before the last rotation for deletion, even if pods use it.
    pub(super) fn retire_outgoing(&mut self) {
        self.retiring.extend(self.outgoing.take().map(|key| key.id));
    }

    /// Converts the grant that `state` shows into a superseded one.
    fn superseded(mut self, state: &RunnerCredentials, is_unbound: bool) -> Self {
        // The state will show the new grant. A later switch back to this one needs the tags and the trigger.
        self.tags = known_map(&state.tags_all).unwrap_or_default();
        if let Some(key) = &mut self.key {
            key.rotation_trigger = state.rotation_trigger.known().cloned();
        }
        self.retiring.extend(self.unclear.take().map(|key| key.id));
        self.retire_outgoing();
        self.is_adopted = false;
        if is_unbound {
            self.method.service_account.clear();
        }
        self
    }
}

impl Journal {
    /// A journal whose only grant has this method and does not exist yet.
    pub(super) fn new(method: AccessMethod) -> Self {
        Self { grants: vec![Grant::new(method.clone())], current: method, ..Self::default() }
    }

    /// Returns the journal, or one that is derived from the state if it is empty: after an import, or if the private
    /// state was lost.
    pub(super) fn or_of(self, state: &RunnerCredentials) -> Self {
        if !self.grants.is_empty() {
            return self;
        }
        let mut journal = Self::new(AccessMethod::of(state));
        let text = |value: &Value<String>| value.known().cloned();
        journal.put(Grant {
            arn: text(&state.user_arn).or(text(&state.role_arn)),
            key: text(&state.access_key_id).map(|id| Key {
                id,
                created_at: text(&state.created_at),
                fingerprint: text(&state.secret_hash),
                rotation_trigger: text(&state.rotation_trigger),
            }),
            ..journal.current()
        });
        journal
    }

    pub(super) fn find(&self, method: &AccessMethod) -> Option<&Grant> {
        self.grants.iter().find(|grant| &grant.method == method)
    }

    /// Copy of the grant that the state shows.
    pub(super) fn current(&self) -> Grant {
        self.find(&self.current).cloned().unwrap_or_else(|| Grant::new(self.current.clone()))
    }

    /// All but the current grant.
    pub(super) fn others(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(|grant| grant.method != self.current)
    }

    /// Methods of the grants to the role, the current one first, without `except`.
    pub(super) fn role_methods(&self, except: Option<&AccessMethod>) -> Vec<AccessMethod> {
        let all = std::iter::once(&self.current).chain(self.others().map(|grant| &grant.method));
        all.filter(|method| method.principal() == Principal::Role && Some(*method) != except).cloned().collect()
    }

    /// Adds a grant, or replaces the one of its method.
    pub(super) fn put(&mut self, grant: Grant) {
        match self.grants.iter_mut().find(|known| known.method == grant.method) {
            Some(known) => *known = grant,
            None => self.grants.push(grant),
        }
    }

    pub(super) fn remove(&mut self, method: &AccessMethod) -> Option<Grant> {
        let at = self.grants.iter().position(|grant| &grant.method == method)?;
        Some(self.grants.remove(at))
    }

    /// Changes the method of the current grant.
    pub(super) fn rename_current(&mut self, method: AccessMethod) {
        let grant = self.remove(&self.current.clone()).unwrap_or_default();
        self.current = method.clone();
        self.put(Grant { method, ..grant });
    }

    /// Makes the grant of `method` the current one. The grant that `state` shows becomes superseded.
    pub(super) fn supersede(&mut self, method: AccessMethod, state: &RunnerCredentials) {
        let is_unbound = std::mem::take(&mut self.findings).unbound.is_some();
        let old = std::mem::replace(&mut self.current, method);
        let superseded = self.grants.iter_mut().find(|grant| grant.method == old);
        if let Some(grant) = superseded {
            *grant = std::mem::take(grant).superseded(state, is_unbound);
        }
        self.is_imported = false;
    }

    /// Sets the attributes of the state that are derived from the grants.
    pub(super) fn view(&self, state: &mut RunnerCredentials) {
        let Grant { method, arn, key, secret_hash, .. } = self.current();
        let (user_arn, role_arn) = match method.principal() {
            Principal::User => (arn, None),
            Principal::Role => {
                let bound = Some(&method.service_account).filter(|_| self.findings.unbound.is_none());
                state.service_account = bound.filter(|name| !name.is_empty()).cloned().into();
                (None, arn)
            }
        };
        state.mode = method.mode.text().into();
        state.service_account_annotations = Value::Known(match (method.mode, &role_arn) {
            (Mode::Irsa, Some(arn)) => Map::from([(ANNOTATION.to_owned(), arn.as_str().into())]),
            _ => Map::new(),
        });
        state.user_arn = user_arn.into();
        state.role_arn = role_arn.into();
        state.access_key_id = key.as_ref().map(|key| key.id.clone()).into();
        state.created_at = key.and_then(|key| key.created_at).into();
        state.secret_hash = secret_hash.into();
        state.rotates_at = rotates_at(state);
        let superseded = self.describe(state, |_| true);
        state.superseded = Value::Known(superseded.into_iter().map(Value::from).collect());
    }

    /// Descriptions for users of the superseded grants and keys, selected by `is_idle`.
    pub(super) fn describe(&self, state: &RunnerCredentials, is_chosen: impl Fn(bool) -> bool) -> Vec<String> {
        let others = self.others().filter(|grant| is_chosen(grant.is_idle));
        let outgoing = self.current().outgoing.filter(|key| is_chosen(key.is_idle));
        let others = others.map(|grant| grant.method.describe(state));
        others.chain(outgoing.map(|key| key.describe(state))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(mode: Mode) -> AccessMethod {
        let service_account = if mode == Mode::AccessKey { "" } else { "runner" };
        AccessMethod { mode, service_account: service_account.to_owned() }
    }

    fn key(id: &str) -> Key {
        Key { id: id.to_owned(), created_at: None, fingerprint: Some(format!("of {id}")), rotation_trigger: None }
    }

    fn state() -> RunnerCredentials {
        let (name, namespace, secret_name) = ("cache".into(), "ci".into(), "key".into());
        RunnerCredentials { name, namespace, secret_name, rotation_trigger: "1".into(), ..RunnerCredentials::default() }
    }

    fn listed(id: &str, is_active: bool) -> Listed {
        Listed { id: id.to_owned(), is_active, created_at: None }
    }

    #[test]
    fn the_state_follows_from_the_current_grant() {
        let (user, role) = (method(Mode::AccessKey), method(Mode::Irsa));
        let mut journal = Journal::new(user.clone());
        let (arn, secret_hash) = (Some("arn:user".to_owned()), Some("of A".to_owned()));
        journal.put(Grant { arn, key: Some(key("A")), secret_hash, ..Grant::new(user.clone()) });
        let mut state = state();
        journal.view(&mut state);
        assert_eq!((state.mode.as_str(), state.access_key_id.as_str()), (Some("access_key"), Some("A")));
        assert_eq!((state.user_arn.as_str(), state.role_arn.as_str()), (Some("arn:user"), None));
        assert_eq!(state.superseded, Value::Known(Vec::new()));

        journal.put(Grant { arn: Some("arn:role".to_owned()), ..Grant::new(role.clone()) });
        journal.supersede(role.clone(), &state);
        journal.view(&mut state);
        assert_eq!((state.mode.as_str(), state.service_account.as_str()), (Some("irsa"), Some("runner")));
        assert_eq!((state.user_arn.as_str(), state.access_key_id.as_str()), (None, None));
        let annotations = Map::from([(ANNOTATION.to_owned(), "arn:role".into())]);
        assert_eq!(state.service_account_annotations, Value::Known(annotations));
        assert_eq!(state.superseded, Value::Known(vec![user.describe(&state).into()]));
        // A switch back to the key needs its trigger.
        let superseded = journal.find(&user).unwrap().key.clone().unwrap();
        assert_eq!(superseded.rotation_trigger.as_deref(), Some("1"));
        assert_eq!(journal.role_methods(None), std::slice::from_ref(&role));

        journal.findings.unbound = Some("no association".to_owned());
        journal.view(&mut state);
        assert_eq!(state.service_account, Value::Null);
        journal.supersede(user.clone(), &state);
        assert_eq!(journal.others().map(|grant| grant.method.service_account.as_str()).collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn replaced_key_remains_valid_for_one_rotation() {
        let mut grant = Grant { key: Some(key("A")), unclear: Some(key("X")), is_adopted: true, ..Grant::default() };
        grant.replace_key(key("B"), &[listed("A", true)]);
        assert_eq!(grant.outgoing.as_ref().map(|key| key.id.as_str()), Some("A"));
        assert_eq!((grant.key_id(), grant.secret_hash.as_deref()), (Some("B"), Some("of B")));
        assert_eq!((&grant.unclear, grant.is_adopted), (&None, false));
        grant.replace_key(key("C"), &[listed("A", true), listed("B", true)]);
        assert_eq!(
            (grant.outgoing.as_ref().map(|key| key.id.as_str()), &grant.retiring[..]),
            (Some("B"), &["A".to_owned()][..])
        );
        // No pod uses a key that is inactive or deleted.
        grant.replace_key(key("D"), &[listed("C", false)]);
        assert_eq!(grant.retiring, ["A", "C"]);
        grant.replace_key(key("E"), &[]);
        assert_eq!(grant.retiring, ["A", "C"]);
    }
}
