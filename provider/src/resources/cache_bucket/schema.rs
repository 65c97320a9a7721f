//! The attributes of `gitlabspot_cache_bucket`: schema, state type and what users read about them.

use crate::framework::value::Map;
use crate::framework::{Object, Timeouts, Value};

/// The bucket.
#[derive(Clone, Default, PartialEq, Object)]
pub struct CacheBucket {
    /// Name of the bucket, unique among all accounts of the AWS partition. Without it and without `bucket_prefix` a name
    /// is made up.
    #[attr(optional, computed, stable, replace)]
    pub bucket: Value<String>,
    /// Beginning of a name that is completed with random characters.
    #[attr(optional)]
    pub bucket_prefix: Value<String>,
    /// Days after which a cache object is deleted, counted from its upload. `0` keeps objects for ever.
    #[attr(optional, default = 60)]
    pub expiration_days: Value<i64>,
    /// The runner's cache path (`[runners.cache] Path`), under which it puts everything.
    #[attr(optional, default = "")]
    pub cache_path: Value<String>,
    /// Whether runners share the cache (`[runners.cache] Shared`). It decides whether objects lie under `project/` or
    /// under `runner/`.
    #[attr(optional, default = true)]
    pub shared: Value<bool>,
    /// Beginning of the keys of objects that expire. By default it is where the runner puts its objects, which follows from
    /// `cache_path` and `shared`. `""` is the whole bucket.
    #[attr(optional, computed)]
    pub prefix: Value<String>,
    /// Days after which an overwritten or deleted version of an object is removed. `0` keeps them for ever.
    #[attr(optional, default = 1)]
    pub noncurrent_expiration_days: Value<i64>,
    /// Days after which the parts of an upload that was never completed are removed. `0` keeps them for ever.
    #[attr(optional, default = 1)]
    pub abort_incomplete_multipart_days: Value<i64>,
    /// Whether overwritten objects are kept as versions. A cache has no use for them.
    #[attr(optional, default = false)]
    pub versioning: Value<bool>,
    /// How objects are encrypted; by default with keys of S3 (`AES256`).
    #[attr(optional, computed)]
    pub encryption: Value<Encryption>,
    /// Whether the bucket's policy denies requests without TLS. Further statements of the policy are left alone.
    #[attr(optional, default = true)]
    pub tls_only: Value<bool>,
    /// Whether a destroy empties the bucket first, of all objects and versions. Otherwise only an empty bucket can be
    /// destroyed. A bucket that something goes on writing into is given up after two minutes.
    #[attr(optional, default = false)]
    pub force_destroy: Value<bool>,
    /// Tags of the bucket. Tags that others put on it are left alone. An import cannot tell whose they are and takes all of
    /// them: name them here, or leave them out with `ignore_tags` of the provider, if the next apply is to keep them.
    #[attr(optional)]
    pub tags: Value<Map<String>>,
    /// The tags together with the provider's `default_tags`.
    #[attr(computed)]
    pub tags_all: Value<Map<String>>,
    /// How long operations may take: 20 minutes for create and update, 60 for delete.
    #[attr(optional)]
    pub timeouts: Value<Timeouts>,
    /// The name of the bucket.
    #[attr(computed, stable)]
    pub id: Value<String>,
    /// The ARN of the bucket.
    #[attr(computed, stable)]
    pub arn: Value<String>,
    /// The region of the bucket. It is made in the provider's.
    #[attr(computed, stable)]
    pub region: Value<String>,
    /// The bucket's host name, for instance `ci-cache.s3.amazonaws.com`; with `endpoints.s3` that of its host.
    #[attr(computed, stable)]
    pub bucket_domain_name: Value<String>,
    /// What keeps the bucket private. It cannot be turned off; when someone else does, the plan shows it.
    #[attr(computed)]
    pub protection: Value<Protection>,
    /// The runner's `[runners.cache]` for this bucket, for `cache` of `gitlabspot_runner_release`.
    #[attr(computed)]
    pub runner_cache: Value<RunnerCache>,
}

/// How objects are encrypted.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Encryption {
    /// `AES256`, with keys of S3, or `aws:kms`, with a key of KMS.
    #[attr(optional, default = "AES256")]
    pub sse_algorithm: Value<String>,
    /// ARN, id or alias of the KMS key; by default the AWS managed key of S3. Only with `aws:kms`. Prefer the ARN of a key:
    /// S3 looks for an id or alias in the account and region of whoever uploads, and does not check whether there is one.
    #[attr(optional)]
    pub kms_key_id: Value<String>,
    /// Whether S3 asks KMS once per bucket instead of once per object, which is cheaper.
    #[attr(optional, default = false)]
    pub bucket_key_enabled: Value<bool>,
}

/// What keeps the bucket private.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Protection {
    /// All four blocks of public access are on.
    #[attr(computed)]
    pub public_access_blocked: Value<bool>,
    /// The bucket's owner owns all objects, and access control lists are off.
    #[attr(computed)]
    pub bucket_owner_enforced: Value<bool>,
}

/// `[runners.cache]`.
#[derive(Clone, Default, PartialEq, Object)]
pub struct RunnerCache {
    /// `s3`.
    #[attr(computed, name = "type")]
    pub kind: Value<String>,
    /// The value of `cache_path`.
    #[attr(computed)]
    pub path: Value<String>,
    /// The value of `shared`.
    #[attr(computed)]
    pub shared: Value<bool>,
    /// `[runners.cache.s3]`.
    #[attr(computed)]
    pub s3: Value<RunnerCacheS3>,
}

/// `[runners.cache.s3]`.
#[derive(Clone, Default, PartialEq, Object)]
pub struct RunnerCacheS3 {
    /// Host of S3, for instance `s3.amazonaws.com`; that of the provider's `endpoints.s3` where it is given.
    #[attr(computed)]
    pub server_address: Value<String>,
    /// The name of the bucket.
    #[attr(computed)]
    pub bucket_name: Value<String>,
    /// The region of the bucket.
    #[attr(computed)]
    pub bucket_location: Value<String>,
    /// `true` where S3 is asked without TLS, because its endpoint begins with `http://`.
    #[attr(computed)]
    pub insecure: Value<bool>,
}

/// What identifies a bucket.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Identity {
    /// The name of the bucket.
    #[attr(required)]
    pub bucket: Value<String>,
    /// The region of the bucket.
    #[attr(optional)]
    pub region: Value<String>,
}
