//! The parts of a bucket. Each is read, compared and written separately.

pub(super) mod encryption;
pub(super) mod lifecycle;
pub(super) mod ownership;
pub(super) mod policy;
pub(super) mod public_access;
pub(super) mod tagging;
pub(super) mod versioning;

use std::time::Duration;

use aws_sdk_s3::Client;
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::Context;
use tfplugin::framework::wait::WaitError;

use super::model::{Desired, Observed};
use crate::denied_reads::DeniedReads;
use crate::propagation::{PROPAGATION, accepted};

/// A part of a bucket, in the order in which they are written. Access to a new bucket is blocked first.
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

/// Reads all parts concurrently.
pub(super) async fn read(s3: &Client, bucket: &str, denied: &mut DeniedReads) -> Result<Observed, AwsError> {
    let (public_access_blocked, bucket_owner_enforced, encryption, versioning, tls_only, lifecycle, tags) = tokio::join!(
        public_access::read(s3, bucket),
        ownership::read(s3, bucket),
        encryption::read(s3, bucket),
        versioning::read(s3, bucket),
        policy::read(s3, bucket),
        lifecycle::read(s3, bucket),
        tagging::read(s3, bucket),
    );
    Ok(Observed {
        public_access_blocked: Part::PublicAccess.or_none(public_access_blocked, denied)?,
        bucket_owner_enforced: Part::Ownership.or_none(bucket_owner_enforced, denied)?,
        encryption: Part::Encryption.or_none(encryption, denied)?,
        versioning: Part::Versioning.or_none(versioning, denied)?,
        tls_only: Part::Policy.or_none(tls_only, denied)?,
        lifecycle: Part::Lifecycle.or_none(lifecycle, denied)?,
        tags: Part::Tags.or_none(tags, denied)?,
    })
}

/// What is known of a part before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// A plan has shown that the part differs.
    Differs,
    /// Nothing. The part is read first and only written if it differs, because policies of an organization may deny the
    /// write.
    Nothing,
    /// A read may return the value before the last change, so that the part is written in any case.
    Outdated,
}

/// The result of writing a part.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Put {
    Written,
    /// The part had the desired value already.
    Unchanged,
    /// The store does not support the part, and the configuration does not require it.
    Unsupported(AwsError),
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

    /// Name of the part in texts for users.
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

    fn or_none<T>(self, answer: Result<Option<T>, AwsError>, denied: &mut DeniedReads) -> Result<Option<T>, AwsError> {
        Ok(denied.or_none(self.name(), answer)?.flatten())
    }

    /// Writes the part, and repeats that while a new bucket propagates.
    pub(super) async fn put<D>(
        self,
        context: &Context<D>,
        s3: &Client,
        place: (&str, &str),
        desired: &Desired,
        known: Known,
        limit: Duration,
    ) -> Result<Put, WaitError<AwsError>> {
        let (bucket, arn) = place;
        let put = || async {
            match self {
                Self::PublicAccess => public_access::put(s3, bucket, known).await,
                Self::Ownership => ownership::put(s3, bucket, known).await,
                Self::Encryption => encryption::put(s3, bucket, &desired.encryption, known).await,
                Self::Versioning => versioning::put(s3, bucket, desired.versioning, known).await,
                Self::Policy => policy::put(s3, bucket, arn, desired.tls_only, known).await,
                Self::Lifecycle => lifecycle::put(s3, bucket, &desired.lifecycle, known).await,
                Self::Tags => tagging::put(s3, bucket, &desired.tags_before, &desired.tags, known).await,
            }
        };
        match accepted(context, PROPAGATION.min(limit), |error| self.passes(error), put).await {
            Err(WaitError::Failed(error))
                if is_unsupported(&error) && !self.is_required(desired) && self.is_unsupported(s3, bucket).await =>
            {
                Ok(Put::Unsupported(error))
            }
            other => other,
        }
    }

    /// Whether the desired value differs from the default of every bucket.
    fn is_required(self, desired: &Desired) -> bool {
        match self {
            Self::Encryption => desired.encryption != encryption::Settings::default(),
            Self::Versioning => desired.versioning,
            Self::PublicAccess | Self::Ownership | Self::Policy | Self::Lifecycle | Self::Tags => false,
        }
    }

    /// Whether the store does not support reading the part either.
    async fn is_unsupported(self, s3: &Client, bucket: &str) -> bool {
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

    /// Whether an error is transient.
    fn passes(self, error: &AwsError) -> bool {
        match error.code() {
            Some("NoSuchBucket" | "OperationAborted") => true,
            // S3 rejects policies with principals that have not propagated yet.
            Some("MalformedPolicy") => self == Self::Policy,
            _ => false,
        }
    }
}

/// Whether a part has the desired value already. A denied read is no error, because the write may be allowed.
fn is_desired<T: PartialEq>(observed: Result<Option<T>, AwsError>, desired: &T) -> Result<bool, AwsError> {
    match observed {
        // The new bucket still propagates: the caller repeats the read.
        Err(error) if error.code() == Some("NoSuchBucket") => Err(error),
        observed => Ok(observed.is_ok_and(|observed| observed.as_ref() == Some(desired))),
    }
}

/// Converts the error of a read: to `absent` if its code is `code`, to `None` if the store does not support the part.
fn or_absent<T>(error: AwsError, code: &str, absent: T) -> Result<Option<T>, AwsError> {
    match error.code() {
        Some(actual) if actual == code => Ok(Some(absent)),
        _ if is_unsupported(&error) => Ok(None),
        _ => Err(error),
    }
}

/// Whether an S3-compatible store returned this error because it does not support the call.
fn is_unsupported(error: &AwsError) -> bool {
    const CODES: [&str; 4] = ["MethodNotAllowed", "NotImplemented", "XNotImplemented", "UnsupportedOperation"];
    error.code().is_some_and(|code| CODES.contains(&code))
}
