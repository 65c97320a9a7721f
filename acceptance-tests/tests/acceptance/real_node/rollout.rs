//! New manager pods replace old ones without losing the running job.

use serde_json::{Value, json};

use super::{Fixture, name};

impl Fixture {
    /// Changes the configuration while a job runs: a new manager starts, and the old one remains until the job has
    /// ended.
    pub(super) async fn assert_rollout_completes_job(&self, change: &Value) {
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

/// L14: a change of the configuration, and then a new token.
#[tokio::test]
async fn new_configuration_or_token_completes_running_jobs() {
    let fixture = Fixture::authenticated("rollout_configuration", json!({})).await;
    fixture.workspace.apply().await;
    fixture.assert_rollout_completes_job(&json!({ "concurrent": 4 })).await;
    let token = json!({ "runner_token": "glrt-another-one", "runner_token_version": 2 });
    fixture.assert_rollout_completes_job(&token).await;
    fixture.destroy().await;
}

/// L15: a destroy waits for the running job, and then unregisters.
#[tokio::test]
async fn destroy_waits_for_the_running_job() {
    let fixture = Fixture::registered("rollout_destroy", json!({})).await;
    fixture.workspace.apply().await;
    let old = fixture.manager().await;
    let job = fixture.job_under_way().await;
    let destroy = fixture.workspace.begin_destroy();
    let is_terminating =
        async || fixture.pods().get(&name(&old)).await.is_ok_and(|pod| pod.metadata.deletion_timestamp.is_some());
    fixture.until("the manager is told to end", is_terminating).await;
    assert_eq!((&*fixture.stage.gitlab.job(job).state, fixture.runners()), ("running", 1));
    fixture.let_go().await;
    fixture.until_succeeded(job).await;
    let _ = destroy.output().await.succeeded();
    assert_eq!(fixture.runners(), 0);
    fixture.stage.assert_nothing_remains().await;
}
