//! Waits for conditions.

use std::time::{Duration, Instant};

/// Longest time that a test waits for, even on a slow machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Time between checks. Short, because the test then acts at this moment, for example kills a process.
const INTERVAL: Duration = Duration::from_millis(5);

/// Time between checks of conditions that take seconds.
const LONG_INTERVAL: Duration = Duration::from_millis(100);

/// Waits until `happened` returns true.
///
/// # Panics
///
/// After a minute.
pub async fn until(what: &str, happened: impl AsyncFnMut() -> bool) {
    poll(TIMEOUT, INTERVAL, happened, async || what.to_owned()).await;
}

/// Waits for a slow condition, such as the start of a pod, with the given patience. `what` returns the current status.
///
/// # Panics
///
/// When the patience is exceeded.
pub async fn until_slow(patience: Duration, happened: impl AsyncFnMut() -> bool, what: impl AsyncFnOnce() -> String) {
    poll(patience, LONG_INTERVAL, happened, what).await;
}

async fn poll(
    patience: Duration,
    interval: Duration,
    mut happened: impl AsyncFnMut() -> bool,
    what: impl AsyncFnOnce() -> String,
) {
    let begin = Instant::now();
    while !happened().await {
        assert!(begin.elapsed() < patience, "this never happened: {}", what().await);
        tokio::time::sleep(interval).await;
    }
}
