//! The private state of a cache bucket.

use serde::{Deserialize, Serialize};
use tfplugin::framework::private_state::is_default;

use super::previous_values::PreviousValues;

/// The content of the private state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Private {
    /// Whether the create of the bucket did not complete.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) is_unfinished: bool,
    /// Previous values of parts that S3 may still return.
    #[serde(rename = "overwritten", skip_serializing_if = "is_default")]
    pub(super) previous_values: PreviousValues,
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
            previous_values: serde_json::from_value(json!([
                { "part": "public_access", "was": false, "at": "2026-01-01T12:00:00Z" },
                { "part": "tags", "was": { "team": "ci" }, "at": "2026-01-01T12:00:00Z" },
            ]))
            .unwrap(),
        };
        check_private_versions(&[include_str!("testdata/private-0.json")], &content);
    }
}
