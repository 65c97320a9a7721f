//! What every user does: apply, look, change, import, destroy.

use gitlabspot_acceptance_tests::Fault;
use serde_json::json;

use super::{ADDRESS, count, ends_well, guide};

/// The guide's bucket: made once, with its tags, in few calls and without a wait.
#[tokio::test]
async fn the_guides_bucket() {
    let (stage, workspace, bucket) = guide("life", json!({})).await;
    workspace.apply().await;
    let made = stage.account.changes();
    assert_eq!(made, ["CreateBucket", "PutBucketPolicy", "PutBucketLifecycleConfiguration", "PutBucketTagging"]);
    let calls = stage.account.calls().iter().filter(|call| call.is_of_provider()).count();
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
    ends_well(&stage, &workspace).await;
}

/// Every attribute that can change does, in place; imported, all of them are what they were.
#[tokio::test]
async fn every_attribute() {
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
    // How long to wait is the configuration's alone, so that an import does not know it.
    workspace.set(&json!({ "prefix": "elsewhere/", "timeouts": { "create": "5m", "update": "6m", "delete": "7m" } }));
    workspace.apply().await;
    assert_eq!(workspace.state().await.resource(ADDRESS)["prefix"], "elsewhere/");
    ends_well(&stage, &workspace).await;
}

/// A name is made up, with a prefix and without; another prefix is another bucket.
#[tokio::test]
async fn names_that_are_made_up() {
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
    ends_well(&stage, &workspace).await;
}

/// The first region has no location constraint, and a look comes before the create.
#[tokio::test]
async fn the_first_region() {
    let (stage, workspace, bucket) = guide("us_east_1", json!({ "region": "us-east-1" })).await;
    workspace.apply().await;
    let calls: Vec<String> = stage.account.calls().into_iter().map(|call| call.action).collect();
    let at = |action: &str| calls.iter().position(|call| call == action).unwrap();
    assert!(at("HeadBucket") < at("CreateBucket"), "{calls:?}");
    let location = stage.account.s3().get_bucket_location().bucket(&bucket).send().await.unwrap();
    assert!(location.location_constraint().is_none_or(|constraint| constraint.as_str().is_empty()), "{location:?}");
    ends_well(&stage, &workspace).await;
}

/// The rule before the last change, as S3 may still answer it.
const OLD_RULE: &str = "<LifecycleConfiguration><Rule><ID>gitlabspot-cache</ID><Status>Enabled</Status>\
    <Filter><Prefix>project/</Prefix></Filter><Expiration><Days>60</Days></Expiration>\
    <NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>\
    <AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>\
    </Rule></LifecycleConfiguration>";

/// B8: S3 may show the rule of before a change for some time, by turns with the new one: that is no difference, after a
/// create and after an update, and is waited for in neither. A rule that someone else has put there is one.
#[tokio::test]
async fn flapping() {
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
        assert!(plan.output().prose().contains("returns the lifecycle rule of the bucket"), "{}", plan.output());
        assert_eq!(count(&stage.account, GET), 1);
        workspace.assert_stable().await;
        workspace.set(&json!({ "expiration_days": days }));
        stage.account.forget();
        workspace.apply().await;
        assert_eq!(stage.account.changes(), ["PutBucketLifecycleConfiguration"]);
        // The refresh looks once, and the writing as well.
        assert_eq!(count(&stage.account, GET), 2);
    }
    stage.account.forget();
    stage.account.inject(Fault::answer("s3", GET, &OLD_RULE.replace("60", "61")));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.assert_import(ADDRESS, &bucket, &[]).await;
    ends_well(&stage, &workspace).await;
}

/// B14: deleted by hand, it is planned anew.
#[tokio::test]
async fn disappears() {
    let (stage, workspace, bucket) = guide("disappears", json!({})).await;
    workspace.apply().await;
    stage.account.s3().delete_bucket().bucket(&bucket).send().await.unwrap();
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["create"]);
    workspace.apply().await;
    ends_well(&stage, &workspace).await;
}
