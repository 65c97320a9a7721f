//! The private state of warm capacity.

use serde::{Deserialize, Serialize};
use tfplugin::framework::private_state::is_default;

use crate::objects;

/// The content of the private state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Private {
    /// The private state of the engine for Kubernetes objects.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) objects: objects::Private,
    /// Whether the placeholders of the current period were missing at the last read.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) is_lacking: bool,
}

impl tfplugin::framework::Private for Private {}

impl AsMut<objects::Private> for Private {
    fn as_mut(&mut self) -> &mut objects::Private {
        &mut self.objects
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::check_private_versions;

    #[test]
    fn every_version_is_read() {
        let content = Private {
            objects: serde_json::from_value(json!({
                "cluster": "arn:aws:eks:eu-west-1:123456789012:cluster/prod",
                "owner": "x7d0fk3m2q9s8w4z",
                "mutations": { "Deployment ci/runner": { "asked": { "a": 1 }, "made": { "a": 2 } } },
                "is_applying": true,
            }))
            .unwrap(),
            is_lacking: true,
        };
        check_private_versions(&[include_str!("testdata/private-0.json")], &content);
    }
}
