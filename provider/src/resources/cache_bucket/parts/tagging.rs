//! Tags of the bucket. S3 only replaces all tags at once, so that tags of others are written again.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketAbacStatus, Tag, Tagging};
use gitlabspot_clients::aws::AwsError;

use super::{Known, Put, or_absent};
use crate::tags::{Change, Tags, UNFINISHED};

/// Reads all tags, including those of others.
pub(crate) async fn read(s3: &Client, bucket: &str) -> Result<Option<Tags>, AwsError> {
    match s3.get_bucket_tagging().bucket(bucket).send().await.map_err(AwsError::of("GetBucketTagging")) {
        Ok(answer) => Ok(Some(answer.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect())),
        // Some S3-compatible stores return the code of older versions of S3.
        Err(error) if error.code() == Some("NoSuchTagSetError") => Ok(Some(Tags::new())),
        Err(error) => or_absent(error, "NoSuchTagSet", Tags::new()),
    }
}

/// Changes the managed tags from `before` to `desired`.
pub(super) async fn put(
    s3: &Client,
    bucket: &str,
    before: &Tags,
    desired: &Tags,
    known: Known,
) -> Result<Put, AwsError> {
    let observed = read(s3, bucket).await?;
    if observed.is_none() && desired.is_empty() {
        return Ok(Put::Unchanged);
    }
    let observed = observed.unwrap_or_default();
    let mut after = observed.clone();
    for key in Change::between(before, desired).remove {
        after.remove(&key);
    }
    after.extend(desired.clone());
    if after == observed && known != Known::Outdated {
        return Ok(Put::Unchanged);
    }
    replace(s3, bucket, after).await.map(|()| Put::Written)
}

/// Adds the tags of a create to a new bucket, because some S3-compatible stores ignore tags in the create request.
pub(crate) async fn complete(s3: &Client, bucket: &str, tags: &Tags) -> Result<(), AwsError> {
    let Some(mut observed) = read(s3, bucket).await? else { return Ok(()) };
    if observed.contains_key(UNFINISHED) {
        return Ok(());
    }
    observed.extend(tags.clone());
    replace(s3, bucket, observed).await
}

async fn replace(s3: &Client, bucket: &str, tags: Tags) -> Result<(), AwsError> {
    if tags.is_empty() {
        let request = s3.delete_bucket_tagging().bucket(bucket);
        return request.send().await.map(drop).map_err(AwsError::of("DeleteBucketTagging"));
    }
    let request = s3.put_bucket_tagging().bucket(bucket).tagging(tagging(tags));
    request.send().await.map(drop).map_err(AwsError::of("PutBucketTagging"))
}

/// Whether attribute-based access control is enabled. It is read, because the error of S3 for a change of tags is not
/// documented. Returns false if the identity is not allowed to read it.
pub(crate) async fn has_abac(s3: &Client, bucket: &str) -> bool {
    let status = s3.get_bucket_abac().bucket(bucket).send().await.ok().and_then(|answer| answer.abac_status?.status);
    status == Some(BucketAbacStatus::Enabled)
}

#[expect(clippy::expect_used, reason = "tags are given")]
fn tagging(tags: Tags) -> Tagging {
    Tagging::builder().set_tag_set(Some(expand(tags))).build().expect("tags are given")
}

/// Converts tags to their form in requests.
#[expect(clippy::expect_used, reason = "key and value of every tag are given")]
pub(crate) fn expand(tags: Tags) -> Vec<Tag> {
    let tag = |(key, value)| Tag::builder().key(key).value(value).build().expect("key and value are given");
    tags.into_iter().map(tag).collect()
}
