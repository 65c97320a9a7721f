//! The state of the process: the provider, its configuration, and what it offers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use tfplugin_proto::tfplugin6::ClientCapabilities;
use tfplugin_proto::tfplugin6::provider_server::ProviderServer;
use tokio_util::sync::CancellationToken;

use super::offer::Offer;
use crate::framework::conformance::Violation;
use crate::framework::{Clock, Context, Diagnostic, Diagnostics, Host, Provider};

/// Limit on the size of messages, the same as in providers written in Go. tonic's default for requests is 4 MiB.
const MAX_MESSAGE: usize = 256 << 20;

/// Serves a provider over the protocol.
pub struct Server<P: Provider> {
    pub(super) provider: P,
    clock: Arc<dyn Clock>,
    checking: bool,
    offer: OnceLock<Offer<P::Data>>,
    configured: RwLock<Option<Configured<P::Data>>>,
    stop: Arc<Mutex<CancellationToken>>,
    /// Whether the host has reported that it keeps write-only values out of the state.
    knows_write_only: AtomicBool,
}

struct Configured<D> {
    data: Arc<D>,
    host: Host,
}

impl<P: Provider> std::fmt::Debug for Server<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("provider", &self.provider.name()).finish_non_exhaustive()
    }
}

impl<P: Provider> Server<P> {
    /// Creates a server for a provider. Everything else is built when a call needs it: the host starts many processes,
    /// and most of them serve few calls.
    pub fn new(provider: P, clock: Arc<dyn Clock>) -> Self {
        Self {
            provider,
            clock,
            checking: cfg!(debug_assertions),
            offer: OnceLock::new(),
            configured: RwLock::default(),
            stop: Arc::default(),
            knows_write_only: AtomicBool::new(false),
        }
    }

    /// Sets whether responses are checked against core's rules before they are sent. By default only debug builds do.
    #[must_use]
    pub fn checking(mut self, checking: bool) -> Self {
        self.checking = checking;
        self
    }

    /// Returns the gRPC service.
    pub fn into_service(self) -> ProviderServer<Self> {
        ProviderServer::new(self).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE)
    }

    pub(super) fn offer(&self) -> &Offer<P::Data> {
        self.offer.get_or_init(|| Offer::new(self.provider.registry()))
    }

    /// Stores the configured provider for later calls.
    pub(super) fn configure(&self, data: P::Data, host: Host) {
        let configured = Configured { data: Arc::new(data), host };
        *self.configured.write().unwrap_or_else(PoisonError::into_inner) = Some(configured);
    }

    /// Records that the host keeps write-only values out of the state.
    pub(super) fn write_only_is_known(&self) {
        self.knows_write_only.store(true, Ordering::Relaxed);
    }

    /// Whether the host has reported that it keeps write-only values out of the state.
    pub(super) fn knows_write_only(&self) -> bool {
        self.knows_write_only.load(Ordering::Relaxed)
    }

    /// Creates the context of one call.
    pub(super) fn context(&self, capabilities: Option<&ClientCapabilities>) -> Context<P::Data> {
        // A panic of another call, which is caught, poisons the locks and leaves their content valid.
        let stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let configured = self.configured.read().unwrap_or_else(PoisonError::into_inner);
        let (data, host) = match configured.as_ref() {
            Some(configured) => (Some(P::until(&configured.data, &stop)), configured.host.clone()),
            None => (None, Host::default()),
        };
        let deferral_allowed = capabilities.is_some_and(|capabilities| capabilities.deferral_allowed);
        Context::new(data, stop, Arc::clone(&self.clock), Host { deferral_allowed, ..host })
    }

    /// Cancels all running calls. Later calls get a new token, because in debug mode the process outlives the run.
    pub(super) fn stop(&self) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        // If the token is already cancelled, the process is ending, and later calls must be cancelled too.
        if !stop.is_cancelled() {
            std::mem::take(&mut *stop).cancel();
        }
    }

    /// Returns a function that cancels all running and later calls, for a process that ends.
    pub fn ending(&self) -> impl Fn() + Send + Sync + 'static {
        let stop = Arc::clone(&self.stop);
        move || stop.lock().unwrap_or_else(PoisonError::into_inner).cancel()
    }

    /// Returns the violations of core's rules as errors, which are clearer than those of core. Empty unless this server
    /// checks its responses.
    pub(super) fn bugs(&self, rpc: &str, type_name: &str, check: impl FnOnce() -> Vec<Violation>) -> Diagnostics {
        if self.checking { bugs(rpc, type_name, check()) } else { Diagnostics::new() }
    }
}

/// Converts violations into errors.
pub(super) fn bugs(rpc: &str, type_name: &str, found: Vec<Violation>) -> Diagnostics {
    let bug = |violation: Violation| {
        Diagnostic::error(
            "Bug in the provider",
            format!(
                "The response to {rpc} for {type_name} violates a rule of the protocol: {}{}{}. This is a bug of the \
                 provider: please report it.",
                violation.path,
                if violation.path.is_root() { "" } else { ": " },
                violation.rule
            ),
        )
        .at(violation.path)
    };
    found.into_iter().map(bug).collect()
}
