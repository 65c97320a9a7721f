//! Errors of the Kubernetes API, with the fields and field managers that they concern.

use std::fmt;

use kube::core::Status;
use kube::core::response::StatusCause;
use rustls::CertificateError;

use super::apply::ObjectRef;
use super::shape;
use super::stop::Stopped;
use super::transport::Unanswered;
use crate::ClientError;
use crate::aws::chain;

/// A field that another manager owns with a different value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldConflict {
    /// Such as `kubectl-client-side-apply` or `helm`.
    pub manager: String,
    /// Such as `.spec.replicas`.
    pub field: String,
}

/// A field with a value that the API rejects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidField {
    /// Such as `spec.template.spec.containers[0].image`; may be empty.
    pub field: String,
    pub reason: String,
}

/// Why an operation on an object failed.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    #[error(
        "{object} was not applied, because other field managers own some of its fields: {}. The plan did not show \
         this, so that these fields were not changed. If a field was changed manually since the plan, plan again: the \
         plan then shows the field, and applying it restores the value. If another tool manages the field, manage it \
         either with that tool or with this configuration",
        list(.conflicts)
    )]
    Conflict { object: Box<ObjectRef>, conflicts: Vec<FieldConflict> },

    #[error("{object} was rejected: {}", list(.fields))]
    Invalid { object: Box<ObjectRef>, fields: Vec<InvalidField> },

    #[error("{object}: the identity in use is not allowed to do this: {message}")]
    Forbidden { object: Box<ObjectRef>, message: String },

    /// Rejected by a quota, a policy or a webhook; not for a missing permission.
    #[error("{object} was rejected: {message}")]
    Denied { object: Box<ObjectRef>, message: String },

    #[error(
        "{object}: the cluster does not accept the credentials ({message}). A token that can be renewed was renewed \
         once. Check the token, certificate or command of the provider's \"kubernetes\"; with cluster_name, the AWS \
         identity needs an access entry of the EKS cluster"
    )]
    Unauthorized { object: Box<ObjectRef>, message: String },

    #[error(
        "{object} cannot be created: the cluster does not have this kind ({} {}). Install the CustomResourceDefinition \
         or API that provides this kind, or remove the settings that require it",
        .object.api_version, .object.kind
    )]
    UnknownKind { object: Box<ObjectRef> },

    /// On apply: the namespace does not exist.
    #[error("{object}: {message}")]
    NotFound { object: Box<ObjectRef>, message: String },

    #[error(
        "{object} cannot be created while the namespace is being deleted: wait until it is deleted, or choose \
        another one"
    )]
    NamespaceTerminating { object: Box<ObjectRef> },

    #[error("{object}: the Kubernetes API returned {code} {reason}: {message}")]
    Api { object: Box<ObjectRef>, code: u16, reason: String, message: String },

    #[error("{object}: the Kubernetes API at {server} cannot be reached: {reason}")]
    Unreachable { object: Box<ObjectRef>, server: String, reason: String },

    /// Nothing was sent: the server at this address may be another one.
    #[error("{object}: the certificate of the Kubernetes API at {server} is not trusted: {reason}")]
    Distrusted { object: Box<ObjectRef>, server: String, reason: String },

    /// Nothing was sent: there are no credentials.
    #[error("{object}: {reason}")]
    NoCredentials { object: Box<ObjectRef>, reason: String },

    #[error(
        "{object}: a proxy in front of the Kubernetes API returned {code} with a page of its own: check the proxies \
         between this machine and the API server"
    )]
    Page { object: Box<ObjectRef>, code: u16 },

    #[error("{object}: the run was stopped before the Kubernetes API responded")]
    Stopped { object: Box<ObjectRef> },

    #[error("an object to apply does not have {missing}")]
    Incomplete { missing: &'static str },
}

impl fmt::Display for FieldConflict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (\"{}\")", self.field, self.manager)
    }
}

impl fmt::Display for InvalidField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => write!(formatter, "{}", self.reason),
            field => write!(formatter, "{field}: {}", self.reason),
        }
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The reason that kube sets for an error response whose body is not a `Status`.
const PAGE: &str = "Failed to parse error data";

impl KubernetesError {
    /// Adds paths of fields that are not in the response, but can be found in the object that was sent.
    pub(super) fn located(self, sent: &serde_json::Value) -> Self {
        match self {
            Self::Invalid { object, fields } => Self::Invalid { object, fields: shape::locate(fields, sent) },
            other => other,
        }
    }

    /// Whether the request may have taken effect nevertheless.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Page { .. } | Self::Stopped { .. } => true,
            Self::Api { code, .. } => *code >= 500,
            _ => false,
        }
    }

    pub(super) fn new(object: &ObjectRef, error: kube::Error) -> Self {
        let object = Box::new(object.clone());
        match error {
            kube::Error::Api(status) if status.reason == PAGE && !status.message.starts_with("404 page not found") => {
                Self::Page { object, code: status.code }
            }
            kube::Error::Api(status) => Self::of_status(object, *status),
            kube::Error::Service(error) if error.is::<Stopped>() => Self::Stopped { object },
            other => Self::of_silence(object, &other),
        }
    }

    fn of_silence(object: Box<ObjectRef>, error: &kube::Error) -> Self {
        let causes_of = || chain(error);
        if let Some(error) = causes_of().find_map(|cause| cause.downcast_ref::<ClientError>()) {
            return Self::NoCredentials { object, reason: error.to_string() };
        }
        let unanswered = causes_of().find_map(|cause| cause.downcast_ref::<Unanswered>());
        let (server, reason) = match unanswered {
            Some(Unanswered { server, source }) => (server.to_string(), causes(source.as_ref())),
            None => ("the configured address".to_owned(), causes(error)),
        };
        match causes_of().find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
            Some(error) => Self::Distrusted { object, server, reason: distrust(error) },
            None => Self::Unreachable { object, server, reason },
        }
    }

    fn of_status(object: Box<ObjectRef>, status: Status) -> Self {
        // Responses about a Secret may quote its data.
        let quotes = object.kind == "Secret";
        let message = match quotes {
            true => format!("the message is not shown, because {object} contains secrets"),
            false => status.message.clone(),
        };
        let causes = status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
        match (status.code, status.reason.as_str()) {
            (401, _) => {
                // The transport of this provider adds the source of the token in parentheses.
                let from = status.message.split_once(" (").map(|(_, from)| format!(" ({from}"));
                Self::Unauthorized { object, message: format!("401 Unauthorized{}", from.unwrap_or_default()) }
            }
            (403, _) if causes.iter().any(|cause| cause.reason == "NamespaceTerminating") => {
                Self::NamespaceTerminating { object }
            }
            (403, _) if is_denial(&status.message) => Self::Denied { object, message },
            // The message names the user and the action, never the data that was sent, so it is shown for Secrets as
            // well.
            (403, _) => Self::Forbidden { object, message: status.message },
            // For an unknown path, the API server sends this text instead of a `Status`.
            (404, _) if status.message.starts_with("404 page not found") => Self::UnknownKind { object },
            (404, _) => Self::NotFound { object, message: status.message },
            (409, _) if causes.iter().any(|cause| cause.reason == "FieldManagerConflict") => {
                Self::Conflict { object, conflicts: causes.iter().map(conflict).collect() }
            }
            (422, _) if !causes.is_empty() => {
                let field = |cause: &StatusCause| InvalidField {
                    field: cause.field.clone(),
                    reason: if quotes { cause.reason.clone() } else { cause.message.clone() },
                };
                Self::Invalid { object, fields: causes.iter().map(field).collect() }
            }
            (500, _) if shape::is_refusal(&status.message) && !quotes => {
                Self::Invalid { object, fields: shape::fields(&status.message) }
            }
            (500, _) if shape::is_refusal(&status.message) => {
                Self::Invalid { object, fields: vec![InvalidField { field: String::new(), reason: message }] }
            }
            (400 | 422, _) => {
                Self::Invalid { object, fields: vec![InvalidField { field: String::new(), reason: message }] }
            }
            (code, reason) => Self::Api { object, code, reason: reason.to_owned(), message },
        }
    }
}

/// Missing permissions are reported as `... is forbidden: User "name" cannot patch resource ...`; admission plugins
/// report other reasons.
fn is_denial(message: &str) -> bool {
    message.contains("denied the request") || message.contains(" is forbidden: ") && !message.contains("\" cannot ")
}

/// Only the message contains the manager: `conflict with "helm" using apps/v1 at …`.
fn conflict(cause: &StatusCause) -> FieldConflict {
    FieldConflict {
        manager: cause.message.split('"').nth(1).unwrap_or("unknown").to_owned(),
        field: cause.field.clone(),
    }
}

/// The problem of a certificate, and the setting that resolves it.
fn distrust(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(problem) = error else { return error.to_string() };
    match problem {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("{problem}. If this is the right server, set tls_server_name to a name in its certificate")
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            format!("{problem}. Check the certificate and the clock of this machine")
        }
        _ => format!(
            "its certificate is signed by an authority that this machine does not trust ({problem}). Set \
             cluster_ca_certificate, or certificate-authority-data in the kubeconfig, to the certificate authority of \
             the cluster, in PEM"
        ),
    }
}

/// An error and its sources in one line, without repetitions.
pub fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in chain(error) {
        let text = cause.to_string();
        let text = text.strip_prefix("ServiceError: ").unwrap_or(&text).to_owned();
        if !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}
