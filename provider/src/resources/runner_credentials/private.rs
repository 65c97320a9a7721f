//! What credentials keep beside their state.

use serde::{Deserialize, Serialize};
use tfplugin::framework::private_state::is_default;

use super::memory::Memory;

/// The content of the private state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Private {
    /// ARN of the EKS cluster of the first connection. None for a cluster that is not of EKS.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) cluster: Option<String>,
    /// Keys, grants and what the last read found of them.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) memory: Memory,
}

impl tfplugin::framework::Private for Private {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::check_private_versions;

    #[test]
    fn every_version_is_read() {
        let content = Private {
            cluster: Some("arn:aws:eks:eu-west-1:123456789012:cluster/prod".to_owned()),
            memory: serde_json::from_value(json!({
                "fingerprint": "f", "rotation": "r", "retiring": ["AKIA1"],
                "outgoing": { "id": "AKIA2", "until": "2026-01-01T12:00:00Z", "is_idle": true },
                "unclear": { "id": "AKIA3", "created_at": "c", "fingerprint": "f", "rotation_trigger": "t" },
                "is_imported": true, "is_adopted": true,
                "beside": [{
                    "way": { "mode": "access_key", "service_account": "" }, "arn": "arn:aws:iam::123456789012:user/runner", "key": { "id": "AKIA4", "created_at": "c", "fingerprint": "f", "rotation_trigger": "t" },
                    "retiring": ["AKIA5"],
                    "tags": { "team": "ci" }, "is_idle": true,
                }],
                "is_marked": true, "trust": "t", "lost": "l",
            }))
            .unwrap(),
        };
        check_private_versions(&[include_str!("testdata/private-0.json")], &content);
    }
}
