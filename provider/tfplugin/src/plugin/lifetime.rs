//! When the process ends by itself: with its host, or at a signal.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time;
use tokio_util::sync::CancellationToken;

use super::calls::Calls;
use super::system::{Parent, Signals};

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

/// Ends the process when the host, which is `parent`, dies, and when this process is told to end.
///
/// Ctrl-C does nothing: it reaches the host and this process alike, and the host answers it with the RPC StopProvider
/// and waits for how far the calls got. A request to end (SIGTERM) may reach this process alone, or the host as well,
/// which then does the same: so calls are stopped, and answered.
///
/// # Errors
/// When the handlers of signals cannot be installed.
pub(super) fn of_host(parent: Parent, ending: Ending) -> io::Result<()> {
    let mut signals = Signals::install()?;
    tokio::spawn(async move {
        let orphaned = ended(|| parent.is_alive(), PARENT_CHECK);
        tokio::pin!(orphaned);
        loop {
            tokio::select! {
                is_interrupt = signals.is_interrupt() => match is_interrupt {
                    true => tracing::debug!("left an interrupt to the host"),
                    false => break,
                },
                () = &mut orphaned => {
                    tracing::warn!("the program that started this provider is gone");
                    return ending.stop.cancel();
                }
            }
        }
        let at_once = async {
            tokio::select! {
                () = orphaned => {}
                () = until_told(&mut signals) => {}
            }
        };
        ending.gracefully(at_once).await;
    });
    Ok(())
}

/// Returns at the next request to end that is no Ctrl-C.
async fn until_told(signals: &mut Signals) {
    while signals.is_interrupt().await {}
}

/// Ends the process on Ctrl-C and when it is told to end: nobody else ends a process that a developer started.
///
/// # Errors
/// When the handlers of signals cannot be installed.
pub(super) fn of_developer(ending: Ending) -> io::Result<()> {
    let mut signals = Signals::install()?;
    tokio::spawn(async move {
        signals.is_interrupt().await;
        let again = async {
            signals.is_interrupt().await;
        };
        ending.gracefully(again).await;
    });
    Ok(())
}

/// Returns when `is_alive` says no; it is asked once in each `period`.
async fn ended(is_alive: impl Fn() -> bool, period: Duration) {
    while is_alive() {
        time::sleep(period).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn end_of_the_parent_is_detected() {
        let asked = Cell::new(0);
        let dies_before_the_third_look = || {
            asked.set(asked.get() + 1);
            asked.get() < 3
        };
        ended(dies_before_the_third_look, Duration::from_millis(1)).await;
        assert_eq!(asked.get(), 3);
    }

    #[tokio::test]
    async fn wait_lasts_while_the_parent_runs() {
        let parent = Parent::of_this_process();
        let watch = ended(|| parent.is_alive(), Duration::from_millis(1));
        assert!(time::timeout(Duration::from_millis(20), watch).await.is_err());
    }
}
