//! Settings of the connection to a cluster, named as in the provider's `kubernetes`.

use std::collections::BTreeMap;
use std::env;
use std::fmt;

use base64::Engine as _;
use secrecy::SecretString;

use crate::environment::Environment;
use crate::error::ClientError;

/// GitLab sets this variable in jobs of an `environment` with a cluster, regardless of the cluster that they use.
const TOKEN: &str = "KUBE_TOKEN";

/// The `kubernetes` settings of the provider block.
#[derive(Clone, Default)]
pub struct KubernetesSettings {
    /// An EKS cluster. Takes precedence over all other settings here.
    pub cluster_name: Option<String>,
    pub config_path: Option<String>,
    pub config_paths: Option<Vec<String>>,
    pub config_context: Option<String>,
    pub config_context_auth_info: Option<String>,
    pub config_context_cluster: Option<String>,
    pub host: Option<String>,
    pub token: Option<SecretString>,
    /// The environment variable that contains the token.
    pub token_from: Option<&'static str>,
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
    /// Settings whose values are not known yet, such as `kubernetes.host`, or `kubernetes` for all of them. While one
    /// of them applies, no connection is established.
    pub not_yet_known: Vec<String>,
}

/// A command that prints an `ExecCredential`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Exec {
    pub api_version: String,
    pub command: String,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    /// The kubeconfig's advice for users without the command.
    pub install_hint: Option<String>,
}

/// Supported versions of `ExecCredential`.
pub const EXEC_VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

impl KubernetesSettings {
    /// The settings that apply to a resource with its own EKS cluster.
    ///
    /// The proxy always applies. Settings that describe a cluster apply only if they cannot belong to another one.
    #[must_use]
    pub(super) fn for_cluster(self, name: &str) -> Self {
        let elsewhere = self.host.is_some()
            || self.config_path.is_some()
            || self.config_paths.is_some()
            || self.cluster_name.as_deref().is_some_and(|own| own != name)
            // A setting that is not known yet may select another cluster.
            || self.awaits(&["host", "config_path", "config_paths", "cluster_name"]);
        let about_the_cluster = ["cluster_ca_certificate", "insecure", "tls_server_name"];
        let mut not_yet_known = self.not_yet_known;
        not_yet_known.retain(|setting| {
            let setting = setting.trim_start_matches("kubernetes.");
            matches!(setting, "kubernetes" | "proxy_url") || !elsewhere && about_the_cluster.contains(&setting)
        });
        let proxy_url = self.proxy_url;
        let named = Self { cluster_name: Some(name.to_owned()), proxy_url, not_yet_known, ..Self::default() };
        match elsewhere {
            true => named,
            false => Self {
                cluster_ca_certificate: self.cluster_ca_certificate,
                insecure: self.insecure,
                tls_server_name: self.tls_server_name,
                ..named
            },
        }
    }

    fn awaits(&self, settings: &[&str]) -> bool {
        let names = self.not_yet_known.iter().filter_map(|name| name.strip_prefix("kubernetes."));
        names.into_iter().any(|name| settings.contains(&name))
    }

    /// Completes these settings with the `KUBE_*` variables of hashicorp/kubernetes.
    ///
    /// A variable that selects a cluster applies only if no setting does, so that a forgotten `KUBE_CONFIG_PATH` does
    /// not redirect an apply. A variable with credentials applies only if no setting contains any. For an EKS cluster,
    /// only the proxy applies.
    ///
    /// # Errors
    /// [`ClientError::InvalidSetting`] if the value of a variable is invalid, or a certificate or key is missing.
    pub fn with_environment(mut self, environment: &Environment) -> Result<Self, ClientError> {
        let fill = |slot: &mut Option<String>, name: &str| {
            if slot.is_none() {
                *slot = environment.get(name);
            }
        };
        fill(&mut self.proxy_url, "KUBE_PROXY_URL");
        if self.cluster_name.is_some() {
            return self.checked();
        }
        if self.config_path.is_none() && self.config_paths.is_none() && self.host.is_none() {
            self.host = environment.get("KUBE_HOST");
            self.config_path = environment.get("KUBE_CONFIG_PATH");
            let split = |paths: String| env::split_paths(&paths).map(|path| path.display().to_string()).collect();
            self.config_paths = environment.get("KUBE_CONFIG_PATHS").map(split);
        }
        fill(&mut self.config_context, "KUBE_CTX");
        fill(&mut self.config_context_auth_info, "KUBE_CTX_AUTH_INFO");
        fill(&mut self.config_context_cluster, "KUBE_CTX_CLUSTER");
        fill(&mut self.cluster_ca_certificate, "KUBE_CLUSTER_CA_CERT_DATA");
        fill(&mut self.tls_server_name, "KUBE_TLS_SERVER_NAME");
        let secret = |name: &str| environment.get(name).map(SecretString::from);
        // The certificate and its key may be in different places: one in the settings, one in the environment.
        let identified = self.token.is_some() || self.exec.is_some();
        if !identified && (self.client_certificate.is_none() || self.client_key.is_none()) {
            let by_certificate = self.client_certificate.is_some() || self.client_key.is_some();
            fill(&mut self.client_certificate, "KUBE_CLIENT_CERT_DATA");
            self.client_key = self.client_key.or_else(|| secret("KUBE_CLIENT_KEY_DATA"));
            // With two identities, the server would decide which one applies.
            self.token = (!by_certificate).then(|| secret(TOKEN)).flatten();
            self.token_from = self.token.as_ref().map(|_| TOKEN);
        }
        if self.insecure.is_none() {
            self.insecure = environment.get("KUBE_INSECURE").map(|text| truth(&text)).transpose()?;
        }
        self.checked()
    }

    /// Rejects settings that would otherwise be ignored silently.
    fn checked(self) -> Result<Self, ClientError> {
        let invalid = |setting, reason: String| Err(ClientError::InvalidSetting { setting, reason });
        if self.client_certificate.is_some() != self.client_key.is_some() {
            let (given, variable) = match self.client_key {
                Some(_) => ("client_key", "\"client_certificate\", or KUBE_CLIENT_CERT_DATA"),
                None => ("client_certificate", "\"client_key\", or KUBE_CLIENT_KEY_DATA"),
            };
            return invalid(given, format!("it has no effect on its own. Set {variable} as well"));
        }
        let certificates = [
            ("cluster_ca_certificate", &self.cluster_ca_certificate),
            ("client_certificate", &self.client_certificate),
        ];
        for (setting, pem) in certificates {
            if let Some(problem) = pem.as_deref().and_then(not_pem) {
                return invalid(setting, problem.to_owned());
            }
        }
        Ok(self)
    }

    /// The kubeconfig files, in order of precedence.
    pub(super) fn files(&self) -> Vec<String> {
        let paths = self.config_paths.iter().flatten();
        self.config_path.iter().chain(paths).filter(|path| !path.is_empty()).cloned().collect()
    }
}

/// Why a text is not a certificate in PEM; `None` if it is.
#[must_use]
pub fn not_pem(text: &str) -> Option<&'static str> {
    if text.contains("-----BEGIN CERTIFICATE-----") {
        return None;
    }
    // EKS and the `...-data` fields of a kubeconfig contain base64 of PEM.
    let once_more = base64::engine::general_purpose::STANDARD.decode(text.trim()).is_ok();
    Some(match once_more {
        true => "it is base64, but must be PEM: decode it with base64decode()",
        false => "it is not a PEM certificate, which begins with \"-----BEGIN CERTIFICATE-----\"",
    })
}

fn truth(text: &str) -> Result<bool, ClientError> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" => Ok(true),
        "0" | "f" | "false" => Ok(false),
        _ => Err(ClientError::InvalidSetting {
            setting: "insecure",
            reason: format!("KUBE_INSECURE is \"{text}\", but must be true or false"),
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

    const PEM: &str = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";

    #[test]
    fn environment_completes_the_block() {
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
    fn identity_of_the_environment_is_a_fallback() {
        let variables = [("KUBE_TOKEN", "t"), ("KUBE_CLIENT_CERT_DATA", PEM), ("KUBE_CLIENT_KEY_DATA", "key")];
        let environment = Environment::fixed(variables);
        let shown = |settings: KubernetesSettings| {
            let filled = settings.with_environment(&environment).unwrap();
            (filled.token.is_some(), filled.client_certificate.is_some(), filled.client_key.is_some())
        };
        let host = || KubernetesSettings { host: Some("https://mine".to_owned()), ..KubernetesSettings::default() };
        assert_eq!(shown(host()), (true, true, true));
        assert_eq!(shown(KubernetesSettings { exec: Some(Exec::default()), ..host() }), (false, false, false));
        assert_eq!(shown(KubernetesSettings { token: Some("mine".into()), ..host() }), (true, false, false));
        // The certificate is in the settings, its key in the environment.
        assert_eq!(
            shown(KubernetesSettings { client_certificate: Some(PEM.to_owned()), ..host() }),
            (false, true, true)
        );
        // An EKS cluster has its own credentials.
        let eks = KubernetesSettings { cluster_name: Some("prod".to_owned()), ..KubernetesSettings::default() };
        assert_eq!(shown(eks), (false, false, false));
    }

    #[test]
    fn named_cluster_uses_only_the_proxy_of_the_environment() {
        let environment = Environment::fixed([
            ("KUBE_PROXY_URL", "http://proxy:3128"),
            ("KUBE_HOST", "https://other"),
            ("KUBE_TLS_SERVER_NAME", "other"),
            ("KUBE_CLUSTER_CA_CERT_DATA", PEM),
            ("KUBE_INSECURE", "true"),
        ]);
        let eks = KubernetesSettings { cluster_name: Some("prod".to_owned()), ..KubernetesSettings::default() };
        let filled = eks.with_environment(&environment).unwrap();
        assert_eq!(filled.proxy_url.as_deref(), Some("http://proxy:3128"));
        assert_eq!(
            (filled.host, filled.tls_server_name, filled.cluster_ca_certificate, filled.insecure),
            (None, None, None, None)
        );
    }

    #[test]
    fn cluster_of_a_resource_keeps_only_shared_settings() {
        let block = KubernetesSettings {
            proxy_url: Some("http://proxy:3128".to_owned()),
            tls_server_name: Some("kubernetes".to_owned()),
            insecure: Some(true),
            token: Some("t".into()),
            not_yet_known: vec!["kubernetes.token".to_owned()],
            ..KubernetesSettings::default()
        };
        let shown = |block: KubernetesSettings| {
            let own = block.for_cluster("prod");
            assert!(own.token.is_none() && own.host.is_none());
            assert_eq!(own.cluster_name.as_deref(), Some("prod"));
            (own.proxy_url.is_some(), own.tls_server_name.is_some(), own.insecure, own.not_yet_known)
        };
        let named = |name: &str| KubernetesSettings { cluster_name: Some(name.to_owned()), ..block.clone() };
        assert_eq!(shown(block.clone()), (true, true, Some(true), vec![]));
        assert_eq!(shown(named("prod")), (true, true, Some(true), vec![]));
        assert_eq!(shown(named("other")), (true, false, None, vec![]));
        let host = KubernetesSettings { host: Some("https://other".to_owned()), ..block.clone() };
        assert_eq!(shown(host), (true, false, None, vec![]));
        let unknown = |name: &str| KubernetesSettings { not_yet_known: vec![name.to_owned()], ..block.clone() };
        assert_eq!(shown(unknown("kubernetes.host")), (true, false, None, vec![]));
        let waits = |name: &str| (true, true, Some(true), vec![name.to_owned()]);
        for name in ["kubernetes", "kubernetes.proxy_url", "kubernetes.tls_server_name"] {
            assert_eq!(shown(unknown(name)), waits(name));
        }
    }

    #[test]
    fn incomplete_pairs_and_wrong_formats_are_named() {
        let message =
            |settings: KubernetesSettings| settings.with_environment(&Environment::fixed([])).unwrap_err().to_string();
        let settings = KubernetesSettings::default;
        let base64 = base64::engine::general_purpose::STANDARD.encode(PEM);
        assert_eq!(
            [
                message(KubernetesSettings { client_certificate: Some(PEM.to_owned()), ..settings() }),
                message(KubernetesSettings { client_key: Some("key".into()), ..settings() }),
                message(KubernetesSettings { cluster_ca_certificate: Some(base64), ..settings() }),
                message(KubernetesSettings { cluster_ca_certificate: Some("/etc/ca.crt".to_owned()), ..settings() }),
            ],
            [
                "the provider setting \"client_certificate\" cannot be used: it has no effect on its \
                 own. Set \"client_key\", or KUBE_CLIENT_KEY_DATA as well",
                "the provider setting \"client_key\" cannot be used: it has no effect on its own. Set \
                 \"client_certificate\", or KUBE_CLIENT_CERT_DATA as well",
                "the provider setting \"cluster_ca_certificate\" cannot be used: it is base64, but must be PEM: \
                 decode it with base64decode()",
                "the provider setting \"cluster_ca_certificate\" cannot be used: it is not a PEM certificate, \
                 which begins with \"-----BEGIN CERTIFICATE-----\"",
            ]
        );
    }

    #[test]
    fn kubeconfig_paths_are_read_from_the_environment() {
        let list = env::join_paths(["/a", "/b", ""]).unwrap();
        let environment = Environment::fixed([("KUBE_CONFIG_PATHS", list.to_str().unwrap())]);
        let filled = KubernetesSettings::default().with_environment(&environment).unwrap();
        assert_eq!(filled.files(), ["/a", "/b"]);
    }

    #[test]
    fn kube_insecure_is_true_or_false() {
        let error = KubernetesSettings::default()
            .with_environment(&Environment::fixed([("KUBE_INSECURE", "maybe")]))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the provider setting \"insecure\" cannot be used: KUBE_INSECURE is \"maybe\", but must be true or \
             false"
        );
    }
}
