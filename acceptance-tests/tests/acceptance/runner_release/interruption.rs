//! Interrupted runs: Ctrl-C and SIGKILL.

use gitlabspot_acceptance_tests::{KubernetesFault, Running, Stage, until};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::{ADDRESS, NAME, end, generation, is_waiting_for_rollout, replica_sets, start_pods, typed};

/// Resources that a create applies, in order.
const KINDS: [&str; 9] = [
    "secrets",
    "serviceaccounts",
    "roles",
    "rolebindings",
    "configmaps",
    "services",
    "deployments",
    "poddisruptionbudgets",
    "servicemonitors",
];

/// Sends SIGINT, as Ctrl-C does, and asserts that the command ends soon.
async fn interrupted(stage: &Stage, running: Running) -> String {
    let proxy = stage.kubernetes_faults();
    running.interrupt_soon(|| proxy.calls().len()).await.failed()
}

/// Waits until a request hangs, and kills engine and provider.
async fn killed_while_hanging(stage: &Stage, running: Running) {
    let proxy = stage.kubernetes_faults();
    until("a request hangs", async || proxy.calls().iter().any(|call| call.fault.is_some())).await;
    let _ = running.kill().await;
    proxy.forget();
}

/// R16: Ctrl-C during the rollout of a create. The state has the release, and the next apply replaces it, because the
/// resource is tainted.
#[tokio::test]
async fn interrupt_during_create() {
    let (stage, workspace) = typed("interrupted_create").await;
    workspace.set(&json!({ "image_missing": true }));
    let running = workspace.begin_apply();
    is_waiting_for_rollout(stage.kubernetes_faults()).await;
    let printed = interrupted(&stage, running).await;
    assert!(
        printed.contains("cancelled; last observed: ")
            && printed.contains("The objects that were created are in the state"),
        "{printed}"
    );
    assert!(printed.contains("the next apply deletes and recreates it"), "{printed}");
    assert!(workspace.state().await.resource(ADDRESS)["manifest"].as_object().unwrap().len() == KINDS.len());
    workspace.set(&json!({ "image_missing": false }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["delete", "create"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    end(&stage, &workspace).await;
}

/// R16: Ctrl-C during the rollout of an update. The next apply continues the wait and restarts nothing.
#[tokio::test]
async fn interrupt_during_update() {
    let (stage, workspace) = typed("interrupted_update").await;
    workspace.apply().await;
    let proxy = stage.kubernetes_faults();
    proxy.forget();
    workspace.set(&json!({ "image_missing": true }));
    let running = workspace.begin_apply();
    is_waiting_for_rollout(proxy).await;
    let printed = interrupted(&stage, running).await;
    assert!(printed.contains("cancelled; last observed: "), "{printed}");
    let before = generation(&stage).await;
    start_pods(&stage).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!((generation(&stage).await, replica_sets(&stage).await), (before, 2));
    end(&stage, &workspace).await;
}

/// R16: Ctrl-C while the API server does not respond or does not run. The eight attempts are not completed.
#[tokio::test]
async fn interrupt_while_the_api_server_is_silent() {
    let (stage, workspace) = typed("interrupted_silence").await;
    let proxy = stage.kubernetes_faults();
    proxy.inject(KubernetesFault::hang("PATCH", &format!("/configmaps/{NAME}")).without("dryRun").times(0));
    let running = workspace.begin_apply();
    until("a request hangs", async || proxy.calls().iter().any(|call| call.fault.is_some())).await;
    let printed = interrupted(&stage, running).await;
    assert!(printed.contains("the run was stopped before the Kubernetes API responded"), "{printed}");
    assert!(workspace.state().await.contains(ADDRESS));
    proxy.forget();
    workspace.apply().await;
    workspace.assert_stable().await;

    proxy.forget();
    workspace.set(&json!({ "image_missing": true }));
    let running = workspace.begin_apply();
    is_waiting_for_rollout(proxy).await;
    proxy.go_down().await;
    let printed = interrupted(&stage, running).await;
    // The run is stopped between two requests or during one.
    let is_stopped = printed.contains("did not complete: cancelled") || printed.contains("the run was stopped before");
    let rollout =
        format!("The rollout of the manager of the release {}/{NAME} did not complete", stage.namespace.name());
    assert!(printed.contains(&rollout) && is_stopped, "{printed}");
    proxy.come_back();
    workspace.set(&json!({ "image_missing": false }));
    workspace.apply().await;
    workspace.assert_stable().await;
    end(&stage, &workspace).await;
}

/// R16: Ctrl-C while a destroy waits for the last jobs. Roles and other objects that the pods need remain. The next
/// plan shows what is being deleted, an apply waits for the deletion and creates it again, and a destroy continues the
/// wait.
#[tokio::test]
async fn interrupt_during_destroy() {
    let (stage, workspace) = typed("interrupted_destroy").await;
    workspace.apply().await;
    let pods = stage.kubernetes.api::<Pod>(stage.namespace.name());
    let proxy = stage.kubernetes_faults();
    let hold = async |finalizers: Value| {
        let pod = pods.list(&ListParams::default()).await.unwrap().items.remove(0).metadata.name.unwrap();
        let held = json!({ "metadata": { "finalizers": finalizers } });
        pods.patch(&pod, &PatchParams::default(), &Patch::Merge(held)).await.unwrap();
    };
    let interrupt = async || {
        hold(json!(["local-cloud/job"])).await;
        proxy.forget();
        let running = workspace.begin_destroy();
        until("the Deployment is being deleted", async || !proxy.calls_of("DELETE", "/deployments/").is_empty()).await;
        let printed = interrupted(&stage, running).await;
        let removing = format!("Removing the release {}/{NAME} failed: cancelled", stage.namespace.name());
        assert!(printed.contains(&removing) && printed.contains("destroy again"), "{printed}");
        let left = stage.namespace.objects().await;
        for kind in ["Role", "RoleBinding", "ServiceAccount", "ConfigMap", "Secret"] {
            assert!(left.contains(&format!("{kind}/{NAME}")), "{kind} in {left:?}");
        }
        assert!(workspace.state().await.contains(ADDRESS));
    };
    interrupt().await;
    let deployments = stage.kubernetes.api::<Deployment>(stage.namespace.name());
    let before = deployments.get(NAME).await.unwrap().metadata.uid;
    let plan = workspace.plan().await;
    let shown = plan.change(ADDRESS)["before"]["manifest"].as_object().unwrap();
    let ending: Vec<&String> =
        shown.iter().filter(|(_, it)| it.to_string().contains("deletionTimestamp")).map(|(key, _)| key).collect();
    assert_eq!(ending, [&format!("Deployment {}/{NAME}", stage.namespace.name())]);
    proxy.forget();
    let running = workspace.begin_apply();
    let looks = format!("/deployments/{NAME}");
    until("its end is waited for", async || proxy.calls_of("GET", &looks).len() > 4).await;
    assert_eq!(proxy.changes(), [""; 0]);
    hold(Value::Null).await;
    let _ = running.output().await.succeeded();
    workspace.assert_stable().await;
    assert_ne!(deployments.get(NAME).await.unwrap().metadata.uid, before);

    interrupt().await;
    hold(Value::Null).await;
    end(&stage, &workspace).await;
}

/// R16: SIGKILL at each request of a create. Each further run continues without a state, and in the end every object
/// exists once.
#[tokio::test]
async fn crash_at_every_request_of_a_create() {
    let (stage, workspace) = typed("killed_create").await;
    let proxy = stage.kubernetes_faults();
    let places = KINDS.map(|kind| format!("/{kind}/{NAME}?"));
    for place in std::iter::once(&format!("/namespaces/{}?", stage.namespace.name())).chain(&places) {
        proxy.inject(KubernetesFault::hang("PATCH", place).without("dryRun"));
        killed_while_hanging(&stage, workspace.begin_apply()).await;
        assert!(!workspace.state().await.contains(ADDRESS));
    }
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(stage.namespace.objects().await.iter().filter(|name| name.starts_with("Deployment/")).count(), 1);
    end(&stage, &workspace).await;
}

/// R16: SIGKILL in an update that has created an object which is not in the state. A destroy deletes this object, and
/// so does the next apply of a configuration without it.
#[tokio::test]
async fn crash_during_update() {
    let (stage, workspace) = typed("killed_update").await;
    let budgets = stage.kubernetes.api::<PodDisruptionBudget>(stage.namespace.name());
    workspace.set(&json!({ "pod_disruption_budget": false }));
    workspace.apply().await;
    let proxy = stage.kubernetes_faults();
    for concurrent in [4, 5] {
        workspace.set(&json!({ "pod_disruption_budget": true, "concurrent": concurrent }));
        proxy.inject(KubernetesFault::hang("PATCH", &format!("/servicemonitors/{NAME}?")).without("dryRun"));
        killed_while_hanging(&stage, workspace.begin_apply()).await;
        assert!(budgets.get_opt(NAME).await.unwrap().is_some());
        workspace.set(&json!({ "pod_disruption_budget": false }));
        if concurrent == 4 {
            workspace.apply().await;
            workspace.assert_stable().await;
            assert!(budgets.get_opt(NAME).await.unwrap().is_none(), "nobody would ever have removed it");
        }
    }
    end(&stage, &workspace).await;
}

/// R16: SIGKILL at each request of a destroy. The next run continues, and in the end nothing remains.
#[tokio::test]
async fn crash_at_every_request_of_a_destroy() {
    let (stage, workspace) = typed("killed_destroy").await;
    workspace.apply().await;
    let proxy = stage.kubernetes_faults();
    for kind in ["deployments", "configmaps", "servicemonitors", "rolebindings", "roles", "serviceaccounts"] {
        proxy.inject(KubernetesFault::hang("DELETE", &format!("/{kind}/{NAME}?")));
        killed_while_hanging(&stage, workspace.begin_destroy()).await;
    }
    proxy.inject(KubernetesFault::hang("DELETE", &format!("/namespaces/{}?", stage.namespace.name())));
    killed_while_hanging(&stage, workspace.begin_destroy()).await;
    end(&stage, &workspace).await;
}

/// R9: if two runs with different states apply the same configuration concurrently, one of them creates the release.
/// The other one fails, and its destroy does not delete objects of the first.
#[tokio::test]
async fn concurrent_applies_of_one_release() {
    let (stage, workspace) = typed("at_once").await;
    let other = workspace.twin();
    let (one, two) = (workspace.begin_apply(), other.begin_apply());
    let (one, two) = tokio::join!(one.output(), two.output());
    let (winner, loser, printed) = match (one.code, two.code) {
        (Some(0), Some(1)) => (&workspace, &other, two.prose()),
        (Some(1), Some(0)) => (&other, &workspace, one.prose()),
        _ => panic!("{one}\n{two}"),
    };
    let reasons = ["belongs to another resource", "was adopted by another resource"];
    assert!(reasons.iter().any(|text| printed.contains(text)), "{printed}");
    winner.assert_stable().await;
    loser.destroy().await;
    winner.assert_stable().await;
    assert_eq!(stage.namespace.objects().await.iter().filter(|name| name.starts_with("Pod/")).count(), 1);
    end(&stage, winner).await;
}
