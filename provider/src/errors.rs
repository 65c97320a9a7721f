//! Errors of the clients as messages to the user: the one place where they get a summary.

use gitlabspot_clients::ClientError;
use gitlabspot_clients::aws::AwsError;
use gitlabspot_clients::kubernetes::KubernetesError;
use tfplugin::framework::{Diagnostic, Diagnostics};

/// A sentence that begins with a capital letter and ends with a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.trim().chars();
    // Errors of libraries begin with a small letter and end without a full stop.
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.trim_end().ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// An error of a client, as a diagnostic. (`From` cannot be: both types belong to other crates.)
pub(crate) trait ToDiagnostic {
    /// The diagnostic: a constant summary, with the error as its detail.
    fn to_diagnostic(&self) -> Diagnostic;
}

/// Converts the error of a result to diagnostics.
pub(crate) trait OrDiagnostics<T> {
    /// # Errors
    /// Those of the result.
    fn or_diagnostics(self) -> Result<T, Diagnostics>;
}

impl<T, E: ToDiagnostic> OrDiagnostics<T> for Result<T, E> {
    fn or_diagnostics(self) -> Result<T, Diagnostics> {
        self.map_err(|error| error.to_diagnostic().into())
    }
}

impl ToDiagnostic for ClientError {
    fn to_diagnostic(&self) -> Diagnostic {
        let summary = match self {
            ClientError::NotYetKnown { .. } => "Provider settings not known yet",
            ClientError::NoRegion => "No AWS region configured",
            ClientError::InvalidRegion { .. } => "Invalid AWS region",
            ClientError::AccountNotAllowed { .. } | ClientError::AccountForbidden { .. } => "AWS account not allowed",
            ClientError::Aws(error) => return error.to_diagnostic(),
            ClientError::KubernetesNotConfigured => "No Kubernetes cluster configured",
            ClientError::ClusterNotFound { .. } => "EKS cluster not found",
            ClientError::ClusterGone { .. } => "Cluster no longer exists",
            ClientError::ClusterElsewhere { .. } | ClientError::OtherCluster { .. } => {
                "Connected to a different EKS \
                cluster"
            }
            ClientError::Elsewhere { .. } => "Connected to a different account or region",
            ClientError::ClusterNotReady { .. } => "EKS cluster not ready",
            ClientError::Exec { .. } | ClientError::TokenFile { .. } | ClientError::EksToken { .. } => {
                "No Kubernetes credentials"
            }
            ClientError::Stopped => "Run stopped",
            ClientError::Kubeconfig { .. } => "Invalid kubeconfig",
            ClientError::InvalidSetting { .. } | ClientError::KubernetesClient { .. } => "Invalid provider setting",
        };
        Diagnostic::error(summary, sentence(&self.to_string()))
    }
}

impl ToDiagnostic for AwsError {
    fn to_diagnostic(&self) -> Diagnostic {
        Diagnostic::error("AWS call failed", sentence(&self.to_string()))
    }
}

impl ToDiagnostic for KubernetesError {
    fn to_diagnostic(&self) -> Diagnostic {
        Diagnostic::error("Kubernetes call failed", sentence(&self.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagnostics_are_sentences() {
        assert_eq!(sentence("no region: set one"), "No region: set one.");
        assert_eq!(sentence("Done. "), "Done.");
        let diagnostic = ClientError::NotYetKnown { settings: vec!["region".to_owned()] }.to_diagnostic();
        assert_eq!(diagnostic.summary, "Provider settings not known yet");
        assert!(
            diagnostic.detail.starts_with("The provider settings region are not known yet"),
            "{}",
            diagnostic.detail
        );
    }
}
