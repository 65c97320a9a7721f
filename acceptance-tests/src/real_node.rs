//! The real node of the local cloud: a kubelet on which containers run.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::GitLab;

/// The node on which pods run that select and tolerate it. All tests share it.
#[derive(Clone, Debug, Deserialize)]
pub struct RealNode {
    name: String,
    label: String,
    address: String,
}

/// The `node` part of `cloud.json`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Description {
    There(RealNode),
    Missing { missing: String },
}

impl RealNode {
    /// # Panics
    ///
    /// On a machine that cannot run it: there `make test` leaves these tests out, and says so.
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

    /// What a pod selects it by.
    #[must_use]
    pub fn selector(&self) -> Value {
        json!({ &self.label: "true" })
    }

    /// What a pod needs to be let on it.
    #[must_use]
    pub fn tolerations(&self) -> Value {
        json!([{ "key": self.label, "operator": "Equal", "value": "true", "effect": "NoSchedule" }])
    }

    /// The same as `node_tolerations` of the runner's configuration.
    #[must_use]
    pub fn runner_tolerations(&self) -> Value {
        json!({ format!("{}=true", self.label): "NoSchedule" })
    }

    /// The address of a GitLab as its pods reach it.
    #[must_use]
    pub fn url_of(&self, gitlab: &GitLab) -> String {
        gitlab.url().replacen("127.0.0.1", &self.address, 1)
    }
}
