//! A pod unregisters its runner when it ends for any reason.

use kube::api::DeleteParams;
use serde_json::json;

use super::{Fixture, NAME, is_ready, name, restarts};

impl Fixture {
    async fn until_one_is_registered(&self) {
        self.until("one runner is registered", async || self.runners() == 1).await;
    }
}

/// L8: a change of the configuration replaces the pod. The new pod registers, and the old one unregisters.
#[tokio::test]
async fn replaced_pod_registers_and_the_old_one_unregisters() {
    let fixture = Fixture::registered("registration_replaced", json!({})).await;
    fixture.workspace.apply().await;
    let old = fixture.stage.gitlab.runners()[0]["id"].clone();
    fixture.workspace.set(&json!({ "concurrent": 3 }));
    fixture.workspace.apply().await;
    fixture.until_one_is_registered().await;
    assert_ne!(fixture.stage.gitlab.runners()[0]["id"], old);
    assert_eq!(fixture.calls_of("POST", "/runners"), 2);
    fixture.destroy().await;
    assert_eq!(fixture.runners(), 0);
}

/// L9: with fewer replicas, the deleted pods unregister.
#[tokio::test]
async fn fewer_replicas_unregister() {
    let fixture = Fixture::registered("registration_replicas", json!({ "replicas": 2 })).await;
    fixture.workspace.apply().await;
    assert_eq!(fixture.runners(), 2);
    fixture.workspace.set(&json!({ "replicas": 1 }));
    fixture.workspace.apply().await;
    fixture.until_one_is_registered().await;
    fixture.destroy().await;
    assert_eq!(fixture.runners(), 0);
}

/// L10: an evicted pod unregisters after its running job.
#[tokio::test]
async fn evicted_pod_unregisters_after_its_job() {
    let fixture = Fixture::registered("registration_evicted", json!({})).await;
    fixture.workspace.apply().await;
    let job = fixture.job_under_way().await;
    let old = fixture.manager().await;
    fixture.pods().delete(&name(&old), &DeleteParams::default()).await.unwrap();
    fixture.until("another pod is registered", async || fixture.runners() == 2).await;
    fixture.let_go().await;
    fixture.until_succeeded(job).await;
    fixture.until_one_is_registered().await;
    fixture.destroy().await;
    assert_eq!(fixture.runners(), 0);
}

/// L11: a manager that crashed restarts in its pod and does not register again.
#[tokio::test]
async fn crashed_manager_keeps_its_registration() {
    let fixture = Fixture::registered("registration_crash", json!({})).await;
    fixture.workspace.apply().await;
    let runner = fixture.stage.gitlab.runners()[0]["id"].clone();
    let kill = "kill -9 $(pgrep -f 'gitlab-runner run')";
    fixture.run(&name(&fixture.manager().await), NAME, &["bash", "-c", kill]).await;
    fixture
        .until("the container is started again", async || {
            let manager = fixture.manager().await;
            restarts(&manager) == 1 && is_ready(&manager)
        })
        .await;
    assert_eq!((fixture.calls_of("POST", "/runners"), fixture.runners()), (1, 1));
    assert_eq!(fixture.stage.gitlab.runners()[0]["id"], runner);
    let job = fixture.job_under_way().await;
    fixture.let_go().await;
    fixture.until_succeeded(job).await;
    fixture.destroy().await;
    assert_eq!(fixture.runners(), 0);
}

/// L12: a token that pods share is never unregistered, even by a version of the runner that verifies it at the start.
#[tokio::test]
async fn shared_token_is_never_unregistered() {
    let fixture = Fixture::authenticated("registration_shared", json!({ "runner_version": "18.5.0" })).await;
    fixture.workspace.apply().await;
    fixture.workspace.set(&json!({ "concurrent": 3 }));
    fixture.workspace.apply().await;
    fixture.destroy().await;
    assert_eq!(fixture.calls_of("DELETE", "/runners"), 0);
    assert_eq!(fixture.runners(), 1);
}

/// L13: with `unregister_on_destroy = false`, registrations remain.
#[tokio::test]
async fn unregister_on_destroy_false_keeps_registrations() {
    let fixture = Fixture::registered("registration_stays", json!({ "unregister_on_destroy": false })).await;
    fixture.workspace.apply().await;
    fixture.destroy().await;
    assert_eq!((fixture.calls_of("DELETE", "/runners"), fixture.runners()), (0, 1));
}
