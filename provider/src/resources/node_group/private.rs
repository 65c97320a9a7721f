//! The private state of a node group.

use serde::{Deserialize, Serialize};
use tfplugin::framework::private_state::is_default;

use super::template;

/// The content of the private state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Private {
    /// Whether this resource suspended AZRebalance, and not AWS or another user.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) has_suspended_az_rebalance: bool,
    /// The launch template of the provider.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) launch_template: template::Record,
}

impl tfplugin::framework::Private for Private {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::check_private_versions;

    #[test]
    fn every_version_is_read() {
        let content = Private {
            has_suspended_az_rebalance: true,
            launch_template: template::Record { digest: Some("5f1d".to_owned()), is_gone: true, is_begun: true },
        };
        check_private_versions(&[include_str!("testdata/private-0.json")], &content);
    }
}
