//! What can go wrong with a bucket, and what it leaves behind.

use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Diagnostic, Diagnostics};

use super::parts::Part;
use crate::next_apply::next_apply;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(
        "A bucket with the name {bucket} already exists and does not belong to this resource. It was not changed. If \
         the resource was renamed, write a `moved` block. If no state contains it and it is yours, import it (\"tofu \
         import ADDRESS {bucket}\"). Otherwise choose another name; with create_before_destroy, a bucket_prefix."
    )]
    Exists { bucket: String },

    #[error(
        "The name {bucket} belongs to a bucket in the region {found}. It was not changed. Choose another name, because \
         bucket names are shared by all regions and accounts. If the bucket is yours, import it with a provider \
         configuration for that region."
    )]
    TakenInRegion { bucket: String, found: String },

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
        "S3 does not report to the provider's credentials whether the bucket {bucket} already exists (HeadBucket: \
         403). In us-east-1, S3 reports success if a bucket that this account already owns is created again, so the \
         request was not sent. Allow s3:ListBucket on the bucket, or choose another name if the bucket exists."
    )]
    Unseen { bucket: String },

    #[error(
        "The bucket {bucket} is in the region {found}, but the provider uses {expected}. Use a provider configuration \
         for that region. Nothing was changed."
    )]
    OtherRegion { bucket: String, found: String, expected: String },

    #[error("Creating the bucket {bucket} failed: {source}. {left}")]
    Create { bucket: String, source: WaitError<AwsError>, left: Left },

    #[error(
        "Setting {} of the bucket {bucket} failed: {source}. The bucket exists and is in the state, with every setting \
         that was applied before this one. {}",
        .part.name(), next_apply(*.is_new)
    )]
    Part { bucket: String, part: Part, source: WaitError<AwsError>, is_new: bool },

    #[error(
        "Setting the tags of the bucket {bucket} failed: {source}. ABAC is enabled on the bucket (GetBucketAbac): S3 \
         then only accepts tags from TagResource and UntagResource of S3 Control, which the provider does not call. \
         Set the tags as in tags_all with \"aws s3control tag-resource\" and \"untag-resource\", or disable ABAC with \
         \"aws s3api put-bucket-abac\". The bucket exists and is in the state, with every setting that was applied \
         before its tags. {}",
        next_apply(*.is_new)
    )]
    Abac { bucket: String, source: WaitError<AwsError>, is_new: bool },

    #[error("Reading the bucket {bucket} failed: {source}. The state was not changed.")]
    Read { bucket: String, source: WaitError<AwsError> },

    #[error(
        "The bucket {bucket} still contains objects or versions of objects. Set force_destroy = true and apply, so \
         that a destroy can delete them, or empty the bucket manually. The bucket was not changed."
    )]
    NotEmpty { bucket: String },

    #[error(
        "The bucket {bucket} was emptied {rounds} times, and each time new objects were written to it. Stop the \
         runners that write to it, then destroy again. The bucket exists and is in the state; {deleted} objects and \
         versions were deleted."
    )]
    StillFilling { bucket: String, rounds: u32, deleted: u64 },

    #[error(
        "Emptying the bucket {bucket} failed: {source}. The bucket exists and is in the state; {deleted} objects and \
         versions were deleted before."
    )]
    Empty { bucket: String, source: WaitError<AwsError>, deleted: u64 },

    #[error(
        "The bucket {bucket} contains an object that cannot be deleted: {key:?} ({code}). The bucket exists and is in \
         the state. Allow s3:DeleteObject and s3:DeleteObjectVersion, or remove a lock or hold of that object, then \
         destroy again."
    )]
    Stuck { bucket: String, key: String, code: String },

    #[error("Deleting the bucket {bucket} failed: {source}. The bucket is kept in the state.")]
    Delete { bucket: String, source: WaitError<AwsError> },

    #[error(
        "The bucket {bucket} does not exist in the region {region}, or the provider's credentials cannot access \
        it."
    )]
    NothingToImport { bucket: String, region: String },
}

/// What is left of a create that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Nothing,
    Perhaps,
    Bucket,
}

impl std::fmt::Display for Left {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing was created.",
            Self::Perhaps => {
                "The bucket may have been created. It is kept in the state, so that the next apply or destroy can find \
                 out."
            }
            Self::Bucket => "The bucket exists and is in the state. The next apply replaces it.",
        })
    }
}

impl Error {
    fn summary(&self) -> &'static str {
        match self {
            Self::Exists { .. } | Self::TakenInRegion { .. } | Self::TakenElsewhere { .. } | Self::Hidden { .. } => {
                "Bucket already exists"
            }
            Self::Unseen { .. } => "Bucket may already exist",
            Self::OtherRegion { .. } => "Bucket in another region",
            Self::Create { .. } => "Cannot create the cache bucket",
            Self::Part { .. } | Self::Abac { .. } => "Cannot set up the cache bucket",
            Self::Read { .. } => "Cannot read the cache bucket",
            Self::NotEmpty { .. } => "Bucket is not empty",
            Self::StillFilling { .. } | Self::Empty { .. } | Self::Stuck { .. } => "Cannot empty the cache bucket",
            Self::Delete { .. } => "Cannot delete the cache bucket",
            Self::NothingToImport { .. } => "Bucket not found",
        }
    }
}

/// The warning about a part that a store, one that is compatible with S3, has not.
pub(super) fn lacking(bucket: &str, part: Part, source: &AwsError) -> Diagnostic {
    let detail = format!(
        "Setting {} of the bucket {bucket} was rejected ({source}), and so was reading it: a store that is compatible \
         with S3 may not support this setting. The bucket was created without it.",
        part.name()
    );
    Diagnostic::warning("Bucket setting not supported by the store", detail)
}

impl From<Error> for Diagnostics {
    fn from(error: Error) -> Self {
        let diagnostic = Diagnostic::error(error.summary(), error.to_string());
        match error {
            Error::Exists { .. }
            | Error::TakenInRegion { .. }
            | Error::TakenElsewhere { .. }
            | Error::Hidden { .. }
            | Error::Unseen { .. }
            | Error::OtherRegion { .. } => diagnostic.at("bucket"),
            Error::NotEmpty { .. } => diagnostic.at("force_destroy"),
            Error::Abac { .. } => diagnostic.at("tags"),
            _ => diagnostic,
        }
        .into()
    }
}
