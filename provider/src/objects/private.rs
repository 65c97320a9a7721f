//! Private state that all resources of Kubernetes objects have in common.

use serde::{Deserialize, Serialize};
use tfplugin::framework::private_state::is_default;

use super::mutation::Mutations;
use super::owner::Owner;

/// The common part of the private state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Private {
    /// ARN of the EKS cluster of the first connection. `None` for a cluster that is not of EKS.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) cluster: Option<String>,
    /// ID of the resource, which its objects have in an annotation.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) owner: Option<Owner>,
    /// Changes that admission controllers make to the objects.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) mutations: Mutations,
    /// Whether objects were applied and no operation has observed the completed rollout of the pods yet.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) is_applying: bool,
}
