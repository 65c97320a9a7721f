//! Tests of `gitlabspot_runner_release`.

mod admission;
pub(crate) mod adoption;
mod config;
mod conflicts;
mod drift;
mod dry_run;
mod faults;
mod interruption;
mod owners;
mod permissions;
mod removal;
mod rollout;
mod start;
mod values_files;

use std::collections::BTreeMap;

use gitlabspot_acceptance_tests::{Engine, KubernetesProxy, Stage, Workspace, until};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use k8s_openapi::api::rbac::v1::Role;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

const ADDRESS: &str = "gitlabspot_runner_release.runner";
const NAME: &str = "gitlab-runner";

/// The guide's values file for Helm.
pub(crate) const GUIDE: &str =
    include_str!("../../../../provider/src/resources/runner_release/testdata/guide-values.yaml");

fn variables(stage: &Stage) -> Value {
    json!({ "cluster_name": stage.account.cluster(), "namespace": stage.namespace.name() })
}

fn with_token(stage: &Stage, name: &str, token: &str) -> Value {
    let mut variables = variables(stage);
    variables[name] = token.into();
    variables
}

fn id(stage: &Stage) -> String {
    format!("{}/{NAME}", stage.namespace.name())
}

/// A stage with a Kubernetes proxy, and a workspace with a complete release.
async fn typed(test: &str) -> (Stage, Workspace) {
    let stage = Stage::new(&format!("runner_release/{test}"), Engine::opentofu()).await;
    stage.kubernetes_faults();
    let workspace = stage.testdata("runner_release/typed", with_token(&stage, "runner_token", "glrt-x")).await;
    (stage, workspace)
}

async fn end(stage: &Stage, workspace: &Workspace) {
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
    assert!(!stage.namespace.exists().await);
}

/// Number of rollouts of the manager, including the first one.
async fn replica_sets(stage: &Stage) -> usize {
    let sets = stage.kubernetes.api::<ReplicaSet>(stage.namespace.name());
    sets.list(&ListParams::default()).await.unwrap().items.len()
}

/// Starts pods that had no image.
async fn start_pods(stage: &Stage) {
    let pods = stage.kubernetes.api::<Pod>(stage.namespace.name());
    let found = json!({ "metadata": { "annotations": { "local-cloud/image-missing": null } } });
    let lacks_image =
        |pod: &Pod| pod.metadata.annotations.iter().flatten().any(|(name, _)| name.contains("image-missing"));
    for pod in pods.list(&ListParams::default()).await.unwrap().into_iter().filter(lacks_image) {
        pods.patch(&pod.metadata.name.unwrap(), &PatchParams::default(), &Patch::Merge(&found)).await.unwrap();
    }
}

/// Waits until all objects are applied and the Deployment is read repeatedly.
async fn is_waiting_for_rollout(proxy: &KubernetesProxy) {
    let looks = format!("/deployments/{NAME}");
    until("the rollout is waited for", async || {
        let calls = proxy.calls();
        let applied = calls.iter().rposition(|call| call.is_change() && call.path.contains("servicemonitors"));
        calls.iter().skip(applied.unwrap_or(calls.len())).filter(|call| call.path.ends_with(&looks)).count() > 1
    })
    .await;
}

/// Contents of `config.toml` and `config.template.toml`.
async fn files(stage: &Stage) -> BTreeMap<String, String> {
    let config_map: ConfigMap = stage.kubernetes.get(stage.namespace.name(), NAME).await;
    config_map.data.unwrap()
}

async fn generation(stage: &Stage) -> i64 {
    let deployment: Deployment = stage.kubernetes.get(stage.namespace.name(), NAME).await;
    deployment.metadata.generation.unwrap()
}

#[tokio::test]
async fn guide_values_file_works_unchanged() {
    let stage = Stage::new("runner_release/values", Engine::opentofu()).await;
    let workspace = stage.testdata("runner_release/values", variables(&stage)).await;
    workspace.write("values.yaml", GUIDE);
    let printed = workspace.apply().await;
    assert!(printed.to_string().contains("Token in a values file"), "{printed}");
    workspace.assert_stable().await;

    let template = files(&stage).await.remove("config.template.toml").unwrap();
    for line in [
        r#"image = "docker:19.03.12""#,
        r#"BucketName = "your-cache-bucket""#,
        r#""buildInstance=true" = "NoSchedule""#,
        &format!("namespace = {:?}", stage.namespace.name()),
    ] {
        assert!(template.contains(line), "{line} in {template}");
    }
    let objects = stage.namespace.objects().await;
    for object in [
        "ConfigMap/gitlab-runner",
        "Deployment/gitlab-runner",
        "Role/gitlab-runner",
        "RoleBinding/gitlab-runner",
        "Secret/gitlab-runner",
        "Service/gitlab-runner",
        "ServiceAccount/gitlab-runner",
        "ServiceMonitor/gitlab-runner",
    ] {
        assert!(objects.iter().any(|name| name == object), "{object} in {objects:?}");
    }
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
    assert!(!stage.namespace.exists().await);
}

#[tokio::test]
async fn every_typed_attribute_is_applied() {
    let stage = Stage::new("runner_release/typed", Engine::opentofu()).await;
    let workspace = stage.testdata("runner_release/typed", with_token(&stage, "runner_token", "glrt-never-seen")).await;
    let plan = workspace.plan().await;
    let manifest = &plan.change(ADDRESS)["after"]["manifest"];
    let key = format!("Deployment {}/{NAME}", stage.namespace.name());
    assert!(manifest[&key].as_str().unwrap().contains("\"sizeLimit\":\"1024Mi\""), "{manifest}");
    workspace.apply().await;
    workspace.assert_stable().await;
    let state = workspace.state().await;
    let release = state.resource(ADDRESS);
    assert_eq!((&release["status"], &release["id"]), (&json!("available"), &json!(id(&stage))));
    assert_eq!(release["job_pod"]["cpu"], "2");
    assert_eq!(release["manifest"], *manifest);
    assert!(!release.to_string().contains("never-seen"));

    workspace.assert_import(ADDRESS, &id(&stage), &[]).await;

    // One change replaces the manager once, and the removed object is deleted.
    let before = generation(&stage).await;
    workspace.set(&json!({ "concurrent": 4, "pod_disruption_budget": false }));
    assert_eq!(workspace.plan().await.changes(), [(ADDRESS.to_owned(), vec!["update".to_owned()])].into());
    workspace.apply().await;
    workspace.assert_stable().await;
    assert!(files(&stage).await["config.toml"].contains("concurrent = 4"));
    assert_eq!(generation(&stage).await, before + 1);
    let sets = stage.kubernetes.api::<ReplicaSet>(stage.namespace.name()).list(&ListParams::default()).await.unwrap();
    assert_eq!(sets.items.len(), 2);
    assert!(!stage.namespace.objects().await.contains(&format!("PodDisruptionBudget/{NAME}")));

    // A new token replaces the manager once more.
    workspace.set(&json!({ "runner_token": "glrt-another", "runner_token_version": 2 }));
    workspace.apply().await;
    workspace.assert_stable().await;
    let secret: Secret = stage.kubernetes.get(stage.namespace.name(), NAME).await;
    assert_eq!(secret.data.unwrap()["runner-token"].0, b"glrt-another");
    assert_eq!(generation(&stage).await, before + 2);

    workspace.destroy().await;
    stage.assert_nothing_remains().await;
    assert!(!stage.namespace.exists().await);
}

#[tokio::test]
async fn config_toml_as_text_is_applied() {
    let stage = Stage::new("runner_release/config_toml", Engine::opentofu()).await;
    let variables = with_token(&stage, "registration_token", "GR1348941-of-a-group");
    let workspace = stage.testdata("runner_release/config_toml", variables).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    let files = files(&stage).await;
    assert!(files["config.toml"].contains("concurrent = 5"));
    assert!(files["config.template.toml"].contains(&format!("namespace = {:?}", stage.namespace.name())));
    assert!(files["settings"].contains("UNREGISTER='true'"), "{}", files["settings"]);
    workspace.assert_import(ADDRESS, &id(&stage), &[]).await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

#[tokio::test]
async fn manual_changes_are_reported_and_repaired() {
    let stage = Stage::new("runner_release/drift", Engine::opentofu()).await;
    let workspace = stage.testdata("runner_release/typed", with_token(&stage, "runner_token", "glrt-x")).await;
    workspace.apply().await;
    let (namespace, before) = (stage.namespace.name(), generation(&stage).await);

    let config_maps = stage.kubernetes.api::<ConfigMap>(namespace);
    let edited = json!({ "data": { "config.toml": "concurrent = 99\n" } });
    config_maps.patch(NAME, &PatchParams::default(), &Patch::Merge(&edited)).await.unwrap();
    stage.kubernetes.api::<Role>(namespace).delete(NAME, &DeleteParams::default()).await.unwrap();
    let secrets = stage.kubernetes.api::<Secret>(namespace);
    let edited = json!({ "stringData": { "runner-token": "glrt-wrong" } });
    secrets.patch(NAME, &PatchParams::default(), &Patch::Merge(&edited)).await.unwrap();

    let plan = workspace.plan().await;
    let manifest = &plan.change(ADDRESS)["before"]["manifest"];
    assert!(manifest[format!("ConfigMap {namespace}/{NAME}")].as_str().unwrap().contains("concurrent = 99"));
    assert!(manifest[format!("Secret {namespace}/{NAME}")].as_str().unwrap().contains("changed outside"));
    assert_eq!(manifest[format!("Role {namespace}/{NAME}")], Value::Null);
    workspace.apply().await;
    workspace.assert_stable().await;
    assert!(files(&stage).await["config.toml"].contains("concurrent = 10"));
    assert_eq!(secrets.get(NAME).await.unwrap().data.unwrap()["runner-token"].0, b"glrt-x");
    assert_eq!(generation(&stage).await, before, "nothing that a pod starts with is other than at first");

    // A deleted Deployment is created again.
    stage.kubernetes.api::<Deployment>(namespace).delete(NAME, &DeleteParams::default()).await.unwrap();
    assert!(!workspace.plan().await.is_empty());
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

#[tokio::test]
async fn failed_rollout_names_the_reason_of_the_pods() {
    let stage = Stage::new("runner_release/rollout", Engine::opentofu()).await;
    let workspace = stage.testdata("runner_release/typed", with_token(&stage, "runner_token", "glrt-x")).await;
    workspace.apply().await;
    workspace.set(&json!({ "image_missing": true, "update_timeout": "3s" }));
    let printed = workspace.try_apply().await;
    assert_ne!(printed.code, Some(0));
    for text in ["Runner manager is not available", "ImagePullBackOff"] {
        assert!(printed.to_string().contains(text), "{text} in {printed}");
    }
    // The state has the applied objects, and the next apply continues.
    workspace.set(&json!({ "image_missing": false, "update_timeout": null }));
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

#[tokio::test]
async fn destroy_succeeds_after_the_cluster_was_deleted() {
    let stage = Stage::new("runner_release/cluster_gone", Engine::opentofu()).await;
    let workspace = stage.testdata("runner_release/typed", with_token(&stage, "runner_token", "glrt-x")).await;
    workspace.apply().await;
    stage.account.eks().delete_cluster().name(stage.account.cluster()).send().await.unwrap();
    let printed = workspace.destroy().await;
    assert!(printed.to_string().contains("Cluster no longer exists"), "{printed}");
    assert!(!workspace.state().await.contains(ADDRESS));
}

/// R17: if one object is refused, the objects that were applied before are in the state, and a destroy deletes them.
#[tokio::test]
async fn refused_object_keeps_the_others_in_the_state() {
    let stage = Stage::new("runner_release/refused", Engine::opentofu()).await;
    let workspace = stage.testdata("runner_release/typed", with_token(&stage, "runner_token", "glrt-x")).await;
    let mount = r#"[{ name = "not-there", mount_path = "/x" }]"#;
    workspace.write(
        "override.tf",
        &format!("resource \"gitlabspot_runner_release\" \"runner\" {{\n  volume_mounts = {mount}\n}}\n"),
    );
    let printed = workspace.try_apply().await.failed();
    assert!(
        printed.contains("Cannot apply the runner release") && printed.contains("Not found: \"not-there\""),
        "{printed}"
    );
    let state = workspace.state().await;
    let manifest = &state.resource(ADDRESS)["manifest"];
    let config_map = &manifest[format!("ConfigMap {}/{NAME}", stage.namespace.name())];
    assert!(config_map.is_string(), "{manifest}");
    assert!(stage.namespace.objects().await.contains(&format!("ConfigMap/{NAME}")));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
