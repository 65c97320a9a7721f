//! `gitlabspot_runner_credentials`.

use gitlabspot_acceptance_tests::{Engine, Stage};
use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

const ADDRESS: &str = "gitlabspot_runner_credentials.cache";

/// From create to destroy: imported, changed in place without another key, and rotated.
#[tokio::test]
async fn lives_from_create_to_destroy() {
    let stage = Stage::new("runner_credentials/life", Engine::opentofu()).await;
    stage.namespace.create().await;
    let namespace = stage.namespace.name();
    let workspace = stage.testdata("runner_credentials/access_key", json!({ "namespace": namespace })).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    let state = workspace.state().await;
    let (id, key) = (state.resource(ADDRESS)["id"].clone(), state.resource(ADDRESS)["access_key_id"].clone());
    workspace.assert_import(ADDRESS, id.as_str().unwrap(), &["rotation_trigger"]).await;

    workspace.set(&json!({ "tags": { "cost": "2" }, "secret_labels": { "team": "builds" } }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    let secret: Secret = stage.kubernetes.get(namespace, "gitlab-runner-s3-access").await;
    assert_eq!(secret.metadata.labels.unwrap().get("team").map(String::as_str), Some("builds"));
    assert_eq!(workspace.state().await.resource(ADDRESS)["access_key_id"], key);
    assert_eq!(stage.account.calls_of("iam", "CreateAccessKey").len(), 1);

    workspace.set(&json!({ "rotation_trigger": "2" }));
    workspace.apply().await;
    workspace.assert_stable().await;
    let rotated = workspace.state().await.resource(ADDRESS)["access_key_id"].clone();
    assert_ne!(rotated, key);
    let secret: Secret = stage.kubernetes.get(namespace, "gitlab-runner-s3-access").await;
    assert_eq!(secret.data.unwrap()["accesskey"].0, rotated.as_str().unwrap().as_bytes());
    let user = id.as_str().unwrap().split_once(':').unwrap().1;
    let keys = stage.account.iam().list_access_keys().user_name(user).send().await.unwrap();
    let keys: Vec<_> = keys.access_key_metadata().iter().filter_map(|key| key.access_key_id()).collect();
    assert_eq!(keys, [rotated.as_str().unwrap()]);

    workspace.destroy().await;
    stage.assert_nothing_left().await;
}
