//! Errors of operations on a bucket.

use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::Diagnostic;
use tfplugin::framework::wait::WaitError;

use super::parts::Part;
use crate::steps::{self, Fault as _, Remains};

/// Error of an operation: its cause, and what remains.
pub(super) type Error = steps::Error<Fault>;

/// The result of a step.
pub(super) type Result<T> = std::result::Result<T, Error>;

/// A step of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Create,
    Set(Part),
    Read,
    Empty,
    Delete,
}

/// The cause of an error.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(
        "A bucket with the name {bucket} already exists and does not belong to this resource. It was not changed. If \
         the resource was renamed, add a `moved` block. If no state contains it and it is yours, import it (\"tofu \
         import ADDRESS {bucket}\"). Otherwise choose another name. With create_before_destroy, use bucket_prefix."
    )]
    Exists { bucket: String },

    #[error(
        "The name {bucket} belongs to a bucket in the region {observed}. It was not changed. Choose another name, because \
         bucket names are shared by all regions and accounts. If the bucket is yours, import it with a provider \
         configuration for that region."
    )]
    TakenInRegion { bucket: String, observed: String },

    #[error(
        "The name {bucket} belongs to a bucket of another account. Bucket names are shared by all accounts: choose \
         another name, or set bucket_prefix instead of bucket."
    )]
    TakenElsewhere { bucket: String },

    #[error(
        "The name {bucket} is already in use: a bucket of this name exists in the region {region}, and the provider's \
         credentials cannot access it. It belongs to another account, or s3:ListBucket is not allowed. It was not \
         changed. Choose another name, or set bucket_prefix instead of bucket. If the bucket is yours, allow \
         s3:ListBucket and import it (\"tofu import ADDRESS {bucket}\")."
    )]
    Hidden { bucket: String, region: String },

    #[error(
        "It could not be determined whether the bucket {bucket} already exists (HeadBucket returned 403). In \
         us-east-1, CreateBucket also succeeds for an existing bucket of the account, so the request was not sent. \
         Allow s3:ListBucket on the bucket, or choose another name if the bucket exists."
    )]
    Unknown { bucket: String },

    #[error(
        "The bucket {bucket} is in the region {observed}, but the provider uses {expected}. Use a provider configuration \
         for that region. Nothing was changed."
    )]
    OtherRegion { bucket: String, observed: String, expected: String },

    #[error("{step} the bucket {bucket} failed: {cause}.")]
    Step { step: Step, bucket: String, cause: WaitError<AwsError> },

    #[error(
        "Setting the tags of the bucket {bucket} failed: {cause}. ABAC is enabled on the bucket (GetBucketAbac): S3 \
         then only accepts tags from TagResource and UntagResource of S3 Control, which the provider does not call. \
         Set the tags as in tags_all with \"aws s3control tag-resource\" and \"untag-resource\", or disable ABAC with \
         \"aws s3api put-bucket-abac\"."
    )]
    Abac { bucket: String, cause: WaitError<AwsError> },

    #[error(
        "The bucket {bucket} still contains objects or versions of objects. Set force_destroy = true and apply, so \
         that a destroy can delete them, or empty the bucket manually. The bucket was not changed."
    )]
    NotEmpty { bucket: String },

    #[error(
        "The bucket {bucket} was emptied {rounds} times, and new objects were written to it each time. {deleted} \
         objects and versions were deleted. Stop the runners that write to it, then destroy again."
    )]
    StillFilling { bucket: String, rounds: u32, deleted: u64 },

    #[error(
        "The bucket {bucket} contains an object that cannot be deleted: {key:?} ({code}). Allow s3:DeleteObject and \
         s3:DeleteObjectVersion, or remove the retention period or legal hold of the object, then destroy again."
    )]
    Stuck { bucket: String, key: String, code: String },

    #[error(
        "The bucket {bucket} does not exist in the region {region}, or the provider's credentials cannot access \
        it."
    )]
    NothingToImport { bucket: String, region: String },
}

/// Adds the failed step, and what remains, to the error of a call.
pub(super) trait During<T> {
    fn during(self, step: Step, bucket: &str, remains: Remains) -> Result<T>;
}

impl<T, E: Into<WaitError<AwsError>>> During<T> for std::result::Result<T, E> {
    fn during(self, step: Step, bucket: &str, remains: Remains) -> Result<T> {
        self.map_err(|cause| Fault::Step { step, bucket: bucket.to_owned(), cause: cause.into() }.leaving(remains))
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Create => f.write_str("Creating"),
            Self::Set(part) => write!(f, "Setting {} of", part.name()),
            Self::Read => f.write_str("Reading"),
            Self::Empty => f.write_str("Emptying"),
            Self::Delete => f.write_str("Deleting"),
        }
    }
}

impl steps::Fault for Fault {
    fn summary(&self) -> &'static str {
        match self {
            Self::Exists { .. } | Self::TakenInRegion { .. } | Self::TakenElsewhere { .. } | Self::Hidden { .. } => {
                "Bucket already exists"
            }
            Self::Unknown { .. } => "Bucket may already exist",
            Self::OtherRegion { .. } => "Bucket in another region",
            Self::Step { step: Step::Create, .. } => "Cannot create the cache bucket",
            Self::Step { step: Step::Set(_), .. } | Self::Abac { .. } => "Cannot set up the cache bucket",
            Self::Step { step: Step::Read, .. } => "Cannot read the cache bucket",
            Self::Step { step: Step::Empty, .. } | Self::StillFilling { .. } | Self::Stuck { .. } => {
                "Cannot empty the cache bucket"
            }
            Self::Step { step: Step::Delete, .. } => "Cannot delete the cache bucket",
            Self::NotEmpty { .. } => "Bucket is not empty",
            Self::NothingToImport { .. } => "Bucket not found",
        }
    }

    fn attribute(&self) -> Option<&'static str> {
        match self {
            Self::Exists { .. }
            | Self::TakenInRegion { .. }
            | Self::TakenElsewhere { .. }
            | Self::Hidden { .. }
            | Self::Unknown { .. }
            | Self::OtherRegion { .. } => Some("bucket"),
            Self::NotEmpty { .. } => Some("force_destroy"),
            Self::Abac { .. } => Some("tags"),
            Self::Step { .. } | Self::StillFilling { .. } | Self::Stuck { .. } | Self::NothingToImport { .. } => None,
        }
    }
}

/// Returns the warning about a part that an S3-compatible store does not support.
pub(super) fn unsupported(bucket: &str, part: Part, source: &AwsError) -> Diagnostic {
    let detail = format!(
        "The requests to set and to read {} of the bucket {bucket} were rejected ({source}). The S3-compatible store \
         probably does not support this setting. The bucket was created without it.",
        part.name()
    );
    Diagnostic::warning("Bucket setting not supported by the store", detail)
}
