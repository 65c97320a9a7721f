//! How the host reaches this process.
//!
//! As go-plugin does: over a Unix socket that only this user can open ([`unix_socket`]), and on Windows over TCP at
//! loopback ([`tcp`]), where every local program can connect and mutual TLS alone keeps the others out.

use std::io;
use std::path::PathBuf;

use tempfile::TempDir;
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;

mod connection;
mod tcp;
#[cfg(unix)]
mod unix_socket;

pub(super) use connection::Connection;
pub(super) use tcp::Ports;

/// What a plugin listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A Unix socket in a directory of its own.
    #[cfg(unix)]
    UnixSocket,
    /// TCP at 127.0.0.1.
    Tcp,
}

impl Default for Transport {
    /// The one that go-plugin takes on this operating system.
    #[cfg(unix)]
    fn default() -> Self {
        Self::UnixSocket
    }

    /// The one that go-plugin takes on this operating system.
    #[cfg(not(unix))]
    fn default() -> Self {
        Self::Tcp
    }
}

/// Where the host wants the plugin to listen. Each transport reads its part.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Placement {
    /// The parent of the socket's directory; by default the directory for temporary files.
    pub(super) socket_directory: Option<PathBuf>,
    /// A group by name or number that may also connect to the socket.
    pub(super) socket_group: Option<String>,
    pub(super) ports: Ports,
}

/// Why the plugin cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("could not make a directory for the socket in {directory}: {source}")]
    Directory { directory: PathBuf, source: io::Error },
    #[error("could not listen on the socket {path}: {source}; set TMPDIR to a directory with a short path")]
    Listen { path: PathBuf, source: io::Error },
    #[error("the path of the socket, {path:?}, cannot be told to the host: it has to be UTF-8 without '|'")]
    Path { path: PathBuf },
    #[error("could not let the group {group} of PLUGIN_UNIX_SOCKET_GROUP use the socket: {source}")]
    Group { group: String, source: io::Error },
    #[error(
        "could not listen on 127.0.0.1 at any of the ports {first} to {last}, which PLUGIN_MIN_PORT and \
         PLUGIN_MAX_PORT name: {source}"
    )]
    Ports { first: u16, last: u16, source: io::Error },
}

/// Where the host connects, as the handshake line and `TF_REATTACH_PROVIDERS` name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// `unix` or `tcp`, as Go's package net names it.
    pub(super) network: &'static str,
    pub(super) address: String,
}

/// What the plugin listens on, bound. A socket's directory is removed when it is dropped.
#[derive(Debug)]
pub(super) struct Endpoint {
    listener: Listener,
    address: Address,
    directory: Option<TempDir>,
}

impl Endpoint {
    /// Listens where `placement` says.
    ///
    /// # Errors
    /// When the socket or its directory cannot be made, there is no such group, or no port is free.
    pub(super) fn bind(transport: Transport, placement: &Placement) -> Result<Self, TransportError> {
        match transport {
            #[cfg(unix)]
            Transport::UnixSocket => unix_socket::bind(placement),
            Transport::Tcp => tcp::bind(placement.ports),
        }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// The directory has to be kept for as long as the listener is used.
    pub(super) fn into_parts(self) -> (Listener, Option<TempDir>) {
        (self.listener, self.directory)
    }
}

#[derive(Debug)]
pub(super) enum Listener {
    #[cfg(unix)]
    UnixSocket(UnixListener),
    Tcp(TcpListener),
}

impl Listener {
    /// The next connection, not yet encrypted.
    ///
    /// # Errors
    /// Those of the operating system, for instance that too many files are open.
    pub(super) async fn accept(&self) -> io::Result<Connection> {
        match self {
            #[cfg(unix)]
            Self::UnixSocket(listener) => listener.accept().await.map(|(stream, _)| Connection::new(stream)),
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // An answer is one small message: it must not wait for more to send.
                stream.set_nodelay(true)?;
                Ok(Connection::new(stream))
            }
        }
    }
}
