//! The bucket and the user of the options, which were created by hand.

use super::arguments::{ArgumentError, Arguments};
use super::cache::{self, Bucket, Caches, Credentials, OfRelease};
use super::only;
use super::project::Project;
use super::release::{self, Cache};
use super::report::Topic;

/// Adds the bucket.
pub(super) fn bucket(name: &str, arguments: &Arguments, releases: &[OfRelease], project: &mut Project) -> Bucket {
    let cache = cache_of(name, releases);
    let region = arguments.bucket_region.clone().or_else(|| cache.region.clone());
    cache::bucket(name, region.as_deref(), &cache, project)
}

/// The settings of the cache in a bucket. Values that name no bucket can be those of any.
fn cache_of(bucket: &str, releases: &[OfRelease]) -> Cache {
    let caches = || releases.iter().map(|of| &of.cache);
    let same = caches().find(|cache| cache.bucket.as_deref() == Some(bucket));
    let found = same.or_else(|| caches().find(|cache| cache.bucket.is_none() && !cache.is_elsewhere));
    found.cloned().unwrap_or_default()
}

/// Adds the credentials of the user.
///
/// # Errors
///
/// It is not known to which bucket the user gets access, or its Secret is that of another user.
pub(super) fn credentials(
    user: &str,
    arguments: &Arguments,
    releases: &[OfRelease],
    (found, of_state): (&Caches, Vec<String>),
    project: &mut Project,
) -> Result<Credentials, ArgumentError> {
    let named = arguments.bucket.clone().or_else(|| releases.iter().find_map(|of| of.cache.bucket.clone()));
    let migrated = || only(found.buckets.iter().map(|bucket| bucket.name.clone()));
    let bucket = named.or_else(migrated).or_else(|| only(of_state.iter().cloned()));
    let bucket =
        bucket.ok_or_else(|| ArgumentError::UserWithoutBucket { user: user.to_owned(), buckets: of_state.clone() })?;
    let of_bucket = releases.iter().find(|of| of.cache.bucket.as_ref() == Some(&bucket));
    let default = || OfRelease { namespace: release::NAME.to_owned(), ..OfRelease::default() };
    let OfRelease { namespace, cache } = of_bucket.or(releases.first()).cloned().unwrap_or_else(default);
    let namespace = arguments.namespace.clone().unwrap_or(namespace);
    let secret = arguments.secret.clone().or(cache.secret.clone()).unwrap_or_else(|| cache::SECRET.to_owned());
    if let Some(other) = found.credentials.iter().find(|it| it.is_in(&namespace, &secret)) {
        let (user, owner) = (user.to_owned(), other.user.clone());
        return Err(ArgumentError::SecretOfOther { user, owner, namespace, secret });
    }
    Ok(cache::credentials(user, &secret, &namespace, found.bucket(&bucket), &cache, project))
}

/// Reports buckets and Secrets that the values of releases contain and the configuration does not.
pub(super) fn advise(arguments: &Arguments, releases: &[OfRelease], found: &Caches, project: &mut Project) {
    for release in releases {
        let Cache { bucket, secret, .. } = &release.cache;
        let is_in = |name: &String| found.buckets.iter().any(|bucket| bucket.name == *name);
        if let Some(bucket) = bucket.as_ref().filter(|name| !is_in(name)) {
            let text = match &arguments.bucket {
                None => format!(
                    "the bucket {bucket} of the cache is not in the configuration. `--bucket {bucket}` adds it."
                ),
                Some(given) => {
                    format!("the values name the bucket {bucket} and not {given}: the release keeps using {bucket}.")
                }
            };
            project.report.add(Topic::Task, None, text);
        }
        let has_secret = |name: &String| found.credentials.iter().any(|found| found.is_in(&release.namespace, name));
        if let Some(secret) = secret.as_ref().filter(|name| !has_secret(name) && arguments.user.is_none()) {
            let text = format!(
                "the Secret {secret} of the cache is not in the configuration. `--user NAME` adds it with the IAM user whose key it \
                 has."
            );
            project.report.add(Topic::Task, None, text);
        }
    }
}
