//! The end of the process: with its host, or on a signal.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time;
use tokio_util::sync::CancellationToken;

use super::calls::Calls;
use super::system::{Parent, Signals};

/// Interval of the check that the host is alive.
const PARENT_CHECK: Duration = Duration::from_secs(1);

/// After a request to end, the process ends when no call has been running for this time. A host that received the same
/// request first writes its state, and then calls Shutdown.
const QUIET: Duration = Duration::from_secs(1);

/// Time in which cancelled calls can return. Their responses have the objects that were created.
const ANSWERS: Duration = Duration::from_secs(30);

/// The parts of the process that its end needs.
pub(super) struct Ending {
    /// The running calls.
    pub(super) calls: Calls,
    /// Cancels the calls.
    pub(super) stop_calls: Arc<dyn Fn() + Send + Sync>,
    /// Ends the process.
    pub(super) stop: CancellationToken,
}

impl Ending {
    /// Cancels the calls, waits for their responses, and ends the process. The wait ends early when `at_once`
    /// completes.
    async fn gracefully(&self, at_once: impl Future<Output = ()>) {
        tracing::info!("shutdown requested: cancelling running calls");
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

/// Ends the process when the host, which is `parent`, ends, and on a request to end.
///
/// Ctrl-C is ignored: the host receives it too, calls StopProvider, and waits for the state of the running calls. A
/// request to end (SIGTERM) may reach this process alone, or the host as well, which then also calls StopProvider:
/// calls are therefore cancelled, and their responses are sent.
///
/// # Errors
/// If the signal handlers cannot be installed.
pub(super) fn of_host(parent: Parent, ending: Ending) -> io::Result<()> {
    let mut signals = Signals::install()?;
    tokio::spawn(async move {
        let orphaned = ended(|| parent.is_alive(), PARENT_CHECK);
        tokio::pin!(orphaned);
        loop {
            tokio::select! {
                is_interrupt = signals.is_interrupt() => match is_interrupt {
                    true => tracing::debug!("ignored an interrupt, which the host handles"),
                    false => break,
                },
                () = &mut orphaned => {
                    tracing::warn!("the program that started this provider has exited");
                    return ending.stop.cancel();
                }
            }
        }
        let at_once = async {
            tokio::select! {
                () = orphaned => {}
                () = until_terminated(&mut signals) => {}
            }
        };
        ending.gracefully(at_once).await;
    });
    Ok(())
}

/// Waits for the next request to end other than Ctrl-C.
async fn until_terminated(signals: &mut Signals) {
    while signals.is_interrupt().await {}
}

/// Ends the process on Ctrl-C and on a request to end, because no host ends a process that a developer started.
///
/// # Errors
/// If the signal handlers cannot be installed.
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

/// Waits until `is_alive` returns false. It is called once in each `period`.
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
