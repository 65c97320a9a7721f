//! Why an operation on warm capacity failed, and what remains.

use gitlabspot_clients::kubernetes::{KubernetesError, ObjectRef};
use tfplugin::framework::wait::WaitError;

use crate::objects;
use crate::steps;

/// Why an operation failed, and what remains.
pub(super) type Error = steps::Error<Fault>;

/// The reason of a failure.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Objects(objects::Fault),

    /// Warm capacity of this name exists with the other kind of workload. `id` is its import ID.
    #[error(
        "{object} already exists and belongs to warm capacity with the same name, but {}. Nothing was changed. Import \
         it with the ID {id}, so that the next apply changes it to this configuration, or choose another name.",
        if .object.kind == "CronJob" { "with a schedule" } else { "without a schedule" }
    )]
    OtherWorkload { object: ObjectRef, id: String },

    /// The objects were applied, but the pods were not created.
    #[error(
        "The placeholder pods of the warm capacity {id} were not created: {source}. This does not require a node: \
         check whether a quota, a policy or a webhook of the cluster rejects the pods."
    )]
    Placeholders { id: String, source: WaitError<KubernetesError> },

    #[error(
        "The namespace {namespace} does not contain a Deployment or CronJob {name} of this provider's warm capacity, or \
         the credentials cannot access it."
    )]
    NothingToImport { namespace: String, name: String },
}

impl From<objects::Error> for Error {
    fn from(error: objects::Error) -> Self {
        error.map(Fault::Objects)
    }
}

impl steps::Fault for Fault {
    fn summary(&self) -> &'static str {
        match self {
            Self::Objects(fault) => fault.summary(),
            Self::OtherWorkload { .. } => "Object already exists",
            Self::Placeholders { .. } => "Placeholders were not created",
            Self::NothingToImport { .. } => "Warm capacity not found",
        }
    }

    fn inner(&self) -> Option<&dyn steps::Fault> {
        match self {
            Self::Objects(fault) => Some(fault),
            _ => None,
        }
    }
}
