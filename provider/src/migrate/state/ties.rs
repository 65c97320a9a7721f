//! Which buckets and users of a state belong to the cache of a runner.
//!
//! A state can have buckets and users for anything else, so that an expiry rule or an access key alone says little.

use std::collections::BTreeSet;

use super::super::arguments::Arguments;
use super::super::cache::OfRelease;
use super::super::only;
use super::bucket::{expires, name, rules};
use super::instance::{Instance, Instances};
use super::user::User;

/// The inputs that can name a bucket or a user.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ties<'a> {
    pub(super) instances: &'a Instances,
    pub(super) releases: &'a [OfRelease],
    pub(super) users: &'a [User<'a>],
    pub(super) arguments: &'a Arguments,
}

impl Ties<'_> {
    /// Names of the buckets of caches.
    pub(super) fn buckets(&self) -> BTreeSet<String> {
        let of_values = self.releases.iter().filter_map(|release| release.cache.bucket.clone());
        let mut found: BTreeSet<String> = of_values.chain(self.arguments.bucket.clone()).collect();
        let is_named = !found.is_empty();
        for user in self.users.iter().filter(|user| self.is_of_cache(user)) {
            let of_policy: Vec<String> = self.in_policy(user).map(|(_, name)| name).collect();
            if !of_policy.iter().any(|name| found.contains(name)) {
                found.extend(of_policy);
            }
        }
        if is_named || !found.is_empty() {
            return found;
        }
        if let [user] = self.users {
            found.extend(self.in_policy(user).filter(|(bucket, _)| self.expires(bucket)).map(|(_, name)| name));
        }
        let expiring: Vec<String> =
            self.all().filter(|(bucket, _)| self.expires(bucket)).map(|(_, name)| name).collect();
        match expiring.as_slice() {
            [only] if found.is_empty() && self.releases.iter().any(|of| !of.cache.is_elsewhere) => {
                found.extend([only.clone()]);
            }
            _ => {}
        }
        found
    }

    /// Whether the user is one of a cache. `buckets` are those of caches.
    pub(super) fn has_user(&self, user: &User<'_>, buckets: &BTreeSet<String>) -> bool {
        let is_only = self.users.len() == 1 && !user.policies.is_for_others && !buckets.is_empty();
        let names_bucket = user.policies.buckets.iter().any(|name| buckets.contains(name));
        self.is_of_cache(user) || is_only && (names_bucket || user.policies.buckets.is_empty())
    }

    /// The bucket to which the user gets access.
    pub(super) fn bucket_of(&self, user: &User<'_>, buckets: &BTreeSet<String>) -> Option<String> {
        let of_policy = user.policies.buckets.iter().find(|name| buckets.contains(*name)).cloned();
        let of_release = self.release_of(user).and_then(|release| release.cache.bucket.clone());
        let is_in_state = |name: &&String| self.all().any(|(_, other)| other == **name);
        // An option is more certain than the values, unless they name a bucket of the state.
        let of_release_in_state = of_release.as_ref().filter(is_in_state).cloned();
        let named = of_release_in_state.or_else(|| self.arguments.bucket.clone()).or(of_release);
        let only = || (buckets.len() == 1).then(|| buckets.first().cloned())?;
        let of_state = || self.only_bucket().filter(|_| self.arguments.user.as_ref() == Some(&user.name));
        of_policy.or(named).or_else(only).or_else(of_state)
    }

    /// The bucket of a state with one bucket.
    pub(super) fn only_bucket(&self) -> Option<String> {
        only(self.all()).map(|(_, name)| name)
    }

    /// The release that uses the Secret of the user.
    pub(super) fn release_of(&self, user: &User<'_>) -> Option<&OfRelease> {
        let (namespace, name) = user.secret()?;
        self.releases.iter().find(|release| release.uses_secret(&namespace, &name))
    }

    fn is_of_cache(&self, user: &User<'_>) -> bool {
        self.arguments.user.as_ref() == Some(&user.name) || user.has_secret_of(self.releases)
    }

    fn all(&self) -> impl Iterator<Item = (&Instance, String)> {
        self.instances.of("aws_s3_bucket").filter_map(|bucket| Some((bucket, name(bucket)?)))
    }

    fn in_policy(&self, user: &User<'_>) -> impl Iterator<Item = (&Instance, String)> {
        self.all().filter(|(_, name)| user.policies.buckets.contains(name))
    }

    fn expires(&self, bucket: &Instance) -> bool {
        rules(self.instances, bucket).iter().any(expires)
    }
}
