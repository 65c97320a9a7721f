//! The clock of operations, which tests replace: there a wait of an hour takes milliseconds.

use std::time::{Duration, Instant, SystemTime};

use futures::future::BoxFuture;

/// A source of time.
pub trait Clock: Send + Sync + std::fmt::Debug + 'static {
    /// The current time of a monotonic clock.
    fn now(&self) -> Instant;

    /// The current date and time.
    fn time_of_day(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Waits for a duration.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The clock of the system, which can run faster.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
    speed: u32,
}

impl SystemClock {
    /// A clock that runs at `speed` times the real speed: 1 for users, more for acceptance tests, which wait for the
    /// timeouts and intervals of real services.
    #[must_use]
    pub fn new(speed: u32) -> Self {
        Self { start: Instant::now(), speed: speed.max(1) }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        self.start + self.start.elapsed() * self.speed
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration / self.speed))
    }
}

/// A clock for tests that does not wait.
pub mod testing {
    use std::sync::Mutex;

    use super::*;

    /// A clock on which sleeping takes no time: it only advances the clock.
    #[derive(Debug)]
    pub struct TestClock {
        start: Instant,
        passed: Mutex<Duration>,
        time_of_day: Mutex<Option<SystemTime>>,
    }

    impl TestClock {
        /// A clock that has not advanced.
        #[must_use]
        pub fn new() -> Self {
            Self { start: Instant::now(), passed: Mutex::default(), time_of_day: Mutex::default() }
        }

        /// Sets the current date and time, which advance with the clock.
        pub fn set_time_of_day(&self, time: SystemTime) {
            let mut of_the_start = self.time_of_day.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *of_the_start = time.checked_sub(self.passed());
        }

        /// The time by which the clock has advanced.
        pub fn passed(&self) -> Duration {
            *self.passed.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }

    impl Default for TestClock {
        fn default() -> Self {
            Self::new()
        }
    }

    impl Clock for TestClock {
        fn now(&self) -> Instant {
            self.start + self.passed()
        }

        fn time_of_day(&self) -> SystemTime {
            let of_the_start = *self.time_of_day.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            of_the_start.map_or_else(SystemTime::now, |time| time + self.passed())
        }

        fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
            *self.passed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += duration;
            Box::pin(tokio::task::yield_now())
        }
    }
}
