//! What lives as long as the process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use tfplugin_proto::tfplugin6::ClientCapabilities;
use tfplugin_proto::tfplugin6::provider_server::ProviderServer;
use tokio_util::sync::CancellationToken;

use super::offer::Offer;
use crate::framework::conformance::Violation;
use crate::framework::{Clock, Context, Diagnostic, Diagnostics, Host, Provider};

/// As much as providers written in Go take and send, and more than core reads.
const MAX_MESSAGE: usize = 256 << 20;

/// A provider, speaking the protocol.
pub struct Server<P: Provider> {
    pub(super) provider: P,
    clock: Arc<dyn Clock>,
    checking: bool,
    offer: OnceLock<Offer<P::Data>>,
    configured: RwLock<Option<Configured<P::Data>>>,
    stop: Arc<Mutex<CancellationToken>>,
    /// Whether the host has said that it keeps write-only values out of the state.
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
    /// Speaks for this provider. Nothing is built before a call needs it: the host starts many processes, and asks most
    /// of them for one thing only.
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

    /// Whether answers are checked against core's rules before they are given; by default in debug builds alone.
    #[must_use]
    pub fn checking(mut self, checking: bool) -> Self {
        self.checking = checking;
        self
    }

    /// The gRPC service.
    pub fn into_service(self) -> ProviderServer<Self> {
        ProviderServer::new(self).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE)
    }

    /// What the provider offers.
    pub(super) fn offer(&self) -> &Offer<P::Data> {
        self.offer.get_or_init(|| Offer::new(self.provider.registry()))
    }

    /// Keeps what the provider made of its configuration.
    pub(super) fn configure(&self, data: P::Data, host: Host) {
        let configured = Configured { data: Arc::new(data), host };
        *self.configured.write().unwrap_or_else(PoisonError::into_inner) = Some(configured);
    }

    /// The host says that it keeps write-only values out of the state.
    pub(super) fn write_only_is_known(&self) {
        self.knows_write_only.store(true, Ordering::Relaxed);
    }

    /// Whether the host has said so.
    pub(super) fn knows_write_only(&self) -> bool {
        self.knows_write_only.load(Ordering::Relaxed)
    }

    /// The surroundings of one call.
    pub(super) fn context(&self, capabilities: Option<&ClientCapabilities>) -> Context<P::Data> {
        let stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let configured = self.configured.read().unwrap_or_else(PoisonError::into_inner);
        let (data, host) = match configured.as_ref() {
            Some(configured) => (Some(P::until(&configured.data, &stop)), configured.host.clone()),
            None => (None, Host::default()),
        };
        let deferral_allowed = capabilities.is_some_and(|capabilities| capabilities.deferral_allowed);
        Context::new(data, stop, Arc::clone(&self.clock), Host { deferral_allowed, ..host })
    }

    /// Cancels every call that runs. Later ones start afresh: with a debugger attached the process outlives the run.
    pub(super) fn stop(&self) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        // A process that is told to end does not start afresh.
        if !stop.is_cancelled() {
            std::mem::take(&mut *stop).cancel();
        }
    }

    /// What cancels every call that runs or comes: for a process that is told to end.
    pub fn ending(&self) -> impl Fn() + Send + Sync + 'static {
        let stop = Arc::clone(&self.stop);
        move || stop.lock().unwrap_or_else(PoisonError::into_inner).cancel()
    }

    /// What core would refuse, as errors that say so more clearly; nothing unless this server is checking.
    pub(super) fn bugs(&self, rpc: &str, type_name: &str, check: impl FnOnce() -> Vec<Violation>) -> Diagnostics {
        if self.checking { bugs(rpc, type_name, check()) } else { Diagnostics::new() }
    }
}

/// Broken rules as errors.
pub(super) fn bugs(rpc: &str, type_name: &str, found: Vec<Violation>) -> Diagnostics {
    let bug = |violation: Violation| {
        Diagnostic::error(
            "Bug in the provider",
            format!(
                "The answer to {rpc} for {type_name} breaks a rule of Terraform: {}{}{}. Please report it.",
                violation.path,
                if violation.path.is_root() { "" } else { ": " },
                violation.rule
            ),
        )
        .at(violation.path)
    };
    found.into_iter().map(bug).collect()
}
