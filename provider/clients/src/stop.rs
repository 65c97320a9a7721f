//! When calls end after the run was stopped.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Timeout of a read that begins after the stop. Operations read the objects that they created before they end.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// How long a change in flight may take after the stop: its result must be recorded in the state.
const CHANGE: Duration = Duration::from_secs(10);

/// The request of the user to stop the run.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    token: CancellationToken,
    afterwards: Duration,
    change: Duration,
}

impl Stop {
    pub(super) fn of(token: CancellationToken) -> Self {
        Self { token, afterwards: AFTERWARDS, change: CHANGE }
    }

    /// With other timeouts, for tests.
    #[cfg(test)]
    pub(super) fn after(token: &CancellationToken, afterwards: Duration, change: Duration) -> Self {
        Self { token: token.clone(), afterwards, change }
    }

    pub(super) fn token(&self) -> &CancellationToken {
        &self.token
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Completes when a read must be abandoned: immediately after the stop if the read began before it.
    pub(super) fn for_a_look(&self) -> impl Future<Output = ()> + Send + Sync + 'static {
        let grace = if self.is_wanted() { self.afterwards } else { Duration::ZERO };
        self.and_then(grace)
    }

    /// Completes when the response to a change is no longer awaited.
    pub(super) fn for_a_change(&self) -> impl Future<Output = ()> + Send + Sync + 'static {
        self.and_then(self.change)
    }

    fn and_then(&self, grace: Duration) -> impl Future<Output = ()> + Send + Sync + 'static {
        let stopped = self.token.clone().cancelled_owned();
        async move {
            stopped.await;
            tokio::time::sleep(grace).await;
        }
    }

    /// Waits for a read. `None` if it was abandoned.
    pub(super) async fn unless<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let end = self.for_a_look();
        tokio::select! {
            // A finished read counts, even if the stop came at the same time.
            biased;
            done = work => Some(done),
            () = end => None,
        }
    }
}

impl Default for Stop {
    /// Never stops.
    fn default() -> Self {
        Self::of(CancellationToken::new())
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const NEVER: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn interrupt_ends_waits_except_later_ones() {
        let token = CancellationToken::new();
        let stop = Stop::after(&token, NEVER, NEVER);
        let (given_up, ()) = tokio::join!(stop.unless(pending::<()>()), async { token.cancel() });
        assert_eq!(given_up, None);
        assert_eq!(stop.unless(ready(1)).await, Some(1));
        let patient = tokio::time::timeout(Duration::from_millis(20), stop.unless(pending::<()>())).await;
        assert!(patient.is_err());
        let stop = Stop::after(&token, Duration::from_millis(1), NEVER);
        assert_eq!(stop.unless(pending::<()>()).await, None);
    }
}
