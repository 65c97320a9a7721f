//! The access key of the cache in the configuration of the manager.

use serde_json::json;

use super::{AUTHENTICATION, Fixture, NAME, name};

impl Fixture {
    /// The access key in the manager's configuration.
    async fn key_of_manager(&self) -> String {
        let line = "sed -n 's/^AccessKey = \"\\(.*\\)\"$/\\1/p' /home/gitlab-runner/.gitlab-runner/config.toml";
        self.run(&name(&self.manager().await), NAME, &["sh", "-c", line]).await.trim().to_owned()
    }

    async fn key_of_state(&self) -> String {
        let state = self.workspace.state().await;
        let key = &state.resource("gitlabspot_runner_credentials.cache")["access_key_id"];
        key.as_str().unwrap().to_owned()
    }
}

/// L16: a new manager has the rotated key, while the old one completes its job.
#[tokio::test]
async fn rotated_key_reaches_the_manager() {
    let fixture = Fixture::new("credentials_rotation", "credentials", json!({ "runner_token": AUTHENTICATION })).await;
    fixture.workspace.apply().await;
    let first = fixture.key_of_state().await;
    assert_eq!(fixture.key_of_manager().await, first);
    fixture.assert_rollout_completes_job(&json!({ "rotation_trigger": "2" })).await;
    let second = fixture.key_of_state().await;
    assert_ne!(second, first);
    assert_eq!(fixture.key_of_manager().await, second);
    fixture.destroy().await;
}
