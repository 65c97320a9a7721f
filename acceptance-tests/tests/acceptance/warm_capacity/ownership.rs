//! Whose objects are whose.

use gitlabspot_acceptance_tests::{Engine, Stage};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use serde_json::json;

use super::{ADDRESS, NAME, Scene};

/// W9: two of one priority share its class, and the last to go removes it.
#[tokio::test]
async fn a_priority_class_is_shared() {
    let scene = Scene::new("shared", json!({ "pods": 1 })).await;
    let other = scene.workspace.twin();
    other.set(&json!({ "name": "other" }));
    let (one, two) = tokio::join!(scene.workspace.try_apply(), other.try_apply());
    let _ = (one.succeeded(), two.succeeded());
    scene.until_placeholders(&[scene.running(), scene.running()]).await;
    other.destroy().await;
    assert!(scene.has_class().await);
    scene.workspace.assert_stable().await;
    scene.until_placeholders(&[scene.running()]).await;

    // A class with another value was made by hand: its value cannot be changed, so it is made anew.
    let classes: Api<PriorityClass> = Api::all(scene.stage.kubernetes.client());
    let mut class = classes.get(&scene.class()).await.unwrap();
    classes.delete(&scene.class(), &DeleteParams::default()).await.unwrap();
    class.value = Some(7);
    class.metadata.resource_version = None;
    class.metadata.uid = None;
    class.metadata.managed_fields = None;
    classes.create(&PostParams::default(), &class).await.unwrap();
    assert!(!scene.workspace.plan().await.is_empty());
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    assert_eq!(classes.get(&scene.class()).await.unwrap().value.map(i64::from), Some(scene.priority));
    scene.destroy().await;
}

/// W10: what others have made is not touched, and nothing is made beside it.
#[tokio::test]
async fn what_others_made_is_not_touched() {
    let scene = Scene::new("stranger", json!({})).await;
    let namespace = scene.stage.namespace.name();
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
    let deployments = scene.stage.kubernetes.api::<Deployment>(namespace);
    deployments.create(&PostParams::default(), &serde_json::from_value(theirs).unwrap()).await.unwrap();
    let said = scene.workspace.try_apply().await.failed();
    assert!(said.contains("Object already exists"), "{said}");
    assert!(said.contains(&format!("Deployment {namespace}/{NAME} already exists")), "{said}");
    assert!(!scene.workspace.state().await.contains(ADDRESS));
    assert!(!scene.has_class().await);
    let labels = ListParams::default().labels("app.kubernetes.io/name=gitlabspot-warm-capacity");
    assert_eq!(deployments.list(&labels).await.unwrap().items, []);
}

/// W11: import with the name of the cluster, and by identity; what is not there is named.
#[tokio::test]
async fn imports_in_every_way() {
    let scene = Scene::new("import", json!({ "pods": 1 })).await;
    scene.workspace.apply().await;
    let said = scene.workspace.try_import("gitlabspot_warm_capacity.other", "warm").await.failed();
    assert!(said.contains("\"warm\" is not namespace/name") || said.contains("does not exist"), "{said}");

    let twin = scene.workspace.twin();
    let _ = twin.run(&["state", "rm", ADDRESS]).await.succeeded();
    let said = twin.try_import(ADDRESS, &format!("{}/none", scene.stage.namespace.name())).await.failed();
    assert!(said.contains("Warm capacity not found"), "{said}");
    let id = format!("{}:{}", scene.stage.account.cluster(), scene.id());
    let _ = twin.try_import(ADDRESS, &id).await.succeeded();
    let state = twin.state().await;
    assert_eq!(state.resource(ADDRESS)["cluster_name"], scene.stage.account.cluster());
    assert_eq!(state.resource(ADDRESS)["pods"], 1);

    let _ = twin.run(&["state", "rm", ADDRESS]).await.succeeded();
    let (namespace, to) = (scene.stage.namespace.name(), ADDRESS);
    let identity = format!("{{ namespace = {namespace:?}, name = {NAME:?} }}");
    twin.write("import.tf", &format!("import {{\n  to = {to}\n  identity = {identity}\n}}\n"));
    let plan = twin.plan().await;
    assert!(plan.changes().is_empty(), "{}", plan.output());
    let identity = &plan.change(ADDRESS)["importing"]["identity"];
    assert_eq!((identity["namespace"].as_str(), identity["name"].as_str()), (Some(namespace), Some(NAME)));
    scene.destroy().await;
}

/// W17: placeholders of exactly the size and in the place of a release's job pods, made in one run with it.
#[tokio::test]
async fn takes_the_job_pod_of_a_release() {
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
    stage.assert_nothing_left().await;
    assert!(!stage.namespace.exists().await);
}

/// W12: a cluster that is gone lets destroy end, with a warning.
#[tokio::test]
async fn a_cluster_that_is_gone_lets_destroy_end() {
    let scene = Scene::new("cluster_gone", json!({ "pods": 1 })).await;
    scene.workspace.apply().await;
    let account = &scene.stage.account;
    account.eks().delete_cluster().name(account.cluster()).send().await.unwrap();
    let said = scene.workspace.destroy().await;
    assert!(said.prose().contains("Cluster no longer exists"), "{said}");
    assert!(!scene.workspace.state().await.contains(ADDRESS));
    // What only the account has lost is still in the cluster of this test: it goes with the namespace.
    let classes: Api<PriorityClass> = Api::all(scene.stage.kubernetes.client());
    classes.delete(&scene.class(), &DeleteParams::default()).await.unwrap();
}

/// W13: the same with Terraform.
#[tokio::test]
async fn works_with_terraform() {
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
    stage.assert_nothing_left().await;
}
