//! Apply, plan, update, import and destroy, as every user does.

use gitlabspot_acceptance_tests::Fault;
use serde_json::json;

use super::{ADDRESS, count, destroy_and_verify, guide};

/// The bucket of the guide is created once, with its tags, in few calls and without a wait.
#[tokio::test]
async fn guide_bucket_from_create_to_destroy() {
    let (stage, workspace, bucket) = guide("life", json!({})).await;
    workspace.apply().await;
    let made = stage.account.changes();
    assert_eq!(made, ["CreateBucket", "PutBucketPolicy", "PutBucketLifecycleConfiguration", "PutBucketTagging"]);
    let calls = stage.account.calls().iter().filter(|call| call.is_from_provider()).count();
    assert!(calls <= 16, "{calls}");
    let state = workspace.state().await;
    let state = state.resource(ADDRESS);
    assert_eq!((&state["prefix"], &state["expiration_days"]), (&json!("project/"), &json!(60)));
    let host = stage.account.endpoint().trim_start_matches("http://").to_owned();
    assert_eq!(state["bucket_domain_name"], format!("{bucket}.{host}"));
    let s3 =
        json!({ "server_address": host, "bucket_name": bucket, "bucket_location": "af-south-1", "insecure": true });
    assert_eq!(state["runner_cache"]["s3"], s3);
    let location = stage.account.s3().get_bucket_location().bucket(&bucket).send().await.unwrap();
    assert_eq!(location.location_constraint().unwrap().as_str(), "af-south-1");
    workspace.assert_import(ADDRESS, &bucket, &[]).await;
    for region in ["", r#", region = "af-south-1""#] {
        let identity = format!(r#"{{ bucket = "{bucket}"{region} }}"#);
        workspace.assert_import_by_identity(ADDRESS, &identity, &[]).await;
    }
    workspace.set(&json!({ "expiration_days": 30 }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    stage.account.forget();
    workspace.apply().await;
    assert_eq!(stage.account.changes(), ["PutBucketLifecycleConfiguration"]);
    destroy_and_verify(&stage, &workspace).await;
}

/// All attributes that can be updated in place are updated, and an import has the same values.
#[tokio::test]
async fn every_attribute_is_updated_and_imported() {
    let (stage, workspace, bucket) = guide("attributes", json!({ "versioning": true })).await;
    workspace.apply().await;
    workspace.set(&json!({
        "expiration_days": 0, "noncurrent_expiration_days": 3, "abort_incomplete_multipart_days": 4,
        "cache_path": "linux", "shared": false, "versioning": false, "tls_only": false, "tags": { "cost": "1" },
        "encryption": { "sse_algorithm": "aws:kms", "kms_key_id": "alias/ci", "bucket_key_enabled": true },
    }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.apply().await;
    let state = workspace.state().await;
    assert_eq!(state.resource(ADDRESS)["prefix"], "linux/runner/");
    assert_eq!(state.resource(ADDRESS)["encryption"]["kms_key_id"], "alias/ci");
    let versioning = stage.account.s3().get_bucket_versioning().bucket(&bucket).send().await.unwrap();
    assert_eq!(versioning.status.unwrap().as_str(), "Suspended");
    workspace.assert_import(ADDRESS, &bucket, &[]).await;
    // Timeouts are only in the configuration, so that an import does not have them.
    workspace.set(&json!({ "prefix": "elsewhere/", "timeouts": { "create": "5m", "update": "6m", "delete": "7m" } }));
    workspace.apply().await;
    assert_eq!(workspace.state().await.resource(ADDRESS)["prefix"], "elsewhere/");
    destroy_and_verify(&stage, &workspace).await;
}

/// A name is generated with and without a prefix. Another prefix replaces the bucket.
#[tokio::test]
async fn bucket_names_are_generated() {
    let (stage, workspace, _) = guide("names", json!({ "bucket": null })).await;
    workspace.apply().await;
    let state = workspace.state().await;
    let name = state.resource(ADDRESS)["bucket"].as_str().unwrap().to_owned();
    assert!(name.starts_with("gitlab-runner-cache-"), "{name}");
    workspace.set(&json!({ "bucket_prefix": "example-ci-" }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["delete", "create"]);
    workspace.apply().await;
    let state = workspace.state().await;
    let name = state.resource(ADDRESS)["bucket"].as_str().unwrap().to_owned();
    assert!(name.starts_with("example-ci-"), "{name}");
    destroy_and_verify(&stage, &workspace).await;
}

/// In us-east-1, the create request has no location constraint, and the bucket is read before the create.
#[tokio::test]
async fn create_in_us_east_1_has_no_location_constraint() {
    let (stage, workspace, bucket) = guide("us_east_1", json!({ "region": "us-east-1" })).await;
    workspace.apply().await;
    let calls: Vec<String> = stage.account.calls().into_iter().map(|call| call.action).collect();
    let at = |action: &str| calls.iter().position(|call| call == action).unwrap();
    assert!(at("HeadBucket") < at("CreateBucket"), "{calls:?}");
    let location = stage.account.s3().get_bucket_location().bucket(&bucket).send().await.unwrap();
    assert!(location.location_constraint().is_none_or(|constraint| constraint.as_str().is_empty()), "{location:?}");
    destroy_and_verify(&stage, &workspace).await;
}

/// The rule before the last change, which S3 may still return.
const OLD_RULE: &str = "<LifecycleConfiguration><Rule><ID>gitlabspot-cache</ID><Status>Enabled</Status>\
    <Filter><Prefix>project/</Prefix></Filter><Expiration><Days>60</Days></Expiration>\
    <NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>\
    <AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>\
    </Rule></LifecycleConfiguration>";

/// B8: for some time after a change, S3 can return the old and the new rule in turns. This is not drift, and neither
/// create nor update waits for it. A rule that others have set is drift.
#[tokio::test]
async fn stale_lifecycle_reads_are_not_drift() {
    const GET: &str = "GetBucketLifecycleConfiguration";
    let (stage, workspace, bucket) = guide("flapping", json!({})).await;
    workspace.apply().await;
    for (old, days) in [
        (Fault::error("s3", GET, 404, "NoSuchLifecycleConfiguration", "none"), 30),
        (Fault::answer("s3", GET, OLD_RULE), 7),
    ] {
        stage.account.forget();
        stage.account.inject(old);
        let plan = workspace.plan().await;
        assert!(plan.is_empty(), "{}", plan.output());
        assert!(plan.output().prose().contains("S3 returned the lifecycle rule of the bucket"), "{}", plan.output());
        assert_eq!(count(&stage.account, GET), 1);
        workspace.assert_stable().await;
        workspace.set(&json!({ "expiration_days": days }));
        stage.account.forget();
        workspace.apply().await;
        assert_eq!(stage.account.changes(), ["PutBucketLifecycleConfiguration"]);
        // One read by the refresh, and one by the update.
        assert_eq!(count(&stage.account, GET), 2);
    }
    stage.account.forget();
    stage.account.inject(Fault::answer("s3", GET, &OLD_RULE.replace("60", "61")));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.assert_import(ADDRESS, &bucket, &[]).await;
    destroy_and_verify(&stage, &workspace).await;
}

/// B14: a bucket that was deleted manually is planned to be created.
#[tokio::test]
async fn manually_deleted_bucket_is_planned_again() {
    let (stage, workspace, bucket) = guide("disappears", json!({})).await;
    workspace.apply().await;
    stage.account.s3().delete_bucket().bucket(&bucket).send().await.unwrap();
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["create"]);
    workspace.apply().await;
    destroy_and_verify(&stage, &workspace).await;
}
