//! What happens between the tries of one call, which the SDK makes by itself and does not tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    Error, FinalizerInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::error::never_connected;

/// Watches one call for an answer that was lost.
///
/// "Already exists" after a lost answer may mean that the lost try made it:
///
/// ```ignore
/// let attempts = Attempts::default();
/// let answer = s3.create_bucket().bucket(name).customize().interceptor(attempts.clone()).send().await;
/// if answer.is_err() && attempts.answer_lost() { /* look whether it is ours */ }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Attempts(Arc<AtomicBool>);

impl Attempts {
    /// Whether any try may have been carried out although its answer never came.
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
        let status = context.response().map(|response| response.status().as_u16());
        let lost = match context.output_or_error() {
            Some(Err(error)) => is_lost(error) || status.is_some_and(|status| status >= 500),
            _ => false,
        };
        if lost {
            self.0.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn is_lost(error: &OrchestratorError<Error>) -> bool {
    error.is_timeout_error()
        || error.is_response_error()
        || error.as_connector_error().is_some_and(|error| !error.is_user() && !never_connected(error))
}

/// Stops trying a service that cannot be reached, long before the retries are over: with a region
/// that does not exist or a proxy that is down, a minute of silence helps nobody.
#[derive(Debug)]
pub(super) struct GiveUpConnecting;

impl GiveUpConnecting {
    /// About ten seconds, which a name server that hiccups does not take.
    pub(super) const ATTEMPTS: u32 = 5;
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for GiveUpConnecting {
    fn name(&self) -> &'static str {
        "gitlabspot: give up on a service that cannot be reached"
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let attempts = config.load::<RequestAttempts>().map_or(0, RequestAttempts::attempts);
        if attempts >= Self::ATTEMPTS
            && let Some(Err(error)) = context.output_or_error_mut()
            && error.as_connector_error().is_some_and(|error| never_connected(error))
        {
            // The same error in the one class that is never tried again.
            let cause = std::mem::replace(error, OrchestratorError::other("replaced"));
            *error = OrchestratorError::connector(ConnectorError::user(cause.into()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::aws::{AwsError, Fault};
    use crate::clients::scripted::{Answer, Script, clients};

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
    async fn a_lost_answer_is_remembered_through_retries() {
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

    #[tokio::test]
    async fn a_service_that_is_not_there_is_given_up_soon() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // Free again: connections are refused.
        drop(listener);
        let mut settings = Script::default().settings();
        settings.http_client = None;
        settings.max_retries = Some(1_000);
        settings.endpoints.eks = Some(format!("http://{address}"));
        let clients = clients(settings);
        let error = clients.eks().await.unwrap().list_clusters().send().await.unwrap_err();
        let error = AwsError::new("ListClusters", &error);
        assert!(matches!(error.fault(), Fault::Unreachable { .. }), "{error:?}");
    }
}
