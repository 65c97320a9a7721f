//! Migrates `aws_iam_access_key`, with its user and the Secret that contains the key.

use std::collections::BTreeSet;

use super::super::cache::{Caches, Credentials, OfRelease, SECRET};
use super::super::hcl::Block;
use super::super::project::Project;
use super::super::release;
use super::super::report::Topic;
use super::node_group::all_tags;
use super::place;
use super::ties::Ties;
use super::user::User;

const RESOURCE: &str = "gitlabspot_runner_credentials";

/// Adds the credentials of the users of caches. `buckets` are the names of their buckets. Returns the number of users.
pub(super) fn migrate(ties: Ties<'_>, buckets: &BTreeSet<String>, caches: &mut Caches, project: &mut Project) -> usize {
    let mut count = 0;
    for user in ties.users {
        let bucket = ties.bucket_of(user, buckets);
        if !ties.has_user(user, buckets) {
            let bucket = if bucket.is_some() { "" } else { " --bucket NAME" };
            let text = format!(
                "nothing says that the key of {name} is for the cache. `--user {name}{bucket}` migrates it.",
                name = user.name
            );
            project.report.add(Topic::Kept, user.instance().map(place), text);
            continue;
        }
        let Some(bucket) = bucket else {
            // Without a bucket, `--user` is an error.
            if ties.arguments.user.as_ref() != Some(&user.name) {
                let text = format!("the bucket of {} is not known. `--bucket NAME` migrates it.", user.name);
                project.report.add(Topic::Kept, user.instance().map(place), text);
            }
            continue;
        };
        if !buckets.contains(&bucket) {
            let text = format!(
                "the bucket of {} is taken to be {bucket}, which stays with hashicorp/aws. `--bucket {bucket}` migrates it.",
                user.name
            );
            project.report.add(Topic::Task, user.instance().map(place), text);
        }
        count += usize::from(add(ties, user, &bucket, caches, project));
    }
    count
}

/// Adds the credentials of a user, unless its Secret is that of another one.
fn add(ties: Ties<'_>, user: &User<'_>, bucket: &str, caches: &mut Caches, project: &mut Project) -> bool {
    let of_bucket = || ties.releases.iter().find(|of| of.cache.bucket.as_deref() == Some(bucket));
    // The values of a release need not name its bucket.
    let without = || ties.releases.iter().find(|of| of.cache.bucket.is_none());
    let release = ties.release_of(user).or_else(of_bucket).or_else(without).cloned();
    let default = || OfRelease { namespace: release::NAME.to_owned(), ..OfRelease::default() };
    let OfRelease { namespace, cache } = release.unwrap_or_else(default);
    let (namespace, secret) = user.secret().unwrap_or_else(|| {
        let namespace = ties.arguments.namespace.clone().unwrap_or(namespace);
        let secret = ties.arguments.secret.clone().or(cache.secret.clone());
        (namespace, secret.unwrap_or_else(|| SECRET.to_owned()))
    });
    let same = |found: &&Credentials| found.namespace == namespace && found.secret == secret;
    if let Some(found) = caches.credentials.iter().find(same) {
        let text = format!(
            "the state does not say which Secret has the key of {}, and {secret} has that of {}.",
            user.name, found.user
        );
        project.report.add(Topic::Kept, user.instance().map(place), text);
        return false;
    }
    let mut block = block(user, cache.path.as_deref(), project);
    block.set("bucket", caches.bucket(bucket));
    block.set("namespace", namespace.as_str());
    block.set("secret_name", secret.as_str());
    let address = format!("{RESOURCE}.{}", block.labels.last().cloned().unwrap_or_default());
    announce(&address, user, &secret, project);
    project.resource(block, Some(format!("{namespace}/{secret}:{}", user.name).into()));
    for instance in [user.key, user.user, user.secret].into_iter().flatten() {
        project.forget(&instance.address);
    }
    caches.credentials.push(Credentials { user: user.name.clone(), namespace, secret, address });
    true
}

fn block(user: &User<'_>, cache_path: Option<&str>, project: &mut Project) -> Block {
    let _ = project.cluster();
    let label = project.name(RESOURCE, "cache");
    let mut block = Block::new("resource", [RESOURCE, &label]);
    block.set("mode", "access_key");
    block.set("name", user.name.as_str());
    if let Some(found) = user.user {
        block.set_some("path", found.text("path").filter(|path| path != "/"));
        block.set_some("permissions_boundary", found.text("permissions_boundary"));
        block.set_some("tags", all_tags(found));
    }
    block.set_some("cache_path", cache_path);
    block
}

fn announce(address: &str, user: &User<'_>, secret: &str, project: &mut Project) {
    let text = format!("`{address}`: the user gets a policy for the cache beside the one that it has. The key stays.");
    project.report.add(Topic::Change, None, text);
    let at = user.instance().map(place);
    let text = format!("the secret access key stays in the Secret {secret}. The state forgets it with the resource.");
    if user.key.is_some() {
        project.report.add(Topic::Secret, at.clone(), text);
    }
    if user.secret.is_none() {
        let text = format!("the Secret {secret} must exist and have the key: the state does not have it.");
        project.report.add(Topic::Task, at, text);
    }
    for key in &user.other_keys {
        let text = format!("another key of {}. It stays with hashicorp/aws.", user.name);
        project.report.add(Topic::Kept, place(key), text);
    }
}
