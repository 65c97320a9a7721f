//! The HTTP client of AWS calls: proxies, certificate authorities, and TLS with aws-lc.

use aws_sdk_sts::config::SharedAsyncSleep;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::settings::AwsSettings;
use super::stop::Pauses;
use crate::environment::Environment;
use crate::error::ClientError;
use crate::no_proxy;
use crate::stop::Stop;

/// Hosts that are never reached through a proxy: this machine, and the metadata endpoints of instances, containers and
/// pods. A proxy would return the credentials of its own machine, if any.
const DIRECT: &str =
    "localhost,127.0.0.0/8,::1,169.254.169.254,169.254.170.2,169.254.170.23,fd00:ec2::254,fd00:ec2::23";

/// One HTTP client for all services, so that they share connections and certificates.
///
/// # Errors
/// [`ClientError::InvalidSetting`] when a proxy URL or the CA bundle cannot be used.
pub(super) fn client(settings: &AwsSettings, environment: &Environment) -> Result<SharedHttpClient, ClientError> {
    if let Some(client) = &settings.http_client {
        return Ok(client.clone());
    }
    let proxies = Proxies::from(settings, environment)?;
    let bundle = match (&settings.custom_ca_bundle, environment.get("AWS_CA_BUNDLE")) {
        (Some(path), _) => Some(read_bundle(&environment.expand_home(path), "")?),
        (None, Some(path)) => Some(read_bundle(&environment.expand_home(&path), ", from AWS_CA_BUNDLE,")?),
        (None, None) => None,
    };
    let mut tls = TlsContext::builder();
    if let Some(pem) = bundle {
        // The bundle replaces the system's certificate authorities: the trust store is empty before it is added.
        tls = tls.with_trust_store(TrustStore::empty().with_pem_certificate(pem));
    }
    let tls = tls
        .build()
        .map_err(|error| ClientError::InvalidSetting { setting: "custom_ca_bundle", reason: error.to_string() })?;

    let Proxies { http, https } = proxies;
    let plain = Builder::new()
        .build_with_connector_fn(move |settings, _| connector(settings).proxy_config(http.clone()).build_http());
    let secure = Builder::new().build_with_connector_fn(move |settings, _| {
        connector(settings)
            .proxy_config(https.clone())
            // aws-lc is linked in any case, because the handshake with the host requires P-521.
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(tls.clone())
            .build()
    });
    Ok(SharedHttpClient::new(ByScheme { plain, secure }))
}

fn connector(settings: Option<&HttpConnectorSettings>) -> aws_smithy_http_client::ConnectorBuilder {
    let mut builder = Connector::builder();
    builder.set_connector_settings(settings.cloned());
    // The timers of a connector must not end with a stop: all operations share it, and the first one that needs it
    // builds it.
    builder.set_sleep_impl(Some(SharedAsyncSleep::new(Pauses(Stop::default()))));
    builder
}

/// Selects the client by URL scheme: HTTP and HTTPS have separate proxy settings, which the SDK's client does not
/// support. Certificates are not loaded while all endpoints use HTTP.
#[derive(Debug, Clone)]
struct ByScheme {
    plain: SharedHttpClient,
    secure: SharedHttpClient,
}

impl HttpClient for ByScheme {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(SchemeConnector {
            clients: self.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

#[derive(Debug)]
struct SchemeConnector {
    clients: ByScheme,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for SchemeConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = if request.uri().starts_with("http://") { &self.clients.plain } else { &self.clients.secure };
        // Each client caches its connectors by settings, so this is a lookup.
        client.http_connector(&self.settings, &self.components).call(request)
    }
}

struct Proxies {
    http: ProxyConfig,
    https: ProxyConfig,
}

impl Proxies {
    fn from(settings: &AwsSettings, environment: &Environment) -> Result<Self, ClientError> {
        let no_proxy = settings.no_proxy.clone().or_else(|| environment.first(&["NO_PROXY", "no_proxy"]));
        let rules =
            no_proxy.map_or_else(|| DIRECT.to_owned(), |rules| format!("{},{DIRECT}", no_proxy::domains(&rules)));
        let http = settings
            .http_proxy
            .clone()
            .or_else(|| environment.first(&["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]));
        let https = settings
            .https_proxy
            .clone()
            .or_else(|| environment.first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]));
        Ok(Self { http: proxy("http_proxy", http, &rules)?, https: proxy("https_proxy", https, &rules)? })
    }
}

fn proxy(setting: &'static str, url: Option<String>, no_proxy: &str) -> Result<ProxyConfig, ClientError> {
    let Some(url) = url else {
        return Ok(ProxyConfig::disabled());
    };
    // Proxy variables often contain only a host and a port.
    let url = if url.contains("://") { url } else { format!("http://{url}") };
    // The URL may contain a password, so the error does not repeat it.
    let config = ProxyConfig::all(url.as_str()).map_err(|_| ClientError::InvalidSetting {
        setting,
        reason: "it is not a URL such as \"http://proxy.example.com:3128\"".to_owned(),
    })?;
    Ok(config.no_proxy(no_proxy))
}

/// Reads and validates a CA bundle: the connector would panic if it contained no valid certificates.
fn read_bundle(path: &str, origin: &str) -> Result<Vec<u8>, ClientError> {
    let invalid = |what: &str| ClientError::InvalidSetting {
        setting: "custom_ca_bundle",
        reason: format!("{path}{origin} {what}. Specify a readable file of PEM certificates"),
    };
    let pem = std::fs::read(path).map_err(|error| invalid(&format!("cannot be read: {error}")))?;
    let certificates = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| invalid(&format!("is not a PEM file: {error}")))?;
    if certificates.is_empty() {
        return Err(invalid("does not contain a PEM certificate"));
    }
    let mut store = rustls::RootCertStore::empty();
    for certificate in certificates {
        store.add(certificate).map_err(|error| invalid(&format!("contains an invalid certificate: {error}")))?;
    }
    Ok(pem)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn reason(result: Result<SharedHttpClient, ClientError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn invalid_proxy_url_is_refused_without_its_password() {
        let settings = AwsSettings { https_proxy: Some("http://me:hunter2@ :99".to_owned()), ..AwsSettings::default() };
        assert_eq!(
            reason(client(&settings, &Environment::fixed([]))),
            "the provider setting \"https_proxy\" cannot be used: it is not a URL such as \
             \"http://proxy.example.com:3128\""
        );
    }

    #[test]
    fn ca_bundle_without_certificates_is_refused() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"not a certificate").unwrap();
        let path = file.path().to_str().unwrap();
        let found = reason(client(&AwsSettings::default(), &Environment::fixed([("AWS_CA_BUNDLE", path)])));
        assert_eq!(
            found,
            format!(
                "the provider setting \"custom_ca_bundle\" cannot be used: {path}, from AWS_CA_BUNDLE, does not \
                 contain a PEM certificate. Specify a readable file of PEM certificates"
            )
        );
    }

    #[test]
    fn missing_ca_bundle_is_refused() {
        let settings = AwsSettings { custom_ca_bundle: Some("/nowhere/ca.pem".to_owned()), ..AwsSettings::default() };
        let found = reason(client(&settings, &Environment::fixed([])));
        assert!(found.contains("/nowhere/ca.pem cannot be read: No such file"), "{found}");
    }

    #[test]
    fn valid_ca_bundle_is_accepted() {
        let certified = rcgen::generate_simple_self_signed(["proxy.example.com".to_owned()]).unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(certified.cert.pem().as_bytes()).unwrap();
        let settings =
            AwsSettings { custom_ca_bundle: Some(file.path().to_str().unwrap().to_owned()), ..AwsSettings::default() };
        assert!(client(&settings, &Environment::fixed([])).is_ok());
    }

    /// A proxy that answers requests in place of EKS and rejects tunnels. Returns its URL and the request lines it
    /// receives.
    async fn proxy_server() -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = [0; 4096];
                let length = stream.read(&mut buffer).await.unwrap();
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let line = text.lines().next().unwrap_or_default().to_owned();
                let answer = if line.starts_with("CONNECT") {
                    "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"
                } else {
                    "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"clusters\":[]}"
                };
                sender.send(line).unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (url, receiver)
    }

    async fn list_clusters(change: impl FnOnce(&mut AwsSettings)) -> bool {
        let mut settings = crate::scripted::Script::default().settings();
        settings.http_client = None;
        change(&mut settings);
        let clients = crate::scripted::clients(settings);
        clients.eks().await.unwrap().list_clusters().send().await.is_ok()
    }

    #[tokio::test]
    async fn proxy_is_chosen_by_scheme() {
        let (http, mut http_lines) = proxy_server().await;
        let (https, mut https_lines) = proxy_server().await;
        let proxies = |settings: &mut AwsSettings, endpoint: &str, no_proxy: Option<&str>| {
            settings.http_proxy = Some(http.clone());
            settings.https_proxy = Some(https.clone());
            settings.no_proxy = no_proxy.map(str::to_owned);
            settings.endpoints.eks = Some(endpoint.to_owned());
        };
        assert!(list_clusters(|settings| proxies(settings, "http://eks.invalid", None)).await);
        assert_eq!(http_lines.recv().await.unwrap(), "GET http://eks.invalid/clusters HTTP/1.1");
        assert!(!list_clusters(|settings| proxies(settings, "https://eks.invalid", None)).await);
        assert_eq!(https_lines.recv().await.unwrap(), "CONNECT eks.invalid:443 HTTP/1.1");
        for rules in ["eks.invalid", "other, *.invalid"] {
            assert!(!list_clusters(|settings| proxies(settings, "http://eks.invalid", Some(rules))).await);
        }
        assert!(!list_clusters(|settings| proxies(settings, "http://127.0.0.1:1", None)).await);
        assert!(http_lines.try_recv().is_err() && https_lines.try_recv().is_err());
    }
}
