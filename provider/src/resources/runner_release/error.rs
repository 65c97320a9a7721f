//! Why an operation on a release failed, and what remains.

use gitlabspot_clients::kubernetes::KubernetesError;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Diagnostic, Diagnostics};

use super::KIND;
use crate::objects;
use crate::steps::Remains;

/// Why an operation failed.
#[derive(Debug)]
pub(super) enum Error {
    Objects(objects::Error),
    /// An object of this provider that `owner` has, as a user reads it.
    ExistsForOther {
        object: String,
        owner: String,
    },
    /// A namespace of an object, other than that of the release.
    NoOtherNamespace {
        namespace: String,
        object: String,
    },
    Rollout {
        source: WaitError<RolloutError>,
        reasons: Box<Reasons>,
        remains: Remains,
    },
    NothingToImport {
        namespace: String,
        name: String,
    },
}

impl<E: Into<objects::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Objects(error.into())
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
    Deleted,
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
    pub(super) fn rollout(source: WaitError<RolloutError>, reasons: Reasons) -> Self {
        let is_deleted = matches!(source, WaitError::Failed(RolloutError::Deleted));
        let remains = if is_deleted { Remains::Recorded } else { Remains::Applied };
        Self::Rollout { source, reasons: Box::new(reasons), remains }
    }

    /// The same error of a create, after which the host replaces the resource.
    pub(super) fn of_create(self) -> Self {
        match self {
            Self::Objects(error) => Self::Objects(error.of_create()),
            Self::Rollout { source, reasons, remains } => {
                Self::Rollout { source, reasons, remains: remains.of_create(Remains::Incomplete) }
            }
            error => error,
        }
    }
}

impl From<Error> for Diagnostics {
    fn from(error: Error) -> Self {
        let diagnostic = match error {
            Error::Objects(error) => return error.diagnostics(&KIND),
            Error::ExistsForOther { object, owner } => {
                let detail = format!(
                    "{object} belongs to {owner}. Nothing was changed. Choose different names for the two, for example \
                     with `name` or `fullname_override`."
                );
                Diagnostic::error("Object already exists", detail)
            }
            Error::NoOtherNamespace { namespace, object } => {
                let detail = format!(
                    "The namespace {namespace} of {object} does not exist. create_namespace only creates the namespace of \
                     the release: create this one first, or omit what refers to it. Nothing was created."
                );
                Diagnostic::error("Namespace not found", detail)
            }
            Error::Rollout { source, reasons, remains } => {
                let detail = format!("The rollout of the manager did not complete: {source}. {remains}{reasons}");
                Diagnostic::error("Runner manager is not available", detail)
            }
            Error::NothingToImport { namespace, name } => {
                let detail = format!(
                    "The namespace {namespace} does not contain a release {name} of this provider, or the credentials \
                     cannot access it."
                );
                Diagnostic::error("Runner release not found", detail)
            }
        };
        diagnostic.into()
    }
}
