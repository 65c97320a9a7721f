//! When the process ends by itself: with its host, or at a signal.

use std::io;
use std::os::unix::process::parent_id;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time;
use tokio_util::sync::CancellationToken;

/// A dead host is noticed within this time.
const PARENT_CHECK: Duration = Duration::from_secs(1);

/// Cancels `stop` when the host, whose process id is `parent`, dies, or on SIGTERM.
///
/// SIGINT does nothing: Ctrl-C reaches the host and us alike, and the host answers it with the RPC
/// StopProvider and then wants to hear how far we got.
///
/// # Errors
/// When the handlers cannot be installed.
pub(super) fn of_host(parent: u32, stop: &CancellationToken) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = stop.clone();
    tokio::spawn(async move {
        let orphaned = another_parent(parent, parent_id, PARENT_CHECK);
        tokio::pin!(orphaned);
        loop {
            tokio::select! {
                _ = interrupt.recv() => tracing::debug!("left an interrupt to the host"),
                _ = terminate.recv() => break,
                () = &mut orphaned => {
                    tracing::warn!("the program that started this provider is gone");
                    break;
                }
            }
        }
        stop.cancel();
    });
    Ok(())
}

/// Cancels `stop` on SIGINT or SIGTERM: nobody else ends a process that a developer started.
///
/// # Errors
/// When the handlers cannot be installed.
pub(super) fn of_developer(stop: &CancellationToken) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stop.cancel();
    });
    Ok(())
}

/// Returns when the process has another parent than `parent`, because that one died. (Compared and
/// not tested for 1: in a container the host may well be process 1.)
async fn another_parent(parent: u32, current: impl Fn() -> u32, period: Duration) {
    while current() == parent {
        time::sleep(period).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn a_change_of_parent_is_noticed() {
        let asked = Cell::new(0);
        let dies_before_the_third_look = || {
            asked.set(asked.get() + 1);
            if asked.get() < 3 { 4711 } else { 1 }
        };
        another_parent(4711, dies_before_the_third_look, Duration::from_millis(1)).await;
        assert_eq!(asked.get(), 3);
    }

    #[tokio::test]
    async fn a_host_that_is_process_one_is_alive() {
        let watch = another_parent(1, || 1, Duration::from_millis(1));
        assert!(time::timeout(Duration::from_millis(20), watch).await.is_err());
    }
}
