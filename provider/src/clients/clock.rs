//! Time as the clients see it, handed in so that a test of waits takes milliseconds.

use std::fmt;
use std::time::{Duration, SystemTime};

use futures::future::BoxFuture;

/// The time of day, and waiting.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present moment, for lifetimes.
    fn now(&self) -> SystemTime;

    /// The present moment, for others to read. Not the same in tests in which time passes faster.
    fn time_of_day(&self) -> SystemTime {
        self.now()
    }

    /// Completes once `duration` has passed.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The machine's own clock.
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

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A clock that sleeping moves forward at once, and that remembers each sleep.
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
