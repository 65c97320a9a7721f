//! Why an operation on the objects of a resource failed, and what remains.

use gitlabspot_clients::ClientError;
use gitlabspot_clients::kubernetes::KubernetesError;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Diagnostic, Diagnostics};

use super::Kind;
use super::owner;
use super::requests::StillEnding;
use crate::errors::{ToDiagnostic, sentence};
use crate::reservations::Reserved;
use crate::steps::Remains;

/// Why an operation failed.
#[derive(Debug)]
pub(crate) enum Error {
    Client(ClientError),
    Configuration(Diagnostics),
    /// An object of others has the name of one of the resource.
    Exists {
        object: String,
    },
    /// An object belongs to another resource of the same kind and name. `id` imports it.
    OfOther {
        object: String,
        id: String,
    },
    /// Another operation of this run creates the same objects.
    Reserved(WaitError<Reserved>),
    /// Another create has taken the object over.
    Lost {
        object: String,
    },
    Ending(StillEnding),
    NoNamespace {
        namespace: String,
    },
    NamespaceEnds {
        namespace: String,
        source: WaitError<KubernetesError>,
    },
    Step {
        step: Step,
        cause: WaitError<KubernetesError>,
        remains: Remains,
    },
}

/// A step of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Check,
    Apply,
    Read,
    Remove,
}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl From<StillEnding> for Error {
    fn from(error: StillEnding) -> Self {
        Self::Ending(error)
    }
}

impl Error {
    /// A step that failed before anything was changed.
    pub(crate) fn check(cause: KubernetesError) -> Self {
        Self::Step { step: Step::Check, cause: cause.into(), remains: Remains::Unchanged }
    }

    /// An apply that failed after objects may have been changed.
    pub(crate) fn apply(cause: KubernetesError) -> Self {
        Self::Step { step: Step::Apply, cause: cause.into(), remains: Remains::Recorded }
    }

    pub(crate) fn read(cause: KubernetesError) -> Self {
        Self::Step { step: Step::Read, cause: cause.into(), remains: Remains::State }
    }

    pub(crate) fn remove<E: Into<WaitError<KubernetesError>>>(cause: E) -> Self {
        Self::Step { step: Step::Remove, cause: cause.into(), remains: Remains::Undeleted }
    }

    /// The same error of a create, after which the host replaces the resource.
    pub(crate) fn of_create(self) -> Self {
        match self {
            Self::Step { step, cause, remains } => {
                Self::Step { step, cause, remains: remains.of_create(Remains::Incomplete) }
            }
            error => error,
        }
    }

    /// What a read does without a connection: nothing while the cluster is still to be created, and a warning if it no longer
    /// exists. A destroy reads first, and has to go on.
    pub(crate) fn in_read(self, kind: &Kind) -> Result<Option<Diagnostic>, Diagnostics> {
        match self {
            Self::Client(ClientError::NotYetKnown { .. }) => Ok(None),
            Self::Client(error @ ClientError::ClusterGone { .. }) => {
                Ok(Some(cluster_gone(&error, &format!("The state of the {} was not changed.", kind.noun))))
            }
            error => Err(error.diagnostics(kind)),
        }
    }

    /// What a delete does without a connection: a warning if the cluster, and all in it, no longer exists.
    pub(crate) fn in_delete(self, kind: &Kind) -> Result<Diagnostic, Diagnostics> {
        match self {
            Self::Client(error @ ClientError::ClusterGone { .. }) => {
                let text = format!("The {} was deleted with it and is removed from the state.", kind.noun);
                Ok(cluster_gone(&error, &text))
            }
            error => Err(error.diagnostics(kind)),
        }
    }

    /// The message for users.
    pub(crate) fn diagnostics(self, kind: &Kind) -> Diagnostics {
        match self {
            Self::Client(error) => error.to_diagnostic().into(),
            Self::Configuration(diagnostics) => diagnostics,
            error @ Self::NoNamespace { .. } => error.diagnostic(kind).at("namespace").into(),
            error => error.diagnostic(kind).into(),
        }
    }

    /// The message for users, of an error of the objects themselves.
    pub(crate) fn diagnostic(&self, kind: &Kind) -> Diagnostic {
        Diagnostic::error(self.summary(kind), self.detail(kind))
    }

    fn summary(&self, kind: &Kind) -> &'static str {
        match self {
            Self::Client(_) | Self::Configuration(_) => kind.invalid,
            Self::Exists { .. } | Self::OfOther { .. } | Self::Reserved(_) => "Object already exists",
            Self::NoNamespace { .. } => "Namespace not found",
            Self::NamespaceEnds { .. } => "Namespace is being deleted",
            Self::Ending(_) | Self::Lost { .. } => kind.cannot_apply,
            Self::Step { step: Step::Check | Step::Apply, .. } => kind.cannot_apply,
            Self::Step { step: Step::Read, .. } => kind.cannot_read,
            Self::Step { step: Step::Remove, .. } => kind.cannot_remove,
        }
    }

    fn detail(&self, kind: &Kind) -> String {
        let Kind { noun, not_own, if_exists, to_rename, if_no_namespace, .. } = kind;
        match self {
            Self::Client(error) => sentence(&error.to_string()),
            Self::Configuration(_) => String::new(),
            Self::Exists { object } => {
                format!("{object} already exists and {not_own}. Nothing was changed. {if_exists}")
            }
            Self::OfOther { object, id } => {
                format!("{object} belongs to another resource of this or of another state. {}", owner::advice(id))
            }
            Self::Reserved(source) => {
                format!("{source}. Nothing was changed. Choose different names for the two resources{to_rename}.")
            }
            Self::Lost { object } => format!(
                "{object} was adopted by another create that ran at the same time. The objects belong to that one. Keep \
                 one of the two resources, or choose different names for them."
            ),
            Self::Ending(source) => source.to_string(),
            Self::NoNamespace { namespace } => {
                format!("The namespace {namespace} does not exist. {if_no_namespace} Nothing was created.")
            }
            Self::NamespaceEnds { namespace, source } => format!(
                "The namespace {namespace} is being deleted, and the deletion did not complete: {source}. Nothing was \
                 created."
            ),
            Self::Step { step, cause, remains } => {
                format!("{} {remains}", sentence(&format!("{step} the {noun} failed: {cause}")))
            }
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Check => "Checking the objects of",
            Self::Apply => "Applying",
            Self::Read => "Reading",
            Self::Remove => "Removing",
        })
    }
}

fn cluster_gone(error: &ClientError, text: &str) -> Diagnostic {
    Diagnostic::warning("Cluster no longer exists", format!("{} {text}", sentence(&error.to_string())))
}
