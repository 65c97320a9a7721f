//! Versioning of objects.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use gitlabspot_clients::aws::AwsError;

use super::{Known, Put, is_unsupported};

pub(super) async fn read(s3: &Client, bucket: &str) -> Result<Option<bool>, AwsError> {
    match s3.get_bucket_versioning().bucket(bucket).send().await.map_err(AwsError::of("GetBucketVersioning")) {
        Ok(answer) => Ok(Some(answer.status() == Some(&BucketVersioningStatus::Enabled))),
        Err(error) if is_unsupported(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Enables or suspends versioning. It cannot be disabled again, and S3 rejects the suspension of versioning that was
/// never enabled, so that no request is sent then.
pub(super) async fn put(s3: &Client, bucket: &str, desired: bool, known: Known) -> Result<Put, AwsError> {
    if !desired && known != Known::Outdated && read(s3, bucket).await? != Some(true) {
        return Ok(Put::Unchanged);
    }
    let status = if desired { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
    let configuration = VersioningConfiguration::builder().status(status).build();
    let request = s3.put_bucket_versioning().bucket(bucket).versioning_configuration(configuration);
    request.send().await.map(|_| Put::Written).map_err(AwsError::of("PutBucketVersioning"))
}
