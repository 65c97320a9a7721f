//! Whether a bucket is there, and waiting until it is, or is not.

use std::time::Duration;

use aws_sdk_s3::Client;

use crate::clients::aws::{AwsError, Fault};
use crate::framework::Context;
use crate::framework::wait::{Look, Wait, WaitError};

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// No such bucket.
    Absent,
    /// A bucket in this region that the credentials can see.
    Here,
    /// A bucket in another region.
    OtherRegion(String),
    /// S3 does not say: there is a bucket of someone else, or the credentials may not look.
    Forbidden,
}

/// Asks once.
pub(super) async fn presence(s3: &Client, bucket: &str, region: &str) -> Result<Presence, AwsError> {
    let error = match s3.head_bucket().bucket(bucket).send().await {
        Ok(answer) => {
            return Ok(match answer.bucket_region() {
                Some(found) if found != region => Presence::OtherRegion(found.to_owned()),
                _ => Presence::Here,
            });
        }
        Err(error) => error,
    };
    let elsewhere = error.raw_response().and_then(|answer| answer.headers().get("x-amz-bucket-region"));
    let elsewhere = elsewhere.map(str::to_owned).filter(|found| found != region);
    let error = AwsError::new("HeadBucket", &error);
    match (error.fault(), elsewhere) {
        _ if error.is_not_found() => Ok(Presence::Absent),
        (Fault::Answer { status: 301 | 400 | 403, .. }, Some(found)) => Ok(Presence::OtherRegion(found)),
        (Fault::Answer { status: 403, code, .. }, None)
            if ["", "Forbidden", "AccessDenied"].contains(&code.as_str()) =>
        {
            Ok(Presence::Forbidden)
        }
        _ => Err(error),
    }
}

/// Waits until a new bucket can be seen.
pub(super) async fn until_there<D>(
    context: &Context<D>,
    s3: &Client,
    bucket: &str,
    region: &str,
    timeout: Duration,
) -> Result<(), WaitError<AwsError>> {
    Wait::new(context, timeout)
        .until(|| async {
            Ok(match presence(s3, bucket, region).await? {
                Presence::Absent => Look::Pending("no such bucket".to_owned()),
                _ => Look::Done(()),
            })
        })
        .await
}

/// Waits until a deleted bucket can no longer be seen.
pub(super) async fn until_gone<D>(
    context: &Context<D>,
    s3: &Client,
    bucket: &str,
    region: &str,
    timeout: Duration,
) -> Result<(), WaitError<AwsError>> {
    Wait::new(context, timeout)
        .until(|| async {
            Ok(match presence(s3, bucket, region).await? {
                // The name may belong to someone else by now.
                Presence::Here => Look::Pending("the bucket is still there".to_owned()),
                _ => Look::Done(()),
            })
        })
        .await
}
