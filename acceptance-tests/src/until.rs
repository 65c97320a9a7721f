//! Waiting for what has to happen.

use std::time::{Duration, Instant};

/// However slow the machine, nothing that a test waits for takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks. What a test does then, such as killing a process, is to come soon.
const INTERVAL: Duration = Duration::from_millis(5);

/// Asks until it has happened.
///
/// # Panics
///
/// When it does not happen within a minute.
pub async fn until(what: &str, mut happened: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !happened().await {
        assert!(begin.elapsed() < PATIENCE, "this never happened: {what}");
        tokio::time::sleep(INTERVAL).await;
    }
}
