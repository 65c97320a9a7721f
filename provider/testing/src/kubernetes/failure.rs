//! Errors with the messages of the API server.

use serde_json::{Value as Json, json};

use super::discovery::Kind;
use super::request::Request;

/// The fields of the `Status` of an error.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: u16,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn not_found(kind: &Kind, name: &str) -> Self {
        Self { code: 404, reason: "NotFound", message: format!("{} \"{name}\" not found", kind.qualified()) }
    }

    pub(super) fn forbidden(request: &Request) -> Self {
        let Request { kind, namespace, name, .. } = request;
        let object = name.as_ref().map(|name| format!(" \"{name}\"")).unwrap_or_default();
        let scope = namespace.as_ref().map(|namespace| format!("in the namespace \"{namespace}\""));
        let message = format!(
            "{}{object} is forbidden: User \"ci\" cannot {} resource \"{}\" in API group \"{}\" {}",
            kind.qualified(),
            request.verb.to_lowercase(),
            kind.resource,
            kind.group(),
            scope.as_deref().unwrap_or("at the cluster scope"),
        );
        Self { code: 403, reason: "Forbidden", message }
    }

    /// The object does not have the UID or version in the request.
    pub(super) fn conflict(request: &Request, why: &str) -> Self {
        let object = format!("{} \"{}\"", request.kind.qualified(), request.name.as_deref().unwrap_or_default());
        let message = format!("Operation cannot be fulfilled on {object}: {why}");
        Self { code: 409, reason: "Conflict", message }
    }

    pub(super) fn status(&self) -> Json {
        let Self { code, reason, message } = self;
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code, "reason": reason,
            "message": message,
        })
    }
}
