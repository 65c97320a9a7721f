//! Panics: a bug that is reported, and does not take with it what has been done so far.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use super::diagnostics::Diagnostic;

/// A panic that was caught. Its text is in the log; users are told what it means for them.
#[derive(Debug)]
pub struct Panic(());

impl Panic {
    /// What to tell the user. `during` names the operation and its subject.
    #[must_use]
    pub fn diagnostic(&self, during: &str) -> Diagnostic {
        Diagnostic::error(
            "Bug in the provider",
            format!(
                "The provider failed unexpectedly during {during}. This is a bug of the provider, not of the configuration. \
                 Something may have been created or changed: look at the plan of the next run. Please report it together \
                 with the log, which TF_LOG_PROVIDER=debug shows."
            ),
        )
    }
}

/// Waits for work that may panic.
///
/// # Errors
/// The panic. Whatever the work borrowed is as it was then.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Panic> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|payload| {
        tracing::error!(panic = text(payload.as_ref()), "caught a panic");
        Panic(())
    })
}

fn text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no text)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_done_before_stays() {
        let mut done = vec![];
        let result = caught(async {
            done.push("created");
            if !done.is_empty() {
                panic!("secret");
            }
        })
        .await;
        let diagnostic = result.unwrap_err().diagnostic("the create of x");
        assert!(diagnostic.detail.contains("the create of x") && !diagnostic.detail.contains("secret"));
        assert_eq!(done, ["created"]);
    }

    #[test]
    fn payloads_have_texts() {
        assert_eq!(text(&"static"), "static");
        assert_eq!(text(&"owned".to_owned()), "owned");
        assert_eq!(text(&1), "(no text)");
    }
}
