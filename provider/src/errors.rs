//! Converts errors of the clients to diagnostics. Their summaries are defined here only.

use std::fmt::Display;

use gitlabspot_clients::ClientError;
use gitlabspot_clients::aws::AwsError;
use gitlabspot_clients::kubernetes::KubernetesError;
use tfplugin::framework::{Diagnostic, Diagnostics};

/// Makes a text a sentence that begins with a capital letter and ends with a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.trim().chars();
    // Errors of libraries usually begin with a lowercase letter and end without a full stop.
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.trim_end().ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// Conversion of an error to a diagnostic. It is not `From`, because both types belong to other crates.
pub(crate) trait ToDiagnostic: Display {
    /// The class of the error.
    fn summary(&self) -> &'static str;

    /// The diagnostic: the summary, with the error as its detail.
    fn to_diagnostic(&self) -> Diagnostic {
        Diagnostic::error(self.summary(), sentence(&self.to_string()))
    }
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
    fn summary(&self) -> &'static str {
        match self {
            ClientError::NotYetKnown { .. } => "Provider settings not known yet",
            ClientError::NoRegion => "No AWS region configured",
            ClientError::InvalidRegion { .. } => "Invalid AWS region",
            ClientError::AccountNotAllowed { .. } | ClientError::AccountForbidden { .. } => "AWS account not allowed",
            ClientError::Aws(error) => error.summary(),
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
        }
    }
}

impl ToDiagnostic for AwsError {
    fn summary(&self) -> &'static str {
        "AWS call failed"
    }
}

impl ToDiagnostic for KubernetesError {
    fn summary(&self) -> &'static str {
        "Kubernetes call failed"
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
