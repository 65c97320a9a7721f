//! Waits for remote objects, with a timeout, with cancellation, and with the last status in the error.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::context::Context;

/// The result of one look at a remote object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look<T> {
    /// The object has the desired status.
    Done(T),
    /// Not yet. The text has the current status in a few words, for the error if the wait fails.
    Pending(String),
}

/// The reason why a wait failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError<E> {
    /// The timeout expired.
    #[error("timed out after {}; last observed: {last}", super::timeouts::format(*.after))]
    TimedOut {
        /// The timeout.
        after: Duration,
        /// Status at the last look.
        last: String,
    },
    /// The user interrupted the run.
    #[error("cancelled; last observed: {last}")]
    Cancelled {
        /// Status at the last look.
        last: String,
    },
    /// A look failed, or found a status that never becomes the desired one.
    #[error(transparent)]
    Failed(E),
}

impl<E> WaitError<E> {
    /// Converts the error of a look.
    pub fn map<F>(self, convert: impl FnOnce(E) -> F) -> WaitError<F> {
        match self {
            Self::TimedOut { after, last } => WaitError::TimedOut { after, last },
            Self::Cancelled { last } => WaitError::Cancelled { last },
            Self::Failed(error) => WaitError::Failed(convert(error)),
        }
    }
}

impl<E> From<E> for WaitError<E> {
    fn from(error: E) -> Self {
        Self::Failed(error)
    }
}

/// The settings of a wait.
#[derive(Clone, Debug)]
pub struct Wait {
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    timeout: Duration,
    interval: Duration,
    longest: Duration,
    watching: bool,
}

impl Wait {
    /// Creates a wait that looks immediately, then after one second, and then at intervals that double up to fifteen
    /// seconds.
    pub fn new<D>(context: &Context<D>, timeout: Duration) -> Self {
        Self {
            clock: context.clock.clone(),
            stop: context.stop.clone(),
            timeout,
            interval: Duration::from_secs(1),
            longest: Duration::from_secs(15),
            watching: false,
        }
    }

    /// Sets the first and the longest interval.
    #[must_use]
    pub fn every(mut self, first: Duration, longest: Duration) -> Self {
        self.interval = first;
        self.longest = longest;
        self
    }

    /// Declares that looks change nothing. From the second one on, a look in progress is cancelled when the user
    /// interrupts the run.
    #[must_use]
    pub fn watching(mut self) -> Self {
        self.watching = true;
        self
    }

    /// Looks until the result is [`Look::Done`]. If a look changes data that the next one needs, write the loop: see
    /// [`Wait::begin`].
    ///
    /// # Errors
    /// Timeout, cancellation, or the error of `look`.
    pub async fn until<T, E, F>(self, mut look: impl FnMut() -> F) -> Result<T, WaitError<E>>
    where
        F: Future<Output = Result<Look<T>, E>>,
    {
        let mut waiting = self.begin();
        loop {
            // Boxed, because a look contains the large futures of an SDK, which every operation that waits would
            // otherwise contain as well.
            match waiting.look(Box::pin(look())).await? {
                Look::Done(found) => return Ok(found),
                Look::Pending(last) => waiting.next(last).await?,
            }
        }
    }

    /// Begins the wait, for a loop that looks and then calls [`Waiting::next`]:
    ///
    /// ```ignore
    /// let mut waiting = Wait::new(context, timeout).begin();
    /// loop {
    ///     match waiting.look(call()).await? {
    ///         answer if is_done(&answer) => return Ok(answer),
    ///         answer => waiting.next(describe(&answer)).await?,
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn begin(self) -> Waiting {
        Waiting { end: self.clock.now() + self.timeout, pause: self.interval, wait: self, last: None }
    }
}

/// A wait that has begun.
#[derive(Debug)]
pub struct Waiting {
    wait: Wait,
    end: Instant,
    pause: Duration,
    /// Status at the last look.
    last: Option<String>,
}

impl Waiting {
    /// Awaits one look.
    ///
    /// # Errors
    /// The look failed, or the user interrupted the run during it: see [`Wait::watching`].
    pub async fn look<T, E>(&mut self, look: impl Future<Output = Result<T, E>>) -> Result<T, WaitError<E>> {
        // The first look is never cancelled, so that the error has a status.
        let is_given_up = self.wait.watching && self.last.is_some();
        tokio::select! {
            biased;
            found = look => found.map_err(WaitError::Failed),
            () = self.wait.stop.cancelled(), if is_given_up => {
                Err(WaitError::Cancelled { last: self.last.take().unwrap_or_default() })
            }
        }
    }

    /// Waits until the next look is due. `last` is the status at the last look.
    ///
    /// # Errors
    /// Timeout or cancellation.
    pub async fn next<E>(&mut self, last: String) -> Result<(), WaitError<E>> {
        // Checked after the request and not during it, so that the error can name the last status.
        let left = self.end.saturating_duration_since(self.wait.clock.now());
        if left.is_zero() {
            return Err(WaitError::TimedOut { after: self.wait.timeout, last });
        }
        tokio::select! {
            biased;
            () = self.wait.stop.cancelled() => return Err(WaitError::Cancelled { last }),
            () = self.wait.clock.sleep(self.pause.min(left)) => {}
        }
        // The interval grows, because short operations end in seconds, but node groups take minutes, and each request
        // counts against the limits of the account.
        self.pause = (self.pause * 2).min(self.wait.longest);
        self.last = Some(last);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::clock::testing::TestClock;
    use crate::framework::provider::Host;

    fn context(clock: &Arc<TestClock>) -> Context<()> {
        Context::new(None, CancellationToken::new(), clock.clone(), Host::default())
    }

    #[tokio::test]
    async fn poll_interval_grows_to_fifteen_seconds() {
        let clock = Arc::new(TestClock::new());
        let mut looks = 0;
        let result: Result<i32, WaitError<()>> = Wait::new(&context(&clock), Duration::from_secs(3600))
            .until(|| {
                looks += 1;
                let look = if looks == 7 { Look::Done(looks) } else { Look::Pending("CREATING".to_owned()) };
                async { Ok(look) }
            })
            .await;
        assert_eq!(result, Ok(7));
        assert_eq!(clock.passed(), Duration::from_secs(1 + 2 + 4 + 8 + 15 + 15));
    }

    #[tokio::test]
    async fn timeout_names_the_last_status() {
        let clock = Arc::new(TestClock::new());
        let result: Result<(), WaitError<std::fmt::Error>> = Wait::new(&context(&clock), Duration::from_secs(90))
            .until(|| async { Ok(Look::Pending("status CREATING".to_owned())) })
            .await;
        assert_eq!(
            result.map_err(|e| e.to_string()),
            Err("timed out after 1m30s; last observed: status CREATING".to_owned())
        );
        assert_eq!(clock.passed(), Duration::from_secs(90));
    }

    #[tokio::test]
    async fn interrupt_ends_a_read_only_poll() {
        let context = context(&Arc::new(TestClock::new()));
        let mut looks = 0;
        let wait = Wait::new(&context, Duration::from_secs(90)).watching();
        let result: Result<(), WaitError<()>> = wait
            .until(|| {
                looks += 1;
                let first = looks == 1;
                let stop = context.stop.clone();
                async move {
                    if first {
                        return Ok(Look::Pending("CREATING".to_owned()));
                    }
                    stop.cancel();
                    std::future::pending().await
                }
            })
            .await;
        assert_eq!(result, Err(WaitError::Cancelled { last: "CREATING".to_owned() }));
    }

    #[tokio::test]
    async fn interrupt_ends_the_wait() {
        let clock = Arc::new(TestClock::new());
        let context = context(&clock);
        context.stop.cancel();
        let result: Result<(), WaitError<()>> = Wait::new(&context, Duration::from_secs(90))
            .until(|| async { Ok(Look::Pending("CREATING".to_owned())) })
            .await;
        assert_eq!(result, Err(WaitError::Cancelled { last: "CREATING".to_owned() }));
    }
}
