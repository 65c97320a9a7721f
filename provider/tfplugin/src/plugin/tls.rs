//! AutoMTLS: each side trusts exactly one certificate of the other.
//!
//! The certificate of the client is in the environment, and that of this process in the handshake line. The default
//! verifier cannot be used: the host's certificate is its own issuer (CA:TRUE), which webpki refuses at the end of a
//! chain. Its key is P-521, which only aws-lc-rs among rustls's providers supports: if P-521 is not offered, a Go
//! client sends no certificate.

use std::sync::Arc;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime};
use tokio_rustls::TlsAcceptor;

/// The reason why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("creating the certificate failed: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("configuring the server failed: {0}")]
    Configuration(#[from] rustls::Error),
}

/// The server side of the connection to one known client.
#[derive(Debug)]
pub(super) struct MutualTls {
    configuration: Arc<ServerConfig>,
    certificate: CertificateDer<'static>,
}

impl MutualTls {
    /// Creates a certificate for this process, and a configuration that accepts only `client`.
    ///
    /// # Errors
    /// If the system provides no randomness.
    pub(super) fn with_client(client: &CertificateDer<'static>) -> Result<Self, TlsError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        // The host checks the name localhost, whatever the address is.
        let mut parameters = CertificateParams::new(vec!["localhost".to_owned()])?;
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = parameters.self_signed(&key)?.der().clone();

        // Set explicitly, because the process-wide default depends on what else is linked.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = PinnedClient { certificate: client.clone(), provider: Arc::clone(&provider) };
        let mut configuration = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_single_cert(vec![certificate.clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())?;
        // grpc-go refuses a connection on which h2 was not negotiated.
        configuration.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self { configuration: Arc::new(configuration), certificate })
    }

    /// The certificate that the host expects.
    pub(super) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.configuration))
    }
}

/// Accepts one certificate, compared byte by byte, from a client that proves that it holds the key.
#[derive(Debug)]
struct PinnedClient {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for PinnedClient {
    // A Go client sends a certificate only if its issuer is in this list. If the list is empty, it sends the one that
    // it has.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    /// Validity dates are not checked: the host has just created this certificate.
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if end_entity.as_ref() == self.certificate.as_ref() {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        CertificateParams::default().self_signed(&key).unwrap().der().clone()
    }

    fn verifier(pinned: &CertificateDer<'static>) -> PinnedClient {
        PinnedClient { certificate: pinned.clone(), provider: Arc::new(aws_lc_rs::default_provider()) }
    }

    #[test]
    fn only_the_pinned_certificate_is_accepted() {
        let (host, stranger) = (certificate(), certificate());
        let verifier = verifier(&host);
        let now = UnixTime::now();
        assert!(verifier.verify_client_cert(&host, &[], now).is_ok());
        assert_eq!(
            verifier.verify_client_cert(&stranger, &[], now).err(),
            Some(CertificateError::ApplicationVerificationFailure.into())
        );
        // The right certificate among the intermediates does not help.
        assert!(verifier.verify_client_cert(&stranger, std::slice::from_ref(&host), now).is_err());
    }

    #[test]
    fn client_certificate_is_required() {
        let verifier = verifier(&certificate());
        assert!(verifier.offer_client_auth() && verifier.client_auth_mandatory());
    }

    #[test]
    fn p521_signatures_of_a_go_host_are_accepted() {
        let schemes = verifier(&certificate()).supported_verify_schemes();
        assert!(schemes.contains(&SignatureScheme::ECDSA_NISTP521_SHA512));
    }

    #[test]
    fn only_http2_is_negotiated() {
        let tls = MutualTls::with_client(&certificate()).unwrap();
        assert_eq!(tls.configuration.alpn_protocols, [b"h2".to_vec()]);
    }

    #[test]
    fn every_process_has_its_own_certificate() {
        let client = certificate();
        let (one, other) = (MutualTls::with_client(&client).unwrap(), MutualTls::with_client(&client).unwrap());
        assert_ne!(one.certificate(), other.certificate());
    }
}
