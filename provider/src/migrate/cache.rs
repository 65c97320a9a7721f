//! Cache bucket and credentials that were created by hand, as described in the guide.

use super::hcl::{Block, Value};
use super::project::Project;
use super::release::Cache;
use super::report::Topic;

/// Days after which the lifecycle rule of the guide deletes objects.
const DAYS: i64 = 60;

/// Name of the Secret in the guide.
pub(super) const SECRET: &str = "gitlab-runner-s3-access";

/// Adds the bucket. Returns its address.
pub(super) fn bucket(name: &str, cache: &Cache, project: &mut Project) -> String {
    let label = project.name("gitlabspot_cache_bucket", "cache");
    let address = format!("gitlabspot_cache_bucket.{label}");
    let mut block = Block::new("resource", ["gitlabspot_cache_bucket", &label]);
    if project.bucket_region.is_some() {
        block.set("provider", Value::expression("gitlabspot.cache"));
    }
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
    address
}

/// Adds the credentials of a user. Returns their address. `bucket` is the name of the bucket, or a reference to it.
pub(super) fn credentials(
    user: &str,
    secret: &str,
    namespace: &str,
    bucket: Value,
    cache: &Cache,
    project: &mut Project,
) -> String {
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
    address
}
