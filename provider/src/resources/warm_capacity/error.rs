//! What can go wrong with placeholders, and what it leaves behind.

use gitlabspot_clients::ClientError;
use gitlabspot_clients::kubernetes::{KubernetesError, ObjectRef};
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Diagnostic, Diagnostics};

use crate::errors::{ToDiagnostic, sentence};
use crate::live::StillEnding;
use crate::next_apply::next_apply;
use crate::owner;
use crate::turns::Taken;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Client(#[from] ClientError),

    #[error("{0:?}")]
    Configuration(Diagnostics),

    #[error(
        "{object} already exists and is not warm capacity of this provider. Nothing was changed. Choose another name, \
         or delete the existing object."
    )]
    Exists { object: String },

    #[error(
        "{object} already exists: it is warm capacity of this name, but {}. Nothing was changed. Import it as {id}, \
         and the next apply changes it to this configuration, or choose another name.",
        if .object.kind == "CronJob" { "with a schedule" } else { "without a schedule" }
    )]
    OtherShape { object: Box<ObjectRef>, id: String },

    #[error(
        "{object} belongs to another resource of this or of another state. {}",
        owner::advice(.id)
    )]
    OfOther { object: String, id: String },

    #[error("{source}. Nothing was changed. Choose different names for the two resources.")]
    Taken { source: WaitError<Taken> },

    #[error(
        "{object} was adopted by another create that ran at the same time. The placeholders belong to that one. Keep \
         one of the two resources, or choose different names for them."
    )]
    Lost { object: String },

    #[error(transparent)]
    Ending(#[from] StillEnding),

    #[error("The namespace {namespace} does not exist. Create it first. Nothing was created.")]
    NoNamespace { namespace: String },

    #[error("{} Nothing was changed.", sentence(&.source.to_string()))]
    Before { source: KubernetesError },

    #[error(
        "{} What was applied before is in the cluster and in the state. {}",
        sentence(&.source.to_string()), next_apply(*.is_new)
    )]
    Apply { source: KubernetesError, is_new: bool },

    #[error(
        "The placeholders were not created: {source}. The applied objects are in the state. Placeholders do not need a \
         node for this, they only need to be accepted by the cluster. {}",
        if *.is_new { next_apply(true) } else { "The next apply waits again.".to_owned() }
    )]
    Placeholders { source: WaitError<KubernetesError>, is_new: bool },

    #[error("Reading the placeholders failed: {source}. The state was not changed.")]
    Read { source: KubernetesError },

    #[error(
        "The placeholders could not be removed completely: {source}. The remaining objects are kept in the state. \
         Apply or destroy again."
    )]
    Remove { source: WaitError<KubernetesError> },

    #[error(
        "The namespace {namespace} does not contain a Deployment or CronJob {name} of this provider's warm capacity, \
         or the credentials cannot access it."
    )]
    NothingToImport { namespace: String, name: String },
}

impl Error {
    /// The same, of a create.
    pub(super) fn of_create(mut self) -> Self {
        if let Self::Apply { is_new, .. } | Self::Placeholders { is_new, .. } = &mut self {
            *is_new = true;
        }
        self
    }

    fn summary(&self) -> &'static str {
        match self {
            Self::Client(_) | Self::Configuration(_) => "Invalid warm capacity",
            Self::Exists { .. } | Self::OtherShape { .. } | Self::OfOther { .. } | Self::Taken { .. } => {
                "Object already exists"
            }
            Self::NoNamespace { .. } => "Namespace not found",
            Self::Before { .. } | Self::Apply { .. } | Self::Ending(_) | Self::Lost { .. } => {
                "Cannot apply the warm capacity"
            }
            Self::Placeholders { .. } => "Placeholders were not created",
            Self::Read { .. } => "Cannot read the warm capacity",
            Self::Remove { .. } => "Cannot remove the warm capacity",
            Self::NothingToImport { .. } => "Warm capacity not found",
        }
    }
}

impl From<Error> for Diagnostics {
    fn from(error: Error) -> Self {
        let (summary, detail) = (error.summary(), error.to_string());
        match error {
            Error::Client(error) => error.to_diagnostic().into(),
            Error::Configuration(diagnostics) => diagnostics,
            Error::NoNamespace { .. } => Diagnostic::error(summary, detail).at("namespace").into(),
            _ => Diagnostic::error(summary, detail).into(),
        }
    }
}
