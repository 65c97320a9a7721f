//! Whether a bucket exists, and waits until it does, or no longer does.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use gitlabspot_clients::aws::{AwsError, Fault};
use tfplugin::framework::wait::{Look, Wait, WaitError};

use super::Session;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// No such bucket.
    Absent,
    /// A bucket in this region that the credentials can see.
    Here,
    /// A bucket in another region.
    OtherRegion(String),
    /// A bucket in this region that the credentials may not see: perhaps someone else's.
    Hidden,
    /// S3 does not say whether there is one.
    Forbidden,
}

/// Asks once, or twice where the first answer says too little.
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

/// Answers to HEAD have no body, so that credentials that have expired look like any other refusal. This asks with a
/// request whose answer has one.
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

/// Where S3 says that the bucket is, which it does only of one that exists.
fn region_of(answer: Option<&HttpResponse>) -> Option<String> {
    answer.and_then(|answer| answer.headers().get("x-amz-bucket-region")).map(str::to_owned)
}

impl Session<'_> {
    /// Waits until a new bucket can be seen.
    pub(super) async fn await_visible(&self, bucket: &str, timeout: Duration) -> Result<(), WaitError<AwsError>> {
        let is_pending = |presence: Presence| presence == Presence::Absent;
        self.await_presence(bucket, timeout, is_pending, "the bucket does not exist").await
    }

    /// Waits until a deleted bucket can no longer be seen.
    pub(super) async fn await_deleted(&self, bucket: &str, timeout: Duration) -> Result<(), WaitError<AwsError>> {
        // The name may belong to someone else by now.
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
