//! The half in the cluster: the namespace, the Secret, and what others do to them.

use gitlabspot_acceptance_tests::{Stage, Workspace, until};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::{ADDRESS, SECRET, assert_one_key, ends_well, guide, pair, without_namespace};

/// Makes something in the namespace that is not the provider's.
async fn make_theirs(stage: &Stage) {
    let theirs: ConfigMap = serde_json::from_value(json!({ "metadata": { "name": "theirs" } })).unwrap();
    let config_maps = stage.kubernetes.api::<ConfigMap>(stage.namespace.name());
    config_maps.create(&PostParams::default(), &theirs).await.unwrap();
}

async fn delete_theirs(stage: &Stage) {
    let config_maps = stage.kubernetes.api::<ConfigMap>(stage.namespace.name());
    config_maps.delete("theirs", &DeleteParams::default()).await.unwrap();
}

/// C16: a namespace that was made here goes with the credentials; with things of others in it it stays, and they are
/// named; when they are gone, so is it.
#[tokio::test]
async fn a_namespace_of_ours() {
    let (stage, workspace) = without_namespace("namespace_ours", json!({ "create_namespace": true })).await;
    workspace.apply().await;
    assert!(stage.namespace.exists().await);
    workspace.assert_stable().await;
    make_theirs(&stage).await;
    let said = workspace.destroy().await.prose();
    assert!(said.contains("Namespace kept") && said.contains("it contains other objects (ConfigMap theirs)"), "{said}");
    assert_eq!(stage.namespace.objects().await, ["ConfigMap/theirs"]);

    workspace.apply().await;
    delete_theirs(&stage).await;
    let said = workspace.destroy().await.prose();
    assert!(!said.contains("Warning"), "{said}");
    assert!(!stage.namespace.exists().await);

    // Gone before the destroy, by hand: nothing is left to do in the cluster.
    workspace.apply().await;
    let namespaces: Api<Namespace> = Api::all(stage.kubernetes.client());
    namespaces.delete(stage.namespace.name(), &DeleteParams::default()).await.unwrap();
    until("the namespace is gone", async || !stage.namespace.exists().await).await;
    let _ = workspace.run(&["destroy", "-refresh=false", "-input=false", "-auto-approve"]).await.succeeded();
    stage.assert_nothing_left().await;
}

/// C16: a namespace that was there already stays, whatever is in it and whoever is to make one.
#[tokio::test]
async fn a_namespace_of_others() {
    let (stage, workspace) = guide("namespace_theirs", json!({ "create_namespace": true })).await;
    workspace.apply().await;
    let said = workspace.destroy().await.prose();
    assert!(!said.contains("Warning") && stage.namespace.exists().await, "{said}");
    stage.assert_nothing_left().await;

    // One that goes away in the middle of it all comes again with the key, and is the provider's from then on.
    workspace.apply().await;
    let namespaces: Api<Namespace> = Api::all(stage.kubernetes.client());
    namespaces.delete(stage.namespace.name(), &DeleteParams::default()).await.unwrap();
    until("the namespace is gone", async || !stage.namespace.exists().await).await;
    workspace.apply().await;
    assert_one_key(&stage, &workspace).await;
    ends_well(&stage, &workspace).await;
    assert!(!stage.namespace.exists().await);
}

async fn secret(stage: &Stage) -> Secret {
    stage.kubernetes.get(stage.namespace.name(), SECRET).await
}

/// Changes the Secret as somebody at a terminal would.
async fn edit(stage: &Stage, change: Value) {
    let by_hand = PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..PatchParams::default() };
    let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
    secrets.patch(SECRET, &by_hand, &Patch::Merge(change)).await.unwrap();
}

/// Has another tool apply this of the Secret.
async fn apply_as(stage: &Stage, manager: &str, metadata: Value) {
    let mut object = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": SECRET } });
    object["metadata"].as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
    let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
    secrets.patch(SECRET, &PatchParams::apply(manager), &Patch::Apply(&object)).await.unwrap();
}

/// A Secret that other credentials have written is not touched, and the message names their user and what imports both.
#[tokio::test]
async fn a_secret_of_another_user() {
    let (stage, workspace) = guide("secret_of_another_user", json!({})).await;
    let other = workspace.twin();
    other.set(&json!({ "name": "other" }));
    workspace.apply().await;
    let theirs = secret(&stage).await;
    let made = stage.account.changes();
    let said = other.try_apply().await.failed();
    let id = format!("{}/{SECRET}:ci-cache", stage.namespace.name());
    for part in ["holds the key of the IAM user ci-cache", &format!("tofu import ADDRESS {id}"), "Nothing was created"]
    {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    assert_eq!(stage.account.changes(), made);
    assert_eq!(secret(&stage).await, theirs);
    ends_well(&stage, &workspace).await;
}

fn made_keys(stage: &Stage) -> usize {
    stage.account.calls_of("iam", "CreateAccessKey").len()
}

/// C17: labels, annotations and keys that others add to the Secret are no difference, and stay through everything.
#[tokio::test]
async fn what_others_add_to_the_secret() {
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
    ends_well(&stage, &workspace).await;
}

/// C18: labels and annotations of ours that somebody changed are shown and taken back, without another key; what no plan
/// has shown, and what another tool applies, is named and left.
#[tokio::test]
async fn what_others_change_in_the_secret() {
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
    let said = workspace.try_apply_plan().await.failed();
    assert!(said.contains(&format!("{object}: .metadata.annotations.purpose (\"kubectl-edit\")")), "{said}");
    assert!(!said.contains(".labels.team"), "{said}");
    assert_eq!(secret(&stage).await.metadata.labels.unwrap()["team"], "theirs");
    workspace.apply().await;
    workspace.assert_stable().await;
    let metadata = secret(&stage).await.metadata;
    assert_eq!(metadata.labels.unwrap()["team"], "ci");
    assert_eq!(metadata.annotations.unwrap()["purpose"], "cache");

    // One that was taken away comes back.
    edit(&stage, json!({ "metadata": { "labels": { "team": null } } })).await;
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.apply().await;
    workspace.assert_stable().await;

    // One that another tool applies is not taken from it.
    apply_as(&stage, "argocd", json!({ "labels": { "cost": "1" } })).await;
    workspace.assert_stable().await;
    workspace.set(&json!({ "secret_labels": { "team": "ci", "cost": "2" } }));
    for _ in 0..2 {
        let said = workspace.try_apply().await.failed();
        assert!(said.contains(&format!("{object}: .metadata.labels.cost (\"argocd\")")), "{said}");
        assert_eq!(secret(&stage).await.metadata.labels.unwrap()["cost"], "1");
    }
    apply_as(&stage, "argocd", json!({})).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(made_keys(&stage), 1);
    assert_one_key(&stage, &workspace).await;
    ends_well(&stage, &workspace).await;
}

/// C18: a key that is exchanged by hand between plan and apply of a rotation: neither half is overwritten, and the new
/// key goes again; the next plan shows the change.
#[tokio::test]
async fn a_key_that_is_exchanged_meanwhile() {
    let (stage, workspace) = guide("secret_meanwhile", json!({})).await;
    workspace.apply().await;
    let before = pair(&stage).await;
    workspace.set(&json!({ "rotation_trigger": "2" }));
    let _ = workspace.plan().await;
    edit(&stage, json!({ "data": { "secretkey": "dGhlaXJz" } })).await;
    let said = workspace.try_apply_plan().await.failed();
    assert!(said.contains(".data.secretkey (\"kubectl-edit\")") && said.contains("was deleted again"), "{said}");
    assert_eq!(pair(&stage).await, (before.0.clone(), "theirs".to_owned()));
    assert_eq!(super::keys(&stage.account).await, [(before.0, true)]);
    rotates_once(&stage, &workspace).await;
    ends_well(&stage, &workspace).await;
}

/// An apply makes exactly one key, and nothing is left to do.
async fn rotates_once(stage: &Stage, workspace: &Workspace) {
    let before = made_keys(stage);
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(made_keys(stage), before + 1);
    assert_one_key(stage, workspace).await;
}
