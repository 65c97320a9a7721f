//! The key of the cache in the manager's configuration.

use serde_json::json;

use super::{AUTHENTICATION, NAME, Scene, name};

impl Scene {
    /// The access key that the manager's configuration has.
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

/// L16: a rotated key reaches a new manager, while the old one ends its job.
#[tokio::test]
async fn a_rotated_key_reaches_the_manager() {
    let scene = Scene::new("credentials_rotation", "credentials", json!({ "runner_token": AUTHENTICATION })).await;
    scene.workspace.apply().await;
    let first = scene.key_of_state().await;
    assert_eq!(scene.key_of_manager().await, first);
    scene.rolls_without_losing_a_job(&json!({ "rotation_trigger": "2" })).await;
    let second = scene.key_of_state().await;
    assert_ne!(second, first);
    assert_eq!(scene.key_of_manager().await, second);
    scene.destroy().await;
}
