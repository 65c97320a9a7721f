//! Panics: a bug that is reported, and does not take with it what has been done so far.

use std::any::Any;
use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, PanicHookInfo};
use std::pin::pin;

use futures::FutureExt;

use super::diagnostics::Diagnostic;

thread_local! {
    /// Of the work that this thread is at.
    static WATCH: RefCell<Watch> = const { RefCell::new(Watch { depth: 0, place: None }) };
}

/// Work during which panics are caught.
struct Watch {
    /// How deep in such work, one inside another.
    depth: usize,
    /// Where a panic happened that nobody asked for yet.
    place: Option<String>,
}

/// A panic that was caught. Its text may quote a value; its place in the source is harmless.
#[derive(Debug)]
pub struct Panic {
    place: Option<String>,
}

impl Panic {
    /// What to tell the user. `during` names the operation and its subject.
    #[must_use]
    pub fn diagnostic(&self, during: &str) -> Diagnostic {
        let place = self.place.as_deref().map(|place| format!(" at {place}")).unwrap_or_default();
        Diagnostic::error(
            "Bug in the provider",
            format!(
                "The provider failed unexpectedly during {during}{place}. This is a bug of the provider, not of the \
                 configuration. Something may have been created or changed: look at the plan of the next run. Please report it \
                 together with the log, which TF_LOG_PROVIDER=debug shows."
            ),
        )
    }
}

/// Waits for work that may panic.
///
/// # Errors
/// The panic. Whatever the work borrowed is as it was then.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Panic> {
    let mut work = pin!(AssertUnwindSafe(work).catch_unwind());
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

/// For the hook of the process: logs a panic that will be caught. `false` if nobody will catch it.
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

/// The text of a panic, where it is one that stands in the source. Others are made of values: what a text has at a place
/// where it was cut, what a comparison found.
fn shown(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(not shown, since it may quote values)")
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
        let hidden = "(not shown, since it may quote values)";
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
