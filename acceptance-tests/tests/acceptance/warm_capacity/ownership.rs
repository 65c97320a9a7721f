//! Owners of objects.

use gitlabspot_acceptance_tests::{Engine, Stage};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use serde_json::json;

use super::{ADDRESS, Fixture, NAME};

/// W9: two resources with one priority share its class. The deletion of the last one deletes the class.
#[tokio::test]
async fn priority_class_is_shared() {
    let fixture = Fixture::new("shared", json!({ "pods": 1 })).await;
    let other = fixture.workspace.twin();
    other.set(&json!({ "name": "other" }));
    let (one, two) = tokio::join!(fixture.workspace.try_apply(), other.try_apply());
    let _ = (one.succeeded(), two.succeeded());
    fixture.until_placeholders(&[fixture.running(), fixture.running()]).await;
    other.destroy().await;
    assert!(fixture.has_class().await);
    fixture.workspace.assert_stable().await;
    fixture.until_placeholders(&[fixture.running()]).await;

    // Others create the class with another value. The value is immutable, so that the class is replaced.
    let classes: Api<PriorityClass> = Api::all(fixture.stage.kubernetes.client());
    let mut class = classes.get(&fixture.class()).await.unwrap();
    classes.delete(&fixture.class(), &DeleteParams::default()).await.unwrap();
    class.value = Some(7);
    class.metadata.resource_version = None;
    class.metadata.uid = None;
    class.metadata.managed_fields = None;
    classes.create(&PostParams::default(), &class).await.unwrap();
    assert!(!fixture.workspace.plan().await.is_empty());
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    assert_eq!(classes.get(&fixture.class()).await.unwrap().value.map(i64::from), Some(fixture.priority));
    fixture.destroy().await;
}

/// W10: objects of others are not changed, and nothing else is created.
#[tokio::test]
async fn objects_of_others_are_not_changed() {
    let fixture = Fixture::new("stranger", json!({})).await;
    let namespace = fixture.stage.namespace.name();
    let theirs = json!({
        "metadata": { "name": NAME, "labels": { "app.kubernetes.io/managed-by": "gitlabspot" } },
        "spec": {
            "replicas": 0, "selector": { "matchLabels": { "app": "runner" } },
            "template": {
                "metadata": { "labels": { "app": "runner" } },
                "spec": { "containers": [{ "name": "a", "image": "a" }] },
            },
        },
    });
    let deployments = fixture.stage.kubernetes.api::<Deployment>(namespace);
    deployments.create(&PostParams::default(), &serde_json::from_value(theirs).unwrap()).await.unwrap();
    let printed = fixture.workspace.try_apply().await.failed();
    assert!(printed.contains("Object already exists"), "{printed}");
    assert!(printed.contains(&format!("Deployment {namespace}/{NAME} already exists")), "{printed}");
    assert!(!fixture.workspace.state().await.contains(ADDRESS));
    assert!(!fixture.has_class().await);
    let labels = ListParams::default().labels("app.kubernetes.io/name=gitlabspot-warm-capacity");
    assert_eq!(deployments.list(&labels).await.unwrap().items, []);
}

/// W11: an import by ID with the name of the cluster, and by identity. A missing object is an error.
#[tokio::test]
async fn import_by_id_and_identity() {
    let fixture = Fixture::new("import", json!({ "pods": 1 })).await;
    fixture.workspace.apply().await;
    let printed = fixture.workspace.try_import("gitlabspot_warm_capacity.other", "warm").await.failed();
    assert!(printed.contains("\"warm\" is not namespace/name") || printed.contains("does not exist"), "{printed}");

    let twin = fixture.workspace.twin();
    let _ = twin.run(&["state", "rm", ADDRESS]).await.succeeded();
    let printed = twin.try_import(ADDRESS, &format!("{}/none", fixture.stage.namespace.name())).await.failed();
    assert!(printed.contains("Warm capacity not found"), "{printed}");
    let id = format!("{}:{}", fixture.stage.account.cluster(), fixture.id());
    let _ = twin.try_import(ADDRESS, &id).await.succeeded();
    let state = twin.state().await;
    assert_eq!(state.resource(ADDRESS)["cluster_name"], fixture.stage.account.cluster());
    assert_eq!(state.resource(ADDRESS)["pods"], 1);

    let _ = twin.run(&["state", "rm", ADDRESS]).await.succeeded();
    let (namespace, to) = (fixture.stage.namespace.name(), ADDRESS);
    let identity = format!("{{ namespace = {namespace:?}, name = {NAME:?} }}");
    twin.write("import.tf", &format!("import {{\n  to = {to}\n  identity = {identity}\n}}\n"));
    let plan = twin.plan().await;
    assert!(plan.changes().is_empty(), "{}", plan.output());
    let identity = &plan.change(ADDRESS)["importing"]["identity"];
    assert_eq!((identity["namespace"].as_str(), identity["name"].as_str()), (Some(namespace), Some(NAME)));
    fixture.destroy().await;
}

/// W17: placeholder pods have exactly the size and the placement of the job pods of a release, created in one run with
/// it.
#[tokio::test]
async fn placeholders_match_the_job_pods_of_a_release() {
    let stage = Stage::new("warm_capacity/release", Engine::opentofu()).await;
    let variables = json!({ "cluster_name": stage.account.cluster(), "namespace": stage.namespace.name() });
    let workspace = stage.testdata("warm_capacity/release", variables).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    let deployment: Deployment = stage.kubernetes.get(stage.namespace.name(), NAME).await;
    let pod = serde_json::to_value(deployment.spec.template.spec).unwrap();
    assert_eq!(
        pod["containers"][0]["resources"],
        json!({ "requests": { "cpu": "2500m", "memory": "5Gi", "ephemeral-storage": "10Gi" } })
    );
    assert_eq!(pod["nodeSelector"], json!({ "intent": "build" }));
    assert_eq!(
        pod["tolerations"],
        json!([{ "key": "buildInstance", "operator": "Equal", "value": "true", "effect": "NoSchedule" }])
    );
    let address = "gitlabspot_warm_capacity.warm";
    workspace.assert_import(address, &format!("{}/{NAME}", stage.namespace.name()), &[]).await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
    assert!(!stage.namespace.exists().await);
}

/// W12: a destroy succeeds after the cluster was deleted, with a warning.
#[tokio::test]
async fn destroy_succeeds_after_the_cluster_was_deleted() {
    let fixture = Fixture::new("cluster_gone", json!({ "pods": 1 })).await;
    fixture.workspace.apply().await;
    let account = &fixture.stage.account;
    account.eks().delete_cluster().name(account.cluster()).send().await.unwrap();
    let printed = fixture.workspace.destroy().await;
    assert!(printed.prose().contains("Cluster no longer exists"), "{printed}");
    assert!(!fixture.workspace.state().await.contains(ADDRESS));
    // The cluster was deleted in the account only: the objects remain in the cluster of the tests.
    let classes: Api<PriorityClass> = Api::all(fixture.stage.kubernetes.client());
    classes.delete(&fixture.class(), &DeleteParams::default()).await.unwrap();
}

/// W13: the same with Terraform.
#[tokio::test]
async fn warm_capacity_works_with_terraform() {
    let Some(terraform) = Engine::terraform() else { return };
    let stage = Stage::new("warm_capacity/terraform", terraform).await;
    stage.namespace.create().await;
    let pod = json!({ "cpu": "1", "node_selector": { "no-such": "node" } });
    let variables = json!({
        "cluster_name": stage.account.cluster(), "namespace": stage.namespace.name(), "pod": pod, "pods": 1,
        "schedule": { "start": "0 8 * * MON-FRI", "end": "0 18 * * MON-FRI", "time_zone": "Africa/Johannesburg" },
    });
    let workspace = stage.testdata("warm_capacity/placeholders", variables).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.assert_import(ADDRESS, &format!("{}/{NAME}", stage.namespace.name()), &[]).await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
