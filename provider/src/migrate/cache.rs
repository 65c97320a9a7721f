//! Cache bucket and credentials that were created by hand, as described in the guide.

use super::hcl::{Block, Value};
use super::project::Project;
use super::release::{Cache, Links};
use super::report::Topic;

/// Days after which the lifecycle rule of the guide deletes objects.
const DAYS: i64 = 60;

/// Name of the Secret in the guide.
pub(super) const SECRET: &str = "gitlab-runner-s3-access";

/// The cache settings of a release, with its namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OfRelease {
    pub(super) namespace: String,
    pub(super) cache: Cache,
}

impl OfRelease {
    /// Whether the release reads the credentials of its cache from this Secret.
    pub(super) fn uses_secret(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.cache.secret.as_deref() == Some(name)
    }
}

/// A bucket in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) name: String,
    pub(super) address: String,
}

/// Credentials in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) namespace: String,
    pub(super) secret: String,
    pub(super) address: String,
}

impl Credentials {
    /// Whether this Secret contains the access key.
    pub(super) fn is_in(&self, namespace: &str, secret: &str) -> bool {
        self.namespace == namespace && self.secret == secret
    }
}

/// The buckets and credentials in the configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct Caches {
    pub(super) buckets: Vec<Bucket>,
    pub(super) credentials: Vec<Credentials>,
}

impl Caches {
    /// The bucket with this name: a reference to its resource, if the configuration has it.
    pub(super) fn bucket(&self, name: &str) -> Value {
        match self.buckets.iter().find(|bucket| bucket.name == name) {
            Some(bucket) => Value::expression(format!("{}.bucket", bucket.address)),
            None => name.into(),
        }
    }

    /// What a release refers to.
    pub(super) fn links(&self, release: &OfRelease) -> Links {
        let bucket = self.buckets.iter().find(|bucket| release.cache.bucket.as_ref() == Some(&bucket.name));
        let credentials = self.credentials.iter().find(|found| release.uses_secret(&found.namespace, &found.secret));
        Links {
            bucket: bucket.map(|bucket| (bucket.name.clone(), bucket.address.clone())),
            credentials: credentials.map(|found| (found.secret.clone(), found.address.clone())),
        }
    }
}

/// Adds the bucket.
pub(super) fn bucket(name: &str, region: Option<&str>, cache: &Cache, project: &mut Project) -> Bucket {
    let label = project.name("gitlabspot_cache_bucket", "cache");
    let address = format!("gitlabspot_cache_bucket.{label}");
    let mut block = Block::new("resource", ["gitlabspot_cache_bucket", &label]);
    block.set_some("provider", project.provider_of_bucket(region));
    block.set("bucket", name);
    block.set_some("cache_path", cache.path.as_deref());
    block.set_some("shared", cache.shared.filter(|shared| !shared));
    block.set("expiration_days", DAYS);
    project.resource(block, Some(name.into()));
    let text = format!(
        "`{address}`: a lifecycle rule deletes objects {DAYS} days after their upload (`expiration_days`), old versions and broken \
         uploads after one day; the bucket policy denies plain HTTP; public access is blocked. Rules and statements of others \
         stay. `tags` that the bucket has are removed, unless they are added to the configuration."
    );
    project.report.add(Topic::Change, None, text);
    let text = "a lifecycle rule and a bucket policy that were created in the console stay beside those of the provider. Delete \
                them when they are no longer needed.";
    project.report.add(Topic::Kept, None, text);
    Bucket { name: name.to_owned(), address }
}

/// Adds the credentials of a user. `bucket` is the name of the bucket, or a reference to it.
pub(super) fn credentials(
    user: &str,
    secret: &str,
    namespace: &str,
    bucket: Value,
    cache: &Cache,
    project: &mut Project,
) -> Credentials {
    let _ = project.cluster();
    let label = project.name("gitlabspot_runner_credentials", "cache");
    let address = format!("gitlabspot_runner_credentials.{label}");
    let mut block = Block::new("resource", ["gitlabspot_runner_credentials", &label]);
    block.set("mode", "access_key");
    block.set("name", user);
    block.set("bucket", bucket);
    block.set_some("cache_path", cache.path.as_deref());
    block.set("namespace", namespace);
    block.set("secret_name", secret);
    project.resource(block, Some(format!("{namespace}/{secret}:{user}").into()));
    let text = format!(
        "`{address}`: the user gets a policy for the cache beside the one that it has. The key stays. `tags` that the user has are \
         removed, unless they are added to the configuration."
    );
    project.report.add(Topic::Change, None, text);
    let text = format!(
        "the policy of {user} from the console allows more than the cache needs. Delete it after the first apply."
    );
    project.report.add(Topic::Task, None, text);
    Credentials { user: user.to_owned(), namespace: namespace.to_owned(), secret: secret.to_owned(), address }
}
