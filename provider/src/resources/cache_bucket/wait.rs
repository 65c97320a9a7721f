//! Determines whether a bucket exists, and waits until it is created or deleted.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use gitlabspot_clients::aws::{AwsError, Fault};
use tfplugin::framework::wait::{Look, Wait, WaitError};

use super::Session;

/// What is known about a bucket name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// No bucket of this name exists.
    Absent,
    /// The bucket exists in this region and is accessible.
    Here,
    /// The bucket exists in another region.
    OtherRegion(String),
    /// The bucket exists in this region, but the credentials cannot access it. It may belong to another account.
    Hidden,
    /// S3 denies the request without a region, so that it is unknown whether the bucket exists.
    Forbidden,
}

/// Determines the presence of a bucket. A second request is sent if the first response is ambiguous.
pub(super) async fn presence(s3: &Client, bucket: &str, region: &str) -> Result<Presence, AwsError> {
    let error = match s3.head_bucket().bucket(bucket).send().await {
        Ok(answer) => {
            return Ok(match answer.bucket_region() {
                Some(observed) if observed != region => Presence::OtherRegion(observed.to_owned()),
                _ => Presence::Here,
            });
        }
        Err(error) => error,
    };
    let observed = region_of(error.raw_response());
    let error = AwsError::new("HeadBucket", &error);
    match (error.fault(), observed) {
        _ if error.is_not_found() => Ok(Presence::Absent),
        (Fault::Answer { status: 301 | 400 | 403, .. }, Some(observed)) if observed != region => {
            Ok(Presence::OtherRegion(observed))
        }
        (Fault::Answer { status: 400 | 403, .. }, observed) => with_reason(s3, bucket, region, observed).await,
        _ => Err(error),
    }
}

/// Repeats the question with `ListObjectsV2`. Responses to HEAD have no body, so that for example expired credentials
/// cannot be distinguished from a missing permission.
async fn with_reason(s3: &Client, bucket: &str, region: &str, observed: Option<String>) -> Result<Presence, AwsError> {
    let error = match s3.list_objects_v2().bucket(bucket).max_keys(0).send().await {
        Ok(_) => return Ok(Presence::Here),
        Err(error) => error,
    };
    let observed = observed.or_else(|| region_of(error.raw_response()));
    let error = AwsError::new("ListObjectsV2", &error);
    match (error.fault(), observed) {
        _ if error.is_not_found() => Ok(Presence::Absent),
        (Fault::Answer { status: 301 | 400 | 403, .. }, Some(observed)) if observed != region => {
            Ok(Presence::OtherRegion(observed))
        }
        (Fault::Answer { status: 403, code, .. }, observed)
            if ["", "Forbidden", "AccessDenied", "AllAccessDisabled"].contains(&code.as_str()) =>
        {
            Ok(if observed.is_some() { Presence::Hidden } else { Presence::Forbidden })
        }
        _ => Err(error),
    }
}

/// Region in the headers of a response. S3 only adds it for a bucket that exists.
fn region_of(answer: Option<&HttpResponse>) -> Option<String> {
    answer.and_then(|answer| answer.headers().get("x-amz-bucket-region")).map(str::to_owned)
}

impl Session<'_> {
    /// Waits until a new bucket is visible.
    pub(super) async fn await_visible(&self, bucket: &str, timeout: Duration) -> Result<(), WaitError<AwsError>> {
        let is_pending = |presence: Presence| presence == Presence::Absent;
        self.await_presence(bucket, timeout, is_pending, "the bucket does not exist").await
    }

    /// Waits until a deleted bucket is no longer visible.
    pub(super) async fn await_deleted(&self, bucket: &str, timeout: Duration) -> Result<(), WaitError<AwsError>> {
        // Another account may have created a bucket of this name since.
        let is_pending = |presence: Presence| presence == Presence::Here;
        self.await_presence(bucket, timeout, is_pending, "the bucket still exists").await
    }

    async fn await_presence(
        &self,
        bucket: &str,
        timeout: Duration,
        is_pending: fn(Presence) -> bool,
        last: &str,
    ) -> Result<(), WaitError<AwsError>> {
        Wait::new(self.context, timeout)
            .watching()
            .until(|| async {
                let presence = presence(self.s3, bucket, self.region).await?;
                Ok(if is_pending(presence) { Look::Pending(last.to_owned()) } else { Look::Done(()) })
            })
            .await
    }
}
