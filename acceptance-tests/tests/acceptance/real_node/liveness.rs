//! A runner that was removed in GitLab: the manager's container is started again, and registers anew where it can.

use serde_json::{Value, json};

use super::{Scene, restarts};

/// Probed soon, and once is enough.
fn with_probe(variables: Value) -> Value {
    let mut all =
        json!({ "liveness_probe": { "initial_delay_seconds": 2, "period_seconds": 3, "failure_threshold": 1 } });
    all.as_object_mut().unwrap().extend(variables.as_object().unwrap().clone());
    all
}

impl Scene {
    /// Nobody restarts the container of a runner that GitLab knows; of one that it does not know somebody does.
    async fn notices_a_removal(&self) {
        self.workspace.apply().await;
        self.until("the probe has asked GitLab", async || self.calls_of("POST", "/runners/verify") >= 3).await;
        assert_eq!(restarts(&self.manager().await), 0);
        self.stage.gitlab.remove_runners();
        self.until("the container is started again", async || restarts(&self.manager().await) > 0).await;
    }
}

/// L5: in the registration flow, without a name; the container that starts again registers anew.
#[tokio::test]
async fn of_a_registered_runner() {
    let scene = Scene::registered("liveness_registered", with_probe(json!({}))).await;
    scene.notices_a_removal().await;
    scene.until("it is registered again", async || scene.runners() == 1).await;
    let job = scene.job_under_way().await;
    scene.let_go().await;
    scene.until_succeeded(job).await;
    scene.destroy().await;
    assert_eq!(scene.runners(), 0);
}

/// L5: the same with a name.
#[tokio::test]
async fn of_a_registered_runner_with_a_name() {
    let scene = Scene::registered("liveness_registered_name", with_probe(json!({ "runner_name": "named" }))).await;
    scene.notices_a_removal().await;
    scene.until("it is registered again", async || scene.runners() == 1).await;
    scene.destroy().await;
    assert_eq!(scene.runners(), 0);
}

/// L6: with an authentication token.
#[tokio::test]
async fn of_an_authenticated_runner() {
    let scene = Scene::authenticated("liveness_authenticated", with_probe(json!({}))).await;
    scene.notices_a_removal().await;
    scene.destroy().await;
}

/// L6: the same with a name.
#[tokio::test]
async fn of_an_authenticated_runner_with_a_name() {
    let variables = with_probe(json!({ "runner_name": "named" }));
    let scene = Scene::authenticated("liveness_authenticated_name", variables).await;
    scene.notices_a_removal().await;
    scene.destroy().await;
}

/// L6: the same with a runner that verifies its token at the start.
#[tokio::test]
async fn of_an_authenticated_runner_before_18_10() {
    let variables = with_probe(json!({ "runner_name": "named", "runner_version": "18.5.0" }));
    let scene = Scene::authenticated("liveness_verified", variables).await;
    scene.notices_a_removal().await;
    scene.destroy().await;
}

/// L7: a GitLab that does not answer is no reason to end the jobs of a manager.
#[tokio::test]
async fn not_of_a_gitlab_that_is_down() {
    let scene = Scene::authenticated("liveness_down", with_probe(json!({}))).await;
    scene.workspace.apply().await;
    scene.stage.gitlab.refuse("POST", "/runners/verify", 503, 10_000);
    let before = scene.calls_of("POST", "/runners/verify");
    scene.until("it was asked", async || scene.calls_of("POST", "/runners/verify") > before + 4).await;
    assert_eq!(restarts(&scene.manager().await), 0);
    scene.destroy().await;
}
