//! Errors of operations on a release, with what remains.

use gitlabspot_clients::kubernetes::KubernetesError;
use tfplugin::framework::Diagnostics;
use tfplugin::framework::wait::WaitError;

use crate::objects;
use crate::steps::{self, Fault as _, Remains};

/// An error of an operation on a release, with what remains.
pub(super) type Error = steps::Error<Fault>;

/// Cause of an error.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Objects(objects::Fault),

    /// An object of this provider that belongs to another resource: `owner` is its description for users.
    #[error(
        "{object} belongs to {owner}. The release {release} requires it. Nothing was changed. Choose different names \
         for the two, for example with `name` or `fullname_override`."
    )]
    ExistsForOther { release: String, object: String, owner: String },

    /// The namespace of an object does not exist, and is not the namespace of the release.
    #[error(
        "The namespace {namespace} of {object} does not exist. The release {release} requires it. create_namespace only \
         creates the namespace of the release: create this one first, or omit what refers to it. Nothing was created."
    )]
    NoOtherNamespace { release: String, object: String, namespace: String },

    #[error("The rollout of the manager of the release {release} did not complete: {source}.")]
    Rollout { release: String, source: WaitError<RolloutError>, reasons: Reasons },

    #[error(
        "The namespace {namespace} does not contain a release {name} of this provider, or the credentials cannot access \
         it."
    )]
    NothingToImport { namespace: String, name: String },
}

/// Cause of a failed rollout.
#[derive(Debug, thiserror::Error)]
pub(super) enum RolloutError {
    #[error("{0}")]
    Kubernetes(#[from] KubernetesError),
    #[error("{0}")]
    Failed(String),
    #[error("the Deployment was deleted by someone else in the meantime")]
    Deleted,
}

/// Reasons why pods do not run.
#[derive(Clone, Debug, Default)]
pub(super) struct Reasons {
    /// A line for each pod that does not run, and one for pods that are rejected.
    pub(super) pods: Vec<String>,
    /// Last lines of the logs, by pod.
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

impl Fault {
    pub(super) fn rollout(release: String, source: WaitError<RolloutError>, reasons: Reasons) -> Error {
        let is_deleted = matches!(source, WaitError::Failed(RolloutError::Deleted));
        let remains = if is_deleted { Remains::Recorded } else { Remains::Applied };
        Self::Rollout { release, source, reasons }.leaving(remains)
    }
}

impl From<objects::Error> for Error {
    fn from(error: objects::Error) -> Self {
        error.map(Fault::Objects)
    }
}

impl From<Diagnostics> for Error {
    fn from(found: Diagnostics) -> Self {
        Fault::Objects(objects::Fault::Configuration(found)).into()
    }
}

impl steps::Fault for Fault {
    fn summary(&self) -> &'static str {
        match self {
            Self::Objects(fault) => fault.summary(),
            Self::ExistsForOther { .. } => "Object already exists",
            Self::NoOtherNamespace { .. } => "Namespace not found",
            Self::Rollout { .. } => "Runner manager is not available",
            Self::NothingToImport { .. } => "Runner release not found",
        }
    }

    fn inner(&self) -> Option<&dyn steps::Fault> {
        match self {
            Self::Objects(fault) => Some(fault),
            _ => None,
        }
    }

    fn lines(&self) -> String {
        match self {
            Self::Rollout { reasons, .. } => reasons.to_string(),
            _ => String::new(),
        }
    }
}
