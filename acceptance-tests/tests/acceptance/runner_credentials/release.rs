//! Credentials with the runner that uses them, in one configuration.

use gitlabspot_acceptance_tests::{Stage, Workspace, until};
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{Pod, Secret, ServiceAccount};
use kube::api::{DeleteParams, ListParams};
use serde_json::{Value, json};

use super::{ADDRESS, SECRET, assert_one_key, keys, staged, user};

const RELEASE: &str = "gitlabspot_runner_release.runner";

async fn runner(test: &str, variables: Value) -> (Stage, Workspace) {
    let (stage, workspace) = staged(&format!("release_{test}"), "release", variables).await;
    stage.namespace.create().await;
    (stage, workspace)
}

/// Number of rollouts of the manager, including the first one.
async fn starts(stage: &Stage) -> usize {
    let sets = stage.kubernetes.api::<ReplicaSet>(stage.namespace.name());
    sets.list(&ListParams::default()).await.unwrap().items.len()
}

/// Asserts that the old key is valid until its manager is deleted, and that the next apply deletes the key.
async fn assert_old_key_is_deleted(stage: &Stage, workspace: &Workspace) {
    assert_eq!(keys(&stage.account).await.iter().filter(|(_, is_active)| *is_active).count(), 2);
    let pods = stage.kubernetes.api::<Pod>(stage.namespace.name());
    until("the old manager is gone", async || pods.list(&ListParams::default()).await.unwrap().items.len() == 1).await;
    let plan = workspace.plan().await;
    assert_eq!(plan.changes().keys().collect::<Vec<_>>(), [ADDRESS]);
    let _ = workspace.try_apply_plan().await.succeeded();
    workspace.assert_stable().await;
    assert_one_key(stage, workspace).await;
}

/// C21: the manager restarts once for each new key, and for no other change. The old key is deleted with the old
/// manager.
#[tokio::test]
async fn rotation_restarts_the_manager_once() {
    let (stage, workspace) = runner("restarts", json!({})).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(starts(&stage).await, 1);
    workspace.set(&json!({ "secret_labels": { "team": "ci" }, "tags": { "cost": "1" } }));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(starts(&stage).await, 1);

    workspace.set(&json!({ "rotation_trigger": "2" }));
    let plan = workspace.plan().await;
    assert_eq!(
        (&plan.changes()[ADDRESS], &plan.changes()[RELEASE]),
        (&vec!["update".to_owned()], &vec!["update".to_owned()])
    );
    let printed = workspace.try_apply_plan().await.succeeded().prose();
    assert!(
        printed.contains("Old access key kept") && printed.contains("used by one pod of the namespace"),
        "{printed}"
    );
    assert_old_key_is_deleted(&stage, &workspace).await;
    assert_eq!(starts(&stage).await, 2);

    let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
    secrets.delete(SECRET, &DeleteParams::default()).await.unwrap();
    workspace.apply().await;
    assert_old_key_is_deleted(&stage, &workspace).await;
    assert_eq!(starts(&stage).await, 3);
    assert_one_key(&stage, &workspace).await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// C21: in mode `irsa`, the service account has the role of its pods as annotation.
#[tokio::test]
async fn irsa_annotates_the_service_account() {
    let (stage, workspace) = runner("irsa", json!({ "mode": "irsa" })).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    let account: ServiceAccount = stage.kubernetes.get(stage.namespace.name(), "gitlab-runner").await;
    let role = workspace.state().await.resource(ADDRESS)["role_arn"].clone();
    assert_eq!(json!(account.metadata.annotations.unwrap()["eks.amazonaws.com/role-arn"]), role);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// C23: after a change of the mode, the manager keeps its key until the release has replaced it. The next apply revokes
/// the key.
#[tokio::test]
async fn old_key_is_kept_until_the_release_is_replaced() {
    let (stage, workspace) = runner("mode", json!({})).await;
    workspace.apply().await;
    let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
    let before = secrets.get(SECRET).await.unwrap();
    workspace.set(&json!({ "mode": "irsa" }));
    let printed = workspace.apply().await.prose();
    assert!(
        printed.contains("Old credentials kept") && printed.contains("used by one pod of the namespace"),
        "{printed}"
    );
    assert_eq!((secrets.get(SECRET).await.unwrap(), starts(&stage).await), (before, 2));

    let pods = stage.kubernetes.api::<Pod>(stage.namespace.name());
    until("the old manager is gone", async || pods.list(&ListParams::default()).await.unwrap().items.len() == 1).await;
    let plan = workspace.plan().await;
    assert_eq!(plan.changes().keys().collect::<Vec<_>>(), [ADDRESS]);
    let _ = workspace.try_apply_plan().await.succeeded();
    workspace.assert_stable().await;
    assert!(secrets.get_opt(SECRET).await.unwrap().is_none());
    assert_eq!((user(&stage.account).await, starts(&stage).await), (None, 2));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
