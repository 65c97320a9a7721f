//! Drift of a release, and applies without changes.

use std::collections::BTreeMap;

use gitlabspot_acceptance_tests::Stage;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service, ServiceAccount};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use super::{ADDRESS, NAME, end, generation, replica_sets, typed};

/// Resource version and managed fields of every object, without those that controllers write.
async fn versions(stage: &Stage) -> BTreeMap<&'static str, (String, Value)> {
    let namespace = stage.namespace.name();
    let kinds = [
        ("ConfigMap", "v1"),
        ("Role", "rbac.authorization.k8s.io/v1"),
        ("RoleBinding", "rbac.authorization.k8s.io/v1"),
        ("Secret", "v1"),
        ("Service", "v1"),
        ("ServiceAccount", "v1"),
        ("ServiceMonitor", "monitoring.coreos.com/v1"),
        ("Deployment", "apps/v1"),
        ("PodDisruptionBudget", "policy/v1"),
    ];
    let mut found = BTreeMap::new();
    for (kind, api_version) in kinds {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api = kube::Api::<DynamicObject>::namespaced_with(stage.kubernetes.client(), namespace, &resource);
        let metadata = api.get(NAME).await.unwrap().metadata;
        let mut entries = json!(metadata.managed_fields);
        entries.as_array_mut().unwrap().retain(|entry| entry["subresource"] != "status");
        // Controllers write the status of these kinds at any time, which changes the resource version.
        let has_status = ["Deployment", "PodDisruptionBudget"].contains(&kind);
        let version =
            if has_status { metadata.generation.unwrap().to_string() } else { metadata.resource_version.unwrap() };
        found.insert(kind, (version, entries));
    }
    found
}

/// R1: a second apply writes nothing, and an apply that changes one object does not write the others.
#[tokio::test]
async fn second_apply_changes_nothing() {
    let (stage, workspace) = typed("twice").await;
    workspace.apply().await;
    let before = versions(&stage).await;
    let proxy = stage.kubernetes_faults();
    proxy.forget();
    workspace.apply().await;
    assert_eq!(proxy.changes(), [""; 0]);
    assert_eq!(versions(&stage).await, before);

    workspace.write(
        "override.tf",
        "resource \"gitlabspot_runner_release\" \"runner\" {\n  pod_disruption_budget = { max_unavailable = \"2\" }\n}\n",
    );
    workspace.apply().await;
    assert!(proxy.changes().len() > 5, "every object is applied again: {:?}", proxy.changes());
    let after = versions(&stage).await;
    let changed: Vec<&str> = before.keys().filter(|kind| before[*kind] != after[*kind]).copied().collect();
    // The ConfigMap stores the attributes for an import.
    assert_eq!(changed, ["ConfigMap", "PodDisruptionBudget"]);
    assert_eq!(replica_sets(&stage).await, 1);
    end(&stage, &workspace).await;
}

/// R14: an object that is no longer in the configuration is deleted only if it is managed.
#[tokio::test]
async fn removed_object_is_deleted_only_if_managed() {
    let (stage, workspace) = typed("pruned").await;
    workspace.apply().await;
    let budgets = stage.kubernetes.api::<PodDisruptionBudget>(stage.namespace.name());
    let theirs = json!({ "metadata": { "labels": { "app.kubernetes.io/managed-by": "somebody" } } });
    budgets.patch(NAME, &PatchParams::default(), &Patch::Merge(&theirs)).await.unwrap();
    workspace.set(&json!({ "pod_disruption_budget": false }));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert!(budgets.get_opt(NAME).await.unwrap().is_some(), "it is somebody's now");
    budgets.delete(NAME, &DeleteParams::default()).await.unwrap();

    workspace.set(&json!({ "pod_disruption_budget": true }));
    workspace.apply().await;
    let proxy = stage.kubernetes_faults();
    proxy.forget();
    workspace.set(&json!({ "pod_disruption_budget": false }));
    workspace.apply().await;
    assert_eq!(proxy.calls_of("DELETE", "").len(), 1);
    assert!(budgets.get_opt(NAME).await.unwrap().is_none());
    end(&stage, &workspace).await;
}

/// R15: the plan shows each object that was deleted manually, and the apply creates it again. Pods whose objects did
/// not change keep running.
#[tokio::test]
async fn manually_deleted_objects_are_created_again() {
    let (stage, workspace) = typed("deleted").await;
    workspace.apply().await;
    let (namespace, before) = (stage.namespace.name(), generation(&stage).await);
    let now = DeleteParams::default();
    macro_rules! delete {
        ($($kind:ty),*) => { $(stage.kubernetes.api::<$kind>(namespace).delete(NAME, &now).await.unwrap();)* };
    }
    delete!(ConfigMap, Secret, Service, ServiceAccount, Role, RoleBinding, PodDisruptionBudget);
    let plan = workspace.plan().await;
    let change = plan.change(ADDRESS);
    assert_eq!(change["actions"], json!(["update"]));
    let left: Vec<&String> = change["before"]["manifest"].as_object().unwrap().keys().collect();
    assert_eq!(left, [&format!("Deployment {namespace}/{NAME}"), &format!("ServiceMonitor {namespace}/{NAME}")]);
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!((generation(&stage).await, replica_sets(&stage).await), (before, 1));

    delete!(Deployment);
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(stage.kubernetes.get::<Deployment>(namespace, NAME).await.status.unwrap().available_replicas, Some(1));
    end(&stage, &workspace).await;
}

/// A change of the cache Secret, which another tool manages, restarts the manager once.
#[tokio::test]
async fn changed_cache_secret_restarts_the_manager_once() {
    let (stage, workspace) = typed("cache_secret").await;
    stage.namespace.create().await;
    let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
    let made = |key: &str| {
        json!({
            "metadata": { "name": "gitlab-runner-s3-access" }, "stringData": { "accesskey": key, "secretkey": "x" },
        })
    };
    secrets.create(&PostParams::default(), &serde_json::from_value(made("AKIA1")).unwrap()).await.unwrap();
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(replica_sets(&stage).await, 1);

    secrets.patch("gitlab-runner-s3-access", &PatchParams::default(), &Patch::Merge(made("AKIA2"))).await.unwrap();
    let plan = workspace.plan().await;
    assert!(
        plan.change(ADDRESS).to_string().contains("before changes of gitlab-runner-s3-access"),
        "{}",
        plan.output()
    );
    assert!(!plan.json().to_string().contains("AKIA2"));
    for _ in 0..2 {
        workspace.apply().await;
        workspace.assert_stable().await;
        assert_eq!(replica_sets(&stage).await, 2);
    }
    workspace.destroy().await;
    secrets.delete("gitlab-runner-s3-access", &DeleteParams::default()).await.unwrap();
    stage.assert_nothing_remains().await;
}

/// Quantities that are numbers in YAML equal the strings of the server.
#[tokio::test]
async fn numeric_quantities_are_not_drift() {
    let stage = Stage::new("runner_release/numbers", gitlabspot_acceptance_tests::Engine::opentofu()).await;
    let workspace = stage.testdata("runner_release/values", super::variables(&stage)).await;
    workspace.write(
        "values.yaml",
        "gitlabUrl: https://gitlab.com/\nrunnerToken: glrt-x\nresources: {limits: {cpu: 0.5, memory: 536870912}, \
         requests: {cpu: 0.1}}\n",
    );
    workspace.apply().await;
    workspace.assert_stable().await;
    let deployment: Deployment = stage.kubernetes.get(stage.namespace.name(), NAME).await;
    let resources = deployment.spec.template.spec.unwrap().containers[0].resources.clone().unwrap();
    assert_eq!(resources.limits.unwrap()["cpu"].0, "500m");
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
