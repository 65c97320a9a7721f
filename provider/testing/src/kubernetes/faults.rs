//! Faults on demand.

use serde_json::Value as Json;

use super::request::{Request, is_write};
use super::{Cluster, Failure, World};

/// A behaviour of the server or of another client for tests. Requests are written as in the log, or as a verb and a
/// resource.
#[derive(Clone, Debug)]
pub enum Fault {
    /// A request fails with this code, reason and message.
    Error(&'static str, u16, &'static str, &'static str),
    /// Every write fails with an internal error.
    ReadOnly,
    /// The client is not allowed to read these resources.
    Hidden(&'static [&'static str]),
    /// The client is not allowed to list objects of all namespaces at once.
    OneNamespace,
    /// An admission plugin changes objects.
    Admission(fn(&mut Json)),
    /// No pods are created. Deployments that require new ones have these conditions.
    NoNewPods(Json),
    /// A function that is called once after a request.
    After(&'static str, fn(&Cluster)),
}

impl World {
    /// The error of a request that is not executed because of a fault.
    pub(super) fn refusal(&self, request: &Request) -> Option<Failure> {
        let lists_all = request.verb == "LIST" && request.kind.is_namespaced && request.namespace.is_none();
        self.faults.iter().find_map(|fault| match fault {
            Fault::Error(text, code, reason, message) if request.is(text) => {
                Some(Failure { code: *code, reason, message: (*message).to_owned() })
            }
            Fault::ReadOnly if is_write(&request.line()) => {
                let message = "Internal error occurred: etcdserver: request timed out".to_owned();
                Some(Failure { code: 500, reason: "InternalError", message })
            }
            Fault::Hidden(resources) if request.is_read() && resources.contains(&request.kind.resource) => {
                Some(Failure::forbidden(request))
            }
            Fault::OneNamespace if lists_all => Some(Failure::forbidden(request)),
            _ => None,
        })
    }

    pub(super) fn admit(&self, object: &mut Json) {
        for fault in &self.faults {
            if let Fault::Admission(change) = fault {
                change(object);
            }
        }
    }

    pub(super) fn take_hook(&mut self, request: &Request) -> Option<fn(&Cluster)> {
        let is_due = |fault: &mut Fault| matches!(fault, Fault::After(text, _) if request.is(text));
        match self.faults.extract_if(.., is_due).next()? {
            Fault::After(_, happens) => Some(happens),
            _ => None,
        }
    }
}
