//! The parts of the bucket, desired and observed.

use tfplugin::framework::Value;
use tfplugin::framework::value::known_map;

use super::parts::{Part, encryption, lifecycle};
use super::schema::{CacheBucket, Encryption};
use crate::tags::{Tags, UNFINISHED};

/// The desired value of each part of the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Desired {
    pub(super) encryption: encryption::Settings,
    pub(super) versioning: bool,
    pub(super) tls_only: bool,
    pub(super) lifecycle: lifecycle::Rule,
    pub(super) tags: Tags,
    /// The managed tags before. In a create this is the tag of an unfinished create.
    pub(super) tags_before: Tags,
}

/// The observed value of each part. `None` if an S3-compatible store does not support the part, or if the identity is
/// not allowed to read it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Observed {
    pub(super) public_access_blocked: Option<bool>,
    pub(super) bucket_owner_enforced: Option<bool>,
    pub(super) encryption: Option<encryption::Settings>,
    pub(super) versioning: Option<bool>,
    pub(super) tls_only: Option<bool>,
    /// The managed rule. The inner `None` means that it does not exist.
    pub(super) lifecycle: Option<Option<lifecycle::Rule>>,
    pub(super) tags: Option<Tags>,
}

impl Observed {
    /// Removes a part, as if it had not been read.
    pub(super) fn forget(&mut self, part: Part) {
        match part {
            Part::PublicAccess => self.public_access_blocked = None,
            Part::Ownership => self.bucket_owner_enforced = None,
            Part::Encryption => self.encryption = None,
            Part::Versioning => self.versioning = None,
            Part::Policy => self.tls_only = None,
            Part::Lifecycle => self.lifecycle = None,
            Part::Tags => self.tags = None,
        }
    }
}

impl Desired {
    /// Returns the values of a plan, or of a state that may contain drift. `before` is the state before an update.
    pub(super) fn of(model: &CacheBucket, before: Option<&CacheBucket>) -> Self {
        let days = |value: &Value<i64>| value.known().and_then(|days| i32::try_from(*days).ok()).unwrap_or(0);
        let tags = |model: &CacheBucket| known_map(&model.tags_all).unwrap_or_default();
        Self {
            encryption: encryption_of(&model.encryption),
            versioning: model.versioning.or(false),
            tls_only: model.tls_only.or(true),
            lifecycle: lifecycle::Rule {
                prefix: model.prefix.as_str().unwrap_or_default().to_owned(),
                expiration_days: days(&model.expiration_days),
                noncurrent_expiration_days: days(&model.noncurrent_expiration_days),
                abort_incomplete_multipart_days: days(&model.abort_incomplete_multipart_days),
            },
            tags: tags(model),
            tags_before: before.map_or_else(|| Tags::from([(UNFINISHED.to_owned(), String::new())]), tags),
        }
    }
}

fn encryption_of(value: &Value<Encryption>) -> encryption::Settings {
    let given = value.known();
    let text = |pick: fn(&Encryption) -> &Value<String>| given.and_then(|given| pick(given).known().cloned());
    encryption::Settings {
        algorithm: text(|given| &given.sse_algorithm).unwrap_or_else(|| "AES256".to_owned()),
        kms_key_id: text(|given| &given.kms_key_id),
        bucket_key_enabled: given.is_some_and(|given| given.bucket_key_enabled.or(false)),
    }
}
