//! The connection to a cluster, and the operations on its objects.

mod apply;
mod cluster;
mod error;
mod exec;
mod in_cluster;
mod kubeconfig;
mod place;
mod proxy;
mod retry;
#[cfg(any(test, feature = "testing"))]
pub mod scripted;
mod settings;
mod shape;
mod stop;
mod take_over;
mod token;
mod transport;

use std::fmt;
use std::sync::Arc;

use kube::client::ClientBuilder;
use tokio_util::sync::CancellationToken;

pub use self::apply::{
    ApplyOptions, Deletion, FIELD_MANAGER, HANDOVER, ObjectRef, Propagation, apply, delete, get, list, log,
};
use self::cluster::Cluster;
pub use self::error::causes;
pub use self::error::{FieldConflict, InvalidField, KubernetesError};
use self::kubeconfig::Connection;
use self::place::Link;
pub(crate) use self::place::Place;
pub use self::settings::{EXEC_VERSIONS, Exec, KubernetesSettings, not_pem};
pub use self::take_over::take_over;
use self::token::Tokens;
pub(crate) use self::token::{MintToken, Token};
use super::eks_token::EksToken;
use super::{ClientError, Clients, Settings};

/// A connected cluster.
#[derive(Clone)]
pub struct Connected {
    pub client: kube::Client,
    /// The ARN of an EKS cluster that was selected by its name.
    pub arn: Option<String>,
}

impl Connected {
    /// The same connection, with requests that end when the run is stopped.
    pub(super) fn until_stopped(self, stop: &CancellationToken) -> Self {
        Self { client: stop::until_stopped(&self.client, stop), ..self }
    }
}

impl fmt::Debug for Connected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connected").field("arn", &self.arn).finish_non_exhaustive()
    }
}

/// Connects to the EKS cluster `cluster_name`, or to the cluster in the settings.
///
/// A resource with its own `cluster_name` does not use the settings that select a cluster, so that it does not depend
/// on a provider block that is not known yet.
///
/// # Errors
/// [`ClientError`]; only clusters that a setting selects are contacted.
async fn connect(clients: &Clients, cluster_name: Option<&str>) -> Result<Link, ClientError> {
    let settings = settings(clients, cluster_name)?;
    let connection = match &settings.cluster_name {
        Some(name) => eks(clients, described(clients, name).await?, &settings).await?,
        None => Connection::from_settings(&settings, &clients.shared.settings.environment).await?,
    };
    client(connection, clients, settings.token_from)
}

/// Creates a connection that replaces this one. `None` if the EKS cluster is the same.
///
/// # Errors
/// [`ClientError`] if the connection cannot be created, or the cluster does not exist.
async fn reconnect(clients: &Clients, cluster_name: Option<&str>, link: &Link) -> Result<Option<Link>, ClientError> {
    let settings = settings(clients, cluster_name)?;
    let Some(name) = &settings.cluster_name else { return connect(clients, cluster_name).await.map(Some) };
    let cluster = described(clients, name).await?;
    if link.cluster.as_ref() == Some(&cluster) {
        return Ok(None);
    }
    client(eks(clients, cluster, &settings).await?, clients, settings.token_from).map(Some)
}

/// The settings that apply to the cluster.
fn settings(clients: &Clients, cluster_name: Option<&str>) -> Result<KubernetesSettings, ClientError> {
    let Settings { kubernetes, environment, .. } = &clients.shared.settings;
    let settings = match cluster_name {
        Some(name) => kubernetes.clone().for_cluster(name),
        None => kubernetes.clone(),
    };
    match settings.not_yet_known.is_empty() {
        true => settings.with_environment(environment),
        false => Err(ClientError::NotYetKnown { settings: settings.not_yet_known }),
    }
}

async fn described(clients: &Clients, name: &str) -> Result<Cluster, ClientError> {
    cluster::describe(clients.eks().await?, name, clients.region().await?).await
}

async fn eks(clients: &Clients, cluster: Cluster, settings: &KubernetesSettings) -> Result<Connection, ClientError> {
    let name = settings.cluster_name.as_deref().unwrap_or_default();
    let credentials = clients.aws().await?.config.credentials_provider().ok_or_else(|| ClientError::EksToken {
        cluster: name.to_owned(),
        reason: "no AWS credentials were found to sign it with".to_owned(),
    })?;
    let source = EksToken {
        credentials,
        region: clients.region().await?.to_owned(),
        cluster: cluster.token_name.clone(),
        clock: Arc::clone(&clients.shared.clock),
    };
    Connection::from_eks(cluster, source, settings, &clients.shared.settings.environment).await
}

fn client(connection: Connection, clients: &Clients, token_from: Option<&'static str>) -> Result<Link, ClientError> {
    let Connection { mut config, tokens, certificate, cluster } = connection;
    let refused = |reason: String| ClientError::KubernetesClient { reason };
    // kube uses the process-wide crypto provider, which must be this one regardless of compiled features. An error
    // means that one is already installed.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let user_agent = clients.shared.settings.user_agent.header();
    if let Ok(value) = http::HeaderValue::from_str(&user_agent) {
        config.headers.push((http::header::USER_AGENT, value));
    }
    // The transport retries instead: it evaluates the method and uses the injected clock.
    config.default_retry = false;
    // kube's default is 30 seconds for each attempt.
    config.connect_timeout = Some(retry::CONNECT_TIMEOUT);
    let server = config.cluster_url.clone();
    let builder = ClientBuilder::try_from(config).map_err(|error| refused(error.to_string()))?;
    let clock = Arc::clone(&clients.shared.clock);
    let tokens = tokens.map(|minting| Tokens::new(minting.source, minting.first, Arc::clone(&clock)));
    let client = builder.with_layer(&transport::TransportLayer { tokens, clock, server, token_from }).build();
    Ok(Link { client, cluster, certificate })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kube::api::Api;
    use rcgen::CertifiedKey;
    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::scripted::{Answer, Cluster};
    use super::*;
    use crate::Environment;
    use crate::scripted::{Answer as AwsAnswer, Script};

    type Namespaces = Api<k8s_openapi::api::core::v1::Namespace>;

    fn certificate() -> CertifiedKey<rcgen::KeyPair> {
        rcgen::generate_simple_self_signed(["kubernetes.internal".to_owned()]).unwrap()
    }

    #[tokio::test]
    async fn eks_cluster_is_resolved_by_name() {
        use base64::Engine as _;

        let namespace = Answer::Json(200, json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ci"}}));
        let cluster = Cluster::listen([namespace.clone(), namespace]).await;
        let authority = base64::engine::general_purpose::STANDARD.encode(certificate().cert.pem());
        let description = json!({"cluster": {
            "name": "prod", "status": "ACTIVE", "endpoint": cluster.url, "certificateAuthority": {"data": authority},
        }});
        let script = Script::new([AwsAnswer::Http(200, description.to_string())]);
        let clients = Clients::new(Settings {
            aws: script.settings(),
            // A resource with its own cluster does not depend on the provider block.
            kubernetes: KubernetesSettings {
                not_yet_known: vec!["kubernetes.host".to_owned()],
                ..KubernetesSettings::default()
            },
            environment: Environment::fixed([]),
            ..Settings::default()
        });
        for _ in 0..2 {
            let client = clients.kubernetes(Some("prod")).await.unwrap().client;
            Namespaces::all(client).get("ci").await.unwrap();
        }
        let described: Vec<String> = script.requests().into_iter().map(|request| request.uri).collect();
        assert_eq!(described, ["https://eks.eu-west-1.amazonaws.com/clusters/prod"]);
        let requests = cluster.requests();
        let [(line, token, _), (_, again, _)] = requests.as_slice() else {
            unreachable!("two requests, not {requests:?}")
        };
        assert_eq!(line, "GET /api/v1/namespaces/ci");
        assert!(token.starts_with("Bearer k8s-aws-v1."), "{token}");
        assert_eq!(token, again);
    }

    #[tokio::test]
    async fn client_is_shared_by_provider_and_resource() {
        use base64::Engine as _;

        let authority = base64::engine::general_purpose::STANDARD.encode(certificate().cert.pem());
        let description = json!({"cluster": {
            "name": "prod", "arn": "arn:prod", "status": "ACTIVE", "endpoint": "https://127.0.0.1:1",
            "certificateAuthority": {"data": authority},
        }});
        let answer = || AwsAnswer::Http(200, description.to_string());
        let script = Script::new([answer(), answer()]);
        let clients = Clients::new(Settings {
            aws: script.settings(),
            kubernetes: KubernetesSettings { cluster_name: Some("prod".to_owned()), ..KubernetesSettings::default() },
            environment: Environment::fixed([]),
            ..Settings::default()
        });
        for name in [None, Some("prod"), Some("other"), None, Some("other")] {
            assert_eq!(clients.kubernetes(name).await.unwrap().arn.as_deref(), Some("arn:prod"));
        }
        let asked: Vec<String> = script.requests().into_iter().map(|request| request.uri).collect();
        let of = |name: &str| format!("https://eks.eu-west-1.amazonaws.com/clusters/{name}");
        assert_eq!(asked, [of("prod"), of("other")]);
    }

    #[tokio::test]
    async fn rejected_token_of_the_environment_is_named() {
        let message = async |code, reason: &str, environment: Environment| {
            let cluster = Cluster::listen([Answer::status(code, reason, reason, serde_json::Value::Null)]).await;
            let kubernetes = KubernetesSettings { host: Some(cluster.url.clone()), ..KubernetesSettings::default() };
            let clients = Clients::new(Settings { kubernetes, environment, ..Settings::default() });
            let client = clients.kubernetes(None).await.unwrap().client;
            let place =
                ObjectRef { api_version: "v1".into(), kind: "Namespace".into(), namespace: None, name: "ci".into() };
            get(&client, &place).await.unwrap_err().to_string()
        };
        let with_token = || Environment::fixed([("KUBE_TOKEN", "x")]);
        let from = "(the token is from the environment variable KUBE_TOKEN)";
        for (code, reason) in [(401, "Unauthorized"), (403, "Forbidden")] {
            let found = message(code, reason, with_token()).await;
            assert!(found.contains(from), "{found}");
            let found = message(code, reason, Environment::fixed([])).await;
            assert!(!found.contains("KUBE_TOKEN"), "{found}");
        }
    }

    /// A TLS server that returns the same namespace for every request.
    async fn secure(certified: &CertifiedKey<rcgen::KeyPair>) -> String {
        let key = rustls_pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let _ = stream.read(&mut [0; 4096]).await;
                let body = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"ci"}}"#;
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        url
    }

    #[tokio::test]
    async fn server_certificate_is_verified() {
        let certified = certificate();
        let settings = KubernetesSettings {
            host: Some(secure(&certified).await),
            cluster_ca_certificate: Some(certified.cert.pem()),
            tls_server_name: Some("kubernetes.internal".to_owned()),
            token: Some("t".into()),
            ..KubernetesSettings::default()
        };
        let get = async |kubernetes: KubernetesSettings| {
            let environment = Environment::fixed([]);
            let clients = Clients::new(Settings { kubernetes, environment, ..Settings::default() });
            let client = clients.kubernetes(None).await.unwrap().client;
            // An untrusted certificate is final: with retries, this would take half a minute.
            let got = tokio::time::timeout(Duration::from_secs(10), Namespaces::all(client).get("ci")).await.unwrap();
            got.map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(get(settings.clone()).await, Ok(()));
        let other = KubernetesSettings { cluster_ca_certificate: Some(certificate().cert.pem()), ..settings.clone() };
        assert!(get(other).await.is_err());
        let wrong_name = KubernetesSettings { tls_server_name: None, ..settings.clone() };
        assert!(get(wrong_name.clone()).await.is_err());
        assert_eq!(get(KubernetesSettings { insecure: Some(true), ..wrong_name }).await, Ok(()));
    }
}
