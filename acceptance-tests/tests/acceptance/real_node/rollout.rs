//! What makes new manager pods does so without losing the job that runs.

use serde_json::{Value, json};

use super::{Scene, name};

impl Scene {
    /// A change while a job runs: a new manager takes over, and the old one stays until the job has ended.
    pub(super) async fn rolls_without_losing_a_job(&self, change: &Value) {
        let old = self.manager().await;
        let job = self.job_under_way().await;
        self.workspace.set(change);
        self.workspace.apply().await;
        self.workspace.assert_stable().await;
        assert_ne!(name(&self.manager().await), name(&old));
        assert_eq!(self.stage.gitlab.job(job).state, "running");
        let next = self.stage.gitlab.add_job("echo ended");
        self.until_succeeded(next).await;
        assert_ne!(self.stage.gitlab.job(next).system_id, self.stage.gitlab.job(job).system_id);
        self.until("only the first job's pod is left", async || self.job_pods().await.len() == 1).await;
        self.let_go().await;
        self.until_succeeded(job).await;
        let is_gone = async || self.pods().get_opt(&name(&old)).await.unwrap().is_none();
        self.until("the old manager is gone", is_gone).await;
    }
}

/// L14: a change of the configuration, then a new token.
#[tokio::test]
async fn of_a_configuration_and_of_a_token() {
    let scene = Scene::authenticated("rollout_configuration", json!({})).await;
    scene.workspace.apply().await;
    scene.rolls_without_losing_a_job(&json!({ "concurrent": 4 })).await;
    let token = json!({ "runner_token": "glrt-another-one", "runner_token_version": 2 });
    scene.rolls_without_losing_a_job(&token).await;
    scene.destroy().await;
}

/// L15: a destroy waits for the job that runs, and then unregisters.
#[tokio::test]
async fn of_a_destroy_waits_for_the_job() {
    let scene = Scene::registered("rollout_destroy", json!({})).await;
    scene.workspace.apply().await;
    let old = scene.manager().await;
    let job = scene.job_under_way().await;
    let destroy = scene.workspace.begin_destroy();
    let is_told =
        async || scene.pods().get(&name(&old)).await.is_ok_and(|pod| pod.metadata.deletion_timestamp.is_some());
    scene.until("the manager is told to end", is_told).await;
    assert_eq!((&*scene.stage.gitlab.job(job).state, scene.runners()), ("running", 1));
    scene.let_go().await;
    scene.until_succeeded(job).await;
    let _ = destroy.output().await.succeeded();
    assert_eq!(scene.runners(), 0);
    scene.stage.assert_nothing_left().await;
}
