//! Errors of the clients as messages to the user: the one place where they get a summary.

use crate::clients::ClientError;
use crate::clients::aws::AwsError;
use crate::clients::kubernetes::KubernetesError;
use crate::framework::{Diagnostic, Diagnostics};

/// A sentence that begins with a capital letter and ends with a full stop.
#[must_use]
pub fn sentence(text: &str) -> String {
    let mut letters = text.trim().chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.trim_end().ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

impl From<ClientError> for Diagnostic {
    fn from(error: ClientError) -> Self {
        let summary = match &error {
            ClientError::NotYetKnown { .. } => "Provider settings not known yet",
            ClientError::NoRegion => "No AWS region",
            ClientError::InvalidRegion { .. } => "Invalid AWS region",
            ClientError::AccountNotAllowed { .. } | ClientError::AccountForbidden { .. } => "AWS account not allowed",
            ClientError::Aws(error) => return error.clone().into(),
            ClientError::KubernetesNotConfigured => "No Kubernetes cluster",
            ClientError::ClusterNotFound { .. } => "EKS cluster not found",
            ClientError::ClusterGone { .. } => "EKS cluster is gone",
            ClientError::ClusterElsewhere { .. } | ClientError::OtherCluster { .. } => "Another EKS cluster",
            ClientError::Elsewhere { .. } => "Another account or region",
            ClientError::ClusterNotReady { .. } => "EKS cluster not ready",
            ClientError::Exec { .. } | ClientError::TokenFile { .. } | ClientError::EksToken { .. } => {
                "No Kubernetes credentials"
            }
            ClientError::Stopped => "Run stopped",
            ClientError::Kubeconfig { .. } => "Invalid kubeconfig",
            ClientError::InvalidSetting { .. } | ClientError::KubernetesClient { .. } => "Invalid provider setting",
        };
        Self::error(summary, sentence(&error.to_string()))
    }
}

impl From<AwsError> for Diagnostic {
    fn from(error: AwsError) -> Self {
        Self::error("AWS call failed", sentence(&error.to_string()))
    }
}

impl From<KubernetesError> for Diagnostic {
    fn from(error: KubernetesError) -> Self {
        Self::error("Kubernetes call failed", sentence(&error.to_string()))
    }
}

macro_rules! also_plural {
    ($($error:ty),*) => { $(
        impl From<$error> for Diagnostics {
            fn from(error: $error) -> Self {
                Diagnostic::from(error).into()
            }
        }
    )* };
}

also_plural!(ClientError, AwsError, KubernetesError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_sentences() {
        assert_eq!(sentence("no region: set one"), "No region: set one.");
        assert_eq!(sentence("Done. "), "Done.");
        let diagnostic = Diagnostic::from(ClientError::NotYetKnown { settings: vec!["region".to_owned()] });
        assert_eq!(diagnostic.summary, "Provider settings not known yet");
        assert!(
            diagnostic.detail.starts_with("The provider settings region are not known yet"),
            "{}",
            diagnostic.detail
        );
    }
}
