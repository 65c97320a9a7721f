//! Observation of the attempts of one call. The SDK retries internally and reports only the last attempt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{Error, FinalizerInterceptorContextRef};
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::error::never_connected;

/// Records whether the response to any attempt of a call was lost.
///
/// After a lost response, an "already exists" error may mean that the lost attempt created the object:
///
/// ```ignore
/// let attempts = Attempts::default();
/// let answer = s3.create_bucket().bucket(name).customize().interceptor(attempts.clone()).send().await;
/// if answer.is_err() && attempts.answer_lost() { /* read the object and check its owner */ }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Attempts(Arc<AtomicBool>);

impl Attempts {
    /// Whether any attempt may have taken effect although its response was lost.
    #[must_use]
    pub fn answer_lost(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "gitlabspot: watch for lost answers"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if is_answer_lost(context) {
            self.0.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Whether an attempt may have taken effect although there is no response that confirms it.
pub(super) fn is_answer_lost(context: &FinalizerInterceptorContextRef<'_>) -> bool {
    let status = context.response().map(|response| response.status().as_u16());
    match context.output_or_error() {
        // A server error does not show whether the request took effect.
        Some(Err(error)) => is_lost(error) || status.is_some_and(|status| status >= 500),
        _ => false,
    }
}

fn is_lost(error: &OrchestratorError<Error>) -> bool {
    // Errors of class `user` and failures to connect occur before the request is sent.
    error.is_timeout_error()
        || error.is_response_error()
        || error.as_connector_error().is_some_and(|error| !error.is_user() && !never_connected(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Script, clients};

    async fn lost(answers: &[Answer]) -> bool {
        let script = Script::new(answers.to_vec());
        let mut settings = script.settings();
        settings.max_retries = Some(3);
        let clients = clients(settings);
        let attempts = Attempts::default();
        let call = clients.s3().await.unwrap().create_bucket().bucket("cache");
        let _ = call.customize().interceptor(attempts.clone()).send().await;
        assert_eq!(script.requests().len(), answers.len());
        attempts.answer_lost()
    }

    #[tokio::test]
    async fn lost_response_is_recorded_across_retries() {
        let http = |status| Answer::Http(status, String::new());
        assert_eq!(
            [
                lost(&[http(200)]).await,
                lost(&[http(429), http(200)]).await,
                lost(&[Answer::Reset, http(409)]).await,
                lost(&[http(503), http(409)]).await,
            ],
            [false, false, true, true]
        );
    }
}
