//! The real node of the local cloud: a kubelet that runs containers.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::GitLab;

/// The node for pods with its selector and tolerations. All tests share it.
#[derive(Clone, Debug, Deserialize)]
pub struct RealNode {
    name: String,
    label: String,
    address: String,
}

/// The `node` field of `cloud.json`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Description {
    There(RealNode),
    Missing { missing: String },
}

impl RealNode {
    /// # Panics
    ///
    /// On a machine that cannot run it. `make test` skips these tests there, and prints a message.
    pub(crate) fn of(description: &Description) -> Self {
        match description {
            Description::There(node) => node.clone(),
            Description::Missing { missing } => panic!("the local cloud has no real node: {missing}"),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Node selector for its pods.
    #[must_use]
    pub fn selector(&self) -> Value {
        json!({ &self.label: "true" })
    }

    /// Tolerations for its pods.
    #[must_use]
    pub fn tolerations(&self) -> Value {
        json!([{ "key": self.label, "operator": "Equal", "value": "true", "effect": "NoSchedule" }])
    }

    /// Tolerations in the format of `node_tolerations` in the runner's configuration.
    #[must_use]
    pub fn runner_tolerations(&self) -> Value {
        json!({ format!("{}=true", self.label): "NoSchedule" })
    }

    /// URL of a GitLab instance for pods of the node.
    #[must_use]
    pub fn url_of(&self, gitlab: &GitLab) -> String {
        gitlab.url().replacen("127.0.0.1", &self.address, 1)
    }
}
