//! Tags of the bucket. S3 only replaces all of them at once, so those of others are written back.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{Tag, Tagging};

use super::or_absent;
use crate::clients::aws::AwsError;
use crate::resources::tags::{Change, Tags, UNFINISHED};

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
pub(super) async fn put(s3: &Client, bucket: &str, before: &Tags, wanted: &Tags) -> Result<(), AwsError> {
    let found = read(s3, bucket).await?;
    if found.is_none() && wanted.is_empty() {
        return Ok(());
    }
    let found = found.unwrap_or_default();
    let mut after = found.clone();
    for key in Change::between(before, wanted).remove {
        after.remove(&key);
    }
    after.extend(wanted.clone());
    if after == found { Ok(()) } else { replace(s3, bucket, after).await }
}

/// Marks a bucket that is being made.
pub(crate) async fn mark_unfinished(s3: &Client, bucket: &str, since: &str) -> Result<(), AwsError> {
    let Some(mut tags) = read(s3, bucket).await? else { return Ok(()) };
    tags.insert(UNFINISHED.to_owned(), since.to_owned());
    replace(s3, bucket, tags).await
}

/// Takes the mark away.
pub(crate) async fn mark_finished(s3: &Client, bucket: &str) -> Result<(), AwsError> {
    let mut tags = read(s3, bucket).await?.unwrap_or_default();
    if tags.remove(UNFINISHED).is_none() {
        return Ok(());
    }
    replace(s3, bucket, tags).await
}

#[expect(clippy::expect_used, reason = "key and value of every tag are given")]
async fn replace(s3: &Client, bucket: &str, tags: Tags) -> Result<(), AwsError> {
    if tags.is_empty() {
        let request = s3.delete_bucket_tagging().bucket(bucket);
        return request.send().await.map(drop).map_err(AwsError::of("DeleteBucketTagging"));
    }
    let tags = tags
        .into_iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build().expect("key and value are given"))
        .collect();
    let tagging = Tagging::builder().set_tag_set(Some(tags)).build().expect("tags are given");
    let request = s3.put_bucket_tagging().bucket(bucket).tagging(tagging);
    request.send().await.map(drop).map_err(AwsError::of("PutBucketTagging"))
}
