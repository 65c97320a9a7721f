//! The context of an operation: the configured provider, the clock, and cancellation.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::provider::Host;

/// The context of one operation. `D` is the [`Data`](super::Provider::Data) of the provider.
#[derive(Debug)]
pub struct Context<D> {
    data: Option<Arc<D>>,
    /// Cancelled when the user interrupts the run. An operation then ends its waits and returns the state so far.
    pub stop: CancellationToken,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The program that started the provider.
    pub host: Host,
}

impl<D> Clone for Context<D> {
    fn clone(&self) -> Self {
        Self { data: self.data.clone(), stop: self.stop.clone(), clock: self.clock.clone(), host: self.host.clone() }
    }
}

impl<D> Context<D> {
    /// Creates a context. `data` is `None` if the provider is not configured.
    pub fn new(data: Option<Arc<D>>, stop: CancellationToken, clock: Arc<dyn Clock>, host: Host) -> Self {
        Self { data, stop, clock, host }
    }

    /// The time that remains for an operation that times out at `end`.
    pub fn left(&self, end: Instant) -> Duration {
        end.saturating_duration_since(self.clock.now())
    }

    /// The configured provider.
    ///
    /// # Errors
    /// A diagnostic if core did not configure the provider before this operation.
    pub fn data(&self) -> Result<&Arc<D>, Diagnostics> {
        self.data.as_ref().ok_or_else(|| {
            Diagnostic::error(
                "Provider not configured",
                "This operation requires a configured provider, but the host has not configured it. This is a bug of \
                 the host: please report it.",
            )
            .into()
        })
    }
}
