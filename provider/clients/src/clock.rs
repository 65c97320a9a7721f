//! The clock of the clients, which tests replace so that they do not wait.

use std::fmt;
use std::time::{Duration, SystemTime};

use futures::future::BoxFuture;

/// A source of the current time, and a timer.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The current time, for lifetimes.
    fn now(&self) -> SystemTime;

    /// The current time, for values that other systems read. Differs from [`Clock::now`] in tests in which time passes
    /// faster.
    fn time_of_day(&self) -> SystemTime {
        self.now()
    }

    /// Completes once `duration` has passed.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The system clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

#[cfg(any(test, feature = "testing"))]
#[expect(clippy::unwrap_used, reason = "for tests alone, in which a failed unwrap is a failed test")]
pub(crate) mod testing {
    use std::sync::Mutex;

    use super::*;

    /// A clock that each sleep advances immediately, and that records the sleeps.
    #[derive(Debug)]
    pub(crate) struct ManualClock {
        now: Mutex<SystemTime>,
        sleeps: Mutex<Vec<Duration>>,
    }

    impl ManualClock {
        pub(crate) fn at(now: SystemTime) -> Self {
            Self { now: Mutex::new(now), sleeps: Mutex::default() }
        }

        pub(crate) fn advance(&self, duration: Duration) {
            *self.now.lock().unwrap() += duration;
        }

        #[cfg(test)]
        pub(crate) fn sleeps(&self) -> Vec<Duration> {
            self.sleeps.lock().unwrap().clone()
        }
    }

    impl Clock for ManualClock {
        fn now(&self) -> SystemTime {
            *self.now.lock().unwrap()
        }

        fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
            self.advance(duration);
            self.sleeps.lock().unwrap().push(duration);
            Box::pin(std::future::ready(()))
        }
    }
}
