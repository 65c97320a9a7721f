//! The end of a bucket.

use aws_sdk_s3::primitives::ByteStream;
use gitlabspot_acceptance_tests::{Account, Fault};
use serde_json::json;

use super::{ADDRESS, count, guide};

async fn put(account: &Account, bucket: &str, key: &str) {
    let body = ByteStream::from_static(b"1");
    account.s3().put_object().bucket(bucket).key(key).body(body).send().await.unwrap();
}

/// B11: what still has objects stays, and so does its state.
#[tokio::test]
async fn not_empty() {
    let (stage, workspace, bucket) = guide("not_empty", json!({})).await;
    workspace.apply().await;
    put(&stage.account, &bucket, "project/1/a").await;
    let said = workspace.try_destroy().await.failed();
    assert!(said.contains("Bucket is not empty") && said.contains("Set force_destroy = true"), "{said}");
    assert_eq!(count(&stage.account, "DeleteObjects"), 0);
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], bucket);
    workspace.set(&json!({ "force_destroy": true }));
    workspace.apply().await;
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}

/// B12: more than two pages of versions and markers, and keys that need care, at most a thousand in one call. A key that
/// XML cannot hold is in the resource's own tests: the local cloud cannot list one.
#[tokio::test]
async fn many_versions() {
    let (stage, workspace, bucket) = guide("versions", json!({ "force_destroy": true, "versioning": true })).await;
    workspace.apply().await;
    for key in ["a&b", "a b", "a+b", "<a>", "ä%20"] {
        put(&stage.account, &bucket, key).await;
    }
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (account, bucket, key) = (stage.account.clone(), bucket.clone(), format!("project/{number}"));
        writers.spawn(async move {
            for _ in 0..25 {
                put(&account, &bucket, &key).await;
                account.s3().delete_object().bucket(&bucket).key(&key).send().await.unwrap();
            }
        });
    }
    let _ = writers.join_all().await;
    stage.account.forget();
    workspace.destroy().await;
    // 2,505 versions and markers: S3 refuses more than a thousand in one call, and so does the local cloud.
    let deletes = stage.account.calls_of("s3", "DeleteObjects");
    assert!(deletes.len() >= 3, "{deletes:?}");
    assert!(deletes.iter().all(|call| call.status == Some(200)), "{deletes:?}");
    stage.assert_nothing_left().await;
}

/// B13: a bucket that fills again and again is given up, and stays.
#[tokio::test]
async fn a_runner_still_writes() {
    let (stage, workspace, bucket) = guide("still_writing", json!({ "force_destroy": true })).await;
    workspace.apply().await;
    put(&stage.account, &bucket, "project/1/a").await;
    stage.account.inject(Fault::error("s3", "DeleteBucket", 409, "BucketNotEmpty", "not empty").times(0));
    let said = workspace.try_destroy().await.failed();
    assert!(said.contains("was emptied 5 times") && said.contains("Stop the runners"), "{said}");
    assert_eq!(count(&stage.account, "DeleteBucket"), 6);
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], bucket);
    stage.account.forget();
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}

/// B15: a deleted bucket that S3 still shows is waited for.
#[tokio::test]
async fn still_shown() {
    let (stage, workspace, _) = guide("still_shown", json!({})).await;
    workspace.apply().await;
    stage.account.forget();
    // The refresh looks first.
    stage.account.inject(Fault::error("s3", "HeadBucket", 200, "", "").after(1).times(3));
    workspace.destroy().await;
    let calls = stage.account.calls().into_iter().map(|call| call.action);
    let after: Vec<String> = calls.skip_while(|action| action != "DeleteBucket").collect();
    assert_eq!(after, ["DeleteBucket", "HeadBucket", "HeadBucket", "HeadBucket", "HeadBucket"]);
    stage.assert_nothing_left().await;
}
