//! The transports over which the host connects to this process.
//!
//! As in go-plugin: a Unix socket that only this user can open ([`unix_socket`]), and on Windows TCP at loopback
//! ([`tcp`]), to which every local program can connect, so that only mutual TLS protects it.

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

/// The transport on which a plugin listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A Unix socket in its own directory.
    #[cfg(unix)]
    UnixSocket,
    /// TCP at 127.0.0.1.
    Tcp,
}

impl Default for Transport {
    /// The one that go-plugin uses on this operating system.
    #[cfg(unix)]
    fn default() -> Self {
        Self::UnixSocket
    }

    /// The one that go-plugin uses on this operating system.
    #[cfg(not(unix))]
    fn default() -> Self {
        Self::Tcp
    }
}

/// The host's settings of the transports. Each transport reads its part.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Placement {
    /// The parent of the socket's directory; by default the directory for temporary files.
    pub(super) socket_directory: Option<PathBuf>,
    /// A group, by name or ID, that can also connect to the socket.
    pub(super) socket_group: Option<String>,
    pub(super) ports: Ports,
}

/// The reason why the plugin cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("could not create a directory for the socket in {directory}: {source}")]
    Directory { directory: PathBuf, source: io::Error },
    #[error("could not listen on the socket {path}: {source}; set TMPDIR to a directory with a short path")]
    Listen { path: PathBuf, source: io::Error },
    #[error("the path of the socket, {path:?}, must be UTF-8 without '|': set TMPDIR to another directory")]
    Path { path: PathBuf },
    #[error("could not give the group {group} of PLUGIN_UNIX_SOCKET_GROUP access to the socket: {source}")]
    Group { group: String, source: io::Error },
    #[error(
        "could not listen on 127.0.0.1 on any of the ports {first} to {last} (PLUGIN_MIN_PORT and PLUGIN_MAX_PORT): \
         {source}"
    )]
    Ports { first: u16, last: u16, source: io::Error },
}

/// The address for the host, in the handshake line and in `TF_REATTACH_PROVIDERS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// `unix` or `tcp`, as in Go's package net.
    pub(super) network: &'static str,
    pub(super) address: String,
}

/// A bound listener with its address. The directory of a socket is deleted on drop.
#[derive(Debug)]
pub(super) struct Endpoint {
    listener: Listener,
    address: Address,
    directory: Option<TempDir>,
}

impl Endpoint {
    /// Binds a listener as `placement` specifies.
    ///
    /// # Errors
    /// If the socket or its directory cannot be created, the group does not exist, or no port is free.
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

    /// Returns the listener and the directory of its socket, which must be kept as long as the listener is used.
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
    /// Accepts the next connection, which is not encrypted yet.
    ///
    /// # Errors
    /// Errors of the operating system, for instance too many open files.
    pub(super) async fn accept(&self) -> io::Result<Connection> {
        match self {
            #[cfg(unix)]
            Self::UnixSocket(listener) => listener.accept().await.map(|(stream, _)| Connection::new(stream)),
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // A response is one small message, which must not be delayed until there is more to send.
                stream.set_nodelay(true)?;
                Ok(Connection::new(stream))
            }
        }
    }
}
