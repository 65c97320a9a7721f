//! The handshake: environment variables from the host, and one line on stdout as the response.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::tls::MutualTls;
use super::transport::{Address, Placement, Ports};

/// The version of go-plugin's own handshake.
const CORE_PROTOCOL: u32 = 1;
/// The major version of tfplugin. Minor versions are never negotiated.
const PROTOCOL: u32 = 6;

/// Not a secret: it only distinguishes a host from a user who starts the binary by hand.
const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

/// The environment variables with which a host started this process.
#[derive(Debug, PartialEq)]
pub(super) struct Invitation {
    /// The certificate of the only accepted client. `None` if the host does not use TLS.
    pub(super) client_certificate: Option<CertificateDer<'static>>,
    pub(super) placement: Placement,
    /// Whether the host asks for multiplexing, which the handshake line then has to decline.
    pub(super) asks_for_multiplexing: bool,
}

/// The reason why the process refuses to serve.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error(
        // The text of go-plugin, which users find when they search for it.
        "This binary is a plugin. These are not meant to be executed directly.\n\
         Please execute the program that consumes these plugins, which will\n\
         load any plugins automatically"
    )]
    NoHost,
    #[error(
        "this provider requires plugin protocol {PROTOCOL}, but the program that started it only supports {offered}: \
         use Terraform 1.0 or OpenTofu 1.6, or newer"
    )]
    OtherProtocol { offered: String },
    #[error(
        "PLUGIN_CLIENT_CERT must contain exactly one certificate in PEM format: the provider does not run without TLS"
    )]
    ClientCertificate,
    #[error("PLUGIN_MIN_PORT and PLUGIN_MAX_PORT must be port numbers, not {minimum:?} and {maximum:?}")]
    Ports { minimum: String, maximum: String },
}

impl Invitation {
    /// Reads the invitation from environment variables.
    ///
    /// # Errors
    /// A [`Refusal`] if the process was not started by a host, the host uses another protocol, or a variable is
    /// invalid.
    pub(super) fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Refusal> {
        // go-plugin treats an empty variable as absent.
        let variable = |name| variable(name).filter(|value| !value.is_empty());

        if variable(COOKIE.0).is_none_or(|cookie| cookie != COOKIE.1) {
            return Err(Refusal::NoHost);
        }
        if let Some(offered) = variable("PLUGIN_PROTOCOL_VERSIONS") {
            accept_protocol(&offered.to_string_lossy())?;
        }
        Ok(Self {
            client_certificate: variable("PLUGIN_CLIENT_CERT").map(|pem| only_certificate(&pem)).transpose()?,
            placement: Placement {
                socket_directory: variable("PLUGIN_UNIX_SOCKET_DIR").map(PathBuf::from),
                socket_group: variable("PLUGIN_UNIX_SOCKET_GROUP").map(|group| group.to_string_lossy().into_owned()),
                ports: ports(variable("PLUGIN_MIN_PORT"), variable("PLUGIN_MAX_PORT"))?,
            },
            asks_for_multiplexing: variable("PLUGIN_MULTIPLEX_GRPC")
                .is_some_and(|value| is_true(&value.to_string_lossy())),
        })
    }
}

/// Checks the offered versions, a comma-separated set without order.
fn accept_protocol(offered: &str) -> Result<(), Refusal> {
    // Go lists the versions of a map, whose order differs from start to start.
    let versions: BTreeSet<u32> = offered.split(',').filter_map(|version| version.trim().parse().ok()).collect();
    if versions.contains(&PROTOCOL) {
        return Ok(());
    }
    Err(Refusal::OtherProtocol { offered: offered.to_owned() })
}

fn only_certificate(pem: &OsStr) -> Result<CertificateDer<'static>, Refusal> {
    let pem = pem.to_str().ok_or(Refusal::ClientCertificate)?;
    let mut certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
    match (certificates.next(), certificates.next()) {
        (Some(Ok(certificate)), None) => Ok(certificate),
        _ => Err(Refusal::ClientCertificate),
    }
}

/// Parses the range of ports. An absent variable counts as 0, as in go-plugin.
fn ports(minimum: Option<OsString>, maximum: Option<OsString>) -> Result<Ports, Refusal> {
    let text = |port: Option<OsString>| port.map_or_else(|| "0".to_owned(), |port| port.to_string_lossy().into_owned());
    let (minimum, maximum) = (text(minimum), text(maximum));
    match (minimum.parse(), maximum.parse()) {
        (Ok(first), Ok(last)) => Ok(Ports { first, last }),
        _ => Err(Refusal::Ports { minimum, maximum }),
    }
}

/// Parses a bool as Go's `strconv.ParseBool` does.
fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

/// Returns the handshake line, without its line end.
///
/// Fields: handshake version, protocol version, network, address, "grpc", the server's certificate (empty without TLS)
/// and, only for a host that asked, whether multiplexing is supported.
pub(super) fn line(address: &Address, tls: Option<&MutualTls>, invitation: &Invitation) -> String {
    // Without TLS the field is empty and not omitted: go-plugin would otherwise read the next field as the certificate.
    let certificate = tls.map(|tls| STANDARD_NO_PAD.encode(tls.certificate())).unwrap_or_default();
    let multiplexing = if invitation.asks_for_multiplexing { "|false" } else { "" };
    let Address { network, address } = address;
    format!("{CORE_PROTOCOL}|{PROTOCOL}|{network}|{address}|grpc|{certificate}{multiplexing}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the usual variables of a host with `changes`. An empty value means that the variable is absent.
    fn read(changes: &[(&str, &str)]) -> Result<Invitation, Refusal> {
        let usual =
            [COOKIE, ("PLUGIN_PROTOCOL_VERSIONS", "6,5"), ("PLUGIN_MIN_PORT", "10000"), ("PLUGIN_MAX_PORT", "25000")];
        Invitation::read(|name| {
            let changed = changes.iter().find(|(changed, _)| *changed == name);
            changed.or_else(|| usual.iter().find(|(usual, _)| *usual == name)).map(|(_, value)| value.into())
        })
    }

    fn plain() -> Invitation {
        Invitation {
            client_certificate: None,
            placement: Placement { ports: Ports { first: 10000, last: 25000 }, ..Placement::default() },
            asks_for_multiplexing: false,
        }
    }

    fn certificate() -> rcgen::Certificate {
        let key = rcgen::KeyPair::generate().unwrap();
        rcgen::CertificateParams::default().self_signed(&key).unwrap()
    }

    #[test]
    fn host_without_tls_is_accepted() {
        assert_eq!(read(&[]), Ok(plain()));
    }

    #[test]
    fn every_setting_of_the_host_is_read() {
        let certificate = certificate();
        let invitation = read(&[
            ("PLUGIN_CLIENT_CERT", &certificate.pem()),
            ("PLUGIN_UNIX_SOCKET_DIR", "/run/plugins"),
            ("PLUGIN_UNIX_SOCKET_GROUP", "terraform"),
            ("PLUGIN_MIN_PORT", "1024"),
            ("PLUGIN_MAX_PORT", "65535"),
            ("PLUGIN_MULTIPLEX_GRPC", "true"),
        ]);
        assert_eq!(
            invitation,
            Ok(Invitation {
                client_certificate: Some(certificate.der().clone()),
                placement: Placement {
                    socket_directory: Some("/run/plugins".into()),
                    socket_group: Some("terraform".to_owned()),
                    ports: Ports { first: 1024, last: 65535 },
                },
                asks_for_multiplexing: true,
            })
        );
    }

    #[test]
    fn missing_magic_cookie_is_refused() {
        for cookie in ["", "wrong"] {
            assert_eq!(read(&[(COOKIE.0, cookie)]), Err(Refusal::NoHost));
        }
    }

    #[test]
    fn offered_protocols_are_an_unordered_list() {
        for offered in ["6", "5,6", "6,5", "4, 6 ,x", ""] {
            assert_eq!(read(&[("PLUGIN_PROTOCOL_VERSIONS", offered)]), Ok(plain()), "{offered:?}");
        }
        for offered in ["5", "4,5", "66", "six"] {
            let refusal = Refusal::OtherProtocol { offered: offered.to_owned() };
            assert_eq!(read(&[("PLUGIN_PROTOCOL_VERSIONS", offered)]), Err(refusal));
        }
    }

    #[test]
    fn unreadable_certificate_never_falls_back_to_plaintext() {
        let two = certificate().pem() + &certificate().pem();
        for pem in ["nonsense", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", &two] {
            assert_eq!(read(&[("PLUGIN_CLIENT_CERT", pem)]), Err(Refusal::ClientCertificate));
        }
    }

    #[test]
    fn invalid_ports_are_refused() {
        let refusal = |minimum: &str, maximum: &str| {
            Err(Refusal::Ports { minimum: minimum.to_owned(), maximum: maximum.to_owned() })
        };
        assert_eq!(read(&[("PLUGIN_MIN_PORT", "low")]), refusal("low", "25000"));
        assert_eq!(read(&[("PLUGIN_MAX_PORT", "65536")]), refusal("10000", "65536"));
        let absent = read(&[("PLUGIN_MIN_PORT", ""), ("PLUGIN_MAX_PORT", "")]).unwrap();
        assert_eq!(absent.placement.ports, Ports::default());
    }

    fn socket() -> Address {
        Address { network: "unix", address: "/tmp/plugin1/s".to_owned() }
    }

    #[test]
    fn handshake_without_tls_has_an_empty_sixth_field() {
        assert_eq!(line(&socket(), None, &plain()), "1|6|unix|/tmp/plugin1/s|grpc|");
        let asks = Invitation { asks_for_multiplexing: true, ..plain() };
        assert_eq!(line(&socket(), None, &asks), "1|6|unix|/tmp/plugin1/s|grpc||false");
        let tcp = Address { network: "tcp", address: "127.0.0.1:10000".to_owned() };
        assert_eq!(line(&tcp, None, &plain()), "1|6|tcp|127.0.0.1:10000|grpc|");
    }

    #[test]
    fn certificate_has_no_base64_padding() {
        let tls = MutualTls::with_client(certificate().der()).unwrap();
        let line = line(&socket(), Some(&tls), &plain());
        let field = line.strip_prefix("1|6|unix|/tmp/plugin1/s|grpc|").unwrap();
        assert_eq!(STANDARD_NO_PAD.decode(field).unwrap(), tls.certificate().as_ref());
    }
}
