//! States during an operation. All attributes are listed, so that the compiler requires a decision for each new one.

use std::collections::BTreeMap;

use tfplugin::framework::Value;

use super::flatten::encryption;
use super::parts::{self, Part};
use super::schema::{CacheBucket, Protection};

/// The state at the beginning of a create: a bucket without any part.
pub(super) fn created(planned: &CacheBucket) -> CacheBucket {
    let protection = Protection { public_access_blocked: false.into(), bucket_owner_enforced: false.into() };
    let parts = CacheBucket {
        prefix: planned.prefix.clone(),
        protection: Value::Known(protection),
        encryption: Value::Known(encryption(parts::encryption::Settings::default())),
        versioning: false.into(),
        tls_only: false.into(),
        tags: planned.tags.as_ref().map(|_| BTreeMap::new()),
        tags_all: Value::Known(BTreeMap::new()),
        ..CacheBucket::default()
    };
    compose(planned, &parts)
}

/// The state at the beginning of an update. Attributes that only exist in the state are updated at once, those of a
/// part after it was written.
pub(super) fn updated(prior: &CacheBucket, planned: &CacheBucket) -> CacheBucket {
    compose(planned, prior)
}

/// Combines the attributes of the bucket's parts from `parts` and all others from `settings`.
fn compose(settings: &CacheBucket, parts: &CacheBucket) -> CacheBucket {
    CacheBucket {
        bucket: settings.bucket.clone(),
        bucket_prefix: settings.bucket_prefix.clone(),
        cache_path: settings.cache_path.clone(),
        shared: settings.shared.clone(),
        force_destroy: settings.force_destroy.clone(),
        timeouts: settings.timeouts.clone(),
        id: settings.id.clone(),
        arn: settings.arn.clone(),
        region: settings.region.clone(),
        bucket_domain_name: settings.bucket_domain_name.clone(),
        runner_cache: settings.runner_cache.clone(),
        prefix: parts.prefix.clone(),
        expiration_days: parts.expiration_days.clone(),
        noncurrent_expiration_days: parts.noncurrent_expiration_days.clone(),
        abort_incomplete_multipart_days: parts.abort_incomplete_multipart_days.clone(),
        versioning: parts.versioning.clone(),
        encryption: parts.encryption.clone(),
        tls_only: parts.tls_only.clone(),
        tags: parts.tags.clone(),
        tags_all: parts.tags_all.clone(),
        protection: parts.protection.clone(),
    }
}

/// The state after one part was written as planned.
pub(super) fn written(state: &mut CacheBucket, part: Part, planned: &CacheBucket) {
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
