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
        "There is a bucket with the name {bucket} already, which does not belong to this resource. It was not touched. \
         If the resource was renamed, write a `moved` block. If no state has it and it is yours, import it (\"tofu import \
         ADDRESS {bucket}\"). Otherwise choose another name; with create_before_destroy, a bucket_prefix."
    )]
    Exists { bucket: String },

    #[error(
        "The name {bucket} belongs to a bucket in the region {found}. It was not touched. Choose another name, as names \
         are shared by all regions and accounts; if it is yours, it can be imported with a provider configuration of that \
         region."
    )]
    TakenInRegion { bucket: String, found: String },

    #[error(
        "The name {bucket} belongs to a bucket of another account. Names are shared by all accounts: choose another one, \
         or give bucket_prefix instead of bucket."
    )]
    TakenElsewhere { bucket: String },

    #[error(
        "The name {bucket} is taken: there is a bucket of this name in the region {region} that the provider's credentials \
         may not see. It is one of another account, or s3:ListBucket is not allowed. It was not touched. \
         Choose another name, or give bucket_prefix instead of bucket; if it is yours, allow s3:ListBucket and import it \
         (\"tofu import ADDRESS {bucket}\")."
    )]
    Hidden { bucket: String, region: String },

    #[error(
        "S3 does not tell the provider's credentials whether there is a bucket {bucket} already (HeadBucket: 403). In \
         us-east-1 S3 would answer the create of one that this account has already with success, so that it was not sent. \
         Allow s3:ListBucket on the bucket, or choose another name if there is one."
    )]
    Unseen { bucket: String },

    #[error(
        "The bucket {bucket} is in the region {found}, but the provider works in {expected}. Use a provider configuration \
         of that region. Nothing was changed."
    )]
    OtherRegion { bucket: String, found: String, expected: String },

    #[error("Creating the bucket {bucket} failed: {source}. {left}")]
    Create { bucket: String, source: WaitError<AwsError>, left: Left },

    #[error(
        "Setting {} of the bucket {bucket} failed: {source}. The bucket is there and in the state, with every part that \
         came before this one. {}",
        .part.name(), next_apply(*.is_new)
    )]
    Part { bucket: String, part: Part, source: WaitError<AwsError>, is_new: bool },

    #[error(
        "Setting the tags of the bucket {bucket} failed: {source}. ABAC is enabled on the bucket (GetBucketAbac): S3 then takes \
         tags by TagResource and UntagResource of S3 Control alone, which the provider does not call. Set them by \
         \"aws s3control tag-resource\" and \"untag-resource\" as they are in tags_all, or disable ABAC by \
         \"aws s3api put-bucket-abac\". The bucket is there and in the state, with every part that came before its tags. {}",
        next_apply(*.is_new)
    )]
    Abac { bucket: String, source: WaitError<AwsError>, is_new: bool },

    #[error("Reading the bucket {bucket} failed: {source}. The state is as it was.")]
    Read { bucket: String, source: WaitError<AwsError> },

    #[error(
        "The bucket {bucket} still has objects or versions of objects. Set force_destroy = true and apply, so that a \
         destroy may delete them, or empty it by hand. The bucket was not changed."
    )]
    NotEmpty { bucket: String },

    #[error(
        "The bucket {bucket} was emptied {rounds} times, and each time there was something in it again. Stop the runners \
         that write into it, then destroy again. The bucket is there and in the state; {deleted} objects and versions were \
         deleted."
    )]
    StillFilling { bucket: String, rounds: u32, deleted: u64 },

    #[error(
        "Emptying the bucket {bucket} failed: {source}. The bucket is there and in the state; {deleted} objects and \
         versions were deleted before."
    )]
    Empty { bucket: String, source: WaitError<AwsError>, deleted: u64 },

    #[error(
        "The bucket {bucket} has an object that S3 does not let go: {key:?} ({code}). The bucket is there and in the \
         state. Allow s3:DeleteObject and s3:DeleteObjectVersion, or remove a lock or hold of that object, then destroy \
         again."
    )]
    Stuck { bucket: String, key: String, code: String },

    #[error("Deleting the bucket {bucket} failed: {source}. The bucket stays in the state.")]
    Delete { bucket: String, source: WaitError<AwsError> },

    #[error("There is no bucket {bucket} that the provider's credentials can see in the region {region}.")]
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
            Self::Nothing => "Nothing was made.",
            Self::Perhaps => {
                "Perhaps the bucket was made: it is in the state, so that the next apply or destroy looks for it."
            }
            Self::Bucket => "The bucket is there and in the state; the next apply replaces it.",
        })
    }
}

impl Error {
    fn summary(&self) -> &'static str {
        match self {
            Self::Exists { .. } | Self::TakenInRegion { .. } | Self::TakenElsewhere { .. } | Self::Hidden { .. } => {
                "Bucket exists already"
            }
            Self::Unseen { .. } => "Perhaps the bucket exists already",
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
        "Setting {} of the bucket {bucket} was refused ({source}), and reading it is, too: a store that is compatible with \
         S3 may have no such thing. The bucket was set up without it.",
        part.name()
    );
    Diagnostic::warning("The store lacks a part of the bucket", detail)
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
