//! Errors of operations on the objects of a resource: step, resource and cause.

use std::fmt;

use gitlabspot_clients::ClientError;
use gitlabspot_clients::kubernetes::KubernetesError;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Diagnostic, Diagnostics};

use super::owner;
use super::requests::StillEnding;
use super::{Kind, Session};
use crate::errors::{ToDiagnostic, sentence};
use crate::reservations::Reserved;
use crate::steps::{self, Fault as _, Remains};

/// Why an operation failed, and what remains.
pub(crate) type Error = steps::Error<Fault>;

/// Cause of an error.
#[derive(Debug)]
pub(crate) enum Fault {
    Client(ClientError),
    Configuration(Diagnostics),
    Objects(Subject, Reason),
}

/// The resource of an operation. It is displayed as its kind and its ID, such as "release ci/runner".
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(super) kind: &'static Kind,
    /// `namespace/name`, which is also the import ID.
    pub(super) id: String,
}

/// Reason why an operation on objects failed.
#[derive(Debug)]
pub(crate) enum Reason {
    /// An object that this provider did not create has the name of an object of the resource.
    Exists(String),
    /// An object belongs to another resource of the same kind and name.
    OfOther(String),
    /// Another operation of this run creates the same objects.
    Reserved(WaitError<Reserved>),
    /// A concurrent create has taken the object over.
    Lost(String),
    Ending(StillEnding),
    NoNamespace(String),
    NamespaceEnds {
        namespace: String,
        source: WaitError<KubernetesError>,
    },
    Step {
        step: Step,
        cause: WaitError<KubernetesError>,
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

impl Step {
    /// What remains after this step has failed.
    fn remains(self) -> Remains {
        match self {
            Self::Check => Remains::Unchanged,
            Self::Apply => Remains::Recorded,
            Self::Read => Remains::State,
            Self::Remove => Remains::Undeleted,
        }
    }
}

/// Adds the step in which a request failed to its error.
pub(crate) trait During<T> {
    fn during<R>(self, step: Step, session: &Session<'_, R>) -> Result<T, Error>;
}

impl<T, E: Into<WaitError<KubernetesError>>> During<T> for Result<T, E> {
    fn during<R>(self, step: Step, session: &Session<'_, R>) -> Result<T, Error> {
        self.map_err(|cause| session.fault(Reason::Step { step, cause: cause.into() }).leaving(step.remains()))
    }
}

impl Fault {
    pub(crate) fn is_of_other(&self) -> bool {
        matches!(self, Self::Objects(_, Reason::OfOther(_)))
    }

    pub(crate) fn is_lost(&self) -> bool {
        matches!(self, Self::Objects(_, Reason::Lost(_)))
    }
}

impl Error {
    /// The result of a read without a connection: nothing if the cluster is yet to be created, and a warning if it no
    /// longer exists. It is not an error, because a destroy reads the resource first and would never complete.
    pub(crate) fn in_read(self, kind: &Kind) -> Result<Option<Diagnostic>, Diagnostics> {
        match &*self.fault {
            Fault::Client(ClientError::NotYetKnown { .. }) => Ok(None),
            Fault::Client(error @ ClientError::ClusterGone { .. }) => {
                Ok(Some(cluster_gone(error, &format!("The state of the {} was not changed.", kind.noun))))
            }
            _ => Err(self.into()),
        }
    }

    /// The result of a delete without a connection: a warning if the cluster, and therefore all its objects, no longer
    /// exist.
    pub(crate) fn in_delete(self, kind: &Kind) -> Result<Diagnostic, Diagnostics> {
        match &*self.fault {
            Fault::Client(error @ ClientError::ClusterGone { .. }) => {
                let text = format!("The {} was deleted with it and is removed from the state.", kind.noun);
                Ok(cluster_gone(error, &text))
            }
            _ => Err(self.into()),
        }
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(error) => f.write_str(&sentence(&error.to_string())),
            Self::Configuration(found) => found.iter().try_for_each(|found| f.write_str(&found.detail)),
            Self::Objects(subject, reason) => f.write_str(&subject.text(reason)),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.noun, self.id)
    }
}

impl Subject {
    fn text(&self, reason: &Reason) -> String {
        let Kind { not_own, if_exists, to_rename, if_no_namespace, .. } = self.kind;
        match reason {
            Reason::Exists(object) => format!(
                "{object} already exists and {not_own}. The {self} requires an object with this name. Nothing was \
                 changed. {if_exists}"
            ),
            Reason::OfOther(object) => format!(
                "{object} belongs to another resource of this or another state. The {self} requires an object with \
                 this name. {}",
                owner::advice(&self.id)
            ),
            Reason::Reserved(source) => {
                format!("{source}. Nothing was changed. Choose different names for the two resources{to_rename}.")
            }
            Reason::Lost(object) => format!(
                "{object} of the {self} was adopted by another resource that was created at the same time, and belongs \
                 to it. Keep one of the two resources, or choose different names for them."
            ),
            Reason::Ending(StillEnding { object, source }) => format!(
                "{object} is being deleted, and still exists: {source}. The {self} requires an object with this name. \
                 Nothing was changed. Apply again when it is deleted."
            ),
            Reason::NoNamespace(namespace) => {
                format!("The namespace {namespace} does not exist. {if_no_namespace} Nothing was created.")
            }
            Reason::NamespaceEnds { namespace, source } => format!(
                "The namespace {namespace} is being deleted, and the deletion did not complete: {source}. Nothing was \
                 created. Apply again when the namespace is deleted."
            ),
            Reason::Step { step, cause } => sentence(&format!("{step} the {self} failed: {cause}")),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Check => "Checking the objects of",
            Self::Apply => "Applying",
            Self::Read => "Reading",
            Self::Remove => "Removing",
        })
    }
}

impl steps::Fault for Fault {
    fn summary(&self) -> &'static str {
        let (kind, reason) = match self {
            Self::Client(error) => return error.summary(),
            Self::Configuration(_) => return "Invalid provider setting",
            Self::Objects(Subject { kind, .. }, reason) => (kind, reason),
        };
        match reason {
            Reason::Exists(_) | Reason::OfOther(_) | Reason::Reserved(_) => "Object already exists",
            Reason::NoNamespace(_) => "Namespace not found",
            Reason::NamespaceEnds { .. } => "Namespace is being deleted",
            Reason::Ending(_) | Reason::Lost(_) => kind.cannot_apply,
            Reason::Step { step: Step::Check | Step::Apply, .. } => kind.cannot_apply,
            Reason::Step { step: Step::Read, .. } => kind.cannot_read,
            Reason::Step { step: Step::Remove, .. } => kind.cannot_remove,
        }
    }

    fn attribute(&self) -> Option<&'static str> {
        matches!(self, Self::Objects(_, Reason::NoNamespace(_))).then_some("namespace")
    }

    fn of_cause(&self) -> Option<Diagnostics> {
        match self {
            Self::Client(error) => Some(error.to_diagnostic().into()),
            Self::Configuration(diagnostics) => Some(diagnostics.clone()),
            Self::Objects(..) => None,
        }
    }
}

fn cluster_gone(error: &ClientError, text: &str) -> Diagnostic {
    Diagnostic::warning("Cluster no longer exists", format!("{} {text}", sentence(&error.to_string())))
}
