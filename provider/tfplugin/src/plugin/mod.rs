//! The go-plugin process: the part of a provider that is the same for every provider.
//!
//! The host (Terraform or OpenTofu) starts this binary, once per phase and provider configuration, and passes its
//! requirements in the environment ([`handshake`]). The process listens on a Unix socket, or on Windows at loopback
//! ([`transport`]), and accepts only the client with the certificate of the host ([`tls`], [`listener`]). It prints its
//! address as one line on stdout, and then serves gRPC calls: those of go-plugin's own services ([`services`]), and
//! those of the services that the caller of [`serve`] provides. The process ends when the host requests it, and when
//! the host ends ([`lifetime`]). Code that differs by operating system is in [`transport`] and [`system`].
//!
//! With [`debug`] a developer starts the process and the host attaches to it ([`reattach`]).
//!
//! This module does not depend on the services that it serves. Only it and `protocol` use tonic.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

mod calls;
mod handshake;
mod host;
mod lifetime;
mod listener;
pub mod logging;
mod reattach;
mod services;
mod system;
mod tls;
mod transport;

pub use handshake::Refusal;
pub use host::product;
pub use tls::TlsError;
/// The gRPC services that a plugin offers beside go-plugin's own.
pub use tonic::service::Routes as Services;
pub use transport::{Transport, TransportError};

use calls::Calls;
use handshake::Invitation;
use lifetime::Ending;
use reattach::Shells;
use system::Parent;
use tls::MutualTls;
use transport::{Endpoint, Placement};

/// Time after Shutdown after which go-plugin's host kills the process.
const KILLED_AFTER: Duration = Duration::from_secs(2);

/// Time in which running calls can finish after the process begins to stop.
const GRACE: Duration = Duration::from_secs(1);
const _: () = assert!(GRACE.as_millis() < KILLED_AFTER.as_millis(), "the host would kill the process first");

/// Bytes of a worker's stack. One call is a deep future that contains those of the SDKs: in a build without
/// optimisation, replacing an access key takes more than the usual 2 MiB, and a stack overflow ends the process without
/// a response. Only the used part takes memory.
const STACK: usize = 16 << 20;

/// Few, because calls mostly wait for remote APIs; more than one, so that a call that computes does not block
/// StopProvider.
const WORKER_THREADS: usize = 2;

/// The services of a plugin.
pub struct Plugin {
    /// Services beside go-plugin's own.
    pub services: Services,
    /// Cancels running and later calls, when the process receives a request to end.
    pub stop: Arc<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Plugin").finish_non_exhaustive()
    }
}

/// The reason why the process cannot serve a host, or no longer can.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("could not prepare TLS for the host: {0}")]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("could not start the runtime or catch signals: {0}")]
    Runtime(#[source] io::Error),
    #[error("could not write the address to stdout for the host: {0}")]
    Announce(#[source] io::Error),
    #[error("the gRPC server failed: {0}")]
    Server(#[from] tonic::transport::Error),
}

/// Serves the host that started this process, until the host requests its end or ends itself.
///
/// `plugin` is called only if a host started this process.
///
/// # Errors
/// [`Error::Refused`] if the process was not started by a host, or by one with another protocol; the others if the
/// operating system does not provide what the process needs.
pub fn serve(plugin: impl FnOnce() -> Plugin) -> Result<(), Error> {
    serve_over(Transport::default(), plugin)
}

/// As [`serve`], over a transport that can differ from the default of this operating system.
///
/// # Errors
/// As [`serve`].
pub fn serve_over(transport: Transport, plugin: impl FnOnce() -> Plugin) -> Result<(), Error> {
    // Before anything that takes time, so that a host that ends meanwhile is noticed.
    let parent = Parent::of_this_process();
    let invitation = Invitation::read(|name| std::env::var_os(name))?;
    run(async {
        let tls = invitation.client_certificate.as_ref().map(MutualTls::with_client).transpose()?;
        let endpoint = Endpoint::bind(transport, &invitation.placement)?;
        let Plugin { services, stop: stop_calls } = plugin();
        let (stop, calls) = (CancellationToken::new(), Calls::new());
        let ending = Ending { calls: calls.clone(), stop_calls, stop: stop.clone() };
        lifetime::of_host(parent, ending).map_err(Error::Runtime)?;

        // The listener is bound before this line, after which the host connects.
        let line = handshake::line(endpoint.address(), tls.as_ref(), &invitation);
        announce(&line).map_err(Error::Announce)?;
        // Without a response to Shutdown, the host waits two seconds for each process, and then kills it.
        let all = services::beside(services, services::OnShutdown::Stop(stop.clone())).await;
        answer(all, calls, endpoint, tls.map(|tls| tls.acceptor()), stop).await
    })
}

/// Serves hosts to which a developer passes the address, without TLS, until the process is interrupted.
///
/// `source` is the provider's address without a registry, `namespace/name`.
///
/// # Errors
/// As [`serve`], except [`Error::Refused`].
pub fn debug(source: &str, plugin: impl FnOnce() -> Plugin) -> Result<(), Error> {
    run(async {
        let endpoint = Endpoint::bind(Transport::default(), &Placement::default())?;
        let Plugin { services, stop: stop_calls } = plugin();
        let (stop, calls) = (CancellationToken::new(), Calls::new());
        let ending = Ending { calls: calls.clone(), stop_calls, stop: stop.clone() };
        lifetime::of_developer(ending).map_err(Error::Runtime)?;

        let text = reattach::instructions(source, std::process::id(), endpoint.address(), Shells::OF_SYSTEM);
        announce(&text).map_err(Error::Announce)?;
        let all = services::beside(services, services::OnShutdown::Stay(stop.clone())).await;
        answer(all, calls, endpoint, None, stop).await
    })
}

fn run(plugin: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let runtime: Runtime = Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    let result = runtime.block_on(plugin);
    // Dropping the runtime would wait for blocking tasks such as a name look-up.
    runtime.shutdown_background();
    result
}

/// Prints the only output on stdout. The host discards what follows it.
fn announce(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// Serves calls until `stop` is cancelled. The directory of a socket is deleted on return.
async fn answer(
    services: Services,
    calls: Calls,
    endpoint: Endpoint,
    tls: Option<tokio_rustls::TlsAcceptor>,
    stop: CancellationToken,
) -> Result<(), Error> {
    let (listener, _directory) = endpoint.into_parts();
    let served = Server::builder()
        .layer(calls)
        .add_routes(services)
        .serve_with_incoming_shutdown(listener::connections(listener, tls), stop.cancelled());
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = served => Ok(served?),
        () = overdue => {
            tracing::warn!("stopped before all running calls completed");
            Ok(())
        }
    }
}
