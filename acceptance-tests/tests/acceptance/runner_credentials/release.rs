//! The credentials and the runner that uses them, in one configuration.

use gitlabspot_acceptance_tests::{Engine, Stage, Workspace};
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::api::{DeleteParams, ListParams};
use serde_json::{Value, json};

use super::{ADDRESS, SECRET, SPEED, assert_one_key};

const RELEASE: &str = "gitlabspot_runner_release.runner";

async fn runner(test: &str, variables: Value) -> (Stage, Workspace) {
    let stage = Stage::new(&format!("runner_credentials/release_{test}"), Engine::opentofu()).await;
    stage.namespace.create().await;
    let workspace = stage.testdata("runner_credentials/release", variables).await;
    workspace.set(&json!({ "namespace": stage.namespace.name() }));
    (stage, workspace.with_environment("GITLABSPOT_CLOCK_SPEED", SPEED).traced())
}

/// How often the manager's pods were made anew, the first time included.
async fn starts(stage: &Stage) -> usize {
    let sets = stage.kubernetes.api::<ReplicaSet>(stage.namespace.name());
    sets.list(&ListParams::default()).await.unwrap().items.len()
}

/// C21: the manager starts anew exactly once for each new key, and for nothing else.
#[tokio::test]
async fn restarts_once_for_each_key() {
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
    let _ = workspace.try_apply_plan().await.succeeded();
    workspace.assert_stable().await;
    assert_eq!(starts(&stage).await, 2);

    let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
    secrets.delete(SECRET, &DeleteParams::default()).await.unwrap();
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(starts(&stage).await, 3);
    assert_one_key(&stage, &workspace).await;
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}

/// C21: in mode `irsa` the service account says which role its pods get.
#[tokio::test]
async fn annotates_the_service_account() {
    let (stage, workspace) = runner("irsa", json!({ "mode": "irsa" })).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    let account: ServiceAccount = stage.kubernetes.get(stage.namespace.name(), "gitlab-runner").await;
    let role = workspace.state().await.resource(ADDRESS)["role_arn"].clone();
    assert_eq!(json!(account.metadata.annotations.unwrap()["eks.amazonaws.com/role-arn"]), role);
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}
