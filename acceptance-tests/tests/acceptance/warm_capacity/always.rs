//! Placeholders that are always kept: a Deployment.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::{ADDRESS, NAME, Scene, pending, pod, run_job};

/// W1: placeholders fill the build node and no other; a job takes the place of one at once, which then waits for a node.
#[tokio::test]
async fn a_job_takes_the_place_of_a_placeholder_at_once() {
    let scene = Scene::new("preemption", json!({})).await;
    let said = scene.workspace.apply().await;
    assert!(
        said.prose().contains("The cluster autoscaler does not add nodes for pods with a priority below -10"),
        "{said}"
    );
    scene.workspace.assert_stable().await;
    scene.until_placeholders(&[scene.running(), scene.running()]).await;

    run_job(&scene.stage, &scene.node, "job").await;
    scene.until_placeholders(&[pending(), scene.running()]).await;
    scene.workspace.assert_stable().await;

    // The job ends, and its room is kept for the next.
    let pods = scene.stage.kubernetes.api::<Pod>(scene.stage.namespace.name());
    pods.delete("job", &DeleteParams::default()).await.unwrap();
    scene.until_placeholders(&[scene.running(), scene.running()]).await;
    scene.destroy().await;
}

/// W2: while there is no node for them, placeholders are pending and an apply ends all the same.
#[tokio::test]
async fn an_apply_does_not_wait_for_nodes() {
    let scene = Scene::new("no_node", json!({})).await;
    let mut pod = pod(&scene.node);
    pod["node_selector"] = json!({ "no-such": "node" });
    scene.workspace.set(&json!({ "pod": pod, "pods": 3, "create_timeout": "40s" }));
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    scene.until_placeholders(&[pending(), pending(), pending()]).await;
    scene.destroy().await;
}

/// W3: number, size and priority change in place, and the old priority class goes.
#[tokio::test]
async fn everything_but_the_name_changes_in_place() {
    let scene = Scene::new("update", json!({ "pods": 1 })).await;
    scene.workspace.apply().await;
    scene.until_placeholders(&[scene.running()]).await;
    scene.workspace.assert_import(ADDRESS, &scene.id(), &[]).await;

    let mut half = pod(&scene.node);
    half["cpu"] = "1".into();
    half["ephemeral_storage"] = "1Gi".into();
    half["tolerations"].as_array_mut().unwrap().push(json!({ "operator": "Exists", "effect": "PreferNoSchedule" }));
    scene.workspace.set(&json!({ "pods": 2, "pod": half, "priority": scene.priority - 1 }));
    assert_eq!(scene.workspace.plan().await.changes(), [(ADDRESS.to_owned(), vec!["update".to_owned()])].into());
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    assert!(!scene.has_class().await);
    let deployment: Deployment = scene.stage.kubernetes.get(scene.stage.namespace.name(), NAME).await;
    let spec = deployment.spec;
    let template = spec.template.spec.unwrap();
    assert_eq!(spec.replicas, Some(2));
    assert_eq!(template.termination_grace_period_seconds, Some(0));
    let class = format!("gitlabspot-placeholder-minus-{}", 1 - scene.priority);
    assert_eq!(template.priority_class_name.as_deref(), Some(class.as_str()));
    let requests = serde_json::to_value(&template.containers[0].resources).unwrap();
    assert_eq!(requests["requests"], json!({ "cpu": "1", "memory": "8Gi", "ephemeral-storage": "1Gi" }));
    scene.workspace.assert_import(ADDRESS, &scene.id(), &[]).await;

    // Another name is another resource.
    scene.workspace.set(&json!({ "name": "other", "priority": scene.priority }));
    let plan = scene.workspace.plan().await;
    assert_eq!(plan.change(ADDRESS)["replace_paths"], json!([["name"]]));
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    scene.destroy().await;
}

/// W4: what was changed or deleted by hand is shown object by object, and repaired.
#[tokio::test]
async fn changes_by_hand_are_shown_and_repaired() {
    let scene = Scene::new("drift", json!({})).await;
    scene.workspace.apply().await;
    let (namespace, key) = (scene.stage.namespace.name(), format!("Deployment {}", scene.id()));
    let deployments = scene.stage.kubernetes.api::<Deployment>(namespace);
    let edited = json!({ "spec": { "replicas": 5, "template": { "spec": { "containers": [{
        "name": "placeholder", "resources": { "requests": { "cpu": "100m" } },
    }] } } } });
    deployments.patch(NAME, &PatchParams::default(), &Patch::Strategic(&edited)).await.unwrap();

    let plan = scene.workspace.plan().await;
    assert_eq!(plan.changes(), [(ADDRESS.to_owned(), vec!["update".to_owned()])].into());
    let shown = plan.change(ADDRESS)["before"]["manifest"][&key].as_str().unwrap();
    let shown: Value = serde_json::from_str(shown).unwrap();
    assert_eq!(shown["spec"]["replicas"], 5);
    assert_eq!(shown["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"], "100m");
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    scene.until_placeholders(&[scene.running(), scene.running()]).await;

    // Without its label it is ours all the same.
    let edited = json!({ "metadata": { "labels": { "app.kubernetes.io/managed-by": null } } });
    deployments.patch(NAME, &PatchParams::default(), &Patch::Merge(&edited)).await.unwrap();
    assert!(!scene.workspace.plan().await.is_empty());
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;

    // The Deployment is gone: it alone is missing, and comes back.
    deployments.delete(NAME, &DeleteParams::default()).await.unwrap();
    let plan = scene.workspace.plan().await;
    let before = plan.change(ADDRESS)["before"]["manifest"].as_object().unwrap();
    assert_eq!(before.keys().collect::<Vec<_>>(), [&format!("PriorityClass {}", scene.class())]);
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    scene.until_placeholders(&[scene.running(), scene.running()]).await;
    scene.destroy().await;
}
