//! Errors of operations on credentials.

use std::fmt;

use gitlabspot_clients::ClientError;
use gitlabspot_clients::aws::AwsError;
use gitlabspot_clients::kubernetes::KubernetesError;
use tfplugin::framework::Diagnostics;
use tfplugin::framework::wait::WaitError;

use super::pod_identity::Subject;
use super::principal::{Id, Principal};
use crate::errors::ToDiagnostic;
use crate::reservations::Reserved;
pub(super) use crate::steps::Remains;
use crate::steps::{self, Fault as _};

/// Error of an operation: its cause, and what remains.
pub(super) type Error = steps::Error<Fault>;

/// The result of a step.
pub(super) type Result<T> = std::result::Result<T, Error>;

/// The cause of an error.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("{0}")]
    Client(ClientError),

    #[error(
        "An IAM {} with the name {name} already exists and does not belong to this resource. It was not changed. If \
         the resource was renamed, add a `moved` block. If no state contains it, import it, for example with \"tofu \
         import ADDRESS {id}\". Otherwise choose another name. With create_before_destroy, use name_prefix.",
        .principal.label()
    )]
    Exists { principal: Principal, name: String, id: String },

    #[error("{0}. Nothing was created. Choose different names for the two resources, with name and secret_name.")]
    Reserved(WaitError<Reserved>),

    #[error(
        "The Secret {namespace}/{name} already exists{}. It was not changed. {}elete the Secret, or choose another \
         secret_name.",
        .user.as_ref().map(|it| format!(" and contains the key of the IAM user {}", it.user)).unwrap_or_default(),
        .user.as_ref().map_or_else(
            || "D".to_owned(),
            |it| format!("Import the credentials, for example with \"tofu import ADDRESS {}\", d", it.id),
        )
    )]
    SecretExists { namespace: String, name: String, user: Option<Occupant> },

    #[error(
        "The Secret {namespace}/{name} was changed after the plan was created. The apply did not change it. Plan and \
         apply again: the new plan replaces the key."
    )]
    SecretChanged { namespace: String, name: String },

    #[error("The namespace {0} does not exist. Set create_namespace = true to create it, or create it first.")]
    NoNamespace(String),

    #[error("{step} failed: {failure}.")]
    Step { step: Step, failure: Failure },

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
        "The mode requires the name of the EKS cluster. Set cluster_name of the resource, or cluster_name in the \
         provider's \"kubernetes\"."
    )]
    NoCluster,

    #[error(
        "The EKS cluster {0} does not have an OIDC issuer, which mode irsa requires. Use mode pod_identity or \
         access_key."
    )]
    NoIssuer(String),

    #[error(
        "The service account {service_account} already has a Pod Identity association with the role {role_arn}, which \
         does not belong to this resource. It was not changed. Import the role with its association, for example with \
         \"tofu import ADDRESS {id}\", delete the association, or use another service account."
    )]
    AssociationExists { service_account: String, role_arn: String, id: String },

    #[error(
        "After the plan was created, pods started to use old credentials again. These credentials were kept: {} All \
         other changes were applied. Restart the pods, then plan and apply again.",
        .0.join(" ")
    )]
    UsedAgain(Vec<String>),

    #[error("The IAM {} {name} does not exist, or the provider's credentials cannot access it.", .principal.label())]
    NothingToImport { principal: Principal, name: String },
}

/// The user of the key in a Secret.
#[derive(Debug)]
pub(super) struct Occupant {
    pub(super) user: String,
    /// Import ID of user and Secret.
    pub(super) id: String,
}

/// A step of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    FindPrincipal(Id),
    CreatePrincipal(Id),
    AwaitPrincipal,
    ChangePrincipal(Principal),
    TagPrincipal(Id),
    SetTrust,
    AttachPolicy(Id),
    Read(IamObject),
    Delete(IamObject),
    /// The name of the user.
    CreateKey(String),
    /// The name of the user.
    ListKeys(String),
    AwaitKey,
    /// The ID of the key.
    DeleteKey(String),
    /// The ID of the key that a rotation replaced.
    DeleteOldKey(String),
    FindSecret,
    ReadSecret,
    WriteSecret,
    DeleteSecret,
    ReadNamespace,
    CreateNamespace,
    AwaitNamespace,
    DeleteNamespace(String),
    ReadCluster(String),
    FindAssociation(Subject),
    Associate,
    ReadAssociation,
    DeleteAssociation,
    CompleteSwitch,
}

/// A user or role, its policy or its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum IamObject {
    Principal(Id),
    Policy(Id),
    Keys(Id),
}

/// Cause of a failed step.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Aws(#[from] WaitError<AwsError>),
    #[error(transparent)]
    Kubernetes(#[from] WaitError<KubernetesError>),
}

/// Adds the failed step, and what remains, to the error of a call.
pub(super) trait During<T> {
    fn during(self, step: Step, remains: Remains) -> Result<T>;
}

impl<T, E: Into<Failure>> During<T> for std::result::Result<T, E> {
    fn during(self, step: Step, remains: Remains) -> Result<T> {
        self.map_err(|error| Fault::Step { step, failure: error.into() }.leaving(remains))
    }
}

impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        Self::Aws(error.into())
    }
}

impl From<KubernetesError> for Failure {
    fn from(error: KubernetesError) -> Self {
        Self::Kubernetes(error.into())
    }
}

impl fmt::Display for IamObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal(id) => write!(f, "the {id}"),
            Self::Policy(id) => write!(f, "the policy of the {id}"),
            Self::Keys(id) => write!(f, "the access keys of the {id}"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FindPrincipal(id) => write!(f, "Checking whether the {id} exists"),
            Self::CreatePrincipal(id) => write!(f, "Creating the {id}"),
            Self::AwaitPrincipal => f.write_str("Waiting until IAM returns the created objects"),
            Self::ChangePrincipal(principal) => write!(f, "Changing the IAM {}", principal.label()),
            Self::TagPrincipal(id) => write!(f, "Tagging the {id}"),
            Self::SetTrust => f.write_str("Updating the trust policy of the role"),
            Self::AttachPolicy(id) => write!(f, "Attaching the policy to the {id}"),
            Self::Read(object) => write!(f, "Reading {object}"),
            Self::Delete(object) => write!(f, "Deleting {object}"),
            Self::CreateKey(user) => write!(f, "Creating an access key for {user}"),
            Self::ListKeys(user) => write!(f, "Listing the access keys of {user}"),
            Self::AwaitKey => f.write_str("Waiting until AWS accepts the new access key"),
            Self::DeleteKey(id) => write!(f, "Deleting the access key {id}"),
            Self::DeleteOldKey(id) => write!(f, "Deleting the old access key {id}"),
            Self::FindSecret => f.write_str("Checking whether the Secret exists"),
            Self::ReadSecret => f.write_str("Reading the Secret"),
            Self::WriteSecret => f.write_str("Writing the Secret"),
            Self::DeleteSecret => f.write_str("Deleting the Secret"),
            Self::ReadNamespace => f.write_str("Reading the namespace"),
            Self::CreateNamespace => f.write_str("Creating the namespace"),
            Self::AwaitNamespace => f.write_str("Waiting for the namespace"),
            Self::DeleteNamespace(name) => write!(f, "Deleting the namespace {name}"),
            Self::ReadCluster(name) => write!(f, "Reading the EKS cluster {name}"),
            Self::FindAssociation(subject) => {
                write!(f, "Checking whether the service account {subject} has a Pod Identity association")
            }
            Self::Associate => f.write_str("Associating the service account with the role"),
            Self::ReadAssociation => f.write_str("Reading the Pod Identity association"),
            Self::DeleteAssociation => f.write_str("Deleting the Pod Identity association"),
            Self::CompleteSwitch => f.write_str("Completing the change to the new credentials"),
        }
    }
}

impl steps::Fault for Fault {
    fn summary(&self) -> &'static str {
        match self {
            Self::Client(source) => source.summary(),
            Self::Exists { .. } => "IAM name already exists",
            Self::Reserved { .. } => "Name already in use",
            Self::SecretExists { .. } => "Secret already exists",
            Self::SecretChanged { .. } => "Secret changed after the plan",
            Self::UsedAgain { .. } => "Old credentials in use again",
            Self::NoNamespace { .. } => "Namespace not found",
            Self::Step { failure: Failure::Aws(_), .. } | Self::EmptyKey { .. } => {
                "Cannot manage the IAM side of the credentials"
            }
            Self::Step { failure: Failure::Kubernetes(_), .. } => "Cannot manage the cluster side of the credentials",
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

    fn of_cause(&self) -> Option<Diagnostics> {
        match self {
            Self::Client(source) => Some(source.to_diagnostic().into()),
            _ => None,
        }
    }
}

/// What remains after a rotation that failed.
pub(super) fn previous_key() -> Remains {
    Remains::Other("The previous key remains in use.".to_owned())
}

/// What remains after a rotation of which only the deletion of the old key failed.
pub(super) fn old_key(key: &str) -> Remains {
    Remains::Other(format!("The new key is in use, and the next apply deletes {key}."))
}

/// What remains if the outcome of writing the Secret is unknown.
pub(super) fn either_key(new: &str) -> Remains {
    Remains::Other(format!(
        "It could not be determined whether the Secret contains the new access key {new}. Both keys are kept: the next \
         apply deletes the one that the Secret does not contain."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_state_what_remains() {
        let detail = |error: Error| Diagnostics::from(error).iter().map(|it| it.detail.clone()).collect::<String>();
        let fault = || Fault::EmptyKey("runner".to_owned());
        let text = detail(fault().leaving(previous_key().also("The new access key AKIA1 was deleted.".to_owned())));
        assert!(text.ends_with("AKIA1 was deleted. The previous key remains in use."), "{text}");
        assert!(detail(fault().leaving(old_key("AKIA1"))).ends_with("in use, and the next apply deletes AKIA1."));
        let read = Err::<(), _>(AwsError::answered("ListAccessKeys", 403, "AccessDenied", "no"));
        let step = Step::Read(IamObject::Keys(Principal::User.id("runner")));
        let text = detail(read.during(step, Remains::State).unwrap_err());
        assert!(text.starts_with("Reading the access keys of the IAM user runner failed: ListAccessKeys"), "{text}");
        let text = detail(Fault::UsedAgain(vec!["x.".to_owned()]).into());
        assert!(text.ends_with("Restart the pods, then plan and apply again."), "{text}");
    }
}
