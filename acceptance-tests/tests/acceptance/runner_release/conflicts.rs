//! Fields of other field managers: they are reported, and changed only if the plan has shown that a managed field
//! differs.

use gitlabspot_acceptance_tests::{Engine, Stage, Workspace, until};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::{ADDRESS, NAME, files, generation, with_token};

async fn released(stage: &Stage) -> Workspace {
    let workspace = stage.testdata("runner_release/typed", with_token(stage, "runner_token", "glrt-x")).await;
    workspace.apply().await;
    workspace
}

/// Adds attributes to the release.
fn add(workspace: &Workspace, attributes: &str) {
    let text = format!("resource \"gitlabspot_runner_release\" \"runner\" {{\n  {attributes}\n}}\n");
    workspace.write("attributes_override.tf", &text);
}

/// Applies fields of the Deployment with another field manager.
async fn apply_as(stage: &Stage, manager: &str, fields: Value) {
    let mut object = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": NAME } });
    object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let deployments = stage.kubernetes.api::<Deployment>(stage.namespace.name());
    deployments.patch(NAME, &PatchParams::apply(manager), &Patch::Apply(&object)).await.map(drop).unwrap();
}

async fn replicas(stage: &Stage) -> Option<i32> {
    let deployment: Deployment = stage.kubernetes.get(stage.namespace.name(), NAME).await;
    deployment.spec.replicas
}

/// Field managers that own a field of the ConfigMap's data.
fn owners(object: &ConfigMap, file: &str) -> Vec<String> {
    let entries = object.metadata.managed_fields.iter().flatten();
    let owning = entries.filter(|entry| json!(entry.fields_v1)["f:data"].get(format!("f:{file}")).is_some());
    owning.filter_map(|entry| entry.manager.clone()).collect()
}

/// R2: a field that was never managed is not taken from the field manager that applies it, in the first and in later
/// applies.
#[tokio::test]
async fn field_of_another_manager_is_named_and_not_taken() {
    let stage = Stage::new("runner_release/conflict", Engine::opentofu()).await;
    let workspace = released(&stage).await;
    apply_as(&stage, "keda", json!({ "spec": { "replicas": 0 } })).await;
    assert!(workspace.plan().await.is_empty(), "what others add is theirs");

    add(&workspace, "replicas = 1");
    let manifest = workspace.state().await.resource(ADDRESS)["manifest"].clone();
    for _ in 0..2 {
        let printed = workspace.try_apply().await.failed();
        let object = format!("Deployment {}/{NAME}", stage.namespace.name());
        for text in [&object, ".spec.replicas (\"keda\")", "manage it either with that tool or with this configuration"]
        {
            assert!(printed.contains(text), "{text} in {printed}");
        }
        assert_eq!(replicas(&stage).await, Some(0));
        assert_eq!(workspace.state().await.resource(ADDRESS)["manifest"][&object], manifest[&object]);
    }

    // The other field manager gives up the field.
    apply_as(&stage, "keda", json!({})).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(replicas(&stage).await, Some(1));

    // A second field manager applies the same value, and is not overruled when the configuration changes.
    apply_as(&stage, "keda", json!({ "spec": { "replicas": 1 } })).await;
    workspace.assert_stable().await;
    add(&workspace, "replicas = 2");
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains(".spec.replicas (\"keda\")"), "{printed}");
    assert_eq!(replicas(&stage).await, Some(1));
    add(&workspace, "replicas = 1");
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// R26: the number of pods is set after `kubectl scale`, handed over to an autoscaler without a scale-down to 1, and
/// managed again.
#[tokio::test]
async fn replicas_are_handed_to_an_autoscaler_and_back() {
    let stage = Stage::new("runner_release/replicas", Engine::opentofu()).await;
    let workspace = released(&stage).await;
    let deployments = stage.kubernetes.api::<Deployment>(stage.namespace.name());
    let scale = Patch::Merge(json!({ "spec": { "replicas": 4 } }));
    let kubectl = PatchParams { field_manager: Some("kubectl".to_owned()), ..PatchParams::default() };
    deployments.patch_scale(NAME, &kubectl, &scale).await.unwrap();
    assert!(workspace.plan().await.is_empty());
    add(&workspace, "replicas = 2");
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(replicas(&stage).await, Some(2));

    let before = generation(&stage).await;
    let autoscaled = |least: u8| {
        let target = "target = { type = \"Utilization\", average_utilization = 80 }";
        let metrics = format!("[{{ type = \"Resource\", resource = {{ name = \"cpu\", {target} }} }}]");
        format!("hpa = {{ min_replicas = {least}, max_replicas = 5, metrics = {metrics} }}")
    };
    add(&workspace, &autoscaled(2));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!((replicas(&stage).await, generation(&stage).await), (Some(2), before), "it was 1 for a while");

    add(&workspace, &autoscaled(3));
    workspace.apply().await;
    until("the autoscaler has set it", async || replicas(&stage).await == Some(3)).await;
    workspace.assert_stable().await;
    add(&workspace, "replicas = 2");
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(replicas(&stage).await, Some(2));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// R2: managed fields that others changed are shown and restored. A change that the plan has not shown is not
/// overwritten.
#[tokio::test]
async fn changed_managed_field_is_repaired_after_a_plan() {
    let stage = Stage::new("runner_release/taken_back", Engine::opentofu()).await;
    let workspace = released(&stage).await;
    let namespace = stage.namespace.name();
    let config_maps = stage.kubernetes.api::<ConfigMap>(namespace);
    let existing = PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..PatchParams::default() };
    let edit = async |data: Value| {
        let edited = Patch::Merge(json!({ "data": data }));
        config_maps.patch(NAME, &existing, &edited).await.unwrap()
    };
    let edited = edit(json!({ "check-live": "exit 0\n" })).await;
    assert_eq!(owners(&edited, "check-live"), ["kubectl-edit"]);
    let plan = workspace.plan().await;
    assert_eq!(plan.changes(), [(ADDRESS.to_owned(), vec!["update".to_owned()])].into());

    // Others change a field that this plan does not show.
    let _ = edit(json!({ "entrypoint": "exit 1\n" })).await;
    let printed = workspace.try_apply_plan().await.failed();
    let named = format!(
        "ConfigMap {namespace}/{NAME} was not applied, because other field managers own some of its \
        fields"
    );
    assert!(printed.contains(&format!("{named}: .data.entrypoint (\"kubectl-edit\")")), "{printed}");
    assert!(!printed.contains(".data.check-live"), "{printed}");
    assert_eq!(files(&stage).await["entrypoint"], "exit 1\n");

    workspace.apply().await;
    workspace.assert_stable().await;
    let repaired: ConfigMap = stage.kubernetes.get(namespace, NAME).await;
    for file in ["check-live", "entrypoint"] {
        assert_eq!(owners(&repaired, file), ["gitlabspot"]);
    }
    assert!(!repaired.data.unwrap()["entrypoint"].starts_with("exit"));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// A second release with the same object names is refused, and no field of the first release is taken.
#[tokio::test]
async fn objects_of_another_release_are_not_changed() {
    let stage = Stage::new("runner_release/two", Engine::opentofu()).await;
    let workspace = released(&stage).await;
    let manifest = workspace.state().await.resource(ADDRESS)["manifest"].clone();
    let second = r#"
resource "gitlabspot_runner_release" "second" {
  name                    = "second"
  namespace               = var.namespace
  fullname_override       = "gitlab-runner"
  gitlab_url              = "https://gitlab.com/"
  runner_token_wo         = var.runner_token
  runner_token_wo_version = 1
  depends_on              = [gitlabspot_runner_release.runner]
}
"#;
    workspace.write("second.tf", second);
    let printed = workspace.try_apply().await.failed();
    let owner = format!("belongs to the release {}/{NAME}", stage.namespace.name());
    assert!(printed.contains("Object already exists") && printed.contains(&owner), "{printed}");
    workspace.write("second.tf", "");
    workspace.assert_stable().await;
    assert_eq!(workspace.state().await.resource(ADDRESS)["manifest"], manifest);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
