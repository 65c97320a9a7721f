//! The private state of credentials.

use serde::{Deserialize, Serialize};
use tfplugin::framework::private_state::is_default;

use super::journal::Journal;

/// The content of the private state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Private {
    /// ARN of the EKS cluster of the first connection. `None` for a cluster that is not an EKS cluster.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) cluster: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) journal: Journal,
}

impl tfplugin::framework::Private for Private {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::check_private_versions;

    #[test]
    fn every_version_is_read() {
        let key = |id: &str| json!({ "id": id, "created_at": "c", "fingerprint": "f", "rotation_trigger": "t" });
        let content = Private {
            cluster: Some("arn:aws:eks:eu-west-1:123456789012:cluster/prod".to_owned()),
            journal: serde_json::from_value(json!({
                "grants": [{
                    "method": { "mode": "access_key", "service_account": "" },
                    "arn": "arn:aws:iam::123456789012:user/runner",
                    "key": key("AKIA1"),
                    "unclear": key("AKIA2"),
                    "outgoing": { "id": "AKIA3", "until": "2026-01-01T12:00:00Z", "is_idle": true },
                    "retiring": ["AKIA4"],
                    "secret_hash": "f",
                    "is_adopted": true,
                    "tags": { "team": "ci" },
                    "is_idle": true,
                }],
                "current": { "mode": "irsa", "service_account": "runner" },
                "is_imported": true,
                "findings": { "rotation": "r", "trust": "t", "unbound": "u", "is_switching": true },
            }))
            .unwrap(),
        };
        check_private_versions(&[include_str!("testdata/private-0.json")], &content);
    }
}
