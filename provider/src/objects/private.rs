//! What every resource of Kubernetes objects keeps in its private state.

use serde::{Deserialize, Serialize};
use tfplugin::framework::private_state::is_default;

use super::mutation::Mutations;
use super::owner::Owner;

/// A part of the private state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Private {
    /// ARN of the EKS cluster of the first connection. None for a cluster that is not of EKS.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) cluster: Option<String>,
    /// ID of the resource, which its objects have as an annotation.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) owner: Option<Owner>,
    /// Fields that admission changes.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) mutations: Mutations,
    /// Whether objects were applied, and it was not observed that the pods follow.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) is_applying: bool,
}
