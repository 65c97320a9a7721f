//! The wait for the pods of the manager.

use gitlabspot_acceptance_tests::{KubernetesFault, until};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ResourceQuota;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

use super::{ADDRESS, NAME, end, generation, replica_sets, start_pods, typed};

/// R5: a wait does not end with the status of an older generation.
#[tokio::test]
async fn stale_deployment_status_is_not_success() {
    let (stage, workspace) = typed("stale").await;
    workspace.apply().await;
    let proxy = stage.kubernetes_faults();
    proxy.forget();
    let stale = |deployment: &mut serde_json::Value| {
        let generation = deployment["metadata"]["generation"].as_i64().unwrap();
        deployment["status"]["observedGeneration"] = (generation - 1).into();
    };
    workspace.set(&json!({ "concurrent": 4 }));
    // The first read is that of the refresh.
    let deployment = format!("/deployments/{NAME}");
    proxy.inject(KubernetesFault::changed("GET", &deployment, stale).after(1).times(3));
    let printed = workspace.apply().await.prose();
    let looks = proxy.calls_of("GET", &deployment);
    let stale = looks.iter().filter(|look| look.fault.is_some()).count();
    assert!(stale == 3 && looks.last().unwrap().fault.is_none(), "{looks:#?} {printed}");
    assert_eq!(workspace.state().await.resource(ADDRESS)["status"], "available");
    workspace.assert_stable().await;
    end(&stage, &workspace).await;
}

/// R6: when the controller reports that the deadline is exceeded, the apply fails at once with its message and the
/// reasons of the pods. The state has the applied objects.
#[tokio::test]
async fn exceeded_progress_deadline_is_explained() {
    let (stage, workspace) = typed("deadline").await;
    workspace.apply().await;
    let deployments = stage.kubernetes.api::<Deployment>(stage.namespace.name());
    let soon = json!({ "spec": { "progressDeadlineSeconds": 2 } });
    deployments.patch(NAME, &PatchParams::default(), &Patch::Merge(&soon)).await.unwrap();
    assert!(workspace.plan().await.is_empty(), "the deadline is not ours");
    workspace.set(&json!({ "image_missing": true }));
    let printed = workspace.try_apply().await.failed();
    for text in [
        "Runner manager is not available",
        "has timed out progressing",
        "ImagePullBackOff",
        "were applied and are in the state",
    ] {
        assert!(printed.contains(text), "{text} in {printed}");
    }
    assert!(!printed.contains("timed out after"), "waited on: {printed}");
    let plan = workspace.plan().await;
    assert_eq!(plan.change(ADDRESS)["before"]["status"], "failed");
    assert_eq!(plan.change(ADDRESS)["actions"], json!(["update"]));
    start_pods(&stage).await;
    until("the pods run", async || {
        let status = deployments.get(NAME).await.unwrap().status.unwrap();
        status.unavailable_replicas.is_none() && status.updated_replicas == Some(1)
    })
    .await;
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(replica_sets(&stage).await, 2);
    end(&stage, &workspace).await;
}

/// R20: pods that are not admitted have no status. The error has the reason of the ReplicaSet, and the next apply
/// succeeds.
#[tokio::test]
async fn refused_pods_are_explained_by_the_replica_set() {
    let (stage, workspace) = typed("refused_pods").await;
    workspace.apply().await;
    let quotas = stage.kubernetes.api::<ResourceQuota>(stage.namespace.name());
    let quota = json!({ "metadata": { "name": "none" }, "spec": { "hard": { "pods": "1" } } });
    quotas.create(&PostParams::default(), &serde_json::from_value(quota).unwrap()).await.unwrap();
    until("the quota counts", async || {
        let quota = quotas.get("none").await.unwrap();
        quota.status.and_then(|status| status.used).is_some_and(|used| used["pods"].0 == "1")
    })
    .await;
    workspace.set(&json!({ "concurrent": 4, "update_timeout": "5s" }));
    let printed = workspace.try_apply().await.failed();
    for text in ["did not complete: timed out after ", "0 of 1 pods are new; pods are refused:", "exceeded quota: none"]
    {
        assert!(printed.contains(text), "{text} in {printed}");
    }
    assert_eq!(workspace.plan().await.change(ADDRESS)["before"]["status"], "progressing");
    quotas.delete("none", &DeleteParams::default()).await.unwrap();
    workspace.set(&json!({ "update_timeout": null }));
    workspace.apply().await;
    workspace.assert_stable().await;
    end(&stage, &workspace).await;
}

/// R7: after a timeout, the next apply continues the wait and restarts nothing.
#[tokio::test]
async fn rollout_timeout_is_continued_by_the_next_apply() {
    let (stage, workspace) = typed("waits_on").await;
    workspace.apply().await;
    workspace.set(&json!({ "image_missing": true, "update_timeout": "2s" }));
    let printed = workspace.try_apply().await.failed();
    assert!(
        printed.contains("did not complete: timed out after ") && printed.contains("The next apply waits again"),
        "{printed}"
    );
    let before = generation(&stage).await;
    workspace.set(&json!({ "update_timeout": null }));
    let proxy = stage.kubernetes_faults();
    proxy.forget();
    let running = workspace.begin_apply();
    until("it waits", async || proxy.calls_of("GET", &format!("/deployments/{NAME}")).len() > 2).await;
    start_pods(&stage).await;
    let _ = running.output().await.succeeded();
    workspace.assert_stable().await;
    assert_eq!((generation(&stage).await, replica_sets(&stage).await), (before, 2));
    end(&stage, &workspace).await;
}

/// Changes of the configuration, of the token, and of values in `restart_on` each restart the manager once.
#[tokio::test]
async fn each_change_restarts_the_manager_once() {
    let (stage, workspace) = typed("once").await;
    workspace.apply().await;
    assert_eq!(replica_sets(&stage).await, 1);
    let changes = [
        json!({ "concurrent": 4 }),
        json!({ "runner_token": "glrt-another", "runner_token_version": 2 }),
        json!({ "concurrent": 5, "runner_token": "glrt-third", "runner_token_version": 3 }),
    ];
    let mut expected = 1;
    for change in changes {
        workspace.set(&change);
        expected += 1;
        for _ in 0..2 {
            workspace.apply().await;
            assert_eq!(replica_sets(&stage).await, expected, "{change}");
        }
    }
    // A change that is not part of the pods restarts nothing.
    workspace.set(&json!({ "pod_disruption_budget": false }));
    workspace.apply().await;
    assert_eq!(replica_sets(&stage).await, expected);
    workspace.write(
        "override.tf",
        "resource \"gitlabspot_runner_release\" \"runner\" {\n  restart_on = { secret = \"1\" }\n}\n",
    );
    workspace.apply().await;
    assert_eq!(replica_sets(&stage).await, expected + 1);
    workspace.assert_stable().await;
    end(&stage, &workspace).await;
}
