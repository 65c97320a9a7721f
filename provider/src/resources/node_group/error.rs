//! What can go wrong with a node group, and what it leaves behind.

use std::fmt;

use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Diagnostic, Diagnostics};

use super::health::Issues;
use super::node_role::RoleError;
use super::template::TemplateError;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(
        "The cluster {cluster} already has a node group {name}, which does not belong to this resource. It was not \
         changed. If the resource was renamed, write a `moved` block. If no state contains it, import it (\"tofu \
         import ADDRESS {cluster}:{name}\"). Otherwise choose another name; with create_before_destroy, a name_prefix."
    )]
    Exists { cluster: String, name: String },

    #[error(
        "The cluster {cluster} has no subnet in {}. Its subnets are in {}. Nothing was created.",
        .missing.join(" and "),
        if .known.is_empty() { "no zone".to_owned() } else { .known.join(", ") }
    )]
    NoSubnet { cluster: String, missing: Vec<String>, known: Vec<String> },

    #[error(
        "The cluster {cluster} does not exist in the region {region}, or the provider's credentials cannot access it. \
         Nothing was created."
    )]
    NoCluster { cluster: String, region: String },

    #[error("{step} of the node group {id} failed: {source}. {left}")]
    Step { step: Step, id: String, source: WaitError<Cause>, left: Left },

    #[error("{step} of the node group {id} failed: {source}. {left}")]
    Role { step: Step, id: String, source: RoleError, left: Left },

    #[error("{step} of the node group {id} failed: {source}. {left}")]
    Template { step: Step, id: String, source: TemplateError, left: Left },

    #[error(
        "The node group {id} does not exist in the region {region}, or the provider's credentials cannot access \
        it."
    )]
    NothingToImport { id: String, region: String },
}

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    FindSubnets,
    SetUpRole,
    SetUpTemplate,
    Create,
    AwaitActive,
    TagAutoScalingGroup,
    AzRebalance,
    Tag,
    Read,
    UpdateVersion,
    UpdateConfig,
    Delete,
    DeleteTemplate,
    DeleteRole,
}

/// Why a call or a wait failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Cause {
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error("its status is {status}: {issues}")]
    Unhealthy { status: String, issues: Issues },
    #[error("the update ended with the status {status}: {issues}")]
    UpdateEnded { status: String, issues: Issues },
    #[error("it no longer exists")]
    Gone,
    #[error("the response of AWS does not contain {0}")]
    Incomplete(&'static str),
}

/// What there is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Certain: nothing was made.
    Nothing,
    /// Role or launch template of a group that could not be made.
    Parts,
    /// Role or launch template of a group that is deleted.
    PartsAlone,
    /// Nobody can say.
    Perhaps,
    /// A new group, in the state and tainted.
    NewGroup,
    /// What was there, with what was changed before the failure.
    Changed,
    /// What was there, as it was.
    Untouched,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FindSubnets => "Finding the subnets",
            Self::SetUpRole => "Setting up the role",
            Self::SetUpTemplate => "Setting up the launch template",
            Self::Create => "Creation",
            Self::AwaitActive => "Waiting for the node group to become active",
            Self::TagAutoScalingGroup => "Tagging the Auto Scaling Group",
            Self::AzRebalance => "Suspending or resuming AZRebalance",
            Self::Tag => "Tagging",
            Self::Read => "Reading",
            Self::UpdateVersion => "The update of the version",
            Self::UpdateConfig => "The update",
            Self::Delete => "Deletion",
            Self::DeleteTemplate => "Deleting the launch template",
            Self::DeleteRole => "Deleting the role",
        })
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing was created.",
            Self::Parts => {
                "Its role or its launch template was created and could not be deleted again. It is kept in the state, \
                 and the next apply or destroy continues with it."
            }
            Self::PartsAlone => {
                "The node group was deleted. The state keeps its role and its launch template, as far as they still \
                 exist. Destroy again when the cause is resolved."
            }
            Self::Perhaps => {
                "It may have been created. It is kept in the state, so that the next apply or destroy can \
                find out."
            }
            Self::NewGroup => "It exists and is in the state. The next apply replaces it.",
            Self::Changed => {
                "It exists, and the state contains the changes made before the failure. Apply again when \
                the cause is resolved."
            }
            Self::Untouched => "It was not changed.",
        })
    }
}

impl Error {
    fn summary(&self) -> &'static str {
        match self {
            Self::Exists { .. } => "Node group already exists",
            Self::NoSubnet { .. } => "No subnet in the availability zone",
            Self::NoCluster { .. } => "EKS cluster not found",
            Self::NothingToImport { .. } => "Node group not found",
            Self::Role { step: Step::DeleteRole, .. } => "Cannot delete the role of the node group",
            Self::Role { .. } => "Cannot set up the role of the node group",
            Self::Template { step: Step::DeleteTemplate, .. } => "Cannot delete the launch template of the node group",
            Self::Template { .. } => "Cannot set up the launch template of the node group",
            Self::Step { step, .. } => match step {
                Step::FindSubnets | Step::SetUpRole | Step::SetUpTemplate | Step::Create | Step::AwaitActive => {
                    "Cannot create the node group"
                }
                Step::Read => "Cannot read the node group",
                Step::UpdateVersion | Step::UpdateConfig | Step::Tag => "Cannot update the node group",
                Step::TagAutoScalingGroup | Step::AzRebalance => "Cannot set up the Auto Scaling Group",
                Step::Delete | Step::DeleteTemplate | Step::DeleteRole => "Cannot delete the node group",
            },
        }
    }
}

impl From<Error> for Diagnostics {
    fn from(error: Error) -> Self {
        let diagnostic = Diagnostic::error(error.summary(), error.to_string());
        match error {
            Error::Exists { .. } => diagnostic.at("name"),
            Error::NoSubnet { .. } => diagnostic.at("availability_zones"),
            Error::NoCluster { .. } => diagnostic.at("cluster_name"),
            Error::Role { .. } => diagnostic.at("node_role"),
            Error::Template { .. } => diagnostic.at("template"),
            _ => diagnostic,
        }
        .into()
    }
}
