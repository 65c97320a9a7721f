//! The manager's start, and its first job.

use k8s_openapi::api::core::v1::Pod;
use serde_json::json;

use super::{NAME, Scene, is_ready, name};

/// Seconds from the start of the manager's container to the pod's becoming Ready, by the kubelet's clock.
fn seconds_to_ready(pod: &Pod) -> i64 {
    let status = pod.status.as_ref().unwrap();
    let running = status.container_statuses.as_ref().unwrap()[0].state.as_ref().unwrap().running.as_ref().unwrap();
    let ready = status.conditions.iter().flatten().find(|condition| condition.type_ == "Ready").unwrap();
    assert_eq!(ready.status, "True");
    let (started, ready) = (running.started_at.as_ref().unwrap(), ready.last_transition_time.as_ref().unwrap());
    ready.0.duration_since(started.0).as_secs()
}

/// L1: an authentication token: the manager starts as another user than root on a root file system that is read-only,
/// asks for jobs, becomes Ready soon after it runs, and serves metrics; a job runs, and nothing is registered.
#[tokio::test]
async fn with_an_authentication_token() {
    let scene = Scene::authenticated("start_authenticated", json!({ "runner_name": "named" })).await;
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    let manager = scene.manager().await;
    assert!(is_ready(&manager));
    // The second turn of a readiness probe that is asked at its own times alone is a period of a minute away.
    let probe = manager.spec.as_ref().unwrap().containers[0].readiness_probe.as_ref().unwrap();
    let (seconds, period) = (seconds_to_ready(&manager), probe.period_seconds.unwrap());
    assert!(seconds < i64::from(period), "Ready only after {seconds} s, and the probe's period is {period} s");

    assert_eq!(scene.run(&name(&manager), NAME, &["id", "-u"]).await.trim(), "100");
    let written =
        scene.run(&name(&manager), NAME, &["sh", "-c", "touch /written 2>/dev/null && echo yes || echo no"]).await;
    assert_eq!(written.trim(), "no");
    let path =
        format!("/api/v1/namespaces/{}/pods/{}:9252/proxy/metrics", scene.stage.namespace.name(), name(&manager));
    let request = http::Request::get(path).body(Vec::new()).unwrap();
    let metrics = scene.stage.kubernetes.client().request_text(request).await.unwrap();
    assert!(metrics.contains("gitlab_runner_version_info"), "{metrics}");

    let job = scene.job_under_way().await;
    scene.let_go().await;
    scene.until_succeeded(job).await;
    scene.until("the job's pod is gone", async || scene.job_pods().await.is_empty()).await;
    assert_eq!((scene.calls_of("POST", "/runners"), scene.calls_of("DELETE", "/runners")), (0, 0));
    scene.destroy().await;
}

/// L2: a registration token: the pod registers, is Ready only then, runs a job, and a destroy unregisters it.
#[tokio::test]
async fn with_a_registration_token() {
    let scene = Scene::registered("start_registered", json!({ "runner_name": "named" })).await;
    // Two refusals: registration takes its time.
    scene.stage.gitlab.refuse("POST", "/runners", 500, 2);
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    assert!(is_ready(&scene.manager().await));
    assert_eq!((scene.runners(), scene.calls_of("POST", "/runners")), (1, 3));
    assert_eq!(scene.stage.gitlab.runners()[0]["description"], "named");
    let job = scene.job_under_way().await;
    scene.let_go().await;
    scene.until_succeeded(job).await;
    scene.destroy().await;
    assert_eq!(scene.runners(), 0);
}

/// L3: GitLab Runner 15.0 makes a ConfigMap for each job, which its Role must allow.
#[tokio::test]
async fn the_oldest_runner_runs_jobs() {
    let scene = Scene::authenticated("start_oldest", json!({ "runner_version": "15.0.0" })).await;
    scene.workspace.apply().await;
    let job = scene.job_under_way().await;
    scene.let_go().await;
    scene.until_succeeded(job).await;
    scene.destroy().await;
}

/// L4: a runner before 18.10 does not expand variables in its configuration, and verifies its token at the start.
#[tokio::test]
async fn a_runner_that_does_not_expand_its_token() {
    let scene = Scene::authenticated("start_verified", json!({ "runner_version": "18.5.0" })).await;
    scene.workspace.apply().await;
    let job = scene.job_under_way().await;
    scene.let_go().await;
    scene.until_succeeded(job).await;
    assert!(scene.calls_of("POST", "/runners/verify") >= 1);
    scene.destroy().await;
    // The token is made in GitLab, and others may use it.
    assert_eq!((scene.calls_of("POST", "/runners"), scene.calls_of("DELETE", "/runners")), (0, 0));
}
