//! The parts of a bucket: what others changed is shown and repaired, what belongs to others stays.

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use gitlabspot_acceptance_tests::Fault;
use serde_json::json;

use super::{ADDRESS, changes, count, ends_well, guide, tag, tags};

/// B9: each part that was changed by hand shows in the plan, and it alone is written again.
#[tokio::test]
async fn changed_by_hand() {
    let (stage, workspace, bucket) = guide("by_hand", json!({ "versioning": true })).await;
    workspace.apply().await;
    let s3 = stage.account.s3();
    let suspended = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
    for part in ["lifecycle", "public access", "versioning", "policy"] {
        let put = match part {
            "lifecycle" => {
                s3.delete_bucket_lifecycle().bucket(&bucket).send().await.unwrap();
                "PutBucketLifecycleConfiguration"
            }
            "public access" => {
                s3.delete_public_access_block().bucket(&bucket).send().await.unwrap();
                "PutPublicAccessBlock"
            }
            "versioning" => {
                let request = s3.put_bucket_versioning().bucket(&bucket).versioning_configuration(suspended.clone());
                request.send().await.unwrap();
                "PutBucketVersioning"
            }
            _ => {
                s3.delete_bucket_policy().bucket(&bucket).send().await.unwrap();
                "PutBucketPolicy"
            }
        };
        assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"], "{part}");
        stage.account.forget();
        workspace.apply().await;
        assert_eq!(changes(&stage.account), [put], "{part}");
    }
    ends_well(&stage, &workspace).await;
}

/// B10: older and compatible stores have no defaults for a fresh bucket, and say so.
#[tokio::test]
async fn a_fresh_bucket_without_defaults() {
    let (stage, workspace, _) = guide("no_defaults", json!({})).await;
    for (action, code) in [
        ("GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
        ("GetBucketOwnershipControls", "OwnershipControlsNotFoundError"),
    ] {
        stage.account.inject(Fault::error("s3", action, 404, code, "none").times(2));
    }
    workspace.apply().await;
    assert_eq!(count(&stage.account, "GetPublicAccessBlock"), 3);
    ends_well(&stage, &workspace).await;
}

/// B16: tags of others are kept when ours change; ours go with the configuration.
#[tokio::test]
async fn tags_of_others() {
    let (stage, workspace, bucket) = guide("tags", json!({ "tags": { "cost": "1" } })).await;
    workspace.apply().await;
    assert_eq!(workspace.state().await.resource(ADDRESS)["tags_all"], json!({ "cost": "1", "team": "ci" }));
    tag(&stage.account, &bucket, &[("cost", "1"), ("team", "ci"), ("theirs", "x"), ("audited", "yes")]).await;
    workspace.assert_stable().await;
    workspace.set(&json!({ "tags": { "price": "2" } }));
    workspace.apply().await;
    let left = tags(&stage.account, &bucket).await;
    let expected = [("audited", "yes"), ("price", "2"), ("team", "ci"), ("theirs", "x")];
    assert_eq!(left.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect::<Vec<_>>(), expected);
    ends_well(&stage, &workspace).await;
}
