//! The IAM users of a state that have an access key.

use super::super::arguments::Arguments;
use super::super::cache::OfRelease;
use super::instance::{Instance, Instances};
use super::policy::Policies;

/// A user with the resources for it in the state.
#[derive(Clone, Debug)]
pub(super) struct User<'a> {
    pub(super) name: String,
    pub(super) user: Option<&'a Instance>,
    pub(super) key: Option<&'a Instance>,
    /// The Secret that contains the access key.
    pub(super) secret: Option<&'a Instance>,
    /// Further keys, which are not in a Secret of the state.
    pub(super) other_keys: Vec<&'a Instance>,
    pub(super) policies: Policies,
}

impl User<'_> {
    /// The resource that stands for the user in the report.
    pub(super) fn instance(&self) -> Option<&Instance> {
        self.key.or(self.user)
    }

    /// Namespace and name of the Secret.
    pub(super) fn secret(&self) -> Option<(String, String)> {
        let secret = self.secret?;
        // `default` is the default of kubernetes_secret.
        let namespace = secret.text("metadata.0.namespace").unwrap_or_else(|| "default".to_owned());
        Some((namespace, secret.text("metadata.0.name")?))
    }

    /// Whether the access key is in a Secret from which a release can read the credentials of its cache.
    pub(super) fn has_secret_of(&self, releases: &[OfRelease]) -> bool {
        let Some((namespace, name)) = self.secret() else { return false };
        let is_unnamed = releases.iter().all(|release| release.cache.secret.is_none());
        is_unnamed || releases.iter().any(|release| release.uses_secret(&namespace, &name))
    }
}

/// The users with an access key, and the one that `--user` names.
pub(super) fn users<'a>(instances: &'a Instances, arguments: &Arguments) -> Vec<User<'a>> {
    let mut users: Vec<User<'_>> = Vec::new();
    for key in instances.of("aws_iam_access_key") {
        let Some(name) = key.text("user") else { continue };
        let secret = secret(instances, key);
        match users.iter_mut().find(|user| user.name == name) {
            Some(user) if secret.is_some() && user.secret.is_none() => {
                user.other_keys.extend(user.key.replace(key));
                user.secret = secret;
            }
            Some(user) => user.other_keys.push(key),
            None => users.push(user(instances, name, Some(key), secret)),
        }
    }
    // The key of this user can be one that was created by hand.
    if let Some(name) = arguments.user.as_ref().filter(|name| users.iter().all(|user| user.name != **name))
        && owner(instances, name).is_some()
    {
        users.push(user(instances, name.clone(), None, None));
    }
    users
}

fn user<'a>(
    instances: &'a Instances,
    name: String,
    key: Option<&'a Instance>,
    secret: Option<&'a Instance>,
) -> User<'a> {
    let policies = Policies::of(instances, &name);
    User { user: owner(instances, &name), name, key, secret, other_keys: Vec::new(), policies }
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
