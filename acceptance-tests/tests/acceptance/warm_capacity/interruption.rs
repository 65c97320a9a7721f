//! Runs that do not come to their end: Ctrl-C, and worse.

use gitlabspot_acceptance_tests::{KubernetesFault, KubernetesProxy, Running, until};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::scheduled::{now, period};
use super::{ADDRESS, NAME, Scene, quota_of};

/// Presses Ctrl-C, which has to end the command soon.
async fn interrupted(proxy: &KubernetesProxy, running: Running) -> String {
    running.interrupt_soon(|| proxy.calls().len()).await.failed()
}

/// A period under way.
fn schedule() -> Value {
    period(now() - 3600, now() + 3600)
}

impl Scene {
    /// Ends engine and provider when this request hangs.
    async fn killed_at(&self, hang: KubernetesFault, begin: impl FnOnce() -> Running) {
        let proxy = self.stage.kubernetes_faults();
        proxy.inject(hang);
        let running = begin();
        until("a request hangs", async || proxy.calls().iter().any(|call| call.fault.is_some())).await;
        let _ = running.kill().await;
        proxy.forget();
    }

    /// The objects that make placeholders.
    async fn makers(&self) -> Vec<String> {
        let mut objects = self.stage.namespace.objects().await;
        objects.retain(|object| ["Deployment/", "CronJob/", "Job/"].iter().any(|kind| object.starts_with(kind)));
        objects
    }
}

/// W22: Ctrl-C while the pods of a create are waited for, in both shapes: the state has all of it, and the next apply goes
/// on.
#[tokio::test]
async fn of_a_create() {
    for (test, kind, schedule) in [("always", "deployments", Value::Null), ("period", "jobs", schedule())] {
        let scene = Scene::new(&format!("interrupted_create_{test}"), json!({ "pods": 1, "schedule": schedule })).await;
        let quota = quota_of(&scene.stage, 0).await;
        let proxy = scene.stage.kubernetes_faults();
        let running = scene.workspace.begin_apply();
        scene.until_waiting(proxy, kind).await;
        let said = interrupted(proxy, running).await;
        assert!(said.contains("cancelled; last seen: 0 of 1 pods"), "{said}");
        assert!(said.contains("What was created before is in the state"), "{said}");
        assert!(said.contains("the next apply deletes and recreates it"), "{said}");
        assert_eq!(scene.workspace.state().await.resource(ADDRESS)["manifest"].as_object().unwrap().len(), 2);
        quota.lift().await;
        scene.workspace.apply().await;
        scene.workspace.assert_stable().await;
        scene.until_placeholders(&[scene.running()]).await;
        scene.destroy().await;
    }
}

/// W22: Ctrl-C while the pods of an update are waited for: the next apply waits on, though every object is as it is wanted.
#[tokio::test]
async fn of_an_update() {
    let scene = Scene::new("interrupted_update", json!({ "pods": 1 })).await;
    scene.workspace.apply().await;
    let quota = quota_of(&scene.stage, 1).await;
    scene.workspace.set(&json!({ "pods": 2 }));
    let proxy = scene.stage.kubernetes_faults();
    let running = scene.workspace.begin_apply();
    scene.until_waiting(proxy, "deployments").await;
    let said = interrupted(proxy, running).await;
    assert!(said.contains("cancelled; last seen: 1 of 2 pods are created"), "{said}");
    assert_eq!(scene.workspace.plan().await.changes(), [(ADDRESS.to_owned(), vec!["update".to_owned()])].into());
    quota.lift().await;
    scene.grows_to_two().await;
}

/// W22: Ctrl-C while the API server says nothing.
#[tokio::test]
async fn of_an_api_server_that_is_silent() {
    let scene = Scene::new("interrupted_silence", json!({ "pods": 1 })).await;
    let proxy = scene.stage.kubernetes_faults();
    proxy.inject(KubernetesFault::hang("PATCH", &format!("/deployments/{NAME}?")).times(0));
    let running = scene.workspace.begin_apply();
    until("a request hangs", async || proxy.calls().iter().any(|call| call.fault.is_some())).await;
    let said = interrupted(proxy, running).await;
    assert!(said.contains("the run was stopped before the Kubernetes API answered"), "{said}");
    // It may have been taken, for all that is known.
    assert_eq!(scene.workspace.state().await.resource(ADDRESS)["manifest"].as_object().unwrap().len(), 2);
    proxy.forget();
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    scene.destroy().await;
}

/// W22: Ctrl-C while the end of pods is waited for: what is being deleted is planned anew, and an apply waits for its end
/// before it makes it again; a destroy waits on.
#[tokio::test]
async fn of_a_destroy() {
    let scene = Scene::new("interrupted_destroy", json!({ "pods": 1 })).await;
    scene.workspace.apply().await;
    let pods = scene.stage.kubernetes.api::<Pod>(scene.stage.namespace.name());
    let hold = async |finalizers: Value| {
        let pod = pods.list(&ListParams::default()).await.unwrap().items.remove(0).metadata.name.unwrap();
        let held = json!({ "metadata": { "finalizers": finalizers } });
        pods.patch(&pod, &PatchParams::default(), &Patch::Merge(held)).await.unwrap();
    };
    let proxy = scene.stage.kubernetes_faults();
    let interrupt = async || {
        hold(json!(["local-cloud/held"])).await;
        proxy.forget();
        let running = scene.workspace.begin_destroy();
        until("it is being deleted", async || !proxy.calls_of("DELETE", "/deployments/").is_empty()).await;
        let said = interrupted(proxy, running).await;
        let removing = format!("Removing the warm capacity {} failed: cancelled; last seen: Deployment", scene.id());
        assert!(said.contains(&removing), "{said}");
        assert!(scene.workspace.state().await.contains(ADDRESS));
    };
    interrupt().await;
    let deployments = scene.stage.kubernetes.api::<Deployment>(scene.stage.namespace.name());
    let before = deployments.get(NAME).await.unwrap().metadata.uid;
    let plan = scene.workspace.plan().await;
    let shown = plan.change(ADDRESS)["before"]["manifest"].as_object().unwrap();
    assert_eq!(shown.keys().collect::<Vec<_>>(), [&format!("PriorityClass {}", scene.class())]);
    proxy.forget();
    let running = scene.workspace.begin_apply();
    let looks = format!("/deployments/{NAME}");
    until("its end is waited for", async || proxy.calls_of("GET", &looks).len() > 3).await;
    assert_eq!(proxy.changes(), [""; 0]);
    hold(Value::Null).await;
    let _ = running.output().await.succeeded();
    scene.workspace.assert_stable().await;
    assert_ne!(deployments.get(NAME).await.unwrap().metadata.uid, before);

    interrupt().await;
    let running = scene.workspace.begin_destroy();
    until("it is being deleted", async || proxy.calls_of("DELETE", "/deployments/").len() > 1).await;
    hold(Value::Null).await;
    let _ = running.output().await.succeeded();
    scene.destroy().await;
}

/// W23: `kill -9` at each request of a create, in both shapes, one run after the other: each goes on where the one before
/// was ended, without a state, and at last there is one of each.
#[tokio::test]
async fn killed_at_every_point_of_a_create() {
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
        let scene = Scene::new(&format!("killed_create_{test}"), json!({ "pods": 1, "schedule": schedule })).await;
        let class = format!("/priorityclasses/{}?", scene.class());
        for (method, part) in requests {
            let part = if part == "?" { &class } else { part };
            // The first look at a Deployment is that before it is made.
            let hang = KubernetesFault::hang(method, part).after(u32::from(method == "GET" && part == always));
            scene.killed_at(hang, || scene.workspace.begin_apply()).await;
            assert!(!scene.workspace.state().await.contains(ADDRESS));
        }
        scene.workspace.apply().await;
        scene.workspace.assert_stable().await;
        scene.until_placeholders(&[scene.running()]).await;
        assert_eq!(scene.makers().await.len(), makers, "{:?}", scene.makers().await);
        scene.destroy().await;
    }
}

/// W23: `kill -9` in a create, and the configuration has another shape then: refused, with a hint to import, which then
/// makes one of the other.
#[tokio::test]
async fn killed_and_then_changed() {
    let scene = Scene::new("killed_changed", json!({ "pods": 1 })).await;
    let hang = KubernetesFault::hang("GET", &format!("/deployments/{NAME}")).after(2);
    scene.killed_at(hang, || scene.workspace.begin_apply()).await;
    assert!(!scene.workspace.state().await.contains(ADDRESS));
    scene.workspace.set(&json!({ "schedule": schedule() }));
    let said = scene.workspace.try_apply().await.failed();
    let named =
        format!("Deployment {} already exists: it is warm capacity of this name, but without a schedule", scene.id());
    assert!(said.contains(&named) && said.contains(&format!("Import it as {}", scene.id())), "{said}");
    assert_eq!(scene.makers().await, [format!("Deployment/{NAME}")]);
    assert!(!scene.workspace.state().await.contains(ADDRESS));

    let _ = scene.workspace.try_import(ADDRESS, &scene.id()).await.succeeded();
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    assert!(!scene.makers().await.contains(&format!("Deployment/{NAME}")));
    scene.destroy().await;
}

/// W23: `kill -9` in an update to the other shape, or to another priority, of which the state does not tell: a destroy
/// removes what it had made, and so does the next apply of the old configuration.
#[tokio::test]
async fn killed_in_an_update() {
    let scene = Scene::new("killed_update", json!({ "pods": 1 })).await;
    scene.workspace.apply().await;
    let schedule = schedule();
    for _ in 0..2 {
        scene.workspace.set(&json!({ "schedule": schedule, "priority": scene.priority - 1 }));
        scene.killed_at(KubernetesFault::hang("GET", "/jobs/warm-"), || scene.workspace.begin_apply()).await;
        assert!(scene.makers().await.contains(&format!("CronJob/{NAME}")));
        scene.workspace.set(&json!({ "schedule": null, "priority": scene.priority }));
        scene.workspace.apply().await;
        scene.workspace.assert_stable().await;
        assert_eq!(scene.makers().await, [format!("Deployment/{NAME}")]);
        assert_eq!(scene.classes().await, [scene.class()]);
    }
    scene.workspace.set(&json!({ "schedule": schedule, "priority": scene.priority - 1 }));
    scene.killed_at(KubernetesFault::hang("GET", "/jobs/warm-"), || scene.workspace.begin_apply()).await;
    scene.destroy().await;
    assert_eq!(scene.classes().await, [""; 0]);
}

/// W23: `kill -9` at each request of a destroy: the next goes on, and at last nothing is left.
#[tokio::test]
async fn killed_at_every_point_of_a_destroy() {
    let scene = Scene::new("killed_destroy", json!({ "pods": 1, "schedule": schedule() })).await;
    scene.workspace.apply().await;
    let class = format!("/priorityclasses/{}?", scene.class());
    for part in [&format!("/cronjobs/{NAME}?"), &class] {
        scene.killed_at(KubernetesFault::hang("DELETE", part), || scene.workspace.begin_destroy()).await;
        assert!(scene.workspace.state().await.contains(ADDRESS));
    }
    scene.destroy().await;
}
