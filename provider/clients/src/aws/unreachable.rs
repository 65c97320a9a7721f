//! Services that cannot be reached: their address, and a limit of the attempts.

use std::error::Error as StdError;
use std::fmt;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextMut,
};
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

use super::error::never_connected;

/// Adds the address of the server, which the SDK does not report, to connection errors, and ends the retries early:
/// with a region that does not exist or an unreachable proxy, further attempts do not help.
#[derive(Debug)]
pub(super) struct GiveUpConnecting;

impl GiveUpConnecting {
    /// Maximum number of attempts, within about ten seconds: longer than a short failure of a name server takes.
    pub(super) const ATTEMPTS: u32 = 5;
}

/// Scheme, host and port of a request.
#[derive(Debug, Clone)]
struct Server(String);

impl Storable for Server {
    type Storer = StoreReplace<Self>;
}

/// A connection error with the address of the server.
#[derive(Debug)]
struct At {
    server: String,
    cause: BoxError,
}

impl fmt::Display for At {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.server)
    }
}

impl StdError for At {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.cause.as_ref())
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for GiveUpConnecting {
    fn name(&self) -> &'static str {
        "gitlabspot: give up on a service that cannot be reached"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let uri = context.request().uri();
        let end = uri.find("://").and_then(|scheme| uri[scheme + 3..].find(['/', '?']).map(|path| scheme + 3 + path));
        config.interceptor_state().store_put(Server(uri[..end.unwrap_or(uri.len())].to_owned()));
        Ok(())
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Server(server)) = config.load::<Server>().cloned() else { return Ok(()) };
        let attempts = config.load::<RequestAttempts>().map_or(0, RequestAttempts::attempts);
        if let Some(Err(error)) = context.output_or_error_mut()
            && error.as_connector_error().is_some_and(|error| never_connected(error))
        {
            // The error is moved out of the context to become the source of the new one.
            let cause = std::mem::replace(error, OrchestratorError::other("replaced"));
            let cause = BoxError::from(At { server, cause: cause.into() });
            // The SDK does not repeat errors of the class "user".
            *error = OrchestratorError::connector(match attempts >= Self::ATTEMPTS {
                true => ConnectorError::user(cause),
                false => ConnectorError::io(cause),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::aws::{AwsError, Fault};
    use crate::scripted::{Script, clients};

    #[tokio::test]
    async fn unreachable_service_is_named_and_not_retried_for_long() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // Without a listener, connections are refused.
        drop(listener);
        let mut settings = Script::default().settings();
        settings.http_client = None;
        settings.max_retries = Some(1_000);
        settings.endpoints.eks = Some(format!("http://{address}"));
        let clients = clients(settings);
        let error = clients.eks().await.unwrap().list_clusters().send().await.unwrap_err();
        let error = AwsError::new("ListClusters", &error);
        assert!(matches!(error.fault(), Fault::Unreachable { .. }), "{error:?}");
        let begin = format!("ListClusters: the service cannot be reached: http://{address}: ");
        assert!(error.to_string().starts_with(&begin), "{error}");
    }
}
