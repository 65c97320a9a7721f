//! Converts observed objects to the state, and finds problems with the key.

use std::time::SystemTime;

use serde_json::Value as Json;
use tfplugin::framework::Value;
use tfplugin::framework::value::Map;

use super::access_key::Listed;
use super::journal::{Grant, Key};
use super::manifests::secret::{self, KeyPair};
use super::plan::rotates_at;
use super::policy::recognized;
use super::principal;
use super::schema::RunnerCredentials;
use crate::policy_document::{equivalent, parse, text};
use crate::provider_tags::ProviderTags;
use crate::{tags, timestamp};

/// Reason of a rotation after others have changed the Secret.
pub(super) const SECRET_CHANGED: &str = "The Secret was changed outside of this configuration";

/// Updates the state from the observed user or role.
pub(super) fn principal(state: &mut RunnerCredentials, found: &principal::Observed, importing: Option<&ProviderTags>) {
    state.path = found.path.as_str().into();
    state.permissions_boundary = found.boundary.clone().into();
    tags::flatten(&found.tags, (&mut state.tags, &mut state.tags_all), importing);
}

/// Updates the state from the observed policy. In an import, the attributes behind it are derived from the document.
pub(super) fn policy(state: &mut RunnerCredentials, found: Option<&Json>, importing: bool) {
    let before = state.policy_json.as_str().and_then(parse);
    // An equivalent document is no drift: the state keeps its text.
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

/// The observed keys and Secret.
pub(super) struct ObservedKey<'a> {
    /// Keys of the user. `None` if the identity is not allowed to list them.
    pub(super) keys: Option<&'a [Listed]>,
    /// The Secret. The outer `None` means that it could not be read: the identity is not allowed to, or the settings of
    /// the cluster are not known yet.
    pub(super) secret: Option<Option<&'a secret::Found>>,
    pub(super) now: SystemTime,
}

/// Updates state and grant from the observed keys and Secret. Returns why the key must be replaced, if it must.
pub(super) fn key(
    state: &mut RunnerCredentials,
    grant: &mut Grant,
    observed: ObservedKey<'_>,
    importing: bool,
) -> Option<String> {
    let ObservedKey { keys, secret, now } = observed;
    let pair = secret.flatten().and_then(|found| found.pair.as_ref());
    if importing {
        // An import has no recorded key to compare with, so that the key in the Secret is adopted.
        grant.is_adopted = true;
        grant.key = pair.map(|pair| Key::of(pair, None, &Value::Null));
    }
    if let (Some(_), Some(keys)) = (secret, keys) {
        clear_up(state, grant, keys, pair);
    }
    let (id, written) = grant.key.clone().map(|key| (key.id, key.fingerprint)).unwrap_or_default();
    let mut rotation = keys.and_then(|keys| listed(grant, keys));
    if let Some(secret) = secret {
        grant.secret_hash = pair.map(|pair| pair.fingerprint(&id));
        if secret.is_none() {
            rotation = Some("The Secret was deleted".to_owned());
        } else if grant.secret_hash != written {
            rotation = Some(SECRET_CHANGED.to_owned());
        }
        if let Some(found) = secret {
            metadata(state, found, importing);
        }
    }
    state.created_at = grant.key.as_ref().and_then(|key| key.created_at.clone()).into();
    let is_due = rotates_at(state).as_str().and_then(timestamp::parse).is_some_and(|due| due <= now);
    rotation.or_else(|| is_due.then(|| "The key is older than rotate_after_days".to_owned()))
}

/// Updates the grant from the listed keys. Returns why the key in use must be replaced, if it must.
fn listed(grant: &mut Grant, keys: &[Listed]) -> Option<String> {
    grant.retiring.retain(|id| keys.iter().any(|key| &key.id == id));
    grant.outgoing.take_if(|outgoing| keys.iter().all(|key| key.id != outgoing.id));
    let which = grant.key_id().unwrap_or("of the Secret").to_owned();
    let Some(found) = keys.iter().find(|found| Some(found.id.as_str()) == grant.key_id()) else {
        grant.key = None;
        return Some(format!("The access key {which} no longer exists"));
    };
    if let (Some(key), Some(created_at)) = (&mut grant.key, &found.created_at) {
        key.created_at = Some(created_at.clone());
    }
    (!found.is_active).then(|| format!("The access key {which} was deactivated"))
}

/// Determines whether a key of which the write had an unknown outcome is in the Secret.
fn clear_up(state: &mut RunnerCredentials, grant: &mut Grant, keys: &[Listed], pair: Option<&KeyPair>) {
    let Some(unclear) = grant.unclear.take() else { return };
    let is_active = keys.iter().any(|key| key.is_active && key.id == unclear.id);
    if is_active && pair.is_some_and(|pair| unclear.is(pair)) {
        state.rotation_trigger = unclear.rotation_trigger.clone().into();
        grant.retiring.extend(grant.key.replace(unclear).map(|key| key.id));
    } else {
        grant.retiring.push(unclear.id);
    }
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

    /// Returns the reason for a rotation that a read of these keys and this Secret finds, after a first read without
    /// one.
    fn reason(keys: &[Listed], found: Option<&secret::Found>, now: &str) -> Option<String> {
        let mut state = RunnerCredentials { rotate_after_days: 90.into(), ..RunnerCredentials::default() };
        let mut grant = Grant::default();
        let mut read = |keys: &[Listed], found: Option<&secret::Found>, now: &str, importing| {
            let now = timestamp::parse(now).unwrap();
            let observed = ObservedKey { keys: Some(keys), secret: Some(found), now };
            let reason = key(&mut state, &mut grant, observed, importing);
            (reason, grant.key_id().map(str::to_owned))
        };
        let first = read(&[a_key("AKIA1")], Some(&secret("AKIA1", "s")), "2026-01-02T00:00:00Z", true);
        assert_eq!(first, (None, Some("AKIA1".to_owned())));
        read(keys, found, now, false).0
    }

    #[test]
    fn invalid_keys_are_reported() {
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
        assert_eq!(why(&[off], Some(&fine), soon), "The access key AKIA1 was deactivated");
        assert_eq!(
            why(&[a_key("AKIA1")], Some(&fine), "2026-04-01T00:00:00Z"),
            "The key is older than rotate_after_days"
        );
    }

    #[test]
    fn unknown_cluster_leaves_the_state_unchanged() {
        let written = KeyPair { id: "AKIA1".to_owned(), secret: "s".to_owned().into() };
        let mut grant = Grant {
            key: Some(Key::of(&written, None, &Value::Null)),
            secret_hash: Some("abc".to_owned()),
            ..Grant::default()
        };
        let before = grant.clone();
        let observed = ObservedKey { keys: Some(&[a_key("AKIA1")]), secret: None, now: SystemTime::UNIX_EPOCH };
        assert_eq!(key(&mut RunnerCredentials::default(), &mut grant, observed, false), None);
        assert_eq!((&grant.secret_hash, grant.key_id()), (&before.secret_hash, before.key_id()));
    }
}
