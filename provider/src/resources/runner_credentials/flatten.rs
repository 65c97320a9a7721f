//! From what was read to state, and what a read finds to be wrong with the key.

use std::time::SystemTime;

use serde_json::Value as Json;
use tfplugin::framework::Value;
use tfplugin::framework::value::Map;

use super::access_key::Listed;
use super::manifests::secret;
use super::memory::Memory;
use super::plan::rotates_at;
use super::policy::recognized;
use super::principal;
use super::schema::RunnerCredentials;
use crate::policy_document::{equivalent, parse, text};
use crate::provider_tags::ProviderTags;
use crate::{tags, timestamp};

/// Why a key is replaced that someone has changed.
pub(super) const SECRET_CHANGED: &str = "The Secret was changed outside of this configuration";

/// What was found of user or role.
pub(super) fn principal(state: &mut RunnerCredentials, found: &principal::Observed, importing: Option<&ProviderTags>) {
    state.path = found.path.as_str().into();
    state.permissions_boundary = found.boundary.clone().into();
    match importing {
        Some(provider) => (state.tags, state.tags_all) = tags::imported(&found.tags, provider),
        None => {
            state.tags = tags::owned(&found.tags, &state.tags);
            state.tags_all = tags::owned(&found.tags, &state.tags_all);
        }
    }
}

/// What was found of the policy. After an import, what it means is told from the document.
pub(super) fn policy(state: &mut RunnerCredentials, found: Option<&Json>, importing: bool) {
    let before = state.policy_json.as_str().and_then(parse);
    state.policy_json = match found {
        None => Value::Null,
        Some(found) if before.as_ref().is_some_and(|before| equivalent(before, found)) => return,
        Some(found) => text(found).into(),
    };
    if !importing {
        return;
    }
    state.policy = "least_privilege".into();
    state.cache_path = "".into();
    if let Some((choice, scope)) = found.and_then(recognized) {
        state.policy = choice.into();
        state.bucket = scope.bucket.into();
        state.cache_path = scope.cache_path.into();
        state.kms_key_arn = scope.kms_key_arn.into();
    }
}

/// What was found of key and Secret. `keys` is `None` when they may not be listed, and `secret` when it may not be read or the
/// cluster could not be asked yet.
pub(super) fn key(
    state: &mut RunnerCredentials,
    memory: &mut Memory,
    keys: Option<&[Listed]>,
    secret: Option<Option<&secret::Found>>,
    importing: bool,
    now: SystemTime,
) {
    if importing {
        adopt(state, memory, secret.flatten());
    }
    if let (Some(secret), Some(keys)) = (secret, keys) {
        clear_up(state, memory, keys, secret);
    }
    let before = state.access_key_id.known().cloned();
    memory.rotation = None;
    if let Some(keys) = keys {
        listed(state, memory, keys);
    }
    if let Some(secret) = secret {
        let pair = secret.and_then(|found| found.pair.as_ref());
        state.secret_hash = pair.map(|pair| pair.fingerprint(before.as_deref().unwrap_or_default())).into();
        if secret.is_none() {
            memory.rotation = Some("The Secret was deleted".to_owned());
        } else if state.secret_hash.known() != memory.fingerprint.as_ref() {
            memory.rotation = Some(SECRET_CHANGED.to_owned());
        }
        if let Some(found) = secret {
            metadata(state, found, importing);
        }
    }
    state.rotates_at = rotates_at(state);
    if memory.rotation.is_none() && state.rotates_at.as_str().and_then(timestamp::parse).is_some_and(|due| due <= now) {
        memory.rotation = Some("The key is older than rotate_after_days".to_owned());
    }
}

/// What was found of the keys of the user.
fn listed(state: &mut RunnerCredentials, memory: &mut Memory, keys: &[Listed]) {
    memory.retiring.retain(|id| keys.iter().any(|key| &key.id == id));
    memory.outgoing.take_if(|outgoing| keys.iter().all(|key| key.id != outgoing.id));
    let before = state.access_key_id.known().cloned();
    match keys.iter().find(|key| Some(&key.id) == before.as_ref()) {
        Some(key) => {
            if key.created_at.is_some() {
                state.created_at = key.created_at.clone().into();
            }
            if !key.is_active {
                memory.rotation = Some(format!("The access key {} was turned off", key.id));
            }
        }
        None => {
            state.access_key_id = Value::Null;
            state.created_at = Value::Null;
            let which = before.as_ref().map_or_else(|| "of the Secret".to_owned(), Clone::clone);
            memory.rotation = Some(format!("The access key {which} no longer exists"));
        }
    }
}

/// Finds out what became of a key of which it was not known whether it is in the Secret.
fn clear_up(state: &mut RunnerCredentials, memory: &mut Memory, keys: &[Listed], secret: Option<&secret::Found>) {
    let Some(unclear) = memory.unclear.take() else { return };
    let pair = secret.and_then(|found| found.pair.as_ref());
    let is_there = pair.is_some_and(|pair| Some(pair.fingerprint(&unclear.id)) == unclear.fingerprint);
    if is_there && keys.iter().any(|key| key.is_active && key.id == unclear.id) {
        memory.retiring.extend(state.access_key_id.known().cloned());
        unclear.tell(state, memory);
    } else {
        memory.retiring.push(unclear.id);
    }
}

/// An import trusts the Secret that it finds.
fn adopt(state: &mut RunnerCredentials, memory: &mut Memory, secret: Option<&secret::Found>) {
    memory.is_imported = true;
    memory.is_adopted = true;
    let pair = secret.and_then(|found| found.pair.as_ref());
    state.access_key_id = pair.map(|pair| pair.id.clone()).into();
    memory.fingerprint = pair.map(|pair| pair.fingerprint(&pair.id));
}

fn metadata(state: &mut RunnerCredentials, found: &secret::Found, importing: bool) {
    if importing {
        let (labels, annotations) = found.given();
        let value = |all: secret::Metadata| -> Value<Map<String>> {
            if all.is_empty() {
                return Value::Null;
            }
            Value::Known(all.into_iter().map(|(key, value)| (key, value.into())).collect())
        };
        state.secret_labels = value(labels);
        state.secret_annotations = value(annotations);
    } else {
        state.secret_labels = tags::owned(&found.labels, &state.secret_labels);
        state.secret_annotations = tags::owned(&found.annotations, &state.secret_annotations);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::runner_credentials::manifests::secret::KeyPair;

    fn a_key(id: &str) -> Listed {
        Listed { id: id.to_owned(), is_active: true, created_at: Some("2026-01-01T00:00:00Z".to_owned()) }
    }

    fn secret(id: &str, secret: &str) -> secret::Found {
        secret::Found {
            pair: Some(KeyPair { id: id.to_owned(), secret: secret.to_owned().into() }),
            labels: secret::Metadata::new(),
            annotations: secret::Metadata::new(),
            is_ours: true,
            written_at: None,
        }
    }

    /// What a read makes of keys and Secret, after a first one that found everything in order.
    fn reason(keys: &[Listed], found: Option<&secret::Found>, now: &str) -> Option<String> {
        let mut state = RunnerCredentials { rotate_after_days: 90.into(), ..RunnerCredentials::default() };
        let mut memory = Memory::default();
        let start = timestamp::parse("2026-01-02T00:00:00Z").unwrap();
        key(&mut state, &mut memory, Some(&[a_key("AKIA1")]), Some(Some(&secret("AKIA1", "s"))), true, start);
        assert_eq!((memory.rotation.clone(), state.access_key_id.as_str()), (None, Some("AKIA1")));
        key(&mut state, &mut memory, Some(keys), Some(found), false, timestamp::parse(now).unwrap());
        memory.rotation
    }

    #[test]
    fn what_is_wrong_with_a_key() {
        let (fine, soon) = (secret("AKIA1", "s"), "2026-01-03T00:00:00Z");
        assert_eq!(reason(&[a_key("AKIA1")], Some(&fine), soon), None);
        let why = |keys: &[Listed], found: Option<&secret::Found>, now| reason(keys, found, now).unwrap();
        assert_eq!(why(&[a_key("AKIA1")], None, soon), "The Secret was deleted");
        let changed = secret("AKIA1", "other");
        assert_eq!(
            why(&[a_key("AKIA1")], Some(&changed), soon),
            "The Secret was changed outside of this configuration"
        );
        assert_eq!(why(&[], Some(&fine), soon), "The access key AKIA1 no longer exists");
        let off = Listed { is_active: false, ..a_key("AKIA1") };
        assert_eq!(why(&[off], Some(&fine), soon), "The access key AKIA1 was turned off");
        assert_eq!(
            why(&[a_key("AKIA1")], Some(&fine), "2026-04-01T00:00:00Z"),
            "The key is older than rotate_after_days"
        );
    }

    #[test]
    fn a_cluster_that_is_not_there_yet_changes_nothing() {
        let mut state = RunnerCredentials {
            access_key_id: "AKIA1".into(),
            secret_hash: "abc".into(),
            ..RunnerCredentials::default()
        };
        let mut memory = Memory { fingerprint: Some("abc".to_owned()), ..Memory::default() };
        key(&mut state, &mut memory, Some(&[a_key("AKIA1")]), None, false, SystemTime::UNIX_EPOCH);
        assert_eq!((memory.rotation, state.secret_hash), (None, "abc".into()));
    }
}
