//! Deletion of a bucket.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use gitlabspot_acceptance_tests::{Account, Fault};
use serde_json::json;

use super::{ADDRESS, count, guide};

async fn put(account: &Account, bucket: &str, key: &str) {
    let body = ByteStream::from_static(b"1");
    account.s3().put_object().bucket(bucket).key(key).body(body).send().await.unwrap();
}

/// B11: a bucket with objects is not deleted, and stays in the state.
#[tokio::test]
async fn bucket_with_objects_is_not_deleted() {
    let (stage, workspace, bucket) = guide("not_empty", json!({})).await;
    workspace.apply().await;
    put(&stage.account, &bucket, "project/1/a").await;
    let printed = workspace.try_destroy().await.failed();
    assert!(printed.contains("Bucket is not empty") && printed.contains("Set force_destroy = true"), "{printed}");
    assert_eq!(count(&stage.account, "DeleteObjects"), 0);
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], bucket);
    workspace.set(&json!({ "force_destroy": true }));
    workspace.apply().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// B12: more than two pages of versions and delete markers, and keys that need escaping, are deleted in batches of at
/// most a thousand keys. A key that XML cannot represent is deleted by a call of its own.
#[tokio::test]
async fn thousands_of_versions_are_deleted_in_batches() {
    let (stage, workspace, bucket) = guide("versions", json!({ "force_destroy": true, "versioning": true })).await;
    workspace.apply().await;
    for key in ["a\u{1}b", "a&b", "a b", "a+b", "<a>", "ä%20"] {
        put(&stage.account, &bucket, key).await;
    }
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (account, bucket, key) = (stage.account.clone(), bucket.clone(), format!("project/{number}"));
        writers.spawn(async move {
            for _ in 0..25 {
                put(&account, &bucket, &key).await;
            }
            let marked = vec![ObjectIdentifier::builder().key(key).build().unwrap(); 25];
            let marked = Delete::builder().set_objects(Some(marked)).build().unwrap();
            account.s3().delete_objects().bucket(&bucket).delete(marked).send().await.unwrap();
        });
    }
    let _ = writers.join_all().await;
    stage.account.forget();
    workspace.destroy().await;
    // 2,506 versions and delete markers.
    let sent = |action| count(&stage.account, action);
    assert_eq!(
        [sent("ListObjectVersions"), sent("DeleteObjects"), sent("DeleteObject"), sent("DeleteBucket")],
        [3, 3, 1, 2]
    );
    let deletes = stage.account.calls_of("s3", "DeleteObjects?");
    assert!(deletes.iter().all(|call| call.status.is_some_and(|status| status < 300)), "{deletes:?}");
    stage.assert_nothing_remains().await;
}

/// A CI job of a runner, which writes objects until the bucket was emptied the given number of times.
fn runner(account: &Account, bucket: &str, emptied: usize) -> tokio::task::JoinHandle<usize> {
    let (account, bucket) = (account.clone(), bucket.to_owned());
    tokio::spawn(async move {
        for number in 1.. {
            put(&account, &bucket, &format!("project/1/{number}")).await;
            if count(&account, "DeleteObjects") >= emptied {
                return number;
            }
        }
        unreachable!("it is never so busy")
    })
}

/// B13: a bucket to which a runner keeps writing is kept after nine attempts, with an error. When the runner stops, the
/// destroy succeeds.
#[tokio::test]
async fn concurrent_writes_end_emptying_with_an_error() {
    let (stage, workspace, bucket) = guide("still_writing", json!({ "force_destroy": true })).await;
    workspace.apply().await;
    // Long enough for the runner to write between emptying and deletion.
    let slow = || Fault::latency("s3", "DeleteBucket", 300).times(0);
    stage.account.inject(slow());
    let job = runner(&stage.account, &bucket, usize::MAX);
    let printed = workspace.try_destroy().await.failed();
    assert!(printed.contains("was emptied 9 times") && printed.contains("Stop the runners"), "{printed}");
    assert_eq!([count(&stage.account, "DeleteObjects"), count(&stage.account, "DeleteBucket")], [9, 10]);
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], bucket);
    job.abort();
    let _ = job.await;

    stage.account.forget();
    stage.account.inject(slow());
    let job = runner(&stage.account, &bucket, 2);
    workspace.destroy().await;
    assert!(job.await.unwrap() > 1);
    assert!(count(&stage.account, "DeleteBucket") >= 3);
    stage.assert_nothing_remains().await;
}

/// B12: an object that S3 cannot delete due to an internal error is deleted in the next round. The error names an
/// object that S3 refuses to delete, and the bucket remains.
#[tokio::test]
async fn undeletable_objects_are_named() {
    let (stage, workspace, bucket) = guide("objects_kept", json!({ "force_destroy": true })).await;
    workspace.apply().await;
    put(&stage.account, &bucket, "project/1/a").await;
    let refusal = |code: &str| {
        let error = format!("<Error><Key>project/1/a</Key><Code>{code}</Code><Message>for a test</Message></Error>");
        Fault::answer("s3", "DeleteObjects", &format!("<DeleteResult>{error}</DeleteResult>"))
    };
    stage.account.inject(refusal("AccessDenied"));
    let printed = workspace.try_destroy().await.failed();
    assert!(printed.contains(r#"cannot be deleted: "project/1/a" (AccessDenied)"#), "{printed}");
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], bucket);
    stage.account.forget();
    stage.account.inject(refusal("InternalError"));
    workspace.destroy().await;
    assert_eq!([count(&stage.account, "DeleteObjects"), count(&stage.account, "DeleteBucket")], [2, 3]);
    stage.assert_nothing_remains().await;
}

/// B15: a destroy waits while S3 still returns a deleted bucket.
#[tokio::test]
async fn deletion_waits_until_the_bucket_is_gone() {
    let (stage, workspace, _) = guide("still_shown", json!({})).await;
    workspace.apply().await;
    stage.account.forget();
    // The refresh reads the bucket first.
    stage.account.inject(Fault::error("s3", "HeadBucket", 200, "", "").after(1).times(3));
    workspace.destroy().await;
    let calls = stage.account.calls().into_iter().map(|call| call.action);
    let after: Vec<String> = calls.skip_while(|action| action != "DeleteBucket").collect();
    assert_eq!(after, ["DeleteBucket", "HeadBucket", "HeadBucket", "HeadBucket", "HeadBucket"]);
    stage.assert_nothing_remains().await;
}
