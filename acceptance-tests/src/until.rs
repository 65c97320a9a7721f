//! Waiting for what has to happen.

use std::time::{Duration, Instant};

/// However slow the machine, nothing that a test waits for takes longer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Between two looks. What a test does then, such as killing a process, is to come soon.
const INTERVAL: Duration = Duration::from_millis(5);

/// Between two looks at what takes seconds in any case.
const LONG_INTERVAL: Duration = Duration::from_millis(100);

/// Asks until it has happened.
///
/// # Panics
///
/// When it does not happen within a minute.
pub async fn until(what: &str, happened: impl AsyncFnMut() -> bool) {
    poll(TIMEOUT, INTERVAL, happened, async || what.to_owned()).await;
}

/// The same of what takes its time, such as the start of a pod, with as much patience as it needs on a busy machine; `what`
/// tells what there is instead.
///
/// # Panics
///
/// When it does not happen.
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
