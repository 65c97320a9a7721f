//! The public access block, with all four settings enabled.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use gitlabspot_clients::aws::AwsError;

use super::{Known, Put, is_desired, or_absent};

/// Reads whether all four settings are enabled.
pub(super) async fn read(s3: &Client, bucket: &str) -> Result<Option<bool>, AwsError> {
    match s3.get_public_access_block().bucket(bucket).send().await.map_err(AwsError::of("GetPublicAccessBlock")) {
        Ok(answer) => Ok(Some(answer.public_access_block_configuration() == Some(&all()))),
        Err(error) => or_absent(error, "NoSuchPublicAccessBlockConfiguration", false),
    }
}

pub(super) async fn put(s3: &Client, bucket: &str, known: Known) -> Result<Put, AwsError> {
    if known == Known::Nothing && is_desired(read(s3, bucket).await, &true)? {
        return Ok(Put::Unchanged);
    }
    let request = s3.put_public_access_block().bucket(bucket).public_access_block_configuration(all());
    request.send().await.map(|_| Put::Written).map_err(AwsError::of("PutPublicAccessBlock"))
}

fn all() -> PublicAccessBlockConfiguration {
    PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .block_public_policy(true)
        .restrict_public_buckets(true)
        .build()
}
