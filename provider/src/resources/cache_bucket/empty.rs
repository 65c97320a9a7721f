//! Deleting every object, every version and every delete marker of a bucket.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::{Delete, EncodingType, ObjectIdentifier};

use super::error::Error;
use crate::clients::aws::AwsError;
use crate::framework::Context;
use crate::framework::wait::WaitError;

/// Most keys that S3 takes in one request, and gives in one page.
const PAGE: i32 = 1000;

/// One version or delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    key: String,
    version: Option<String>,
}

/// Deletes all that is there while it runs; returns how many versions and markers that were.
pub(super) async fn empty<D>(context: &Context<D>, s3: &Client, bucket: &str, before: u64) -> Result<u64, Error> {
    let mut deleted = before;
    let failed = |source, deleted| Error::Empty { bucket: bucket.to_owned(), source, deleted };
    let mut from: Option<(String, Option<String>)> = None;
    loop {
        if context.stop.is_cancelled() {
            let last = format!("{deleted} objects and versions deleted");
            return Err(failed(WaitError::Cancelled { last }, deleted));
        }
        let page = list(s3, bucket, from.take()).await.map_err(|error| failed(WaitError::Failed(error), deleted))?;
        let entries = entries(&page);
        remove(s3, bucket, &entries, deleted).await?;
        deleted += entries.len() as u64;
        if !entries.is_empty() {
            tracing::info!(bucket, deleted, "emptying the bucket");
        }
        match (page.is_truncated(), page.next_key_marker()) {
            (Some(true), Some(key)) => from = Some((decoded(key), page.next_version_id_marker().map(str::to_owned))),
            _ => return Ok(deleted),
        }
    }
}

async fn list(
    s3: &Client,
    bucket: &str,
    from: Option<(String, Option<String>)>,
) -> Result<ListObjectVersionsOutput, AwsError> {
    let (key, version) = from.unzip();
    s3.list_object_versions()
        .bucket(bucket)
        .max_keys(PAGE)
        // Keys may hold characters that XML cannot.
        .encoding_type(EncodingType::Url)
        .set_key_marker(key)
        .set_version_id_marker(version.flatten())
        .send()
        .await
        .map_err(AwsError::of("ListObjectVersions"))
}

/// Versions first: a delete marker that goes first would bring an object back to life for a moment.
fn entries(page: &ListObjectVersionsOutput) -> Vec<Entry> {
    let is_encoded = page.encoding_type() == Some(&EncodingType::Url);
    let entry = |key: Option<&str>, version: Option<&str>| {
        let key = key?;
        let key = if is_encoded { decoded(key) } else { key.to_owned() };
        Some(Entry { key, version: version.map(str::to_owned) })
    };
    let versions = page.versions().iter().filter_map(|version| entry(version.key(), version.version_id()));
    let markers = page.delete_markers().iter().filter_map(|marker| entry(marker.key(), marker.version_id()));
    versions.chain(markers).collect()
}

async fn remove(s3: &Client, bucket: &str, entries: &[Entry], deleted: u64) -> Result<(), Error> {
    let failed = |error| Error::Empty { bucket: bucket.to_owned(), source: WaitError::Failed(error), deleted };
    let (together, alone): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| fits_xml(&entry.key));
    for batch in together.chunks(PAGE as usize) {
        let request = s3.delete_objects().bucket(bucket).delete(batch_of(batch));
        let answer = request.send().await.map_err(AwsError::of("DeleteObjects")).map_err(failed)?;
        for error in answer.errors() {
            let code = error.code().unwrap_or_default();
            if !["NoSuchKey", "NoSuchVersion"].contains(&code) {
                return Err(Error::Stuck {
                    bucket: bucket.to_owned(),
                    key: error.key().unwrap_or_default().to_owned(),
                    code: code.to_owned(),
                });
            }
        }
    }
    for entry in alone {
        let request = s3.delete_object().bucket(bucket).key(&entry.key).set_version_id(entry.version.clone());
        match request.send().await.map_err(AwsError::of("DeleteObject")) {
            Ok(_) => {}
            Err(error) if matches!(error.code(), Some("NoSuchKey" | "NoSuchVersion")) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(())
}

#[expect(clippy::expect_used, reason = "every entry has a key, and a batch has entries")]
fn batch_of(entries: &[&Entry]) -> Delete {
    let objects = entries
        .iter()
        .map(|entry| {
            let object = ObjectIdentifier::builder().key(&entry.key).set_version_id(entry.version.clone());
            object.build().expect("the key is given")
        })
        .collect();
    Delete::builder().set_objects(Some(objects)).quiet(true).build().expect("objects are given")
}

/// Whether a key can stand in the XML of a request.
fn fits_xml(key: &str) -> bool {
    key.chars().all(|c| matches!(c, '\t' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..))
}

/// Undoes the encoding of keys in listings: percent signs, and plus for a blank.
fn decoded(text: &str) -> String {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        match (byte, digit(bytes.get(place + 1)), digit(bytes.get(place + 2))) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or_default());
                place += 3;
            }
            (b'+', ..) => {
                decoded.push(b' ');
                place += 1;
            }
            (other, ..) => {
                decoded.push(*other);
                place += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded() {
        assert_eq!(decoded("project/1/a+b%2Bc%26%01%C3%A4"), "project/1/a b+c&\u{1}ä");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz"), "%zz");
    }

    #[test]
    fn keys_that_xml_cannot_hold() {
        assert!(fits_xml("project/ä & <b>\t"));
        assert!(!fits_xml("a\u{1}"));
        // XML parsers turn it into a line feed.
        assert!(!fits_xml("a\r\n"));
    }
}
