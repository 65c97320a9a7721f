//! The accept loop, which yields connections of the accepted client. A connection of another client does not end it.

use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time;
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;

use super::transport::{Connection, Listener};

/// Timeout of a TLS handshake. A peer on the same machine needs milliseconds.
const TLS_TIMEOUT: Duration = Duration::from_secs(10);

/// Pause after a failed accept. The process may have too many open files, and then only waiting helps.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Returns the stream that tonic serves. It has no errors, because an error would end the server.
pub(super) fn connections(
    listener: Listener,
    tls: Option<TlsAcceptor>,
) -> ReceiverStream<Result<Connection, Infallible>> {
    // RUSTSEC-2024-0376: in tonic 0.12.2 a failed TLS handshake, which any peer can cause, ended the accept loop.
    let (ready, connections) = mpsc::channel(8);
    tokio::spawn(accept(listener, tls, ready));
    ReceiverStream::new(connections)
}

async fn accept(listener: Listener, tls: Option<TlsAcceptor>, ready: mpsc::Sender<Result<Connection, Infallible>>) {
    while !ready.is_closed() {
        match listener.accept().await {
            // One task for each connection, so that a stalled peer does not block the others.
            Ok(stream) => drop(tokio::spawn(admit(stream, tls.clone(), ready.clone()))),
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                time::sleep(PAUSE_AFTER_FAILURE).await;
            }
        }
    }
}

async fn admit(stream: Connection, tls: Option<TlsAcceptor>, ready: mpsc::Sender<Result<Connection, Infallible>>) {
    let connection = match tls {
        None => stream,
        Some(tls) => match time::timeout(TLS_TIMEOUT, tls.accept(stream)).await {
            Ok(Ok(encrypted)) => Connection::new(encrypted),
            Ok(Err(error)) => return tracing::warn!(%error, "refused a connection"),
            Err(_) => return tracing::warn!("closed a connection without a TLS handshake"),
        },
    };
    // A closed channel means that the server has stopped.
    let _ = ready.send(Ok(connection)).await;
}
