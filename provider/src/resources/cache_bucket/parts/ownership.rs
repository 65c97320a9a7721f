//! Object ownership: the owner of the bucket owns all objects, and access control lists are disabled.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{ObjectOwnership, OwnershipControls, OwnershipControlsRule};
use gitlabspot_clients::aws::AwsError;

use super::{Known, Put, is_desired, or_absent};

/// Reads whether the ownership is `BucketOwnerEnforced`.
pub(super) async fn read(s3: &Client, bucket: &str) -> Result<Option<bool>, AwsError> {
    match s3.get_bucket_ownership_controls().bucket(bucket).send().await {
        Ok(answer) => Ok(Some(answer.ownership_controls().is_some_and(|controls| {
            controls.rules().iter().any(|rule| rule.object_ownership() == &ObjectOwnership::BucketOwnerEnforced)
        }))),
        Err(error) => {
            or_absent(AwsError::new("GetBucketOwnershipControls", &error), "OwnershipControlsNotFoundError", false)
        }
    }
}

#[expect(clippy::expect_used, reason = "everything that a rule must have is given")]
pub(super) async fn put(s3: &Client, bucket: &str, known: Known) -> Result<Put, AwsError> {
    if known == Known::Nothing && is_desired(read(s3, bucket).await, &true)? {
        return Ok(Put::Unchanged);
    }
    let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerEnforced).build();
    let controls = OwnershipControls::builder().rules(rule.expect("a whole rule")).build().expect("a rule is given");
    let request = s3.put_bucket_ownership_controls().bucket(bucket).ownership_controls(controls);
    request.send().await.map(|_| Put::Written).map_err(AwsError::of("PutBucketOwnershipControls"))
}
