//! Errors of establishing a connection. Each message contains advice.

use std::path::PathBuf;
use std::sync::Arc;

use super::aws::{AwsError, Fault};
use super::once::Failure;

/// Why a client is not available.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// The values of settings are not known during this plan. Nothing was contacted.
    #[error(
        "the provider settings {} are not known yet, because they depend on resources that this run has not created \
         yet. No request was sent",
        .settings.join(", ")
    )]
    NotYetKnown { settings: Vec<String> },

    #[error("the provider setting \"{setting}\" cannot be used: {reason}")]
    InvalidSetting { setting: &'static str, reason: String },

    #[error(
        "no AWS region is configured: set \"region\" in the provider block, the environment variable AWS_REGION, or a \
         region in the selected profile"
    )]
    NoRegion,

    #[error(
        "\"{region}\" is not the name of an AWS region: set \"region\" in the provider block or AWS_REGION to one \
         such as \"eu-west-1\""
    )]
    InvalidRegion { region: String },

    #[error(
        "the credentials belong to AWS account {account}, which is not in allowed_account_ids ({}): use credentials of \
         an allowed account, or add this one to the list. Nothing was changed",
        .allowed.join(", ")
    )]
    AccountNotAllowed { account: String, allowed: Vec<String> },

    #[error(
        "the credentials belong to AWS account {account}, which is in forbidden_account_ids: use credentials of \
         another account. Nothing was changed"
    )]
    AccountForbidden { account: String },

    #[error(transparent)]
    Aws(#[from] AwsError),

    #[error(
        "no Kubernetes cluster is configured: set \"cluster_name\" on the resource, or in the provider's \
         \"kubernetes\" one of \"cluster_name\" (an EKS cluster), \"config_path\" (a kubeconfig file) or \"host\" with \
         \"token\" or a client certificate. ~/.kube/config is only read if config_path names it"
    )]
    KubernetesNotConfigured,

    /// Only if EKS itself reports it.
    #[error(
        "the EKS cluster \"{name}\" does not exist in region {region}: check cluster_name, the provider's region and \
         the account. If the cluster was deleted, remove its resources from the state with the command \"state rm\""
    )]
    ClusterNotFound { name: String, region: String },

    /// The cluster of a resource was deleted, as EKS itself reports.
    #[error("the EKS cluster {arn} no longer exists")]
    ClusterGone { arn: String },

    /// The cluster does not exist in this region and account; the cluster of the resource may exist elsewhere.
    #[error(
        "the EKS cluster \"{name}\" does not exist in region {region} of the AWS account {account}, but this resource \
         is in {home}: use the region and credentials of that cluster. The state was not changed"
    )]
    ClusterElsewhere { name: String, region: String, account: String, home: String },

    /// The connected cluster is not the one of the resource.
    #[error(
        "this resource is in the EKS cluster {home}, but the provider is now connected to {found}: use the \
         cluster_name, region and credentials of the cluster {home}. To keep the objects in that cluster, remove the \
         resource from the state with the command \"state rm\". Nothing was changed"
    )]
    OtherCluster { home: String, found: String },

    /// The AWS object was not found in this region and account, but was created in others.
    #[error(
        "this resource is {arn}, but the provider uses the AWS account {account} and the region {region}: use the \
         credentials and the region with which it was created. The state was not changed"
    )]
    Elsewhere { arn: String, region: String, account: String },

    #[error("the EKS cluster \"{name}\" cannot be used while its status is {status}: {}", until(.status))]
    ClusterNotReady { name: String, status: String },

    #[error("the kubeconfig {} cannot be used: {reason}", .path.display())]
    Kubeconfig { path: PathBuf, reason: String },

    #[error("the command \"{command}\" returned no credentials for the cluster: {reason}")]
    Exec { command: String, reason: String },

    #[error("the token file {} cannot be read: {source}", .path.display())]
    TokenFile { path: PathBuf, source: Arc<std::io::Error> },

    #[error("no token for the EKS cluster \"{cluster}\" can be created: {reason}")]
    EksToken { cluster: String, reason: String },

    #[error("no connection to the Kubernetes API can be created with these settings: {reason}")]
    KubernetesClient { reason: String },

    /// The run was stopped.
    #[error("the run was stopped while a connection was being established. Nothing was changed")]
    Stopped,
}

impl Failure for ClientError {
    /// `true` for errors whose cause cannot change within the run, where another attempt would take long or run a
    /// command again.
    fn lasts(&self) -> bool {
        match self {
            Self::NoRegion | Self::InvalidRegion { .. } | Self::Exec { .. } => true,
            Self::Aws(error) => matches!(error.fault(), Fault::Credentials { found: false, .. }),
            _ => false,
        }
    }
}

/// The advice for a status of a cluster.
fn until(status: &str) -> &'static str {
    match status {
        "DELETING" => "wait until it is deleted; its resources can then be destroyed",
        "FAILED" => "check its health issues in EKS, and delete or recreate it",
        _ => "wait until it is ACTIVE",
    }
}
