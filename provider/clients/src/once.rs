//! Values that are created once for all callers. Concurrent callers also share a failure.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

/// Why a value could not be created.
pub(super) trait Failure: Clone {
    /// Whether another attempt in the same run would fail as well.
    fn lasts(&self) -> bool;
}

/// A value that the first caller creates. Concurrent callers wait for the same attempt; a lasting failure is kept.
#[derive(Debug)]
pub(super) struct Once<T, E> {
    last: Mutex<Option<Result<T, E>>>,
    tries: AtomicU64,
}

impl<T, E> Default for Once<T, E> {
    fn default() -> Self {
        Self { last: Mutex::default(), tries: AtomicU64::new(0) }
    }
}

impl<T: Clone, E: Failure> Once<T, E> {
    /// The existing value, or the result of `make`.
    ///
    /// # Errors
    /// The failure of an attempt that ended after this call began, or a lasting failure.
    pub(super) async fn get<F>(&self, make: impl FnOnce() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        // Read before the lock: a caller that waits for another attempt shares its result.
        let before = self.tries.load(Ordering::Acquire);
        let mut last = self.last.lock().await;
        match last.as_ref() {
            Some(Ok(made)) => return Ok(made.clone()),
            Some(Err(failure)) if failure.lasts() || self.tries.load(Ordering::Acquire) != before => {
                return Err(failure.clone());
            }
            _ => {}
        }
        let result = make().await;
        self.tries.fetch_add(1, Ordering::AcqRel);
        *last = Some(result.clone());
        result
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Failed {
        lasts: bool,
    }

    impl Failure for Failed {
        fn lasts(&self) -> bool {
            self.lasts
        }
    }

    /// Three concurrent calls and one later call: their results, and the number of attempts.
    async fn tries(result: Result<u8, Failed>) -> (Vec<Result<u8, Failed>>, usize) {
        let (shared, count) = (Once::default(), AtomicUsize::new(0));
        let get = || {
            shared.get(async || {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                result.clone()
            })
        };
        let (a, b, c) = tokio::join!(get(), get(), get());
        let results = vec![a, b, c, get().await];
        (results, count.into_inner())
    }

    #[tokio::test]
    async fn concurrent_callers_share_an_attempt() {
        assert_eq!(tries(Ok(1)).await, (vec![Ok(1); 4], 1));
        let passing = Err(Failed { lasts: false });
        assert_eq!(tries(passing.clone()).await, (vec![passing; 4], 2));
        let lasting = Err(Failed { lasts: true });
        assert_eq!(tries(lasting.clone()).await, (vec![lasting; 4], 1));
    }

    #[tokio::test]
    async fn abandoned_attempt_does_not_count() {
        let shared: Once<u8, Failed> = Once::default();
        let given_up = shared.get(std::future::pending);
        assert!(tokio::time::timeout(std::time::Duration::from_millis(5), given_up).await.is_err());
        assert_eq!(shared.get(async || Ok(2)).await, Ok(2));
    }
}
