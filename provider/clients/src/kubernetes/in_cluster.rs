//! The service account of the pod in which the provider runs.

use std::path::Path;

use kube::config::{AuthInfo, Cluster};

use super::kubeconfig::{Connection, Minting, build, override_cluster};
use super::settings::KubernetesSettings;
use super::token::TokenFile;
use crate::environment::Environment;
use crate::error::ClientError;

/// The path at which the kubelet mounts it into every container.
pub(super) const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The connection of a pod with its service account in `folder`.
///
/// # Errors
/// [`ClientError::KubernetesNotConfigured`] outside of a pod, because no setting selects a cluster.
pub(super) async fn connection(
    settings: &KubernetesSettings,
    environment: &Environment,
    folder: &Path,
) -> Result<Connection, ClientError> {
    let (Some(host), Some(port)) =
        (environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT"))
    else {
        return Err(ClientError::KubernetesNotConfigured);
    };
    let token = folder.join("token");
    // Every pod has the variables, but the token only if it is mounted.
    if !token.exists() {
        return Err(ClientError::KubernetesNotConfigured);
    }
    // The kubelet sets a bare IPv6 address, which needs brackets in a URL.
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let mut cluster = Cluster {
        server: Some(format!("https://{host}:{port}")),
        certificate_authority: folder.join("ca.crt").to_str().map(str::to_owned),
        ..Cluster::default()
    };
    override_cluster(&mut cluster, settings);
    let namespace = std::fs::read_to_string(folder.join("namespace")).ok();
    Ok(Connection {
        config: build(cluster, AuthInfo::default(), namespace, environment).await?,
        tokens: Some(Minting::by(TokenFile(token))),
        certificate: None,
        cluster: None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use secrecy::ExposeSecret;

    use super::*;

    const VARIABLES: [(&str, &str); 2] = [("KUBERNETES_SERVICE_HOST", "fd00::1"), ("KUBERNETES_SERVICE_PORT", "443")];

    fn service_account() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let authority = rcgen::generate_simple_self_signed(["kubernetes".to_owned()]).unwrap();
        for (file, text) in [("token", "first\n"), ("ca.crt", &authority.cert.pem()), ("namespace", "runners")] {
            std::fs::write(folder.path().join(file), text).unwrap();
        }
        folder
    }

    #[tokio::test]
    async fn in_cluster_configuration_needs_no_settings() {
        let folder = service_account();
        let settings = KubernetesSettings { proxy_url: Some("http://proxy:3128".to_owned()), ..Default::default() };
        let found = connection(&settings, &Environment::fixed(VARIABLES), folder.path()).await.unwrap();
        assert_eq!(found.config.cluster_url.to_string(), "https://[fd00::1]:443/");
        assert_eq!(found.config.default_namespace, "runners");
        assert_eq!(found.config.proxy_url.unwrap().to_string(), "http://proxy:3128/");
        assert_eq!(found.config.root_cert.unwrap().len(), 1);

        // The kubelet renews the token periodically.
        let source = found.tokens.unwrap().source;
        let mint = async || source.mint(SystemTime::UNIX_EPOCH).await.unwrap().value.expose_secret().to_owned();
        assert_eq!(mint().await, "first");
        std::fs::write(folder.path().join("token"), "second").unwrap();
        assert_eq!(mint().await, "second");
    }

    #[tokio::test]
    async fn no_in_cluster_configuration_outside_of_a_pod() {
        let folder = service_account();
        let nothing = KubernetesSettings::default();
        let outside = connection(&nothing, &Environment::fixed([]), folder.path()).await;
        assert!(matches!(outside, Err(ClientError::KubernetesNotConfigured)));
        let without_token = tempfile::tempdir().unwrap();
        let without_token = connection(&nothing, &Environment::fixed(VARIABLES), without_token.path()).await;
        assert!(matches!(without_token, Err(ClientError::KubernetesNotConfigured)));
    }
}
