//! What an operation gets from outside: the configured provider, time, and the wish to stop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::provider::Host;

/// The surroundings of one operation. `D` is what the provider made of its configuration.
#[derive(Debug)]
pub struct Context<D> {
    data: Option<Arc<D>>,
    /// Cancelled when the user asks to stop. An operation then ends its waits and returns what it has.
    pub stop: CancellationToken,
    /// Time and sleeping.
    pub clock: Arc<dyn Clock>,
    /// Who calls.
    pub host: Host,
}

impl<D> Clone for Context<D> {
    fn clone(&self) -> Self {
        Self { data: self.data.clone(), stop: self.stop.clone(), clock: self.clock.clone(), host: self.host.clone() }
    }
}

impl<D> Context<D> {
    /// The surroundings of an operation; without data where the provider was not configured.
    pub fn new(data: Option<Arc<D>>, stop: CancellationToken, clock: Arc<dyn Clock>, host: Host) -> Self {
        Self { data, stop, clock, host }
    }

    /// The time that is left of an operation which times out at `end`.
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
                "This operation needs a configured provider, but the host has not configured it. This is a bug of the host.",
            )
            .into()
        })
    }
}
