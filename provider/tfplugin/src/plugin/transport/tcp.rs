//! TCP at loopback, within the port range of the host.

use std::io;
use std::net::{Ipv4Addr, TcpListener as StdListener};

use tokio::net::TcpListener;

use super::{Address, Endpoint, Listener, TransportError};

/// The first and the last port to try. Port 0, the default, lets the operating system choose one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::plugin) struct Ports {
    pub(in crate::plugin) first: u16,
    pub(in crate::plugin) last: u16,
}

/// Listens on the first free port of `ports`.
///
/// # Errors
/// If none is free.
pub(super) fn bind(ports: Ports) -> Result<Endpoint, TransportError> {
    let unbound = |source| TransportError::Ports { first: ports.first, last: ports.last, source };
    let listener = first_free(ports).map_err(unbound)?;
    let port = listener.local_addr().map_err(unbound)?.port();
    Ok(Endpoint {
        listener: Listener::Tcp(listener),
        address: Address { network: "tcp", address: format!("{}:{port}", Ipv4Addr::LOCALHOST) },
        directory: None,
    })
}

fn first_free(ports: Ports) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::InvalidInput, "the range is empty");
    for port in ports.first..=ports.last {
        match listen(port) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn listen(port: u16) -> io::Result<TcpListener> {
    let listener = StdListener::bind((Ipv4Addr::LOCALHOST, port))?;
    // `from_std` requires a non-blocking socket.
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(endpoint: &Endpoint) -> u16 {
        assert_eq!(endpoint.address().network, "tcp");
        endpoint.address().address.strip_prefix("127.0.0.1:").unwrap().parse().unwrap()
    }

    #[tokio::test]
    async fn first_free_port_is_used() {
        let occupied = bind(Ports::default()).unwrap();
        let first = port(&occupied);
        let next = bind(Ports { first, last: first.saturating_add(50) }).unwrap();
        assert!(port(&next) > first);
    }

    #[tokio::test]
    async fn error_without_a_free_port_names_the_range() {
        let occupied = bind(Ports::default()).unwrap();
        let only = port(&occupied);
        let error = bind(Ports { first: only, last: only }).unwrap_err().to_string();
        assert!(error.contains(&format!("the ports {only} to {only}")), "{error}");

        let error = bind(Ports { first: 2, last: 1 }).unwrap_err().to_string();
        assert!(error.contains("the range is empty"), "{error}");
    }
}
