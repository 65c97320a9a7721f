//! What goes wrong while a connection is being made, each text saying what to do.

use std::path::PathBuf;
use std::sync::Arc;

use super::aws::{AwsError, Fault};
use super::once::Failure;

/// Why a client cannot be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// The plan runs before the values exist. Nothing was contacted.
    #[error(
        "the provider settings {} are not known yet: they depend on something that this run is still to create. Nothing \
         was contacted",
        .settings.join(", ")
    )]
    NotYetKnown { settings: Vec<String> },

    #[error("the provider setting \"{setting}\" cannot be used: {reason}")]
    InvalidSetting { setting: &'static str, reason: String },

    #[error(
        "no AWS region is configured: set \"region\" in the provider block, the environment variable AWS_REGION, \
         or a region in the profile that is used"
    )]
    NoRegion,

    #[error(
        "\"{region}\" is not the name of an AWS region: set \"region\" in the provider block or AWS_REGION to one \
         such as \"eu-west-1\""
    )]
    InvalidRegion { region: String },

    #[error(
        "the credentials belong to AWS account {account}, which is not among allowed_account_ids ({}): use \
         credentials of an allowed account, or add this one to the list. Nothing was changed",
        .allowed.join(", ")
    )]
    AccountNotAllowed { account: String, allowed: Vec<String> },

    #[error(
        "the credentials belong to AWS account {account}, which forbidden_account_ids excludes: use credentials of \
         another account. Nothing was changed"
    )]
    AccountForbidden { account: String },

    #[error(transparent)]
    Aws(#[from] AwsError),

    #[error(
        "no Kubernetes cluster is configured: set \"cluster_name\" on the resource, or in the provider's \"kubernetes\" \
         one of \"cluster_name\" (an EKS cluster), \"config_path\" (a kubeconfig file) or \"host\" with \"token\" or a \
         client certificate. ~/.kube/config is read only when config_path names it"
    )]
    KubernetesNotConfigured,

    /// EKS itself says so.
    #[error(
        "there is no EKS cluster \"{name}\" in region {region}: check cluster_name, the provider's region and the account. \
         What was on a cluster that is gone for good leaves the state with the command \"state rm\""
    )]
    ClusterNotFound { name: String, region: String },

    /// Certain: EKS itself says so of the cluster that a resource was in.
    #[error("the EKS cluster {arn} does not exist any more")]
    ClusterGone { arn: String },

    /// Not there, but the objects may be elsewhere.
    #[error(
        "there is no EKS cluster \"{name}\" in region {region} of the AWS account {account}, but this resource is in {home}: \
         use the region and credentials of that cluster. The state is as it was"
    )]
    ClusterElsewhere { name: String, region: String, account: String, home: String },

    /// Connected, but to a cluster that the resource is not in.
    #[error(
        "this resource is in the EKS cluster {home}, and the provider now leads to {found}: use the cluster_name, region \
         and credentials of the former. To leave there what is there, take the resource out of the state with the command \
         \"state rm\". Nothing was changed"
    )]
    OtherCluster { home: String, found: String },

    /// AWS does not know it here, where it never was.
    #[error(
        "this resource is {arn}, and it is looked for in the AWS account {account} and the region {region}: use the \
         credentials and the region that it was made with. The state is as it was"
    )]
    Elsewhere { arn: String, region: String, account: String },

    #[error("the EKS cluster \"{name}\" cannot be used while its status is {status}: {}", until(.status))]
    ClusterNotReady { name: String, status: String },

    #[error("the kubeconfig {} cannot be used: {reason}", .path.display())]
    Kubeconfig { path: PathBuf, reason: String },

    #[error("the command \"{command}\" gave no credentials for the cluster: {reason}")]
    Exec { command: String, reason: String },

    #[error("the token file {} cannot be read: {source}", .path.display())]
    TokenFile { path: PathBuf, source: Arc<std::io::Error> },

    #[error("no token for the EKS cluster \"{cluster}\" can be made: {reason}")]
    EksToken { cluster: String, reason: String },

    #[error("no connection to the Kubernetes API can be made from these settings: {reason}")]
    KubernetesClient { reason: String },

    /// The user wanted the run to end.
    #[error("the run was stopped while a connection was being made. Nothing was changed")]
    Stopped,
}

impl Failure for ClientError {
    /// Where asking again would take long, or run a command, and nothing can have changed.
    fn lasts(&self) -> bool {
        match self {
            Self::NoRegion | Self::InvalidRegion { .. } | Self::Exec { .. } => true,
            Self::Aws(error) => matches!(error.fault(), Fault::Credentials { found: false, .. }),
            _ => false,
        }
    }
}

/// What to wait for.
fn until(status: &str) -> &'static str {
    match status {
        "DELETING" => "wait until it is gone; what was on it can then be destroyed",
        "FAILED" => "see the issues of its health in EKS, and delete it or make it anew",
        _ => "wait until it is ACTIVE",
    }
}
