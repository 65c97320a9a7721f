//! Start and first job of the manager.

use k8s_openapi::api::core::v1::Pod;
use serde_json::json;

use super::{Fixture, NAME, is_ready, name};

/// Seconds from the start of the manager's container to the Ready condition of the pod, by the kubelet's clock.
fn seconds_to_ready(pod: &Pod) -> i64 {
    let status = pod.status.as_ref().unwrap();
    let running = status.container_statuses.as_ref().unwrap()[0].state.as_ref().unwrap().running.as_ref().unwrap();
    let ready = status.conditions.iter().flatten().find(|condition| condition.type_ == "Ready").unwrap();
    assert_eq!(ready.status, "True");
    let (started, ready) = (running.started_at.as_ref().unwrap(), ready.last_transition_time.as_ref().unwrap());
    ready.0.duration_since(started.0).as_secs()
}

/// L1: with an authentication token, the manager starts as a non-root user on a read-only root file system, requests
/// jobs, becomes Ready soon after its start and serves metrics. A job runs, and nothing is registered.
#[tokio::test]
async fn starts_with_an_authentication_token() {
    let fixture = Fixture::authenticated("start_authenticated", json!({ "runner_name": "named" })).await;
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    let manager = fixture.manager().await;
    assert!(is_ready(&manager));
    // A probe that fails first and runs only once per period would succeed a whole minute later.
    let probe = manager.spec.as_ref().unwrap().containers[0].readiness_probe.as_ref().unwrap();
    let (seconds, period) = (seconds_to_ready(&manager), probe.period_seconds.unwrap());
    assert!(seconds < i64::from(period), "Ready only after {seconds} s, and the probe's period is {period} s");

    assert_eq!(fixture.run(&name(&manager), NAME, &["id", "-u"]).await.trim(), "100");
    let written =
        fixture.run(&name(&manager), NAME, &["sh", "-c", "touch /written 2>/dev/null && echo yes || echo no"]).await;
    assert_eq!(written.trim(), "no");
    let path =
        format!("/api/v1/namespaces/{}/pods/{}:9252/proxy/metrics", fixture.stage.namespace.name(), name(&manager));
    let request = http::Request::get(path).body(Vec::new()).unwrap();
    let metrics = fixture.stage.kubernetes.client().request_text(request).await.unwrap();
    assert!(metrics.contains("gitlab_runner_version_info"), "{metrics}");

    let job = fixture.job_under_way().await;
    fixture.let_go().await;
    fixture.until_succeeded(job).await;
    fixture.until("the job's pod is gone", async || fixture.job_pods().await.is_empty()).await;
    assert_eq!((fixture.calls_of("POST", "/runners"), fixture.calls_of("DELETE", "/runners")), (0, 0));
    fixture.destroy().await;
}

/// L2: with a registration token, the pod registers, becomes Ready only then, and runs a job. A destroy unregisters it.
#[tokio::test]
async fn starts_with_a_registration_token() {
    let fixture = Fixture::registered("start_registered", json!({ "runner_name": "named" })).await;
    // Two failed requests delay the registration.
    fixture.stage.gitlab.refuse("POST", "/runners", 500, 2);
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    assert!(is_ready(&fixture.manager().await));
    assert_eq!((fixture.runners(), fixture.calls_of("POST", "/runners")), (1, 3));
    assert_eq!(fixture.stage.gitlab.runners()[0]["description"], "named");
    let job = fixture.job_under_way().await;
    fixture.let_go().await;
    fixture.until_succeeded(job).await;
    fixture.destroy().await;
    assert_eq!(fixture.runners(), 0);
}

/// L3: GitLab Runner 15.0 creates a ConfigMap for each job, which its Role must allow.
#[tokio::test]
async fn oldest_supported_runner_runs_jobs() {
    let fixture = Fixture::authenticated("start_oldest", json!({ "runner_version": "15.0.0" })).await;
    fixture.workspace.apply().await;
    let job = fixture.job_under_way().await;
    fixture.let_go().await;
    fixture.until_succeeded(job).await;
    fixture.destroy().await;
}

/// L4: a runner before 18.10 does not expand variables in its configuration, and verifies its token at the start.
#[tokio::test]
async fn runner_before_18_10_verifies_its_token() {
    let fixture = Fixture::authenticated("start_verified", json!({ "runner_version": "18.5.0" })).await;
    fixture.workspace.apply().await;
    let job = fixture.job_under_way().await;
    fixture.let_go().await;
    fixture.until_succeeded(job).await;
    assert!(fixture.calls_of("POST", "/runners/verify") >= 1);
    fixture.destroy().await;
    // The token was created in GitLab, and other runners may use it.
    assert_eq!((fixture.calls_of("POST", "/runners"), fixture.calls_of("DELETE", "/runners")), (0, 0));
}
