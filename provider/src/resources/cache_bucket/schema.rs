//! The attributes of `gitlabspot_cache_bucket`: schema, type of the state, and documentation for users.

use tfplugin::framework::value::Map;
use tfplugin::framework::{Object, Timeouts, Value};

/// Cache bucket, as in configuration, plan and state.
#[derive(Clone, Default, PartialEq, Object)]
pub struct CacheBucket {
    /// Name of the bucket, unique among all accounts of the AWS partition. Defaults to a generated name.
    #[attr(optional, computed, stable, replace)]
    pub bucket: Value<String>,
    /// Prefix of a generated name. Defaults to `gitlab-runner-cache-`. A prefix that the current name does not start
    /// with replaces the bucket. Conflicts with `bucket`.
    #[attr(optional)]
    pub bucket_prefix: Value<String>,
    /// Number of days after which a cache object is deleted, counted from its upload. `0` disables the expiration.
    #[attr(optional, default = 60)]
    pub expiration_days: Value<i64>,
    /// Path of the runner's cache (`[runners.cache] Path`), the prefix of all its objects.
    #[attr(optional, default = "")]
    pub cache_path: Value<String>,
    /// Whether runners share the cache (`[runners.cache] Shared`). Objects of a shared cache are below `project/`,
    /// others below `runner/`.
    #[attr(optional, default = true)]
    pub shared: Value<bool>,
    /// Prefix of the objects that expire. Defaults to the location at which the runner stores its objects, derived from
    /// `cache_path` and `shared`. `""` selects the whole bucket.
    #[attr(optional, computed)]
    pub prefix: Value<String>,
    /// Number of days after which a noncurrent version of an object is deleted. `0` disables the expiration.
    #[attr(optional, default = 1)]
    pub noncurrent_expiration_days: Value<i64>,
    /// Number of days after which an incomplete multipart upload is aborted. `0` disables it.
    #[attr(optional, default = 1)]
    pub abort_incomplete_multipart_days: Value<i64>,
    /// Whether versioning is enabled. A cache does not need it.
    #[attr(optional, default = false)]
    pub versioning: Value<bool>,
    /// Default encryption of the objects. Defaults to `AES256`.
    #[attr(optional, computed)]
    pub encryption: Value<Encryption>,
    /// Whether the bucket policy denies requests without TLS. Other statements of the policy are kept.
    #[attr(optional, default = true)]
    pub tls_only: Value<bool>,
    /// Whether a destroy deletes all objects and versions of the bucket first. Otherwise only an empty bucket can be
    /// destroyed. The destroy fails if objects are still written after two minutes.
    #[attr(optional, default = false)]
    pub force_destroy: Value<bool>,
    /// Tags of the bucket, in addition to the `default_tags` of the provider. Defaults to none. Tags that are not
    /// managed here are kept. An import cannot distinguish them and imports all tags: configure them here, or exclude
    /// them with `ignore_tags` of the provider, so that the next apply keeps them.
    #[attr(optional)]
    pub tags: Value<Map<String>>,
    /// All managed tags: `tags` and the `default_tags` of the provider.
    #[attr(computed)]
    pub tags_all: Value<Map<String>>,
    /// Timeouts of the operations. Default to 20 minutes for create and update, and to 60 minutes for delete.
    #[attr(optional)]
    pub timeouts: Value<Timeouts>,
    /// Name of the bucket.
    #[attr(computed, stable)]
    pub id: Value<String>,
    /// ARN of the bucket.
    #[attr(computed, stable)]
    pub arn: Value<String>,
    /// Region of the bucket, which is the region of the provider.
    #[attr(computed, stable)]
    pub region: Value<String>,
    /// Domain name of the bucket, for example `ci-cache.s3.amazonaws.com`. With `endpoints.s3` it is a name of that
    /// endpoint.
    #[attr(computed, stable)]
    pub bucket_domain_name: Value<String>,
    /// Settings that keep the bucket private. They cannot be disabled: a change by others is shown in the plan and
    /// reverted.
    #[attr(computed)]
    pub protection: Value<Protection>,
    /// The `[runners.cache]` section for this bucket, for `cache` of `gitlabspot_runner_release`.
    #[attr(computed)]
    pub runner_cache: Value<RunnerCache>,
}

/// Default encryption of objects.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Encryption {
    /// Server-side encryption algorithm: `AES256` with keys of S3, or `aws:kms` with a KMS key.
    #[attr(optional, default = "AES256")]
    pub sse_algorithm: Value<String>,
    /// ARN, ID or alias of the KMS key. Defaults to the AWS managed key of S3. Requires `aws:kms`. Use the ARN of a
    /// key: S3 looks up an ID or alias in the account and region of the uploader, and does not check that it exists.
    #[attr(optional)]
    pub kms_key_id: Value<String>,
    /// Whether S3 uses a bucket key, which reduces the requests to KMS and their costs.
    #[attr(optional, default = false)]
    pub bucket_key_enabled: Value<bool>,
}

/// Settings that keep the bucket private.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Protection {
    /// Whether all four settings of the public access block are enabled.
    #[attr(computed)]
    pub public_access_blocked: Value<bool>,
    /// Whether the owner of the bucket owns all objects and access control lists are disabled.
    #[attr(computed)]
    pub bucket_owner_enforced: Value<bool>,
}

/// The `[runners.cache]` section of `config.toml`.
#[derive(Clone, Default, PartialEq, Object)]
pub struct RunnerCache {
    /// Type of the cache: `s3`.
    #[attr(computed, name = "type")]
    pub kind: Value<String>,
    /// Value of `cache_path`.
    #[attr(computed)]
    pub path: Value<String>,
    /// Value of `shared`.
    #[attr(computed)]
    pub shared: Value<bool>,
    /// The `[runners.cache.s3]` section.
    #[attr(computed)]
    pub s3: Value<RunnerCacheS3>,
}

/// The `[runners.cache.s3]` section of `config.toml`.
#[derive(Clone, Default, PartialEq, Object)]
pub struct RunnerCacheS3 {
    /// Host of S3, for example `s3.amazonaws.com`, or of `endpoints.s3` of the provider.
    #[attr(computed)]
    pub server_address: Value<String>,
    /// Name of the bucket.
    #[attr(computed)]
    pub bucket_name: Value<String>,
    /// Region of the bucket.
    #[attr(computed)]
    pub bucket_location: Value<String>,
    /// Whether S3 is used without TLS: `true` if the endpoint starts with `http://`.
    #[attr(computed)]
    pub insecure: Value<bool>,
}

/// Identity of a bucket.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Identity {
    /// Name of the bucket.
    #[attr(required)]
    pub bucket: Value<String>,
    /// Region of the bucket. Defaults to the region of the provider.
    #[attr(optional)]
    pub region: Value<String>,
}
