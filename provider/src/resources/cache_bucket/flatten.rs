//! From what was read to state.

use tfplugin::framework::Value;

use super::parts::{Found, Part, encryption, lifecycle};
use super::plan::from_prefix;
use super::schema::{CacheBucket, Encryption, Protection};
use crate::provider_tags::ProviderTags;
use crate::tags;

/// Puts what was found into the state. What the store does not have stays as it was.
pub(super) fn flatten(state: &mut CacheBucket, found: Found, importing: Option<&ProviderTags>) {
    let before = state.protection.known().cloned().unwrap_or_default();
    state.protection = Value::Known(Protection {
        public_access_blocked: found.public_access_blocked.map_or(before.public_access_blocked, Value::Known),
        bucket_owner_enforced: found.bucket_owner_enforced.map_or(before.bucket_owner_enforced, Value::Known),
    });
    if let Some(settings) = found.encryption {
        state.encryption = Value::Known(encryption(settings));
    }
    if let Some(versioning) = found.versioning {
        state.versioning = versioning.into();
    }
    if let Some(tls_only) = found.tls_only {
        state.tls_only = tls_only.into();
    }
    if let Some(rule) = found.lifecycle {
        lifecycle(state, rule);
        if importing.is_some() {
            layout(state);
        }
    }
    if let Some(found) = found.tags {
        match importing {
            Some(provider) => (state.tags, state.tags_all) = tags::imported(&found, provider),
            None => {
                state.tags = tags::owned(&found, &state.tags);
                state.tags_all = tags::owned(&found, &state.tags_all);
            }
        }
    }
}

fn encryption(settings: encryption::Settings) -> Encryption {
    Encryption {
        sse_algorithm: settings.algorithm.into(),
        kms_key_id: settings.kms_key_id.into(),
        bucket_key_enabled: settings.bucket_key_enabled.into(),
    }
}

/// A rule that no longer exists is shown as days that are not set, except where 0 is desired.
fn lifecycle(state: &mut CacheBucket, rule: Option<lifecycle::Rule>) {
    let days = |before: &Value<i64>, found: Option<i32>| match found {
        Some(days) => Value::Known(i64::from(days)),
        None if before == &Value::Known(0) => Value::Known(0),
        None => Value::Null,
    };
    let found = rule.as_ref();
    state.expiration_days = days(&state.expiration_days, found.map(|rule| rule.expiration_days));
    state.noncurrent_expiration_days =
        days(&state.noncurrent_expiration_days, found.map(|rule| rule.noncurrent_expiration_days));
    state.abort_incomplete_multipart_days =
        days(&state.abort_incomplete_multipart_days, found.map(|rule| rule.abort_incomplete_multipart_days));
    if let Some(rule) = rule {
        state.prefix = rule.prefix.into();
    }
}

/// After an import, path and sharing as the prefix tells them, or their defaults.
fn layout(state: &mut CacheBucket) {
    let (path, shared) = state.prefix.as_str().and_then(from_prefix).unwrap_or((String::new(), true));
    state.cache_path = path.into();
    state.shared = shared.into();
    state.force_destroy = false.into();
}

/// The state after one part was written as planned.
pub(super) fn take(state: &mut CacheBucket, part: Part, planned: &CacheBucket) {
    let mut protection = state.protection.known().cloned().unwrap_or_default();
    match part {
        Part::PublicAccess => protection.public_access_blocked = true.into(),
        Part::Ownership => protection.bucket_owner_enforced = true.into(),
        Part::Encryption => state.encryption = planned.encryption.clone(),
        Part::Versioning => state.versioning = planned.versioning.clone(),
        Part::Policy => state.tls_only = planned.tls_only.clone(),
        Part::Lifecycle => {
            state.prefix = planned.prefix.clone();
            state.expiration_days = planned.expiration_days.clone();
            state.noncurrent_expiration_days = planned.noncurrent_expiration_days.clone();
            state.abort_incomplete_multipart_days = planned.abort_incomplete_multipart_days.clone();
        }
        Part::Tags => {
            state.tags = planned.tags.clone();
            state.tags_all = planned.tags_all.clone();
        }
    }
    state.protection = Value::Known(protection);
}

/// The planned state with nothing set up yet: what is true when the bucket alone is there.
pub(super) fn bare(planned: &CacheBucket) -> CacheBucket {
    CacheBucket {
        protection: Value::Known(Protection {
            public_access_blocked: false.into(),
            bucket_owner_enforced: false.into(),
        }),
        encryption: Value::Known(encryption(encryption::Settings::default())),
        versioning: false.into(),
        tls_only: false.into(),
        expiration_days: Value::Null,
        noncurrent_expiration_days: Value::Null,
        abort_incomplete_multipart_days: Value::Null,
        tags: planned.tags.as_ref().map(|_| std::collections::BTreeMap::new()),
        tags_all: Value::Known(std::collections::BTreeMap::new()),
        ..planned.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Found {
        Found {
            public_access_blocked: Some(true),
            bucket_owner_enforced: Some(true),
            encryption: Some(encryption::Settings::default()),
            versioning: Some(false),
            tls_only: Some(true),
            lifecycle: Some(Some(lifecycle::Rule {
                prefix: "ci/project/".to_owned(),
                expiration_days: 60,
                noncurrent_expiration_days: 1,
                abort_incomplete_multipart_days: 1,
            })),
            tags: Some(tags::Tags::from([("team".to_owned(), "ci".to_owned())])),
        }
    }

    #[test]
    fn an_import_fills_everything() {
        let mut state = CacheBucket { bucket: "c".into(), ..CacheBucket::default() };
        flatten(&mut state, found(), Some(&ProviderTags::default()));
        let tags = Value::Known(std::collections::BTreeMap::from([("team".to_owned(), "ci".into())]));
        let expected = CacheBucket {
            bucket: "c".into(),
            expiration_days: 60.into(),
            cache_path: "ci".into(),
            shared: true.into(),
            prefix: "ci/project/".into(),
            noncurrent_expiration_days: 1.into(),
            abort_incomplete_multipart_days: 1.into(),
            versioning: false.into(),
            encryption: Value::Known(Encryption {
                sse_algorithm: "AES256".into(),
                kms_key_id: Value::Null,
                bucket_key_enabled: false.into(),
            }),
            tls_only: true.into(),
            force_destroy: false.into(),
            tags: tags.clone(),
            tags_all: tags,
            protection: Value::Known(Protection {
                public_access_blocked: true.into(),
                bucket_owner_enforced: true.into(),
            }),
            ..CacheBucket::default()
        };
        assert_eq!(state, expected);
    }

    #[test]
    fn a_rule_that_is_gone_is_seen() {
        let mut state = CacheBucket {
            expiration_days: 60.into(),
            noncurrent_expiration_days: 0.into(),
            prefix: "project/".into(),
            ..CacheBucket::default()
        };
        flatten(&mut state, Found { lifecycle: Some(None), ..found() }, None);
        assert_eq!((state.expiration_days, state.noncurrent_expiration_days), (Value::Null, 0.into()));
        assert_eq!(state.prefix, "project/".into());
    }

    #[test]
    fn what_a_store_does_not_have_stays() {
        let mut state = CacheBucket { versioning: true.into(), expiration_days: 60.into(), ..CacheBucket::default() };
        flatten(&mut state, Found { versioning: None, lifecycle: None, ..found() }, None);
        assert_eq!((state.versioning, state.expiration_days), (true.into(), 60.into()));
    }
}
