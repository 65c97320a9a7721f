//! Interrupted runs: Ctrl-C and SIGKILL.

use gitlabspot_acceptance_tests::{KubernetesFault, KubernetesProxy, Running, until};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::scheduled::{now, period};
use super::{ADDRESS, Fixture, NAME, quota_of};

/// Sends SIGINT, as Ctrl-C does, and asserts that the command ends soon.
async fn interrupted(proxy: &KubernetesProxy, running: Running) -> String {
    running.interrupt_soon(|| proxy.calls().len()).await.failed()
}

/// A period in progress.
fn schedule() -> Value {
    period(now() - 3600, now() + 3600)
}

impl Fixture {
    /// Kills engine and provider when a request hangs.
    async fn killed_at(&self, hang: KubernetesFault, begin: impl FnOnce() -> Running) {
        let proxy = self.stage.kubernetes_faults();
        proxy.inject(hang);
        let running = begin();
        until("a request hangs", async || proxy.calls().iter().any(|call| call.fault.is_some())).await;
        let _ = running.kill().await;
        proxy.forget();
    }

    /// Objects that create placeholder pods.
    async fn makers(&self) -> Vec<String> {
        let mut objects = self.stage.namespace.objects().await;
        objects.retain(|object| ["Deployment/", "CronJob/", "Job/"].iter().any(|kind| object.starts_with(kind)));
        objects
    }
}

/// W22: Ctrl-C during the wait for the pods of a create, for both workloads. The state has all objects, and the next
/// apply continues.
#[tokio::test]
async fn interrupt_during_create() {
    for (test, kind, schedule) in [("always", "deployments", Value::Null), ("period", "jobs", schedule())] {
        let fixture =
            Fixture::new(&format!("interrupted_create_{test}"), json!({ "pods": 1, "schedule": schedule })).await;
        let quota = quota_of(&fixture.stage, 0).await;
        let proxy = fixture.stage.kubernetes_faults();
        let running = fixture.workspace.begin_apply();
        fixture.until_waiting(proxy, kind).await;
        let printed = interrupted(proxy, running).await;
        assert!(printed.contains("cancelled; last observed: 0 of 1 pods"), "{printed}");
        assert!(printed.contains("The objects that were created are in the state"), "{printed}");
        assert!(printed.contains("the next apply deletes and recreates it"), "{printed}");
        assert_eq!(fixture.workspace.state().await.resource(ADDRESS)["manifest"].as_object().unwrap().len(), 2);
        quota.lift().await;
        fixture.workspace.apply().await;
        fixture.workspace.assert_stable().await;
        fixture.until_placeholders(&[fixture.running()]).await;
        fixture.destroy().await;
    }
}

/// W22: Ctrl-C during the wait for the pods of an update. The next apply continues the wait, although every object is
/// as desired.
#[tokio::test]
async fn interrupt_during_update() {
    let fixture = Fixture::new("interrupted_update", json!({ "pods": 1 })).await;
    fixture.workspace.apply().await;
    let quota = quota_of(&fixture.stage, 1).await;
    fixture.workspace.set(&json!({ "pods": 2 }));
    let proxy = fixture.stage.kubernetes_faults();
    let running = fixture.workspace.begin_apply();
    fixture.until_waiting(proxy, "deployments").await;
    let printed = interrupted(proxy, running).await;
    assert!(printed.contains("cancelled; last observed: 1 of 2 pods are created"), "{printed}");
    assert_eq!(fixture.workspace.plan().await.changes(), [(ADDRESS.to_owned(), vec!["update".to_owned()])].into());
    quota.lift().await;
    fixture.grows_to_two().await;
}

/// W22: Ctrl-C while the API server does not respond. The state has the objects, and the next apply completes.
#[tokio::test]
async fn interrupt_while_the_api_server_is_silent() {
    let fixture = Fixture::new("interrupted_silence", json!({ "pods": 1 })).await;
    let proxy = fixture.stage.kubernetes_faults();
    proxy.inject(KubernetesFault::hang("PATCH", &format!("/deployments/{NAME}?")).times(0));
    let running = fixture.workspace.begin_apply();
    until("a request hangs", async || proxy.calls().iter().any(|call| call.fault.is_some())).await;
    let printed = interrupted(proxy, running).await;
    assert!(printed.contains("the run was stopped before the Kubernetes API responded"), "{printed}");
    // It is unknown whether the request took effect, so that the state has the object.
    assert_eq!(fixture.workspace.state().await.resource(ADDRESS)["manifest"].as_object().unwrap().len(), 2);
    proxy.forget();
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    fixture.destroy().await;
}

/// W22: Ctrl-C during the wait for the deletion of pods. The plan creates objects that are being deleted, and an apply
/// waits for their deletion before. A destroy continues the wait.
#[tokio::test]
async fn interrupt_during_destroy() {
    let fixture = Fixture::new("interrupted_destroy", json!({ "pods": 1 })).await;
    fixture.workspace.apply().await;
    let pods = fixture.stage.kubernetes.api::<Pod>(fixture.stage.namespace.name());
    let hold = async |finalizers: Value| {
        let pod = pods.list(&ListParams::default()).await.unwrap().items.remove(0).metadata.name.unwrap();
        let held = json!({ "metadata": { "finalizers": finalizers } });
        pods.patch(&pod, &PatchParams::default(), &Patch::Merge(held)).await.unwrap();
    };
    let proxy = fixture.stage.kubernetes_faults();
    let interrupt = async || {
        hold(json!(["local-cloud/held"])).await;
        proxy.forget();
        let running = fixture.workspace.begin_destroy();
        until("it is being deleted", async || !proxy.calls_of("DELETE", "/deployments/").is_empty()).await;
        let printed = interrupted(proxy, running).await;
        let removing =
            format!("Removing the warm capacity {} failed: cancelled; last observed: Deployment", fixture.id());
        assert!(printed.contains(&removing), "{printed}");
        assert!(fixture.workspace.state().await.contains(ADDRESS));
    };
    interrupt().await;
    let deployments = fixture.stage.kubernetes.api::<Deployment>(fixture.stage.namespace.name());
    let before = deployments.get(NAME).await.unwrap().metadata.uid;
    let plan = fixture.workspace.plan().await;
    let shown = plan.change(ADDRESS)["before"]["manifest"].as_object().unwrap();
    assert_eq!(shown.keys().collect::<Vec<_>>(), [&format!("PriorityClass {}", fixture.class())]);
    proxy.forget();
    let running = fixture.workspace.begin_apply();
    let looks = format!("/deployments/{NAME}");
    until("its end is waited for", async || proxy.calls_of("GET", &looks).len() > 3).await;
    assert_eq!(proxy.changes(), [""; 0]);
    hold(Value::Null).await;
    let _ = running.output().await.succeeded();
    fixture.workspace.assert_stable().await;
    assert_ne!(deployments.get(NAME).await.unwrap().metadata.uid, before);

    interrupt().await;
    let running = fixture.workspace.begin_destroy();
    until("it is being deleted", async || proxy.calls_of("DELETE", "/deployments/").len() > 1).await;
    hold(Value::Null).await;
    let _ = running.output().await.succeeded();
    fixture.destroy().await;
}

/// W23: SIGKILL at each request of a create, for both workloads. Each further run continues without a state, and in the
/// end every object exists once.
#[tokio::test]
async fn crash_at_every_request_of_a_create() {
    let always = format!("/deployments/{NAME}");
    let cron_job = format!("/cronjobs/{NAME}?");
    for (test, schedule, requests, makers) in [
        ("always", Value::Null, vec![("PATCH", "?"), ("PATCH", &always), ("GET", &always)], 1),
        (
            "period",
            schedule(),
            vec![("PATCH", "?"), ("PATCH", &cron_job), ("PATCH", "/jobs/warm-"), ("GET", "/jobs/warm-")],
            2,
        ),
    ] {
        let fixture = Fixture::new(&format!("killed_create_{test}"), json!({ "pods": 1, "schedule": schedule })).await;
        let class = format!("/priorityclasses/{}?", fixture.class());
        for (method, part) in requests {
            let part = if part == "?" { &class } else { part };
            // The first read of a Deployment is before its creation.
            let hang = KubernetesFault::hang(method, part).after(u32::from(method == "GET" && part == always));
            fixture.killed_at(hang, || fixture.workspace.begin_apply()).await;
            assert!(!fixture.workspace.state().await.contains(ADDRESS));
        }
        fixture.workspace.apply().await;
        fixture.workspace.assert_stable().await;
        fixture.until_placeholders(&[fixture.running()]).await;
        assert_eq!(fixture.makers().await.len(), makers, "{:?}", fixture.makers().await);
        fixture.destroy().await;
    }
}

/// W23: SIGKILL in a create, followed by a configuration with another workload, is refused with a hint to import. After
/// the import, the apply replaces the workload.
#[tokio::test]
async fn crash_followed_by_another_workload_is_refused() {
    let fixture = Fixture::new("killed_changed", json!({ "pods": 1 })).await;
    let hang = KubernetesFault::hang("GET", &format!("/deployments/{NAME}")).after(2);
    fixture.killed_at(hang, || fixture.workspace.begin_apply()).await;
    assert!(!fixture.workspace.state().await.contains(ADDRESS));
    fixture.workspace.set(&json!({ "schedule": schedule() }));
    let printed = fixture.workspace.try_apply().await.failed();
    let named = format!(
        "Deployment {} already exists and belongs to warm capacity with the same name, but without a schedule",
        fixture.id()
    );
    assert!(
        printed.contains(&named) && printed.contains(&format!("Import it with the ID {}", fixture.id())),
        "{printed}"
    );
    assert_eq!(fixture.makers().await, [format!("Deployment/{NAME}")]);
    assert!(!fixture.workspace.state().await.contains(ADDRESS));

    let _ = fixture.workspace.try_import(ADDRESS, &fixture.id()).await.succeeded();
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    assert!(!fixture.makers().await.contains(&format!("Deployment/{NAME}")));
    fixture.destroy().await;
}

/// W23: SIGKILL in an update to another workload or priority, which is not in the state. A destroy deletes the objects
/// that the update has created, and so does the next apply of the old configuration.
#[tokio::test]
async fn crash_during_update() {
    let fixture = Fixture::new("killed_update", json!({ "pods": 1 })).await;
    fixture.workspace.apply().await;
    let schedule = schedule();
    for _ in 0..2 {
        fixture.workspace.set(&json!({ "schedule": schedule, "priority": fixture.priority - 1 }));
        fixture.killed_at(KubernetesFault::hang("GET", "/jobs/warm-"), || fixture.workspace.begin_apply()).await;
        assert!(fixture.makers().await.contains(&format!("CronJob/{NAME}")));
        fixture.workspace.set(&json!({ "schedule": null, "priority": fixture.priority }));
        fixture.workspace.apply().await;
        fixture.workspace.assert_stable().await;
        assert_eq!(fixture.makers().await, [format!("Deployment/{NAME}")]);
        assert_eq!(fixture.classes().await, [fixture.class()]);
    }
    fixture.workspace.set(&json!({ "schedule": schedule, "priority": fixture.priority - 1 }));
    fixture.killed_at(KubernetesFault::hang("GET", "/jobs/warm-"), || fixture.workspace.begin_apply()).await;
    fixture.destroy().await;
    assert_eq!(fixture.classes().await, [""; 0]);
}

/// W23: SIGKILL at each request of a destroy. The next run continues, and in the end nothing remains.
#[tokio::test]
async fn crash_at_every_request_of_a_destroy() {
    let fixture = Fixture::new("killed_destroy", json!({ "pods": 1, "schedule": schedule() })).await;
    fixture.workspace.apply().await;
    let class = format!("/priorityclasses/{}?", fixture.class());
    for part in [&format!("/cronjobs/{NAME}?"), &class] {
        fixture.killed_at(KubernetesFault::hang("DELETE", part), || fixture.workspace.begin_destroy()).await;
        assert!(fixture.workspace.state().await.contains(ADDRESS));
    }
    fixture.destroy().await;
}
