//! What a release keeps beside its state.

use serde::{Deserialize, Serialize};
use tfplugin::framework::private_state::is_default;

use super::adoption::Adoption;
use super::memory::Memory;
use super::spec::TokenKind;
use crate::mutation::Mutations;
use crate::owner::Owner;

/// The content of the private state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Private {
    /// ARN of the EKS cluster of the first connection. None for a cluster that is not of EKS.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) cluster: Option<String>,
    /// The ID of this resource, which is on its objects.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) owner: Option<Owner>,
    /// Fields that admission changes.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) mutations: Mutations,
    /// Keyed hashes of secret content.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) memory: Option<Memory>,
    /// Kind of the token in an existing Secret.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) existing_token: Option<TokenKind>,
    /// Whether objects were applied, and the rollout was not seen to end.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) is_rolling: bool,
    /// The import of a release, until an apply has completed it.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) adoption: Adoption,
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
            owner: serde_json::from_value(json!("x7d0fk3m2q9s8w4z")).unwrap(),
            mutations: serde_json::from_value(json!({
                "Deployment ci/runner": { "asked": { "a": 1 }, "made": { "a": 2 } },
            }))
            .unwrap(),
            memory: serde_json::from_value(json!({ "key": "00", "fingerprints": { "gitlab-runner": "h" } })).unwrap(),
            existing_token: Some(TokenKind::Registration),
            is_rolling: true,
            adoption: serde_json::from_value(json!({
                "is_adopting": true, "is_completing": true,
                "found": {
                    "deployment": "Deployment ci/gitlab-runner", "template": { "spec": {} }, "foreign": [".spec"],
                    "parts": { "entrypoint": "h" }, "stands_for": "h", "account": { "a": "b" },
                }, "outdated": ["gitlab-runner"],
                "record": {
                    "chart": "gitlab-runner", "chart_version": "0.80.0", "runner_version": "18.3.0",
                    "values": { "concurrent": "h" },
                },
            }))
            .unwrap(),
        };
        check_private_versions(&[include_str!("testdata/private-0.json")], &content);
    }
}
