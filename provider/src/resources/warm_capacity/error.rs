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
        "{object} is there already, and no warm capacity of this provider. Nothing was changed. Choose another name, or \
         remove what is there."
    )]
    Exists { object: String },

    #[error(
        "{object} is there already: warm capacity of this name, but {}. Nothing was changed. Import it as {id}, and the \
         next apply makes it what is written here; or choose another name.",
        if .object.kind == "CronJob" { "with a schedule" } else { "without a schedule" }
    )]
    OtherShape { object: Box<ObjectRef>, id: String },

    #[error(
        "{object} belongs to another resource of this or of another state. {}",
        owner::advice(.id)
    )]
    OfOther { object: String, id: String },

    #[error("{source}. Nothing was changed. Give the two other names.")]
    Taken { source: WaitError<Taken> },

    #[error(
        "{object} was taken over by another create, which ran at the same time. The placeholders are those of that one. \
         Keep one of the two resources, or give them other names."
    )]
    Lost { object: String },

    #[error(transparent)]
    Ending(#[from] StillEnding),

    #[error("There is no namespace {namespace}. Make it first. Nothing was made.")]
    NoNamespace { namespace: String },

    #[error("{} Nothing was changed.", sentence(&.source.to_string()))]
    Before { source: KubernetesError },

    #[error(
        "{} What was applied before is in the cluster and in the state. {}",
        sentence(&.source.to_string()), next_apply(*.is_new)
    )]
    Apply { source: KubernetesError, is_new: bool },

    #[error(
        "The placeholders were not made: {source}. What was applied is in the state. Placeholders need no node for \
         this, only to be accepted by the cluster. {}",
        if *.is_new { next_apply(true) } else { "The next apply waits again.".to_owned() }
    )]
    Placeholders { source: WaitError<KubernetesError>, is_new: bool },

    #[error("Reading the placeholders failed: {source}. The state is as it was.")]
    Read { source: KubernetesError },

    #[error(
        "The placeholders could not be removed wholly: {source}. What is left stays in the state; apply or \
         destroy again."
    )]
    Remove { source: WaitError<KubernetesError> },

    #[error(
        "There is no Deployment and no CronJob {name} of this provider's warm capacity in the namespace {namespace} that \
         the credentials can see."
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
                "Object exists already"
            }
            Self::NoNamespace { .. } => "Namespace not found",
            Self::Before { .. } | Self::Apply { .. } | Self::Ending(_) | Self::Lost { .. } => {
                "Cannot apply the warm capacity"
            }
            Self::Placeholders { .. } => "Placeholders were not made",
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
