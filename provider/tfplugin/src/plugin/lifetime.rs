//! When the process ends by itself: with its host, or at a signal.

use std::io;
use std::os::unix::process::parent_id;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time;
use tokio_util::sync::CancellationToken;

use super::calls::Calls;

/// A dead host is noticed within this time.
const PARENT_CHECK: Duration = Duration::from_secs(1);

/// How long a process that was told to end goes on while nothing is asked of it. A host that was told to end as well
/// still writes its state, and then says Shutdown.
const QUIET: Duration = Duration::from_secs(1);

/// How long calls may take to answer that were told to end. Their answers say what was made.
const ANSWERS: Duration = Duration::from_secs(30);

/// How the process ends.
pub(super) struct Ending {
    /// Those that run.
    pub(super) calls: Calls,
    /// Tells them to end.
    pub(super) stop_calls: Arc<dyn Fn() + Send + Sync>,
    /// Ends the process.
    pub(super) stop: CancellationToken,
}

impl Ending {
    /// Lets calls answer, and ends the process. `at_once` is what nobody waits longer for.
    async fn gracefully(&self, at_once: impl Future<Output = ()>) {
        tracing::info!("was told to end; calls that run are stopped");
        (self.stop_calls)();
        tokio::select! {
            () = self.calls.none_for(QUIET) => {}
            () = time::sleep(ANSWERS) => {}
            () = self.stop.cancelled() => {}
            () = at_once => {}
        }
        self.stop.cancel();
    }
}

/// Ends the process when the host, whose process id is `parent`, dies, and on SIGTERM.
///
/// SIGINT does nothing: Ctrl-C reaches the host and us alike, and the host answers it with the RPC
/// StopProvider and then wants to hear how far we got. SIGTERM may reach us alone, or the host as
/// well, which then does the same: so calls are stopped, and answered.
///
/// # Errors
/// When the handlers cannot be installed.
pub(super) fn of_host(parent: u32, ending: Ending) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        let orphaned = another_parent(parent, parent_id, PARENT_CHECK);
        tokio::pin!(orphaned);
        loop {
            tokio::select! {
                _ = interrupt.recv() => tracing::debug!("left an interrupt to the host"),
                _ = terminate.recv() => break,
                () = &mut orphaned => {
                    tracing::warn!("the program that started this provider is gone");
                    return ending.stop.cancel();
                }
            }
        }
        let at_once = async {
            tokio::select! {
                () = orphaned => {}
                _ = terminate.recv() => {}
            }
        };
        ending.gracefully(at_once).await;
    });
    Ok(())
}

/// Ends the process on SIGINT and SIGTERM: nobody else ends a process that a developer started.
///
/// # Errors
/// When the handlers cannot be installed.
pub(super) fn of_developer(ending: Ending) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        let mut told = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        told().await;
        ending.gracefully(told()).await;
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
