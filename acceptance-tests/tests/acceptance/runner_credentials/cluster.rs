//! Objects in the cluster: the namespace and the Secret, and changes to them by others.

use gitlabspot_acceptance_tests::{Stage, Workspace, until};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::{ADDRESS, SECRET, assert_one_key, destroy_and_verify, guide, pair, without_namespace};

/// Creates an object in the namespace outside the provider.
async fn create_objects_of_others(stage: &Stage) {
    let theirs: ConfigMap = serde_json::from_value(json!({ "metadata": { "name": "theirs" } })).unwrap();
    let config_maps = stage.kubernetes.api::<ConfigMap>(stage.namespace.name());
    config_maps.create(&PostParams::default(), &theirs).await.unwrap();
}

async fn delete_objects_of_others(stage: &Stage) {
    let config_maps = stage.kubernetes.api::<ConfigMap>(stage.namespace.name());
    config_maps.delete("theirs", &DeleteParams::default()).await.unwrap();
}

/// C16: a namespace that the resource created is deleted with the credentials. If it has objects of others, it remains,
/// the warning names them, and the next destroy after their deletion deletes it.
#[tokio::test]
async fn created_namespace_is_deleted_when_empty() {
    let (stage, workspace) = without_namespace("namespace_ours", json!({ "create_namespace": true })).await;
    workspace.apply().await;
    assert!(stage.namespace.exists().await);
    workspace.assert_stable().await;
    create_objects_of_others(&stage).await;
    let printed = workspace.destroy().await.prose();
    assert!(
        printed.contains("Namespace kept") && printed.contains("it contains other objects (ConfigMap theirs)"),
        "{printed}"
    );
    assert_eq!(stage.namespace.objects().await, ["ConfigMap/theirs"]);

    workspace.apply().await;
    delete_objects_of_others(&stage).await;
    let printed = workspace.destroy().await.prose();
    assert!(!printed.contains("Warning"), "{printed}");
    assert!(!stage.namespace.exists().await);

    // The namespace was deleted manually: the destroy succeeds without it.
    workspace.apply().await;
    let namespaces: Api<Namespace> = Api::all(stage.kubernetes.client());
    namespaces.delete(stage.namespace.name(), &DeleteParams::default()).await.unwrap();
    until("the namespace is gone", async || !stage.namespace.exists().await).await;
    let _ = workspace.run(&["destroy", "-refresh=false", "-input=false", "-auto-approve"]).await.succeeded();
    stage.assert_nothing_remains().await;
}

/// C16: a namespace that existed before is preserved, whatever its objects and the value of `create_namespace`.
#[tokio::test]
async fn existing_namespace_is_preserved() {
    let (stage, workspace) = guide("namespace_theirs", json!({ "create_namespace": true })).await;
    workspace.apply().await;
    let printed = workspace.destroy().await.prose();
    assert!(!printed.contains("Warning") && stage.namespace.exists().await, "{printed}");
    stage.assert_nothing_remains().await;

    // A namespace that is deleted later is created with the key, and then managed by the provider.
    workspace.apply().await;
    let namespaces: Api<Namespace> = Api::all(stage.kubernetes.client());
    namespaces.delete(stage.namespace.name(), &DeleteParams::default()).await.unwrap();
    until("the namespace is gone", async || !stage.namespace.exists().await).await;
    workspace.apply().await;
    assert_one_key(&stage, &workspace).await;
    destroy_and_verify(&stage, &workspace).await;
    assert!(!stage.namespace.exists().await);
}

async fn secret(stage: &Stage) -> Secret {
    stage.kubernetes.get(stage.namespace.name(), SECRET).await
}

/// Changes the Secret with the field manager of `kubectl edit`.
async fn edit(stage: &Stage, change: Value) {
    let existing = PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..PatchParams::default() };
    let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
    secrets.patch(SECRET, &existing, &Patch::Merge(change)).await.unwrap();
}

/// Applies metadata of the Secret with another field manager.
async fn apply_as(stage: &Stage, manager: &str, metadata: Value) {
    let mut object = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": SECRET } });
    object["metadata"].as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
    let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
    secrets.patch(SECRET, &PatchParams::apply(manager), &Patch::Apply(&object)).await.unwrap();
}

/// The Secret of other credentials is not changed. The error has their user and the command that imports both.
#[tokio::test]
async fn secret_of_other_credentials_is_not_changed() {
    let (stage, workspace) = guide("secret_of_another_user", json!({})).await;
    let other = workspace.twin();
    other.set(&json!({ "name": "other" }));
    workspace.apply().await;
    let theirs = secret(&stage).await;
    let made = stage.account.changes();
    let printed = other.try_apply().await.failed();
    let id = format!("{}/{SECRET}:ci-cache", stage.namespace.name());
    for part in
        ["contains the key of the IAM user ci-cache", &format!("tofu import ADDRESS {id}"), "Nothing was created"]
    {
        assert!(printed.contains(part), "{part} is not in: {printed}");
    }
    assert_eq!(stage.account.changes(), made);
    assert_eq!(secret(&stage).await, theirs);
    destroy_and_verify(&stage, &workspace).await;
}

fn made_keys(stage: &Stage) -> usize {
    stage.account.calls_of("iam", "CreateAccessKey").len()
}

/// C17: labels, annotations and keys that others add to the Secret are not drift, and every operation preserves them.
#[tokio::test]
async fn additions_of_others_to_the_secret_are_preserved() {
    let (stage, workspace) = guide("secret_additions", json!({ "secret_labels": { "team": "ci" } })).await;
    workspace.apply().await;
    edit(
        &stage,
        json!({
            "metadata": { "labels": { "theirs": "1" }, "annotations": { "theirs": "2" } },
            "data": { "endpoint": "czM=" },
        }),
    )
    .await;
    workspace.assert_stable().await;
    let changes = [json!({ "secret_labels": { "team": "builds", "more": "" } }), json!({ "rotation_trigger": "2" })];
    for change in changes {
        workspace.set(&change);
        workspace.apply().await;
        workspace.assert_stable().await;
        assert_one_key(&stage, &workspace).await;
        let secret = secret(&stage).await;
        let labels = secret.metadata.labels.unwrap();
        assert_eq!((labels["theirs"].as_str(), labels["team"].as_str()), ("1", "builds"));
        assert_eq!(secret.metadata.annotations.unwrap()["theirs"], "2");
        assert_eq!(secret.data.unwrap()["endpoint"].0, b"s3");
    }
    destroy_and_verify(&stage, &workspace).await;
}

/// C18: managed labels and annotations that others changed are shown and restored without another key. Changes that no
/// plan has shown, and fields that another tool applies, are reported and not overwritten.
#[tokio::test]
async fn changes_of_others_in_the_secret_are_repaired_after_a_plan() {
    let given = json!({ "secret_labels": { "team": "ci" }, "secret_annotations": { "purpose": "cache" } });
    let (stage, workspace) = guide("secret_conflicts", given).await;
    workspace.apply().await;
    let object = format!(
        "Secret {}/{SECRET} was not applied, because other field managers own some of its fields",
        stage.namespace.name()
    );
    edit(&stage, json!({ "metadata": { "labels": { "team": "theirs" } } })).await;
    let plan = workspace.plan().await;
    assert_eq!(plan.changes()[ADDRESS], ["update"]);
    assert_eq!(plan.change(ADDRESS)["before"]["secret_labels"], json!({ "team": "theirs" }));
    edit(&stage, json!({ "metadata": { "annotations": { "purpose": "theirs" } } })).await;
    let printed = workspace.try_apply_plan().await.failed();
    assert!(printed.contains(&format!("{object}: .metadata.annotations.purpose (\"kubectl-edit\")")), "{printed}");
    assert!(!printed.contains(".labels.team"), "{printed}");
    assert_eq!(secret(&stage).await.metadata.labels.unwrap()["team"], "theirs");
    workspace.apply().await;
    workspace.assert_stable().await;
    let metadata = secret(&stage).await.metadata;
    assert_eq!(metadata.labels.unwrap()["team"], "ci");
    assert_eq!(metadata.annotations.unwrap()["purpose"], "cache");

    // A label that others removed is restored.
    edit(&stage, json!({ "metadata": { "labels": { "team": null } } })).await;
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.apply().await;
    workspace.assert_stable().await;

    // A label that another tool applies is not overwritten.
    apply_as(&stage, "argocd", json!({ "labels": { "cost": "1" } })).await;
    workspace.assert_stable().await;
    workspace.set(&json!({ "secret_labels": { "team": "ci", "cost": "2" } }));
    for _ in 0..2 {
        let printed = workspace.try_apply().await.failed();
        assert!(printed.contains(&format!("{object}: .metadata.labels.cost (\"argocd\")")), "{printed}");
        assert_eq!(secret(&stage).await.metadata.labels.unwrap()["cost"], "1");
    }
    apply_as(&stage, "argocd", json!({})).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(made_keys(&stage), 1);
    assert_one_key(&stage, &workspace).await;
    destroy_and_verify(&stage, &workspace).await;
}

/// C18: if the key is changed manually between plan and apply of a rotation, the Secret is not overwritten, and the new
/// key is deleted. The next plan shows the change.
#[tokio::test]
async fn key_changed_during_a_rotation_is_not_overwritten() {
    let (stage, workspace) = guide("secret_meanwhile", json!({})).await;
    workspace.apply().await;
    let before = pair(&stage).await;
    workspace.set(&json!({ "rotation_trigger": "2" }));
    let _ = workspace.plan().await;
    edit(&stage, json!({ "data": { "secretkey": "dGhlaXJz" } })).await;
    let printed = workspace.try_apply_plan().await.failed();
    assert!(printed.contains(".data.secretkey (\"kubectl-edit\")") && printed.contains("was deleted."), "{printed}");
    assert_eq!(pair(&stage).await, (before.0.clone(), "theirs".to_owned()));
    assert_eq!(super::keys(&stage.account).await, [(before.0, true)]);
    rotates_once(&stage, &workspace).await;
    destroy_and_verify(&stage, &workspace).await;
}

/// Asserts that an apply creates exactly one key, and that the next plan is empty.
async fn rotates_once(stage: &Stage, workspace: &Workspace) {
    let before = made_keys(stage);
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(made_keys(stage), before + 1);
    assert_one_key(stage, workspace).await;
}
