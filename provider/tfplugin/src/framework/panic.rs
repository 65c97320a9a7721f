//! The handling of panics: they are reported as bugs, and do not discard what an operation has done so far.

use std::any::Any;
use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, PanicHookInfo};
use std::pin::pin;

use futures::FutureExt;

use super::diagnostics::Diagnostic;

thread_local! {
    /// The watched work that this thread is polling.
    static WATCH: RefCell<Watch> = const { RefCell::new(Watch { depth: 0, place: None }) };
}

/// State of the work in which panics are caught.
struct Watch {
    /// Nesting depth of such work.
    depth: usize,
    /// Location of the last panic, until [`caught`] takes it.
    place: Option<String>,
}

/// A caught panic. It has only the location in the source, because the message may quote a secret value.
#[derive(Debug)]
pub struct Panic {
    place: Option<String>,
}

impl Panic {
    /// Returns the diagnostic for the user. `during` names the operation and its subject.
    #[must_use]
    pub fn diagnostic(&self, during: &str) -> Diagnostic {
        let place = self.place.as_deref().map(|place| format!(" at {place}")).unwrap_or_default();
        Diagnostic::error(
            "Bug in the provider",
            format!(
                "The provider failed unexpectedly during {during}{place}. This is a bug of the provider, not of the \
                 configuration. Objects may have been created or changed: check the next plan before you apply it. \
                 Please report this error with the log of TF_LOG_PROVIDER=debug."
            ),
        )
    }
}

/// Runs work that may panic.
///
/// # Errors
/// The panic. What the work has changed before it remains changed.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Panic> {
    let mut work = pin!(AssertUnwindSafe(work).catch_unwind());
    // A task can move to another thread between two polls, so that each poll is watched, and not the whole work.
    poll_fn(|context| {
        WATCH.with_borrow_mut(|watch| watch.depth += 1);
        let polled = work.as_mut().poll(context);
        let place = WATCH.with_borrow_mut(|watch| {
            watch.depth -= 1;
            watch.place.take()
        });
        polled.map_err(|_| Panic { place })
    })
    .await
}

/// Logs a panic that [`caught`] will catch. Returns `false` if nothing will catch it. For the panic hook of the
/// process.
pub fn witnessed(info: &PanicHookInfo<'_>) -> bool {
    let watched = WATCH.with_borrow_mut(|watch| {
        watch.place = info.location().map(ToString::to_string).filter(|_| watch.depth > 0);
        watch.depth > 0
    });
    if watched {
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!(panic = shown(info.payload()), place = info.location().map(ToString::to_string), %backtrace, "caught a panic");
    }
    watched
}

/// Returns the message of a panic if it is a literal of the source. A formatted message may quote values: a text that
/// was sliced, or the operands of a comparison.
fn shown(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(not shown, because it may contain values)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn changes_before_a_panic_remain() {
        let mut done = vec![];
        let result = caught(async {
            done.push("created");
            tokio::task::yield_now().await;
            assert!(done.is_empty(), "secret");
        })
        .await;
        let diagnostic = result.unwrap_err().diagnostic("the create of x");
        assert!(diagnostic.detail.contains("the create of x") && !diagnostic.detail.contains("secret"));
        assert_eq!(done, ["created"]);
        assert!(caught(async { 5 }).await.is_ok_and(|five| five == 5));
    }

    #[test]
    fn panic_message_is_not_logged() {
        let text = |work: fn()| {
            let payload = std::panic::catch_unwind(work).unwrap_err();
            shown(payload.as_ref())
        };
        assert_eq!(text(|| unreachable!("never")), "internal error: entered unreachable code: never");
        let hidden = "(not shown, because it may contain values)";
        assert_eq!(text(|| drop("hünter2"[..2].to_owned())), hidden);
        assert_eq!(text(|| assert_eq!("hunter2", "")), hidden);
    }

    #[test]
    fn diagnostic_names_the_location_of_a_panic() {
        let diagnostic = Panic { place: Some("src/a.rs:1:2".to_owned()) }.diagnostic("the create of x");
        assert!(
            diagnostic.detail.starts_with("The provider failed unexpectedly during the create of x at src/a.rs:1:2.")
        );
    }
}
