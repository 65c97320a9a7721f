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
        "The cluster {cluster} has a node group {name} already, which does not belong to this resource. It was not \
         touched. If the resource was renamed, write a `moved` block. If no state has it, import it (\"tofu import ADDRESS \
         {cluster}:{name}\"). Otherwise choose another name; with create_before_destroy, a name_prefix."
    )]
    Exists { cluster: String, name: String },

    #[error(
        "The cluster {cluster} has no subnet in {}. Its subnets are in {}. Nothing was made.",
        .missing.join(" and "),
        if .known.is_empty() { "no zone".to_owned() } else { .known.join(", ") }
    )]
    NoSubnet { cluster: String, missing: Vec<String>, known: Vec<String> },

    #[error(
        "There is no cluster {cluster} in the region {region} that the provider's credentials can see. Nothing was made."
    )]
    NoCluster { cluster: String, region: String },

    #[error("{step} of the node group {id} failed: {source}. {left}")]
    Step { step: Step, id: String, source: WaitError<Cause>, left: Left },

    #[error("{step} of the node group {id} failed: {source}. {left}")]
    Role { step: Step, id: String, source: RoleError, left: Left },

    #[error("{step} of the node group {id} failed: {source}. {left}")]
    Template { step: Step, id: String, source: TemplateError, left: Left },

    #[error("There is no node group {id} that the provider's credentials can see in the region {region}.")]
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
    #[error("EKS ended the update as {status}: {issues}")]
    UpdateEnded { status: String, issues: Issues },
    #[error("it is gone")]
    Gone,
    #[error("AWS answered without {0}")]
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
            Self::AwaitActive => "Waiting for the start",
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
            Self::Nothing => "Nothing was made.",
            Self::Parts => {
                "Its role or its launch template was created and could not be deleted again: it is in the state, and the next \
                 apply or destroy goes on with it."
            }
            Self::PartsAlone => {
                "The node group is gone; the state keeps its role and its launch template, as far as they are still there. \
                 Destroy again when the cause is gone."
            }
            Self::Perhaps => "Perhaps it was made: it is in the state, so that the next apply or destroy looks for it.",
            Self::NewGroup => "It is there and in the state; the next apply replaces it.",
            Self::Changed => "It is there; the state has what was changed before this. Apply again when the cause is gone.",
            Self::Untouched => "It is as it was.",
        })
    }
}

impl Error {
    fn summary(&self) -> &'static str {
        match self {
            Self::Exists { .. } => "Node group exists already",
            Self::NoSubnet { .. } => "Availability zone without a subnet of the cluster",
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
