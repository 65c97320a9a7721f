//! Waiting for something to happen elsewhere: with a timeout, a cancel, and a reason.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::context::Context;

/// What one look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look<T> {
    /// It happened.
    Done(T),
    /// Not yet; what is the matter, in a few words: it stands in the message if it never happens.
    Pending(String),
}

/// Why a wait ended without success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError<E> {
    /// It took too long.
    #[error("timed out after {}; last seen: {last}", super::timeouts::format(*.after))]
    TimedOut {
        /// The timeout.
        after: Duration,
        /// What the last look found.
        last: String,
    },
    /// The user asked to stop.
    #[error("cancelled; last seen: {last}")]
    Cancelled {
        /// What the last look found.
        last: String,
    },
    /// Looking failed, or what was seen will never become what is waited for.
    #[error(transparent)]
    Failed(E),
}

/// How to wait.
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
    /// Looks at once, then after one second, then after twice as long each time up to fifteen seconds.
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

    /// Looks at other intervals: first, and longest.
    #[must_use]
    pub fn every(mut self, first: Duration, longest: Duration) -> Self {
        self.interval = first;
        self.longest = longest;
        self
    }

    /// Looks change nothing: after the first, one that is under way is given up when the user asks to stop.
    #[must_use]
    pub fn watching(mut self) -> Self {
        self.watching = true;
        self
    }

    /// Looks until it is done.
    ///
    /// # Errors
    /// Timeout, cancel, or what `look` failed with.
    pub async fn until<T, E, F>(self, mut look: impl FnMut() -> F) -> Result<T, WaitError<E>>
    where
        F: Future<Output = Result<Look<T>, E>>,
    {
        let end = self.clock.now() + self.timeout;
        let mut pause = self.interval;
        let mut before = None;
        loop {
            let found = tokio::select! {
                biased;
                found = look() => found,
                last = stopped(&self.stop, &mut before), if self.watching && before.is_some() => {
                    return Err(WaitError::Cancelled { last });
                }
            };
            let last = match found.map_err(WaitError::Failed)? {
                Look::Done(found) => return Ok(found),
                Look::Pending(last) => last,
            };
            let left = end.saturating_duration_since(self.clock.now());
            if left.is_zero() {
                return Err(WaitError::TimedOut { after: self.timeout, last });
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(WaitError::Cancelled { last }),
                () = self.clock.sleep(pause.min(left)) => {}
            }
            pause = (pause * 2).min(self.longest);
            before = Some(last);
        }
    }
}

/// Waits for the stop; what was seen before.
async fn stopped(stop: &CancellationToken, before: &mut Option<String>) -> String {
    stop.cancelled().await;
    before.take().unwrap_or_default()
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
    async fn looks_less_and_less_often() {
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
    async fn a_timeout_says_what_was_last_seen() {
        let clock = Arc::new(TestClock::new());
        let result: Result<(), WaitError<std::fmt::Error>> = Wait::new(&context(&clock), Duration::from_secs(90))
            .until(|| async { Ok(Look::Pending("status CREATING".to_owned())) })
            .await;
        assert_eq!(
            result.map_err(|e| e.to_string()),
            Err("timed out after 1m30s; last seen: status CREATING".to_owned())
        );
        assert_eq!(clock.passed(), Duration::from_secs(90));
    }

    #[tokio::test]
    async fn a_cancel_ends_a_look_that_changes_nothing() {
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
    async fn a_cancel_ends_it_at_once() {
        let clock = Arc::new(TestClock::new());
        let context = context(&clock);
        context.stop.cancel();
        let result: Result<(), WaitError<()>> = Wait::new(&context, Duration::from_secs(90))
            .until(|| async { Ok(Look::Pending("CREATING".to_owned())) })
            .await;
        assert_eq!(result, Err(WaitError::Cancelled { last: "CREATING".to_owned() }));
    }
}
