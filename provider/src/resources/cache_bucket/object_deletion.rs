//! Deletes all objects, versions and delete markers of a bucket.

use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::{Delete, EncodingType, ObjectIdentifier};
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::Context;
use tfplugin::framework::wait::WaitError;

use super::error::{During, Fault, Result, Step};
use crate::steps::{Fault as _, Remains};

/// Maximum number of keys that S3 accepts in one request and returns in one page.
const PAGE: i32 = 1000;

/// Maximum number of rounds of deletions while others write new objects. With the pauses they take about two minutes,
/// in which the last jobs may end.
pub(super) const ROUNDS: u32 = 9;
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// One version or delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    key: String,
    version: Option<String>,
}

/// Waits before the next round, unless the user cancels the operation.
pub(super) async fn pause_after<D>(context: &Context<D>, rounds: u32) {
    let Some(earlier) = rounds.checked_sub(1) else { return };
    let pause = Duration::from_secs(1 << earlier.min(5)).min(LONGEST_PAUSE);
    tokio::select! {
        biased;
        () = context.stop.cancelled() => {}
        () = context.clock.sleep(pause) => {}
    }
}

/// Deletes all objects once. Returns the number of deleted versions and markers, including `before`.
///
/// Every page is listed from the start. Listings are consistent, so that the page contains the remaining versions. A
/// marker for the next page would refer to a version that was just deleted, for which S3 does not define a position.
pub(super) async fn delete_objects<D>(
    context: &Context<D>,
    s3: &Client,
    bucket: &str,
    before: u64,
    end: Instant,
) -> Result<u64> {
    let begin = context.clock.now();
    let mut deleted = before;
    loop {
        let last = || format!("{deleted} objects and versions deleted");
        if context.stop.is_cancelled() {
            return Err(WaitError::Cancelled { last: last() }).during(Step::Empty, bucket, remains(deleted));
        }
        let page = list(s3, bucket).await.during(Step::Empty, bucket, remains(deleted))?;
        let entries = entries(&page);
        let busy = remove(s3, bucket, &entries, deleted).await?;
        deleted += entries.len().saturating_sub(busy) as u64;
        if !entries.is_empty() {
            tracing::info!(bucket, deleted, "emptying the bucket");
        }
        if page.is_truncated() != Some(true) || busy > 0 {
            return Ok(deleted);
        }
        let now = context.clock.now();
        if now >= end {
            let last = format!("{deleted} objects and versions deleted, more remain");
            return Err(WaitError::TimedOut { after: now - begin, last }).during(Step::Empty, bucket, remains(deleted));
        }
    }
}

fn remains(deleted: u64) -> Remains {
    Remains::Undeleted.also(format!("{deleted} objects and versions were deleted."))
}

async fn list(s3: &Client, bucket: &str) -> std::result::Result<ListObjectVersionsOutput, AwsError> {
    s3.list_object_versions()
        .bucket(bucket)
        .max_keys(PAGE)
        // Keys may contain characters that XML does not allow.
        .encoding_type(EncodingType::Url)
        .send()
        .await
        .map_err(AwsError::of("ListObjectVersions"))
}

/// Returns the versions of a page before its delete markers. Without its marker, a deleted object would be visible
/// again until its version is deleted.
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

/// Deletes versions and markers. Returns the number of those that S3 did not delete because of a transient error.
async fn remove(s3: &Client, bucket: &str, entries: &[Entry], deleted: u64) -> Result<usize> {
    let mut busy = 0;
    let (together, alone): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| fits_xml(&entry.key));
    for batch in together.chunks(PAGE as usize) {
        let request = s3.delete_objects().bucket(bucket).delete(batch_of(batch));
        let answer = request.send().await.map_err(AwsError::of("DeleteObjects"));
        let answer = answer.during(Step::Empty, bucket, remains(deleted))?;
        for error in answer.errors() {
            match error.code().unwrap_or_default() {
                // The version was deleted by others since the page was listed.
                "NoSuchKey" | "NoSuchVersion" => {}
                "InternalError" | "ServiceUnavailable" | "SlowDown" | "OperationAborted" => busy += 1,
                code => {
                    let key = error.key().unwrap_or_default().to_owned();
                    let fault = Fault::Stuck { bucket: bucket.to_owned(), key, code: code.to_owned() };
                    return Err(fault.leaving(remains(deleted)));
                }
            }
        }
    }
    // `DeleteObjects` takes the keys in XML; `DeleteObject` takes them in the URL, where any character can be encoded.
    for entry in alone {
        let request = s3.delete_object().bucket(bucket).key(&entry.key).set_version_id(entry.version.clone());
        match request.send().await.map_err(AwsError::of("DeleteObject")) {
            Err(error) if matches!(error.code(), Some("NoSuchKey" | "NoSuchVersion")) => {}
            answer => drop(answer.during(Step::Empty, bucket, remains(deleted))?),
        }
    }
    Ok(busy)
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

/// Whether XML allows all characters of a key.
fn fits_xml(key: &str) -> bool {
    key.chars().all(|c| matches!(c, '\t' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..))
}

/// Decodes a key of a listing: percent encoding, and `+` for a space.
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
        // XML parsers convert a carriage return to a line feed.
        assert!(!fits_xml("a\r\n"));
    }
}
