//! A host such as Terraform, with only the handshake and the connection.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    PKCS_ECDSA_P521_SHA512,
};
use rustls::crypto::aws_lc_rs::{self, sign::any_supported_type};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;
use tonic::transport::{Channel, Endpoint};

/// Timeout of each wait, long enough for a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/// The path of the example `minimal`, which cargo builds with the tests: `target/debug/examples` beside
/// `target/debug/deps`.
fn example() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    profile.join("examples").join("minimal")
}

/// A command with an empty environment.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// The binary as a user starts it by hand.
pub(crate) fn binary() -> Command {
    command(example())
}

/// The binary as a host without TLS starts it, with its socket in `directory`.
pub(crate) fn invited(directory: &Path) -> Command {
    let mut command = binary();
    command.envs(invitation(directory));
    command
}

pub(crate) fn invitation(directory: &Path) -> [(&'static str, String); 6] {
    [
        ("PLUGIN_MIN_PORT", "10000".to_owned()),
        ("PLUGIN_MAX_PORT", "25000".to_owned()),
        ("PLUGIN_PROTOCOL_VERSIONS", "6,5".to_owned()),
        ("PLUGIN_UNIX_SOCKET_DIR", directory.display().to_string()),
        ("TF_PLUGIN_MAGIC_COOKIE", COOKIE.to_owned()),
        // For tests that start the binary from a shell.
        ("TEST_BINARY", example().display().to_string()),
    ]
}

/// Runs a process to its end. Returns its exit code, stdout and stderr.
pub(crate) async fn outcome(command: &mut Command) -> (Option<i32>, String, String) {
    let output = timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A certificate with its key, as Terraform creates one for each process it starts.
pub(crate) struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Identity {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512).unwrap();
        let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::OrganizationName, "HashiCorp");
        parameters.distinguished_name.push(DnType::CommonName, "localhost");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        Self { certificate: parameters.self_signed(&key).unwrap(), key }
    }

    /// The certificate of `other` with its own key.
    pub(crate) fn with_certificate_of(&self, other: &Self) -> Self {
        Self { certificate: other.certificate.clone(), key: KeyPair::try_from(self.key.serialized_der()).unwrap() }
    }

    /// Combines certificate and key, without a check that they belong together.
    fn certified_key(&self) -> CertifiedKey {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        let key = any_supported_type(&key.into()).unwrap();
        CertifiedKey::new(vec![self.certificate.der().clone()], key)
    }

    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }
}

/// The network on which a plugin listens. On Windows it is `Tcp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    Unix,
    Tcp,
}

pub(crate) type Stream = Either<UnixStream, TcpStream>;

/// A plugin that has printed its handshake line.
pub(crate) struct Plugin {
    pub(crate) process: Child,
    network: Network,
    pub(crate) address: String,
    /// The certificate in the handshake line.
    certificate: Option<CertificateDer<'static>>,
    /// The directory of its socket.
    pub(crate) directory: TempDir,
    stdout: BufReader<ChildStdout>,
}

impl Plugin {
    pub(crate) async fn start(client: Option<&Identity>) -> Self {
        Self::start_with(|command| {
            if let Some(client) = client {
                command.env("PLUGIN_CLIENT_CERT", client.pem());
            }
        })
        .await
    }

    pub(crate) async fn start_over(network: Network, client: &Identity) -> Self {
        Self::start_with(|command| {
            command.env("PLUGIN_CLIENT_CERT", client.pem());
            if network == Network::Tcp {
                command.arg("--tcp");
            }
        })
        .await
    }

    pub(crate) async fn start_with(configure: impl FnOnce(&mut Command)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = invited(directory.path());
        configure(&mut command);
        Self::from_process(command.spawn().unwrap(), directory).await
    }

    pub(crate) async fn from_process(mut process: Child, directory: TempDir) -> Self {
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        timeout(PATIENCE, stdout.read_line(&mut line)).await.unwrap().unwrap();
        let fields: Vec<_> = line.strip_suffix('\n').unwrap().split('|').collect();
        let ["1", "6", network, address, "grpc", certificate] = fields[..] else {
            unreachable!("not a handshake: {line:?}")
        };
        let network = match network {
            "unix" => Network::Unix,
            "tcp" => Network::Tcp,
            other => unreachable!("no network of go-plugin: {other}"),
        };
        let certificate = STANDARD_NO_PAD.decode(certificate).unwrap();
        Self {
            process,
            network,
            address: address.to_owned(),
            certificate: (!certificate.is_empty()).then(|| certificate.into()),
            directory,
            stdout,
        }
    }

    /// Opens a connection, and sends nothing.
    pub(crate) async fn connection(&self) -> io::Result<Stream> {
        match self.network {
            Network::Unix => UnixStream::connect(&self.address).await.map(Either::Left),
            Network::Tcp => TcpStream::connect(&self.address).await.map(Either::Right),
        }
    }

    /// Opens a TLS connection as `client`. In TLS 1.3 a refusal is visible only on the first read.
    pub(crate) async fn tls(
        &self,
        client: Option<&Identity>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> io::Result<TlsStream<Stream>> {
        // As in a Go host, only the certificate of the plugin is trusted.
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone().unwrap()).unwrap();
        let configuration = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut configuration = match client {
            None => configuration.with_no_client_auth(),
            Some(client) => {
                configuration.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(client.certified_key())))
            }
        };
        configuration.alpn_protocols = vec![b"h2".to_vec()];
        let stream = self.connection().await?;
        tokio_rustls::TlsConnector::from(Arc::new(configuration))
            .connect(ServerName::try_from("localhost").unwrap(), stream)
            .await
    }

    /// A gRPC channel over TLS.
    pub(crate) async fn channel(&self, client: &Identity) -> Channel {
        let stream = self.tls(Some(client), rustls::ALL_VERSIONS).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        channel_over(TokioIo::new(stream)).await
    }

    /// Waits until the process has ended by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.process.wait()).await.unwrap().unwrap()
    }

    /// Kills the process. Returns what it wrote to stdout and stderr after the handshake.
    pub(crate) async fn written(mut self) -> (String, String) {
        self.process.start_kill().unwrap();
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).await.unwrap();
        self.process.stderr.take().unwrap().read_to_string(&mut stderr).await.unwrap();
        (stdout, stderr)
    }

    pub(crate) fn has_left_nothing(&self) -> bool {
        std::fs::read_dir(self.directory.path()).unwrap().count() == 0
    }
}

/// A gRPC channel without TLS.
pub(crate) async fn plain_channel(address: &str) -> Channel {
    channel_over(TokioIo::new(UnixStream::connect(address).await.unwrap())).await
}

async fn channel_over<I>(stream: I) -> Channel
where
    I: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
{
    let mut stream = Some(stream);
    let connector = tower::service_fn(move |_| {
        let stream = stream.take().ok_or_else(|| io::Error::other("the connection was lost"));
        async { stream }
    });
    let endpoint = Endpoint::from_static("http://localhost");
    timeout(PATIENCE, endpoint.connect_with_connector(connector)).await.unwrap().unwrap()
}
