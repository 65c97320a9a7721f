//! The parts of a bucket: each is read, written and compared alone.

pub(super) mod encryption;
pub(super) mod lifecycle;
pub(super) mod ownership;
pub(super) mod policy;
pub(super) mod public_access;
pub(super) mod tagging;
pub(super) mod versioning;

use std::time::Duration;

use aws_sdk_s3::Client;

use super::validate::Wanted;
use crate::clients::aws::AwsError;
use crate::framework::Context;
use crate::framework::wait::WaitError;
use crate::resources::propagation::{PROPAGATION, Steady, accepted, settled};
use crate::resources::tags::Tags;

/// A part of a bucket, in the order in which a new bucket gets them: closed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    PublicAccess,
    Ownership,
    Encryption,
    Versioning,
    Policy,
    Lifecycle,
    Tags,
}

/// What was read. `None` where the store, an S3-compatible one, does not have such a thing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) public_access_blocked: Option<bool>,
    pub(super) bucket_owner_enforced: Option<bool>,
    pub(super) encryption: Option<encryption::Settings>,
    pub(super) versioning: Option<bool>,
    pub(super) tls_only: Option<bool>,
    /// Our rule, if there is one.
    pub(super) lifecycle: Option<Option<lifecycle::Rule>>,
    pub(super) tags: Option<Tags>,
}

impl Found {
    /// Reads all parts at once. `expected` is the lifecycle rule of the state, where there is one.
    pub(super) async fn read<D>(
        context: &Context<D>,
        s3: &Client,
        bucket: &str,
        expected: Option<&Option<lifecycle::Rule>>,
    ) -> Result<Self, WaitError<AwsError>> {
        let rest = async {
            tokio::try_join!(
                public_access::read(s3, bucket),
                ownership::read(s3, bucket),
                encryption::read(s3, bucket),
                versioning::read(s3, bucket),
                policy::read(s3, bucket),
                tagging::read(s3, bucket),
            )
            .map_err(WaitError::Failed)
        };
        let (rest, lifecycle) = tokio::try_join!(rest, lifecycle::read_steady(context, s3, bucket, expected))?;
        let (public_access_blocked, bucket_owner_enforced, encryption, versioning, tls_only, tags) = rest;
        Ok(Self { public_access_blocked, bucket_owner_enforced, encryption, versioning, tls_only, lifecycle, tags })
    }
}

impl Part {
    pub(super) const ALL: [Self; 7] = [
        Self::PublicAccess,
        Self::Ownership,
        Self::Encryption,
        Self::Versioning,
        Self::Policy,
        Self::Lifecycle,
        Self::Tags,
    ];

    /// What a user calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PublicAccess => "the public access block",
            Self::Ownership => "the object ownership",
            Self::Encryption => "the encryption",
            Self::Versioning => "the versioning",
            Self::Policy => "the bucket policy",
            Self::Lifecycle => "the lifecycle rule",
            Self::Tags => "the tags",
        }
    }

    /// Writes the part, again and again while a new bucket is not known everywhere. Returns the refusal of a store that
    /// has no such thing, where the bucket can do without.
    pub(super) async fn put<D>(
        self,
        context: &Context<D>,
        s3: &Client,
        bucket: &str,
        arn: &str,
        wanted: &Wanted,
        limit: Duration,
    ) -> Result<Option<AwsError>, WaitError<AwsError>> {
        let put = || async {
            match self {
                Self::PublicAccess => public_access::put(s3, bucket).await,
                Self::Ownership => ownership::put(s3, bucket).await,
                Self::Encryption => encryption::put(s3, bucket, &wanted.encryption).await,
                Self::Versioning => versioning::put(s3, bucket, wanted.versioning).await,
                Self::Policy => policy::put(s3, bucket, arn, wanted.tls_only).await,
                Self::Lifecycle => lifecycle::put(s3, bucket, &wanted.lifecycle).await,
                Self::Tags => tagging::put(s3, bucket, &wanted.tags_before, &wanted.tags).await,
            }
        };
        match accepted(context, PROPAGATION.min(limit), |error| self.passes(error), put).await {
            Ok(()) => Ok(None),
            Err(WaitError::Failed(error))
                if is_unsupported(&error) && !self.is_asked_for(wanted) && self.is_lacking(s3, bucket).await =>
            {
                Ok(Some(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether it goes beyond what every bucket gets.
    fn is_asked_for(self, wanted: &Wanted) -> bool {
        match self {
            Self::Encryption => wanted.encryption != encryption::Settings::default(),
            Self::Versioning => wanted.versioning,
            Self::PublicAccess | Self::Ownership | Self::Policy | Self::Lifecycle | Self::Tags => false,
        }
    }

    /// Whether the store has no such thing to read, either.
    async fn is_lacking(self, s3: &Client, bucket: &str) -> bool {
        match self {
            Self::PublicAccess => public_access::read(s3, bucket).await == Ok(None),
            Self::Ownership => ownership::read(s3, bucket).await == Ok(None),
            Self::Encryption => encryption::read(s3, bucket).await == Ok(None),
            Self::Versioning => versioning::read(s3, bucket).await == Ok(None),
            Self::Policy => policy::read(s3, bucket).await == Ok(None),
            Self::Lifecycle => lifecycle::read(s3, bucket).await == Ok(None),
            Self::Tags => tagging::read(s3, bucket).await == Ok(None),
        }
    }

    /// Failures that go away by themselves.
    fn passes(self, error: &AwsError) -> bool {
        match error.code() {
            Some("NoSuchBucket" | "OperationAborted") => true,
            Some("MalformedPolicy") => self == Self::Policy,
            _ => false,
        }
    }

    /// Waits until reads show what was written. Some parts flap: the new value, then the old one again.
    pub(super) async fn settle<D>(
        self,
        context: &Context<D>,
        s3: &Client,
        bucket: &str,
        wanted: &Wanted,
        limit: Duration,
    ) -> Result<(), WaitError<AwsError>> {
        let second = Duration::from_secs(1);
        let once = Steady { looks: 1, delay: Duration::ZERO, interval: second, timeout: PROPAGATION };
        let steady = match self {
            // A bucket is always encrypted; that S3 took the settings is enough.
            Self::Encryption => return Ok(()),
            Self::Versioning => Steady { looks: 3, delay: second, ..once },
            Self::Lifecycle => {
                Steady { looks: 10, delay: 10 * second, interval: 2 * second, timeout: Duration::from_secs(180) }
            }
            Self::PublicAccess | Self::Ownership | Self::Policy | Self::Tags => once,
        };
        let shows = || async {
            let shows = match self {
                Self::PublicAccess => public_access::read(s3, bucket).await.map(|found| found.unwrap_or(true)),
                Self::Ownership => ownership::read(s3, bucket).await.map(|found| found.unwrap_or(true)),
                Self::Encryption => Ok(true),
                Self::Versioning => versioning::read(s3, bucket).await.map(|found| is(found, &wanted.versioning)),
                Self::Policy => policy::read(s3, bucket).await.map(|found| is(found, &wanted.tls_only)),
                Self::Lifecycle => {
                    lifecycle::read(s3, bucket).await.map(|found| is(found, &wanted.lifecycle.clone().if_any()))
                }
                Self::Tags => tagging::read(s3, bucket).await.map(|found| {
                    found.is_none_or(|found| wanted.tags.iter().all(|(key, value)| found.get(key) == Some(value)))
                }),
            };
            match shows {
                Err(error) if error.code() == Some("NoSuchBucket") => Ok(false),
                other => other,
            }
        };
        settled(context, Steady { timeout: steady.timeout.min(limit), ..steady }, shows).await
    }
}

/// A store that has no such thing can show nothing else.
fn is<T: PartialEq>(found: Option<T>, wanted: &T) -> bool {
    found.is_none_or(|found| &found == wanted)
}

/// What an error of a read means: `absent` for the code that says that there is none, `None` where the store does not
/// have such a thing.
fn or_absent<T>(error: AwsError, code: &str, absent: T) -> Result<Option<T>, AwsError> {
    match error.code() {
        Some(found) if found == code => Ok(Some(absent)),
        _ if is_unsupported(&error) => Ok(None),
        _ => Err(error),
    }
}

/// Whether a store that is compatible with S3 says that it does not have such a thing.
fn is_unsupported(error: &AwsError) -> bool {
    const CODES: [&str; 4] = ["MethodNotAllowed", "NotImplemented", "XNotImplemented", "UnsupportedOperation"];
    error.code().is_some_and(|code| CODES.contains(&code))
}
