//! What warm capacity keeps beside its state.

use serde::{Deserialize, Serialize};
use tfplugin::framework::private_state::is_default;

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
    /// Whether objects were applied, and the placeholders were not seen.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) is_applying: bool,
    /// Whether the last read found a period under way without its placeholders.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) is_lacking: bool,
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
            is_applying: true,
            is_lacking: true,
        };
        check_private_versions(&[include_str!("testdata/private-0.json")], &content);
    }
}
