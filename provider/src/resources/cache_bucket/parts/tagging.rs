//! Tags of the bucket. S3 only replaces all of them at once, so those of others are written back.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketAbacStatus, Tag, Tagging};
use gitlabspot_clients::aws::AwsError;

use super::{Known, Put, or_absent};
use crate::tags::{Change, Tags, UNFINISHED};

/// All tags, those of others included.
pub(crate) async fn read(s3: &Client, bucket: &str) -> Result<Option<Tags>, AwsError> {
    match s3.get_bucket_tagging().bucket(bucket).send().await.map_err(AwsError::of("GetBucketTagging")) {
        Ok(answer) => Ok(Some(answer.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect())),
        // Some stores have the word that S3 once had.
        Err(error) if error.code() == Some("NoSuchTagSetError") => Ok(Some(Tags::new())),
        Err(error) => or_absent(error, "NoSuchTagSet", Tags::new()),
    }
}

/// Brings the tags that are ours from one set to another.
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

/// Puts tags on a new bucket that should have them already: some stores take no notice of tags that come with a create.
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

/// Whether the bucket has attribute-based access control. Which error S3 answers then to a change of tags is not
/// documented, so that it is asked. Whoever may not ask does not know.
pub(crate) async fn has_abac(s3: &Client, bucket: &str) -> bool {
    let status = s3.get_bucket_abac().bucket(bucket).send().await.ok().and_then(|answer| answer.abac_status?.status);
    status == Some(BucketAbacStatus::Enabled)
}

#[expect(clippy::expect_used, reason = "tags are given")]
fn tagging(tags: Tags) -> Tagging {
    Tagging::builder().set_tag_set(Some(expand(tags))).build().expect("tags are given")
}

/// As S3 takes them.
#[expect(clippy::expect_used, reason = "key and value of every tag are given")]
pub(crate) fn expand(tags: Tags) -> Vec<Tag> {
    let tag = |(key, value)| Tag::builder().key(key).value(value).build().expect("key and value are given");
    tags.into_iter().map(tag).collect()
}
