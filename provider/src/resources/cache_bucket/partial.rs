//! The state of an update that is under way. It lists all attributes, so that a new one cannot be forgotten.

use super::schema::CacheBucket;

/// The state at the begin of an update: what only the state has takes effect at once, everything else once it is done.
pub(super) fn begun(prior: &CacheBucket, planned: &CacheBucket) -> CacheBucket {
    CacheBucket {
        bucket: planned.bucket.clone(),
        bucket_prefix: planned.bucket_prefix.clone(),
        expiration_days: prior.expiration_days.clone(),
        cache_path: planned.cache_path.clone(),
        shared: planned.shared.clone(),
        prefix: prior.prefix.clone(),
        noncurrent_expiration_days: prior.noncurrent_expiration_days.clone(),
        abort_incomplete_multipart_days: prior.abort_incomplete_multipart_days.clone(),
        versioning: prior.versioning.clone(),
        encryption: prior.encryption.clone(),
        tls_only: prior.tls_only.clone(),
        force_destroy: planned.force_destroy.clone(),
        tags: prior.tags.clone(),
        tags_all: prior.tags_all.clone(),
        timeouts: planned.timeouts.clone(),
        id: planned.id.clone(),
        arn: planned.arn.clone(),
        region: planned.region.clone(),
        bucket_domain_name: planned.bucket_domain_name.clone(),
        protection: prior.protection.clone(),
        runner_cache: planned.runner_cache.clone(),
    }
}
