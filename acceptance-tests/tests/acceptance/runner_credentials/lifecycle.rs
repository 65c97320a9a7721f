//! Apply, plan, update, import and destroy, as every user does.

use gitlabspot_acceptance_tests::Cloud;
use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use super::{ADDRESS, NAME, SECRET, assert_one_key, destroy_and_verify, guide, pair};

/// From create to destroy, updates in place do not create another key.
#[tokio::test]
async fn updates_in_place_without_another_key() {
    let (stage, workspace) = guide("life", json!({ "tags": { "cost": "1" }, "secret_labels": { "team": "ci" } })).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_one_key(&stage, &workspace).await;
    let before = pair(&stage).await;
    workspace.set(&json!({ "tags": { "cost": "2" }, "secret_labels": { "team": "builds" } }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    let secret: Secret = stage.kubernetes.get(stage.namespace.name(), SECRET).await;
    assert_eq!(secret.metadata.labels.unwrap().get("team").map(String::as_str), Some("builds"));
    assert_eq!(pair(&stage).await, before);
    assert_eq!(stage.account.calls_of("iam", "CreateAccessKey").len(), 1);
    workspace.assert_import(ADDRESS, &format!("{}/{SECRET}:{NAME}", stage.namespace.name()), &[]).await;
    destroy_and_verify(&stage, &workspace).await;
}

/// A user that is not found in another account is not treated as deleted.
#[tokio::test]
async fn wrong_account_is_not_a_deletion() {
    let (stage, workspace) = guide("elsewhere", json!({})).await;
    let other = Cloud::running().account();
    workspace.apply().await;
    let before = workspace.state().await.resource(ADDRESS).clone();
    let moved = workspace.clone().with_keys_of(&other);
    for output in [moved.try_apply().await, moved.try_destroy().await] {
        let printed = output.failed();
        let wanted =
            format!("This resource is {}, but the provider uses the AWS account", before["user_arn"].as_str().unwrap());
        assert!(printed.contains(&wanted), "{printed}");
    }
    assert_eq!(workspace.state().await.resource(ADDRESS), &before);
    assert_eq!(other.changes(), Vec::<String>::new());
    destroy_and_verify(&stage, &workspace).await;
}
