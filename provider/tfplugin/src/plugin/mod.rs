//! Being a go-plugin process: the part of a provider that is the same for every provider.
//!
//! The host (Terraform or OpenTofu) starts this binary, once per phase and provider configuration,
//! and says in the environment what it expects ([`handshake`]). The process listens on a Unix socket,
//! or on Windows at loopback ([`transport`]), lets in only the client whose certificate the host named
//! ([`tls`], [`listener`]), prints one line on stdout that says where it is, and then answers gRPC
//! calls: the host's own services ([`services`]) and those that the caller of [`serve`] brings. The
//! process ends when the host asks for it, or dies ([`lifetime`]). What differs by operating system is
//! in [`transport`] and [`system`].
//!
//! With [`debug`] a developer starts the process and the host attaches to it ([`reattach`]).
//!
//! This module knows nothing of what is served; it and `protocol` alone know tonic.

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

/// After this time go-plugin's host kills a process that it has told to stop.
const KILLED_AFTER: Duration = Duration::from_secs(2);

/// Time in which running calls can finish after the process was told to stop.
const GRACE: Duration = Duration::from_secs(1);
const _: () = assert!(GRACE.as_millis() < KILLED_AFTER.as_millis(), "the host would kill the process first");

/// Bytes of a worker's stack. One call of the host is a deep future of the SDK's futures: in a build without
/// optimisation, replacing a key takes more than the usual 2 MiB, and an overflow ends the process without a word of
/// what was done. Only what is used takes memory.
const STACK: usize = 16 << 20;

/// Few, because calls wait for remote systems nearly all of their time; not one, so that a call
/// that computes does not hold up a Stop.
const WORKER_THREADS: usize = 2;

/// What is served.
pub struct Plugin {
    /// Services beside go-plugin's own.
    pub services: Services,
    /// Tells calls that run, and those that come, to end soon, as the host does when the user interrupts it.
    pub stop: Arc<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Plugin").finish_non_exhaustive()
    }
}

/// Why the process could not be a plugin, or could not go on being one.
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
    #[error("could not tell the host on stdout where to connect: {0}")]
    Announce(#[source] io::Error),
    #[error("the gRPC server failed: {0}")]
    Server(#[from] tonic::transport::Error),
}

/// Serves the host that started this process, until it asks to stop or is gone.
///
/// `plugin` is called only when a host really asked for a plugin.
///
/// # Errors
/// [`Error::Refused`] when no host, or one that speaks another protocol, started the process; the
/// others when the machine does not give us what we need.
pub fn serve(plugin: impl FnOnce() -> Plugin) -> Result<(), Error> {
    serve_over(Transport::default(), plugin)
}

/// As [`serve`], over a transport that may be another than the one of this operating system.
///
/// # Errors
/// As [`serve`].
pub fn serve_over(transport: Transport, plugin: impl FnOnce() -> Plugin) -> Result<(), Error> {
    // Before anything that takes time: a host that ends meanwhile must be noticed.
    let parent = Parent::of_this_process();
    let invitation = Invitation::read(|name| std::env::var_os(name))?;
    run(async {
        let tls = invitation.client_certificate.as_ref().map(MutualTls::with_client).transpose()?;
        let endpoint = Endpoint::bind(transport, &invitation.placement)?;
        let Plugin { services, stop: stop_calls } = plugin();
        let (stop, calls) = (CancellationToken::new(), Calls::new());
        let ending = Ending { calls: calls.clone(), stop_calls, stop: stop.clone() };
        lifetime::of_host(parent, ending).map_err(Error::Runtime)?;

        let line = handshake::line(endpoint.address(), tls.as_ref(), &invitation);
        announce(&line).map_err(Error::Announce)?;
        // Without an answer to Shutdown the host waits two seconds for each process, and then kills it.
        let all = services::beside(services, services::OnShutdown::Stop(stop.clone())).await;
        answer(all, calls, endpoint, tls.map(|tls| tls.acceptor()), stop).await
    })
}

/// Waits for hosts that a developer points here, without TLS, until interrupted.
///
/// `source` is the provider's address without a registry, `namespace/name`.
///
/// # Errors
/// As [`serve`], except that nobody is refused.
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
    // Dropping it would wait for blocking tasks such as a name look-up.
    runtime.shutdown_background();
    result
}

/// Stdout is for this alone; what is written later the host throws away.
fn announce(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// Answers calls until `stop`. The directory of a socket is removed when this returns.
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
            tracing::warn!("stopped before every running call had come to an end");
            Ok(())
        }
    }
}
