//! Placeholder pods without a schedule: a Deployment.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::{ADDRESS, Fixture, NAME, pending, pod, run_job};

/// W1: placeholder pods run on the build node only. A job preempts one at once, which is then pending.
#[tokio::test]
async fn job_preempts_a_placeholder_at_once() {
    let fixture = Fixture::new("preemption", json!({})).await;
    let printed = fixture.workspace.apply().await;
    assert!(
        printed.prose().contains("The cluster autoscaler does not add nodes for pods with a priority below -10"),
        "{printed}"
    );
    fixture.workspace.assert_stable().await;
    fixture.until_placeholders(&[fixture.running(), fixture.running()]).await;

    run_job(&fixture.stage, &fixture.node, "job").await;
    fixture.until_placeholders(&[pending(), fixture.running()]).await;
    fixture.workspace.assert_stable().await;

    // The job ends, and its capacity is reserved again.
    let pods = fixture.stage.kubernetes.api::<Pod>(fixture.stage.namespace.name());
    pods.delete("job", &DeleteParams::default()).await.unwrap();
    fixture.until_placeholders(&[fixture.running(), fixture.running()]).await;
    fixture.destroy().await;
}

/// W2: while no node has capacity, placeholder pods are pending and an apply succeeds.
#[tokio::test]
async fn apply_does_not_wait_for_nodes() {
    let fixture = Fixture::new("no_node", json!({})).await;
    let mut pod = pod(&fixture.node);
    pod["node_selector"] = json!({ "no-such": "node" });
    fixture.workspace.set(&json!({ "pod": pod, "pods": 3, "create_timeout": "40s" }));
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    fixture.until_placeholders(&[pending(), pending(), pending()]).await;
    fixture.destroy().await;
}

/// W3: number, size and priority are updated in place, and the old priority class is deleted.
#[tokio::test]
async fn updates_in_place() {
    let fixture = Fixture::new("update", json!({ "pods": 1 })).await;
    fixture.workspace.apply().await;
    fixture.until_placeholders(&[fixture.running()]).await;
    fixture.workspace.assert_import(ADDRESS, &fixture.id(), &[]).await;

    let mut half = pod(&fixture.node);
    half["cpu"] = "1".into();
    half["ephemeral_storage"] = "1Gi".into();
    half["tolerations"].as_array_mut().unwrap().push(json!({ "operator": "Exists", "effect": "PreferNoSchedule" }));
    fixture.workspace.set(&json!({ "pods": 2, "pod": half, "priority": fixture.priority - 1 }));
    assert_eq!(fixture.workspace.plan().await.changes(), [(ADDRESS.to_owned(), vec!["update".to_owned()])].into());
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    assert!(!fixture.has_class().await);
    let deployment: Deployment = fixture.stage.kubernetes.get(fixture.stage.namespace.name(), NAME).await;
    let spec = deployment.spec;
    let template = spec.template.spec.unwrap();
    assert_eq!(spec.replicas, Some(2));
    assert_eq!(template.termination_grace_period_seconds, Some(0));
    let class = format!("gitlabspot-placeholder-minus-{}", 1 - fixture.priority);
    assert_eq!(template.priority_class_name.as_deref(), Some(class.as_str()));
    let requests = serde_json::to_value(&template.containers[0].resources).unwrap();
    assert_eq!(requests["requests"], json!({ "cpu": "1", "memory": "8Gi", "ephemeral-storage": "1Gi" }));
    fixture.workspace.assert_import(ADDRESS, &fixture.id(), &[]).await;

    // Another name replaces the resource.
    fixture.workspace.set(&json!({ "name": "other", "priority": fixture.priority }));
    let plan = fixture.workspace.plan().await;
    assert_eq!(plan.change(ADDRESS)["replace_paths"], json!([["name"]]));
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    fixture.destroy().await;
}

/// W4: the plan shows objects that were changed or deleted manually, and the apply repairs them.
#[tokio::test]
async fn manual_changes_are_reported_and_repaired() {
    let fixture = Fixture::new("drift", json!({})).await;
    fixture.workspace.apply().await;
    let (namespace, key) = (fixture.stage.namespace.name(), format!("Deployment {}", fixture.id()));
    let deployments = fixture.stage.kubernetes.api::<Deployment>(namespace);
    let edited = json!({ "spec": { "replicas": 5, "template": { "spec": { "containers": [{
        "name": "placeholder", "resources": { "requests": { "cpu": "100m" } },
    }] } } } });
    deployments.patch(NAME, &PatchParams::default(), &Patch::Strategic(&edited)).await.unwrap();

    let plan = fixture.workspace.plan().await;
    assert_eq!(plan.changes(), [(ADDRESS.to_owned(), vec!["update".to_owned()])].into());
    let shown = plan.change(ADDRESS)["before"]["manifest"][&key].as_str().unwrap();
    let shown: Value = serde_json::from_str(shown).unwrap();
    assert_eq!(shown["spec"]["replicas"], 5);
    assert_eq!(shown["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"], "100m");
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    fixture.until_placeholders(&[fixture.running(), fixture.running()]).await;

    // Without its label, the Deployment is still managed.
    let edited = json!({ "metadata": { "labels": { "app.kubernetes.io/managed-by": null } } });
    deployments.patch(NAME, &PatchParams::default(), &Patch::Merge(&edited)).await.unwrap();
    assert!(!fixture.workspace.plan().await.is_empty());
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;

    // Only the deleted Deployment is missing, and is created again.
    deployments.delete(NAME, &DeleteParams::default()).await.unwrap();
    let plan = fixture.workspace.plan().await;
    let before = plan.change(ADDRESS)["before"]["manifest"].as_object().unwrap();
    assert_eq!(before.keys().collect::<Vec<_>>(), [&format!("PriorityClass {}", fixture.class())]);
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    fixture.until_placeholders(&[fixture.running(), fixture.running()]).await;
    fixture.destroy().await;
}
