//! The private state of a release.

use serde::{Deserialize, Serialize};
use tfplugin::framework::private_state::is_default;

use super::adoption::Adoption;
use super::secret_hashes::SecretHashes;
use super::spec::TokenKind;
use crate::objects;

/// Content of the private state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Private {
    /// Private state of the Kubernetes objects.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) objects: objects::Private,
    /// Keyed hashes of secret content.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) hashes: Option<SecretHashes>,
    /// Kind of the token in an existing Secret.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) existing_token: Option<TokenKind>,
    /// The import of a release, until an apply has completed it.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) adoption: Adoption,
    /// Version of GitLab Runner of an imported release, which is its default.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) running_version: Option<String>,
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
            hashes: serde_json::from_value(json!({ "key": "00", "fingerprints": { "gitlab-runner": "h" } })).unwrap(),
            existing_token: Some(TokenKind::Registration),
            adoption: serde_json::from_value(json!({
                "importing": {
                    "is_helm": true,
                    "record": {
                        "chart": "gitlab-runner", "chart_version": "0.80.0", "runner_version": "18.3.0",
                        "values": { "concurrent": "h" },
                    },
                    "pod": {
                        "deployment": "Deployment ci/gitlab-runner", "template": { "spec": {} }, "foreign": [".spec"],
                        "basis": { "settings": { "entrypoint": "h" } }, "account": { "a": "b" },
                        "outdated": ["gitlab-runner"],
                    },
                },
            }))
            .unwrap(),
            running_version: Some("18.3.0".to_owned()),
        };
        check_private_versions(&[include_str!("testdata/private-0.json")], &content);
    }
}
