//! A runner that was deleted in GitLab: the container of the manager restarts, and registers again if possible.

use serde_json::{Value, json};

use super::{Fixture, restarts};

/// Adds a liveness probe that starts early and fails at once.
fn with_probe(variables: Value) -> Value {
    let mut all =
        json!({ "liveness_probe": { "initial_delay_seconds": 2, "period_seconds": 3, "failure_threshold": 1 } });
    all.as_object_mut().unwrap().extend(variables.as_object().unwrap().clone());
    all
}

impl Fixture {
    /// Asserts that the container restarts only after GitLab has deleted its runner.
    async fn assert_restart_after_removal(&self) {
        self.workspace.apply().await;
        self.until("the probe has asked GitLab", async || self.calls_of("POST", "/runners/verify") >= 3).await;
        assert_eq!(restarts(&self.manager().await), 0);
        self.stage.gitlab.remove_runners();
        self.until("the container is started again", async || restarts(&self.manager().await) > 0).await;
    }
}

/// L5: with a registration token and without a name, the restarted container registers again.
#[tokio::test]
async fn runner_removed_in_gitlab_registers_again() {
    let fixture = Fixture::registered("liveness_registered", with_probe(json!({}))).await;
    fixture.assert_restart_after_removal().await;
    fixture.until("it is registered again", async || fixture.runners() == 1).await;
    let job = fixture.job_under_way().await;
    fixture.let_go().await;
    fixture.until_succeeded(job).await;
    fixture.destroy().await;
    assert_eq!(fixture.runners(), 0);
}

/// L5: the same with a runner name.
#[tokio::test]
async fn runner_removed_in_gitlab_registers_again_with_a_name() {
    let fixture = Fixture::registered("liveness_registered_name", with_probe(json!({ "runner_name": "named" }))).await;
    fixture.assert_restart_after_removal().await;
    fixture.until("it is registered again", async || fixture.runners() == 1).await;
    fixture.destroy().await;
    assert_eq!(fixture.runners(), 0);
}

/// L6: with an authentication token, the container restarts.
#[tokio::test]
async fn authenticated_runner_removed_in_gitlab_restarts() {
    let fixture = Fixture::authenticated("liveness_authenticated", with_probe(json!({}))).await;
    fixture.assert_restart_after_removal().await;
    fixture.destroy().await;
}

/// L6: the same with a runner name.
#[tokio::test]
async fn authenticated_runner_removed_in_gitlab_restarts_with_a_name() {
    let variables = with_probe(json!({ "runner_name": "named" }));
    let fixture = Fixture::authenticated("liveness_authenticated_name", variables).await;
    fixture.assert_restart_after_removal().await;
    fixture.destroy().await;
}

/// L6: the same with a version of the runner that verifies its token at the start.
#[tokio::test]
async fn authenticated_runner_removed_in_gitlab_restarts_before_18_10() {
    let variables = with_probe(json!({ "runner_name": "named", "runner_version": "18.5.0" }));
    let fixture = Fixture::authenticated("liveness_verified", variables).await;
    fixture.assert_restart_after_removal().await;
    fixture.destroy().await;
}

/// L7: a GitLab that does not respond does not end the jobs of a manager.
#[tokio::test]
async fn unavailable_gitlab_does_not_restart_the_manager() {
    let fixture = Fixture::authenticated("liveness_down", with_probe(json!({}))).await;
    fixture.workspace.apply().await;
    fixture.stage.gitlab.refuse("POST", "/runners/verify", 503, 10_000);
    let before = fixture.calls_of("POST", "/runners/verify");
    fixture.until("it was asked", async || fixture.calls_of("POST", "/runners/verify") > before + 4).await;
    assert_eq!(restarts(&fixture.manager().await), 0);
    fixture.destroy().await;
}
