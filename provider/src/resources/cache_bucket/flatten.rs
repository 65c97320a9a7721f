//! Converts the observed bucket to the state.

use tfplugin::framework::Value;

use super::model::Observed;
use super::parts::{encryption, lifecycle};
use super::plan::from_prefix;
use super::schema::{CacheBucket, Encryption, Protection};
use crate::provider_tags::ProviderTags;
use crate::tags;

/// Updates the state with the observed parts. The other parts keep their recorded values.
pub(super) fn flatten(state: &mut CacheBucket, observed: Observed, importing: Option<&ProviderTags>) {
    let before = state.protection.known().cloned().unwrap_or_default();
    state.protection = Value::Known(Protection {
        public_access_blocked: observed.public_access_blocked.map_or(before.public_access_blocked, Value::Known),
        bucket_owner_enforced: observed.bucket_owner_enforced.map_or(before.bucket_owner_enforced, Value::Known),
    });
    if let Some(settings) = observed.encryption {
        state.encryption = Value::Known(encryption(settings));
    }
    if let Some(versioning) = observed.versioning {
        state.versioning = versioning.into();
    }
    if let Some(tls_only) = observed.tls_only {
        state.tls_only = tls_only.into();
    }
    if let Some(rule) = observed.lifecycle {
        lifecycle(state, rule);
        if importing.is_some() {
            layout(state);
        }
    }
    if let Some(tags) = observed.tags {
        tags::flatten(&tags, (&mut state.tags, &mut state.tags_all), importing);
    }
}

pub(super) fn encryption(settings: encryption::Settings) -> Encryption {
    Encryption {
        sse_algorithm: settings.algorithm.into(),
        kms_key_id: settings.kms_key_id.into(),
        bucket_key_enabled: settings.bucket_key_enabled.into(),
    }
}

/// Updates the attributes of the rule. If it no longer exists, they are null, except those that are 0.
fn lifecycle(state: &mut CacheBucket, rule: Option<lifecycle::Rule>) {
    let days = |before: &Value<i64>, observed: Option<i32>| match observed {
        Some(days) => Value::Known(i64::from(days)),
        None if before == &Value::Known(0) => Value::Known(0),
        None => Value::Null,
    };
    let observed = rule.as_ref();
    state.expiration_days = days(&state.expiration_days, observed.map(|rule| rule.expiration_days));
    state.noncurrent_expiration_days =
        days(&state.noncurrent_expiration_days, observed.map(|rule| rule.noncurrent_expiration_days));
    state.abort_incomplete_multipart_days =
        days(&state.abort_incomplete_multipart_days, observed.map(|rule| rule.abort_incomplete_multipart_days));
    if let Some(rule) = rule {
        state.prefix = rule.prefix.into();
    }
}

/// Sets the attributes that an import derives from the prefix, or their defaults.
fn layout(state: &mut CacheBucket) {
    let (path, shared) = state.prefix.as_str().and_then(from_prefix).unwrap_or((String::new(), true));
    state.cache_path = path.into();
    state.shared = shared.into();
    state.force_destroy = false.into();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Observed {
        Observed {
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
    fn deleted_rule_is_detected() {
        let mut state = CacheBucket {
            expiration_days: 60.into(),
            noncurrent_expiration_days: 0.into(),
            prefix: "project/".into(),
            ..CacheBucket::default()
        };
        flatten(&mut state, Observed { lifecycle: Some(None), ..found() }, None);
        assert_eq!((state.expiration_days, state.noncurrent_expiration_days), (Value::Null, 0.into()));
        assert_eq!(state.prefix, "project/".into());
    }

    #[test]
    fn settings_unsupported_by_a_store_keep_their_state() {
        let mut state = CacheBucket { versioning: true.into(), expiration_days: 60.into(), ..CacheBucket::default() };
        flatten(&mut state, Observed { versioning: None, lifecycle: None, ..found() }, None);
        assert_eq!((state.versioning, state.expiration_days), (true.into(), 60.into()));
    }
}
