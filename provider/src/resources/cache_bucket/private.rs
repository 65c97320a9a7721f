//! What a cache bucket keeps beside its state.

use serde::{Deserialize, Serialize};
use tfplugin::framework::private_state::is_default;

use super::overwritten::Overwritten;

/// The content of the private state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Private {
    /// Whether its create has not ended.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) is_unfinished: bool,
    /// Settings that were overwritten recently, which S3 may still return.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) overwritten: Overwritten,
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
            is_unfinished: true,
            overwritten: serde_json::from_value(json!([
                { "part": "public_access", "was": false, "at": "2026-01-01T12:00:00Z" },
                { "part": "tags", "was": { "team": "ci" }, "at": "2026-01-01T12:00:00Z" },
            ]))
            .unwrap(),
        };
        check_private_versions(&[include_str!("testdata/private-0.json")], &content);
    }
}
