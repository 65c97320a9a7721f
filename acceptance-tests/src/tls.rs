//! A TLS endpoint of the local AWS with a self-signed certificate.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::CertifiedKey;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A TLS server on loopback that forwards connections to the local AWS.
#[derive(Debug)]
pub struct Tls {
    address: SocketAddr,
    certificate: String,
    serving: JoinHandle<()>,
}

impl Tls {
    /// Starts it for the local AWS at `endpoint`, with a certificate for these host names.
    ///
    /// # Panics
    ///
    /// If loopback has no free port.
    pub async fn start(endpoint: &str, names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(names).expect("a certificate can be made");
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key that was just made");
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key))
            .expect("a certificate that was just made");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port on loopback");
        let address = listener.local_addr().expect("a listener has an address");
        let upstream = endpoint.trim_start_matches("http://").to_owned();
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, upstream) = (acceptor.clone(), upstream.clone());
                tokio::spawn(async move {
                    // Clients that do not trust the certificate close the connection, and report this themselves.
                    let mut client = acceptor.accept(client).await.ok()?;
                    let mut server = TcpStream::connect(&upstream).await.ok()?;
                    copy_bidirectional(&mut client, &mut server).await.ok()
                });
            }
        });
        Self { address, certificate: cert.pem(), serving }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its self-signed certificate in PEM, which is also the CA certificate.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
