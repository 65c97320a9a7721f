//! Why an operation on warm capacity failed, and what remains.

use gitlabspot_clients::kubernetes::{KubernetesError, ObjectRef};
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Diagnostic, Diagnostics};

use super::KIND;
use crate::objects;
use crate::steps::Remains;

/// Why an operation failed.
#[derive(Debug)]
pub(super) enum Error {
    Objects(objects::Error),
    /// There is warm capacity of this name with the other kind of workload. `id` imports it.
    OtherWorkload {
        object: Box<ObjectRef>,
        id: String,
    },
    /// The objects are applied, and the pods were not created.
    Placeholders {
        source: WaitError<KubernetesError>,
        remains: Remains,
    },
    NothingToImport {
        namespace: String,
        name: String,
    },
}

impl From<objects::Error> for Error {
    fn from(error: objects::Error) -> Self {
        Self::Objects(error)
    }
}

impl Error {
    /// The same error of a create, after which the host replaces the resource.
    pub(super) fn of_create(self) -> Self {
        match self {
            Self::Objects(error) => Self::Objects(error.of_create()),
            Self::Placeholders { source, remains } => {
                Self::Placeholders { source, remains: remains.of_create(Remains::Incomplete) }
            }
            error => error,
        }
    }
}

impl From<Error> for Diagnostics {
    fn from(error: Error) -> Self {
        let diagnostic = match error {
            Error::Objects(error) => return error.diagnostics(&KIND),
            Error::OtherWorkload { object, id } => {
                let schedule = if object.kind == "CronJob" { "with a schedule" } else { "without a schedule" };
                let detail = format!(
                    "{object} already exists: it is warm capacity of this name, but {schedule}. Nothing was changed. \
                     Import it as {id}, and the next apply changes it to this configuration, or choose another name."
                );
                Diagnostic::error("Object already exists", detail)
            }
            Error::Placeholders { source, remains } => {
                let detail = format!(
                    "The placeholders were not created: {source}. Placeholders do not need a node for this, they only \
                     need to be accepted by the cluster. {remains}"
                );
                Diagnostic::error("Placeholders were not created", detail)
            }
            Error::NothingToImport { namespace, name } => {
                let detail = format!(
                    "The namespace {namespace} does not contain a Deployment or CronJob {name} of this provider's warm \
                     capacity, or the credentials cannot access it."
                );
                Diagnostic::error("Warm capacity not found", detail)
            }
        };
        diagnostic.into()
    }
}
