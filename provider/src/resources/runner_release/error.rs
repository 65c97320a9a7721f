//! What can go wrong with a release, and what it leaves behind.

use gitlabspot_clients::ClientError;
use gitlabspot_clients::kubernetes::KubernetesError;
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
        "{object} already exists and was not created by this provider. Nothing was changed. Choose another name for \
         the release, import the release if Helm installed it, or delete the existing object."
    )]
    Exists { object: String },

    #[error(
        "{object} belongs to {owner}, and would be taken from it. Nothing was changed. Choose different names for the \
         two, for example with `name` or `fullname_override`."
    )]
    ExistsForOther { object: String, owner: String },

    #[error(
        "{object} belongs to another resource of this or of another state. {}",
        owner::advice(.id)
    )]
    OfOther { object: String, id: String },

    #[error(
        "{source}. Nothing was changed. Choose different names for the two resources, for example with `name` or \
        `fullname_override`."
    )]
    Taken { source: WaitError<Taken> },

    #[error(
        "{object} was adopted by another create that ran at the same time. The objects belong to that one. Keep one of \
         the two resources, or choose different names for them."
    )]
    Lost { object: String },

    #[error(transparent)]
    Ending(#[from] StillEnding),

    #[error(
        "The namespace {namespace} does not exist. Create it first, or set create_namespace = true. Nothing was \
        created."
    )]
    NoNamespace { namespace: String },

    #[error(
        "The namespace {namespace} of {object} does not exist. create_namespace only creates the namespace of the \
         release: create this one first, or omit what refers to it. Nothing was created."
    )]
    NoOtherNamespace { namespace: String, object: String },

    #[error(
        "The namespace {namespace} is being deleted, and the deletion did not complete: {source}. Nothing was \
        created."
    )]
    NamespaceEnds { namespace: String, source: WaitError<KubernetesError> },

    #[error("{} Nothing was changed.", sentence(&.source.to_string()))]
    Before { source: KubernetesError },

    #[error(
        "{} What was applied before is in the cluster and in the state. {}",
        sentence(&.source.to_string()), next_apply(*.is_new)
    )]
    Apply { source: KubernetesError, is_new: bool },

    #[error("The rollout of the manager did not complete: {source}. {}{reasons}", after_rollout(.source, *.is_new))]
    Rollout { source: WaitError<RolloutError>, reasons: Reasons, is_new: bool },

    #[error("Reading the release failed: {source}. The state was not changed.")]
    Read { source: KubernetesError },

    #[error(
        "The release could not be removed completely: {source}. The remaining objects are kept in the state. Apply or \
         destroy again."
    )]
    Remove { source: WaitError<KubernetesError> },

    #[error(
        "The namespace {namespace} does not contain a release {name} of this provider, or the credentials cannot \
        access it."
    )]
    NothingToImport { namespace: String, name: String },
}

fn after_rollout(source: &WaitError<RolloutError>, is_new: bool) -> String {
    match source {
        WaitError::Failed(RolloutError::Gone) => next_apply(is_new),
        _ if is_new => format!("All objects are applied and in the state. {}", next_apply(true)),
        _ => "All objects are applied and in the state; the next apply waits again.".to_owned(),
    }
}

/// Why a rollout will not end.
#[derive(Debug, thiserror::Error)]
pub(super) enum RolloutError {
    #[error("{0}")]
    Kubernetes(#[from] KubernetesError),
    #[error("{0}")]
    Failed(String),
    #[error("the Deployment was deleted by someone else in the meantime")]
    Gone,
}

/// What keeps the pods.
#[derive(Clone, Debug, Default)]
pub(super) struct Reasons {
    /// A line for each pod that does not run, and one for those that are refused.
    pub(super) pods: Vec<String>,
    /// The last lines that pods have written, by pod.
    pub(super) logs: Vec<(String, String)>,
}

impl std::fmt::Display for Reasons {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.pods.iter().try_for_each(|reason| write!(f, "\n- {reason}"))?;
        for (pod, log) in &self.logs {
            write!(f, "\n\nLast lines of the log of {pod}:\n{}", log.trim_end())?;
        }
        Ok(())
    }
}

impl Error {
    /// The same, of a create.
    pub(super) fn of_create(mut self) -> Self {
        if let Self::Apply { is_new, .. } | Self::Rollout { is_new, .. } = &mut self {
            *is_new = true;
        }
        self
    }

    pub(super) fn summary(&self) -> &'static str {
        match self {
            Self::Client(_) | Self::Configuration(_) => "Invalid runner release",
            Self::Exists { .. } | Self::ExistsForOther { .. } | Self::OfOther { .. } | Self::Taken { .. } => {
                "Object already exists"
            }
            Self::NoNamespace { .. } | Self::NoOtherNamespace { .. } => "Namespace not found",
            Self::NamespaceEnds { .. } => "Namespace is being deleted",
            Self::Before { .. } | Self::Apply { .. } | Self::Ending(_) | Self::Lost { .. } => {
                "Cannot apply the runner release"
            }
            Self::Rollout { .. } => "Runner manager is not available",
            Self::Read { .. } => "Cannot read the runner release",
            Self::Remove { .. } => "Cannot remove the runner release",
            Self::NothingToImport { .. } => "Runner release not found",
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
