//! A registration ends with its pod, whatever ends the pod.

use kube::api::DeleteParams;
use serde_json::json;

use super::{NAME, Scene, is_ready, name, restarts};

impl Scene {
    async fn until_one_is_registered(&self) {
        self.until("one runner is registered", async || self.runners() == 1).await;
    }
}

/// L8: a change of the configuration replaces the pod: the new one registers, the old one unregisters.
#[tokio::test]
async fn of_a_replaced_pod() {
    let scene = Scene::registered("registration_replaced", json!({})).await;
    scene.workspace.apply().await;
    let old = scene.stage.gitlab.runners()[0]["id"].clone();
    scene.workspace.set(&json!({ "concurrent": 3 }));
    scene.workspace.apply().await;
    scene.until_one_is_registered().await;
    assert_ne!(scene.stage.gitlab.runners()[0]["id"], old);
    assert_eq!(scene.calls_of("POST", "/runners"), 2);
    scene.destroy().await;
    assert_eq!(scene.runners(), 0);
}

/// L9: fewer replicas: those that go unregister.
#[tokio::test]
async fn of_fewer_replicas() {
    let scene = Scene::registered("registration_replicas", json!({ "replicas": 2 })).await;
    scene.workspace.apply().await;
    assert_eq!(scene.runners(), 2);
    scene.workspace.set(&json!({ "replicas": 1 }));
    scene.workspace.apply().await;
    scene.until_one_is_registered().await;
    scene.destroy().await;
    assert_eq!(scene.runners(), 0);
}

/// L10: an evicted pod unregisters, after the job that runs.
#[tokio::test]
async fn of_an_evicted_pod_after_its_job() {
    let scene = Scene::registered("registration_evicted", json!({})).await;
    scene.workspace.apply().await;
    let job = scene.job_under_way().await;
    let old = scene.manager().await;
    scene.pods().delete(&name(&old), &DeleteParams::default()).await.unwrap();
    scene.until("another pod is registered", async || scene.runners() == 2).await;
    scene.let_go().await;
    scene.until_succeeded(job).await;
    scene.until_one_is_registered().await;
    scene.destroy().await;
    assert_eq!(scene.runners(), 0);
}

/// L11: a manager that crashed starts again in its pod, and registers nothing new.
#[tokio::test]
async fn of_a_crash_goes_on() {
    let scene = Scene::registered("registration_crash", json!({})).await;
    scene.workspace.apply().await;
    let runner = scene.stage.gitlab.runners()[0]["id"].clone();
    let kill = "kill -9 $(pgrep -f 'gitlab-runner run')";
    scene.run(&name(&scene.manager().await), NAME, &["bash", "-c", kill]).await;
    scene
        .until("the container is started again", async || {
            let manager = scene.manager().await;
            restarts(&manager) == 1 && is_ready(&manager)
        })
        .await;
    assert_eq!((scene.calls_of("POST", "/runners"), scene.runners()), (1, 1));
    assert_eq!(scene.stage.gitlab.runners()[0]["id"], runner);
    let job = scene.job_under_way().await;
    scene.let_go().await;
    scene.until_succeeded(job).await;
    scene.destroy().await;
    assert_eq!(scene.runners(), 0);
}

/// L12: a token that pods share is never unregistered, also not by a runner that verifies it at the start.
#[tokio::test]
async fn of_a_shared_token_never_ends() {
    let scene = Scene::authenticated("registration_shared", json!({ "runner_version": "18.5.0" })).await;
    scene.workspace.apply().await;
    scene.workspace.set(&json!({ "concurrent": 3 }));
    scene.workspace.apply().await;
    scene.destroy().await;
    assert_eq!(scene.calls_of("DELETE", "/runners"), 0);
    assert_eq!(scene.runners(), 1);
}

/// L13: who wants registrations to stay keeps them.
#[tokio::test]
async fn of_a_pod_that_is_told_to_stay_registered() {
    let scene = Scene::registered("registration_stays", json!({ "unregister_on_destroy": false })).await;
    scene.workspace.apply().await;
    scene.destroy().await;
    assert_eq!((scene.calls_of("DELETE", "/runners"), scene.runners()), (0, 1));
}
