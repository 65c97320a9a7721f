//! What can go wrong with credentials, and what it leaves behind.

use gitlabspot_clients::ClientError;
use gitlabspot_clients::aws::AwsError;
use gitlabspot_clients::kubernetes::KubernetesError;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Diagnostic, Diagnostics};

use super::key_grant::{IN_STATE, MADE_BEFORE, NOTHING};
use super::principal::Principal;
use crate::errors::ToDiagnostic;
use crate::next_apply::REPLACES;
use crate::turns::Taken;

/// Why an operation failed. `left` says what it left behind, as a sentence.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("{source} {left}")]
    Client { source: Box<ClientError>, left: String },

    #[error(
        "An IAM {} with the name {name} already exists and does not belong to this resource. It was not changed. If \
         the resource was renamed, write a `moved` block. If no state contains it, import it, for example with \"tofu \
         import ADDRESS {id}\". Otherwise choose another name; with create_before_destroy, a name_prefix.",
        .principal.label()
    )]
    Exists { principal: Principal, name: String, id: String },

    #[error("{source}. Nothing was created. Choose different names for the two resources, with name and secret_name.")]
    Taken { source: WaitError<Taken> },

    #[error(
        "The Secret {namespace}/{name} already exists{}. It was not changed. {}elete the Secret, or choose another \
         secret_name. {left}",
        .user.as_ref().map(|it| format!(" and holds the key of the IAM user {}", it.user)).unwrap_or_default(),
        .user.as_ref().map_or_else(
            || "D".to_owned(),
            |it| format!("Import the credentials, for example with \"tofu import ADDRESS {}\", d", it.id),
        )
    )]
    SecretExists { namespace: String, name: String, user: Option<Box<Occupant>>, left: String },

    #[error(
        "The Secret {namespace}/{name} was changed after the plan was created. It was not touched. Plan again: the \
         plan then replaces the key."
    )]
    SecretChanged { namespace: String, name: String },

    #[error(
        "The namespace {namespace} does not exist. Set create_namespace = true to create it, or create it first. {left}"
    )]
    NoNamespace { namespace: String, left: String },

    #[error("{doing} failed: {source}. {left}")]
    Aws { doing: String, source: Box<WaitError<AwsError>>, left: String },

    #[error("{doing} failed: {source}. {left}")]
    Kubernetes { doing: String, source: KubernetesError, left: String },

    #[error("{doing} did not complete: {source}. {left}")]
    Wait { doing: String, source: WaitError<KubernetesError>, left: String },

    #[error(
        "The IAM user {user} already has the maximum number of access keys: {}. At least one of them was not created \
         by this provider, so no new key can be created. Delete a key that is not used, then apply again. {left}",
        .keys.join(", ")
    )]
    TooManyKeys { user: String, keys: Vec<String>, left: String },

    #[error("The response of AWS does not contain the new access key of the IAM user {user}. {left}")]
    EmptyKey { user: String, left: String },

    #[error(
        "The IAM {} {name} cannot be deleted, because it has attachments that this provider does not manage: {}. \
         Remove them, then destroy again. {left}",
        .principal.label(),
        .obstacles.join(", ")
    )]
    InTheWay { principal: Principal, name: String, obstacles: Vec<String>, left: String },

    #[error(
        "The mode requires the name of the EKS cluster. Set cluster_name here or in the provider's kubernetes \
         settings. {left}"
    )]
    NoCluster { left: String },

    #[error(
        "The EKS cluster {cluster} does not have an OIDC issuer, so roles for service accounts are not possible. Use \
         mode pod_identity or access_key. {left}"
    )]
    NoIssuer { cluster: String, left: String },

    #[error(
        "The service account {service_account} already has a Pod Identity association with the role {role_arn}, which \
         does not belong to this resource. It was not changed. Import the role with its association, for example with \
         \"tofu import ADDRESS {id}\", delete the association, or use another service account. {left}"
    )]
    AssociationExists { service_account: String, role_arn: String, id: String, left: String },

    #[error(
        "Since the plan was created, pods use old credentials again, so these were kept: {} Everything else was done. \
         Plan again.",
        .kept.join(" ")
    )]
    UsedAgain { kept: Vec<String> },

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

impl Error {
    /// Says what was left behind, where that is known only after cleaning up.
    pub(super) fn leaves(&mut self, what: String) {
        if let Some(left) = self.left() {
            *left = what;
        }
    }

    /// The same, of a create.
    pub(super) fn of_create(mut self) -> Self {
        if let Some(left) = self.left() {
            *left = left.replace(IN_STATE, &format!("{MADE_BEFORE} {REPLACES}"));
        }
        self
    }

    /// Whether it is certain that nothing was made.
    pub(super) fn left_nothing(&mut self) -> bool {
        match self.left() {
            Some(left) => left == NOTHING,
            None => matches!(self, Self::Exists { .. }),
        }
    }

    fn left(&mut self) -> Option<&mut String> {
        match self {
            Self::Client { left, .. }
            | Self::SecretExists { left, .. }
            | Self::NoNamespace { left, .. }
            | Self::Aws { left, .. }
            | Self::Kubernetes { left, .. }
            | Self::Wait { left, .. }
            | Self::TooManyKeys { left, .. }
            | Self::EmptyKey { left, .. }
            | Self::InTheWay { left, .. }
            | Self::NoCluster { left }
            | Self::NoIssuer { left, .. }
            | Self::AssociationExists { left, .. } => Some(left),
            Self::Exists { .. }
            | Self::SecretChanged { .. }
            | Self::UsedAgain { .. }
            | Self::Taken { .. }
            | Self::NothingToImport { .. } => None,
        }
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
            Self::InTheWay { .. } => "IAM entity in use",
            Self::NoCluster { .. } => "Missing argument",
            Self::NoIssuer { .. } => "Cluster without OIDC issuer",
            Self::AssociationExists { .. } => "Pod Identity association already exists",
            Self::NothingToImport { .. } => "IAM entity not found",
        }
    }
}

impl From<Error> for Diagnostics {
    fn from(error: Error) -> Self {
        let diagnostic = Diagnostic::error(error.summary(), error.to_string().trim_end());
        match error {
            Error::Client { source, left } => {
                let mut diagnostic = source.to_diagnostic();
                diagnostic.detail = format!("{} {left}", diagnostic.detail).trim_end().to_owned();
                diagnostic
            }
            Error::Exists { .. } => diagnostic.at("name"),
            Error::SecretExists { .. } | Error::SecretChanged { .. } => diagnostic.at("secret_name"),
            Error::NoNamespace { .. } => diagnostic.at("namespace"),
            Error::NoCluster { .. } => diagnostic.at("cluster_name"),
            Error::NoIssuer { .. } => diagnostic.at("mode"),
            Error::AssociationExists { .. } => diagnostic.at("service_account"),
            _ => diagnostic,
        }
        .into()
    }
}
