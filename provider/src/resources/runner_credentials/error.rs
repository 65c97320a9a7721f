//! Why an operation on credentials failed: the fault, and what remains.

use std::fmt;

use gitlabspot_clients::ClientError;
use gitlabspot_clients::aws::AwsError;
use gitlabspot_clients::kubernetes::KubernetesError;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Diagnostic, Diagnostics};

use super::principal::Principal;
use crate::errors::ToDiagnostic;
use crate::next_apply::REPLACES;
use crate::turns::Taken;

/// The result of a step.
pub(super) type Result<T> = std::result::Result<T, Error>;

/// Why an operation failed, and what remains after it.
#[derive(Debug)]
pub(super) struct Error {
    pub(super) fault: Box<Fault>,
    pub(super) remains: Remains,
}

/// What remains after an operation that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Remains {
    /// No object was created.
    Nothing,
    /// The objects created so far are in the state, which the next update or delete continues with.
    Recorded,
    /// The same after a create, whose resource is replaced.
    Tainted,
    /// The state as it was before a read.
    State,
    /// The access key from before a rotation.
    PreviousKey,
    /// An old access key, which the new one has replaced in the Secret.
    OldKey(String),
    /// A new access key that is not in use: `undeleted` is why it could not be deleted, if so.
    UnusedKey { id: String, undeleted: Option<String>, and: Box<Remains> },
    /// The previous access key and this new one: the Secret has one of them.
    EitherKey(String),
    /// Of no concern for the fault, or part of its text.
    Unsaid,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Client(ClientError),

    #[error(
        "An IAM {} with the name {name} already exists and does not belong to this resource. It was not changed. If \
         the resource was renamed, write a `moved` block. If no state contains it, import it, for example with \"tofu \
         import ADDRESS {id}\". Otherwise choose another name; with create_before_destroy, a name_prefix.",
        .principal.label()
    )]
    Exists { principal: Principal, name: String, id: String },

    #[error("{0}. Nothing was created. Choose different names for the two resources, with name and secret_name.")]
    Taken(WaitError<Taken>),

    #[error(
        "The Secret {namespace}/{name} already exists{}. It was not changed. {}elete the Secret, or choose another \
         secret_name.",
        .user.as_ref().map(|it| format!(" and holds the key of the IAM user {}", it.user)).unwrap_or_default(),
        .user.as_ref().map_or_else(
            || "D".to_owned(),
            |it| format!("Import the credentials, for example with \"tofu import ADDRESS {}\", d", it.id),
        )
    )]
    SecretExists { namespace: String, name: String, user: Option<Occupant> },

    #[error(
        "The Secret {namespace}/{name} was changed after the plan was created. It was not touched. Plan again: the \
         plan then replaces the key."
    )]
    SecretChanged { namespace: String, name: String },

    #[error("The namespace {0} does not exist. Set create_namespace = true to create it, or create it first.")]
    NoNamespace(String),

    #[error("{step} failed: {source}.")]
    Aws { step: String, source: WaitError<AwsError> },

    #[error("{step} failed: {source}.")]
    Kubernetes { step: String, source: KubernetesError },

    #[error("{step} did not complete: {source}.")]
    Wait { step: String, source: WaitError<KubernetesError> },

    #[error(
        "The IAM user {user} already has the maximum number of access keys: {}. At least one of them was not created \
         by this provider, so no new key can be created. Delete a key that is not used, then apply again.",
        .keys.join(", ")
    )]
    TooManyKeys { user: String, keys: Vec<String> },

    #[error("The response of AWS does not contain the new access key of the IAM user {0}.")]
    EmptyKey(String),

    #[error(
        "The IAM {} {name} cannot be deleted, because it has attachments that this provider does not manage: {}. \
         Remove them, then destroy again.",
        .principal.label(),
        .obstacles.join(", ")
    )]
    InUse { principal: Principal, name: String, obstacles: Vec<String> },

    #[error(
        "The mode requires the name of the EKS cluster. Set cluster_name here or in the provider's kubernetes settings."
    )]
    NoCluster,

    #[error(
        "The EKS cluster {0} does not have an OIDC issuer, so roles for service accounts are not possible. Use mode \
         pod_identity or access_key."
    )]
    NoIssuer(String),

    #[error(
        "The service account {service_account} already has a Pod Identity association with the role {role_arn}, which \
         does not belong to this resource. It was not changed. Import the role with its association, for example with \
         \"tofu import ADDRESS {id}\", delete the association, or use another service account."
    )]
    AssociationExists { service_account: String, role_arn: String, id: String },

    #[error(
        "Since the plan was created, pods use old credentials again, so these were kept: {} Everything else was done. \
         Plan again.",
        .0.join(" ")
    )]
    UsedAgain(Vec<String>),

    #[error("The IAM {} {name} does not exist, or the provider's credentials cannot access it.", .principal.label())]
    NothingToImport { principal: Principal, name: String },
}

/// Whose key a Secret holds.
#[derive(Debug)]
pub(super) struct Occupant {
    pub(super) user: String,
    /// What imports user and Secret.
    pub(super) id: String,
}

/// Names the step in which a call failed, and what remains.
pub(super) trait During<T> {
    fn during(self, step: impl Into<String>, remains: Remains) -> Result<T>;
}

impl<T, E: Cause> During<T> for std::result::Result<T, E> {
    fn during(self, step: impl Into<String>, remains: Remains) -> Result<T> {
        self.map_err(|cause| cause.in_step(step.into()).leaving(remains))
    }
}

/// Why a call failed.
pub(super) trait Cause {
    fn in_step(self, step: String) -> Fault;
}

impl Cause for AwsError {
    fn in_step(self, step: String) -> Fault {
        Fault::Aws { step, source: self.into() }
    }
}

impl Cause for WaitError<AwsError> {
    fn in_step(self, step: String) -> Fault {
        Fault::Aws { step, source: self }
    }
}

impl Cause for KubernetesError {
    fn in_step(self, step: String) -> Fault {
        Fault::Kubernetes { step, source: self }
    }
}

impl Cause for WaitError<KubernetesError> {
    fn in_step(self, step: String) -> Fault {
        Fault::Wait { step, source: self }
    }
}

impl Fault {
    pub(super) fn leaving(self, remains: Remains) -> Error {
        Error { fault: Box::new(self), remains }
    }

    fn summary(&self) -> &'static str {
        match self {
            Self::Client { .. } => "Cannot connect",
            Self::Exists { .. } => "IAM name already exists",
            Self::Taken { .. } => "Name already in use",
            Self::SecretExists { .. } => "Secret already exists",
            Self::SecretChanged { .. } => "Secret changed after the plan",
            Self::UsedAgain { .. } => "Old credentials in use again",
            Self::NoNamespace { .. } => "Namespace not found",
            Self::Aws { .. } | Self::EmptyKey { .. } => "Cannot manage the IAM side of the credentials",
            Self::Kubernetes { .. } | Self::Wait { .. } => "Cannot manage the cluster side of the credentials",
            Self::TooManyKeys { .. } => "Too many access keys",
            Self::InUse { .. } => "IAM entity in use",
            Self::NoCluster => "Missing argument",
            Self::NoIssuer { .. } => "Cluster without OIDC issuer",
            Self::AssociationExists { .. } => "Pod Identity association already exists",
            Self::NothingToImport { .. } => "IAM entity not found",
        }
    }

    fn attribute(&self) -> Option<&'static str> {
        match self {
            Self::Exists { .. } => Some("name"),
            Self::SecretExists { .. } | Self::SecretChanged { .. } => Some("secret_name"),
            Self::NoNamespace { .. } => Some("namespace"),
            Self::NoCluster => Some("cluster_name"),
            Self::NoIssuer { .. } => Some("mode"),
            Self::AssociationExists { .. } => Some("service_account"),
            _ => None,
        }
    }
}

impl Error {
    /// The same error of a create.
    pub(super) fn of_create(mut self) -> Self {
        match &mut self.remains {
            Remains::UnusedKey { and: remains, .. } if **remains == Remains::Recorded => **remains = Remains::Tainted,
            remains if *remains == Remains::Recorded => *remains = Remains::Tainted,
            _ => {}
        }
        self
    }
}

impl fmt::Display for Remains {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => write!(formatter, "Nothing was created."),
            Self::Recorded => write!(
                formatter,
                "The objects created before are in the state. Apply or destroy again when the cause is resolved."
            ),
            Self::Tainted => write!(formatter, "The objects created before are in the state. {REPLACES}"),
            Self::State => write!(formatter, "The state was not changed."),
            Self::PreviousKey => write!(formatter, "The previous key remains in use."),
            Self::OldKey(id) => write!(formatter, "The new key is in use; the next apply deletes {id}."),
            Self::UnusedKey { id, undeleted: None, and } => {
                write!(formatter, "The new access key {id} was deleted again. {and}")
            }
            Self::UnusedKey { id, undeleted: Some(why), and } => write!(
                formatter,
                "The new access key {id} could not be deleted ({why}); the next apply or destroy deletes it. {and}"
            ),
            Self::EitherKey(id) => write!(
                formatter,
                "It is not known whether the new access key {id} is in the Secret. The previous key is kept as well; \
                 the next apply keeps the one in the Secret and deletes the other."
            ),
            Self::Unsaid => Ok(()),
        }
    }
}

impl From<Error> for Diagnostics {
    fn from(Error { fault, remains }: Error) -> Self {
        let mut diagnostic = match *fault {
            Fault::Client(ref source) => source.to_diagnostic(),
            ref fault => Diagnostic::error(fault.summary(), fault.to_string()),
        };
        // The text of this one says that it was not changed.
        if !matches!(*fault, Fault::Exists { .. }) {
            diagnostic.detail = format!("{} {remains}", diagnostic.detail).trim_end().to_owned();
        }
        match fault.attribute() {
            Some(attribute) => diagnostic.at(attribute),
            None => diagnostic,
        }
        .into()
    }
}
