//! What can be said about the connection to a cluster, named as in the provider's `kubernetes`.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;

use crate::clients::environment::Environment;
use crate::clients::error::ClientError;

/// The `kubernetes` settings of the provider block.
#[derive(Clone, Default)]
pub struct KubernetesSettings {
    /// An EKS cluster. Goes before everything else here.
    pub cluster_name: Option<String>,
    pub config_path: Option<String>,
    pub config_paths: Option<Vec<String>>,
    pub config_context: Option<String>,
    pub config_context_auth_info: Option<String>,
    pub config_context_cluster: Option<String>,
    pub host: Option<String>,
    pub token: Option<SecretString>,
    /// PEM.
    pub cluster_ca_certificate: Option<String>,
    /// PEM.
    pub client_certificate: Option<String>,
    /// PEM.
    pub client_key: Option<SecretString>,
    pub insecure: Option<bool>,
    pub tls_server_name: Option<String>,
    pub proxy_url: Option<String>,
    pub exec: Option<Exec>,
    /// Names of settings that are given but not known yet. While there is one, nothing is
    /// connected to, unless a resource names its cluster itself.
    pub not_yet_known: Vec<String>,
}

/// A command that prints an `ExecCredential`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Exec {
    pub api_version: String,
    pub command: String,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
}

impl KubernetesSettings {
    /// These settings with gaps filled from `KUBE_*` variables, the names of hashicorp/kubernetes.
    ///
    /// A variable that names a cluster counts only where no setting names one, so that a forgotten
    /// `KUBE_CONFIG_PATH` never sends an apply elsewhere.
    ///
    /// # Errors
    /// [`ClientError::InvalidSetting`] when `KUBE_INSECURE` is neither true nor false.
    pub fn with_environment(mut self, environment: &Environment) -> Result<Self, ClientError> {
        let named = self.cluster_name.is_some()
            || self.config_path.is_some()
            || self.config_paths.is_some()
            || self.host.is_some();
        if !named {
            self.host = environment.get("KUBE_HOST");
            self.config_path = environment.get("KUBE_CONFIG_PATH");
            self.config_paths =
                environment.get("KUBE_CONFIG_PATHS").map(|paths| paths.split(':').map(str::to_owned).collect());
        }
        let fill = |slot: &mut Option<String>, name: &str| {
            if slot.is_none() {
                *slot = environment.get(name);
            }
        };
        fill(&mut self.config_context, "KUBE_CTX");
        fill(&mut self.config_context_auth_info, "KUBE_CTX_AUTH_INFO");
        fill(&mut self.config_context_cluster, "KUBE_CTX_CLUSTER");
        fill(&mut self.cluster_ca_certificate, "KUBE_CLUSTER_CA_CERT_DATA");
        fill(&mut self.client_certificate, "KUBE_CLIENT_CERT_DATA");
        fill(&mut self.tls_server_name, "KUBE_TLS_SERVER_NAME");
        fill(&mut self.proxy_url, "KUBE_PROXY_URL");
        let secret = |name: &str| environment.get(name).map(SecretString::from);
        self.client_key = self.client_key.or_else(|| secret("KUBE_CLIENT_KEY_DATA"));
        self.token = self.token.or_else(|| secret("KUBE_TOKEN"));
        if self.insecure.is_none() {
            self.insecure = environment.get("KUBE_INSECURE").map(|text| truth(&text)).transpose()?;
        }
        Ok(self)
    }

    /// The kubeconfig files, in order of precedence.
    pub(super) fn files(&self) -> Vec<String> {
        let paths = self.config_paths.iter().flatten();
        self.config_path.iter().chain(paths).filter(|path| !path.is_empty()).cloned().collect()
    }
}

fn truth(text: &str) -> Result<bool, ClientError> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" => Ok(true),
        "0" | "f" | "false" => Ok(false),
        _ => Err(ClientError::InvalidSetting {
            setting: "insecure",
            reason: format!("KUBE_INSECURE is \"{text}\", which is neither true nor false"),
        }),
    }
}

impl fmt::Debug for KubernetesSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KubernetesSettings")
            .field("cluster_name", &self.cluster_name)
            .field("config_path", &self.config_path)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Exec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Arguments and variables may be secrets.
        formatter.debug_struct("Exec").field("command", &self.command).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_environment_fills_gaps() {
        let environment = Environment::fixed([
            ("KUBE_HOST", "https://other"),
            ("KUBE_CONFIG_PATH", "/other"),
            ("KUBE_CTX", "ci"),
            ("KUBE_TOKEN", "from-environment"),
            ("KUBE_INSECURE", "true"),
        ]);
        let settings = KubernetesSettings {
            config_path: Some("/mine".to_owned()),
            token: Some("from-block".into()),
            ..KubernetesSettings::default()
        };
        let filled = settings.with_environment(&environment).unwrap();
        assert_eq!(filled.host, None);
        assert_eq!(filled.files(), ["/mine"]);
        assert_eq!(filled.config_context.as_deref(), Some("ci"));
        assert_eq!(filled.token.unwrap().expose_secret(), "from-block");
        assert_eq!(filled.insecure, Some(true));
    }

    #[test]
    fn paths_of_the_environment() {
        let environment = Environment::fixed([("KUBE_CONFIG_PATHS", "/a:/b:")]);
        let filled = KubernetesSettings::default().with_environment(&environment).unwrap();
        assert_eq!(filled.files(), ["/a", "/b"]);
    }

    #[test]
    fn insecure_is_true_or_false() {
        let error = KubernetesSettings::default()
            .with_environment(&Environment::fixed([("KUBE_INSECURE", "maybe")]))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the provider setting \"insecure\" cannot be used: KUBE_INSECURE is \"maybe\", which is neither true nor \
             false"
        );
    }
}
