//! Why an operation on a node group failed: the step, the node group and the cause.

use std::fmt;

use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::wait::WaitError;

use super::health::Issues;
use super::node_role::RoleError;
use super::template::TemplateError;
use super::wait::Id;
use crate::steps::{self, Fault as _, Remains};

/// Why an operation failed, and what remains.
pub(super) type Error = steps::Error<Fault>;

/// The result of a step.
pub(super) type Result<T> = std::result::Result<T, Error>;

/// The reason of a failure.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(
        "The cluster {cluster} already has a node group {name}, which does not belong to this resource. It was not \
         changed. If the resource was renamed, add a `moved` block. If no state contains it, import it (\"tofu import \
         ADDRESS {cluster}:{name}\"). Otherwise choose another name. With create_before_destroy, use name_prefix."
    )]
    Exists { cluster: String, name: String },

    #[error(
        "The cluster {cluster} has no subnet in {}. Zones with a subnet: {}. Nothing was created. Specify other zones \
         in availability_zones, or set subnet_ids.",
        .missing.join(" and "),
        if .known.is_empty() { "none".to_owned() } else { .known.join(", ") }
    )]
    NoSubnet { cluster: String, missing: Vec<String>, known: Vec<String> },

    #[error(
        "The cluster {cluster} does not exist in the region {region}, or the provider's credentials cannot access it. \
         Nothing was created."
    )]
    NoCluster { cluster: String, region: String },

    #[error("{step} of the node group {id} failed: {failure}.")]
    Step { step: Step, id: String, failure: Failure },

    #[error(
        "The node group {id} does not exist in the region {region}, or the provider's credentials cannot access \
        it."
    )]
    NothingToImport { id: String, region: String },
}

/// A step of an operation.
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

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Wait(#[from] WaitError<Cause>),
    #[error(transparent)]
    Role(#[from] RoleError),
    #[error(transparent)]
    Template(#[from] TemplateError),
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
    Deleted,
    #[error("the response of AWS does not contain {0}")]
    Incomplete(&'static str),
}

/// Adds the step that failed, and what remains, to an error.
pub(super) trait During<T> {
    fn during(self, step: Step, id: &Id, remains: Remains) -> Result<T>;
}

impl<T, E: Into<Failure>> During<T> for std::result::Result<T, E> {
    fn during(self, step: Step, id: &Id, remains: Remains) -> Result<T> {
        self.map_err(|error| Fault::Step { step, id: id.to_string(), failure: error.into() }.leaving(remains))
    }
}

impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        Self::Wait(WaitError::Failed(error.into()))
    }
}

impl From<WaitError<AwsError>> for Failure {
    fn from(error: WaitError<AwsError>) -> Self {
        Self::Wait(error.map(Cause::from))
    }
}

/// The role or launch template of a failed create, which could not be deleted.
pub(super) fn parts_of_failed_create() -> Remains {
    Remains::Other(
        "Its role or its launch template was created, and could not be deleted after the failure. It is kept in the \
         state, and the next apply or destroy continues with it."
            .to_owned(),
    )
}

/// The role or launch template of a deleted node group.
pub(super) fn parts_of_delete() -> Remains {
    Remains::Other(
        "The node group was deleted. Its role and its launch template are kept in the state if they still exist. \
         Destroy again when the cause is resolved."
            .to_owned(),
    )
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

impl steps::Fault for Fault {
    fn summary(&self) -> &'static str {
        match self {
            Self::Exists { .. } => "Node group already exists",
            Self::NoSubnet { .. } => "No subnet in the availability zone",
            Self::NoCluster { .. } => "EKS cluster not found",
            Self::NothingToImport { .. } => "Node group not found",
            Self::Step { step, .. } => match step {
                Step::SetUpRole => "Cannot set up the role of the node group",
                Step::SetUpTemplate => "Cannot set up the launch template of the node group",
                Step::FindSubnets | Step::Create | Step::AwaitActive => "Cannot create the node group",
                Step::Read => "Cannot read the node group",
                Step::UpdateVersion | Step::UpdateConfig | Step::Tag => "Cannot update the node group",
                Step::TagAutoScalingGroup | Step::AzRebalance => "Cannot set up the Auto Scaling Group",
                Step::Delete => "Cannot delete the node group",
                Step::DeleteTemplate => "Cannot delete the launch template of the node group",
                Step::DeleteRole => "Cannot delete the role of the node group",
            },
        }
    }

    fn attribute(&self) -> Option<&'static str> {
        match self {
            Self::Exists { .. } => Some("name"),
            Self::NoSubnet { .. } => Some("availability_zones"),
            Self::NoCluster { .. } => Some("cluster_name"),
            Self::Step { step: Step::SetUpRole | Step::DeleteRole, .. } => Some("node_role"),
            Self::Step { step: Step::SetUpTemplate | Step::DeleteTemplate, .. } => Some("template"),
            Self::Step { .. } | Self::NothingToImport { .. } => None,
        }
    }
}
