//! Migrates `aws_iam_access_key`, with its user and the Secret that contains the key.

use super::super::arguments::Arguments;
use super::super::cache::SECRET;
use super::super::hcl::{Block, Value};
use super::super::project::Project;
use super::super::release::{self, Parsed};
use super::super::report::Topic;
use super::instance::{Instance, Instances};
use super::node_group::all_tags;
use super::place;

const RESOURCE: &str = "gitlabspot_runner_credentials";

/// Migrated credentials.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub(super) address: String,
    pub(super) namespace: String,
    pub(super) secret: String,
}

/// Adds the credentials of the users with a key for a cache.
pub(super) fn migrate(
    instances: &Instances,
    releases: &[(&Instance, Parsed)],
    buckets: &[(String, String)],
    arguments: &Arguments,
    project: &mut Project,
) -> Vec<Credentials> {
    let keys: Vec<&Instance> = instances.of("aws_iam_access_key").collect();
    let mut migrated: Vec<Credentials> = Vec::new();
    for key in &keys {
        let Some(user) = key.text("user") else { continue };
        let secret = secret(instances, key);
        let is_wanted = arguments.user.as_ref().map_or(secret.is_some() || keys.len() == 1, |wanted| *wanted == user);
        if !is_wanted {
            let text = format!("nothing says that the key of {user} is for the cache. --user {user} migrates it.");
            project.report.add(Topic::Kept, place(key), text);
            continue;
        }
        let release = releases.first().map(|(_, release)| (release.namespace().to_owned(), release.cache()));
        let (of_release, cache) = release.unwrap_or_else(|| (release::NAME.to_owned(), release::Cache::default()));
        let bucket = match buckets {
            [(_, address), ..] => Value::expression(format!("{address}.bucket")),
            [] => match arguments.bucket.clone().or(cache.bucket.clone()) {
                Some(bucket) => bucket.into(),
                None => {
                    let text = format!("the bucket of {user} is not known. --bucket NAME migrates it.");
                    project.report.add(Topic::Kept, place(key), text);
                    continue;
                }
            },
        };
        let namespace = secret.and_then(|secret| secret.text("metadata.0.namespace"));
        let namespace = namespace.or_else(|| arguments.namespace.clone()).unwrap_or(of_release);
        let name = secret.and_then(|secret| secret.text("metadata.0.name")).or_else(|| arguments.secret.clone());
        let name = name.or(cache.secret.clone()).unwrap_or_else(|| SECRET.to_owned());
        if migrated.iter().any(|found| found.namespace == namespace && found.secret == name) {
            continue;
        }
        let mut block = block(instances, &user, &cache, project);
        block.set("bucket", bucket);
        block.set("namespace", namespace.as_str());
        block.set("secret_name", name.as_str());
        let address = format!("{RESOURCE}.{}", block.labels.last().cloned().unwrap_or_default());
        announce(&address, key, secret, &name, project);
        project.resource(block, Some(format!("{namespace}/{name}:{user}").into()));
        forget(instances, key, &user, secret, project);
        migrated.push(Credentials { address, namespace, secret: name });
    }
    migrated
}

fn block(instances: &Instances, user: &str, cache: &release::Cache, project: &mut Project) -> Block {
    let _ = project.cluster();
    let label = project.name(RESOURCE, "cache");
    let mut block = Block::new("resource", [RESOURCE, &label]);
    block.set("mode", "access_key");
    block.set("name", user);
    if let Some(found) = owner(instances, user) {
        block.set_some("path", found.text("path").filter(|path| path != "/"));
        block.set_some("permissions_boundary", found.text("permissions_boundary"));
        block.set_some("tags", all_tags(found));
    }
    block.set_some("cache_path", cache.path.as_deref());
    block
}

fn owner<'a>(instances: &'a Instances, user: &str) -> Option<&'a Instance> {
    instances.of("aws_iam_user").find(|found| found.text("name").as_deref() == Some(user))
}

/// The Secret that contains the access key.
fn secret<'a>(instances: &'a Instances, key: &Instance) -> Option<&'a Instance> {
    let id = key.text("id")?;
    let secrets = instances.of("kubernetes_secret").chain(instances.of("kubernetes_secret_v1"));
    // The chart reads the keys `accesskey` and `secretkey` of the Secret that `runners.cache.secretName` specifies.
    let has_key = |secret: &&Instance| secret.text("data.accesskey").as_ref() == Some(&id);
    secrets.into_iter().find(has_key)
}

fn announce(address: &str, key: &Instance, secret: Option<&Instance>, name: &str, project: &mut Project) {
    let text = format!("`{address}`: the user gets a policy for the cache beside the one that it has. The key stays.");
    project.report.add(Topic::Change, None, text);
    let text = format!("the secret access key stays in the Secret {name}. The state forgets it with the resource.");
    project.report.add(Topic::Secret, place(key), text);
    if secret.is_none() {
        let text = format!("the Secret {name} must exist and have the key: the state does not have it.");
        project.report.add(Topic::Task, place(key), text);
    }
}

fn forget(instances: &Instances, key: &Instance, user: &str, secret: Option<&Instance>, project: &mut Project) {
    let all = [Some(key), owner(instances, user), secret];
    for instance in all.into_iter().flatten() {
        project.forget(&instance.forgotten());
    }
}
