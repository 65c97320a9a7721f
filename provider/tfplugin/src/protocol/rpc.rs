//! The parts that all RPCs share: the span for the log, and the conversion of errors and panics into a response.

use std::time::Instant;

use tfplugin_proto::tfplugin6::{self, Diagnostic as DiagnosticMessage};
use tonic::{Request, Response, Status};
use tracing::Instrument;

use super::convert::diagnostics::to_messages;
use super::server::Server;
use crate::framework::{Diagnostics, Provider, panic};

/// An RPC of the protocol.
pub(super) trait Rpc<P: Provider> {
    /// Its name.
    const NAME: &'static str;
    /// The request message.
    type Request: Send + Sync;
    /// The response message.
    type Response: Answer;

    /// Name of the resource type or function, for the log.
    fn subject(request: &Self::Request) -> &str;

    /// Response to a call that failed, before diagnostics are added.
    fn untouched(_request: &Self::Request) -> Self::Response {
        Self::Response::default()
    }

    /// Serves the call.
    ///
    /// # Errors
    /// The diagnostics of a call that changed nothing. A partial result is a response with diagnostics.
    fn serve(
        server: &Server<P>,
        request: Self::Request,
    ) -> impl Future<Output = Result<Self::Response, Diagnostics>> + Send;
}

/// A response that can have diagnostics.
pub(super) trait Answer: Default + Send {
    /// Adds diagnostics.
    fn add(&mut self, messages: Vec<DiagnosticMessage>);
    /// Number of diagnostics.
    fn count(&self) -> usize;
}

macro_rules! answers {
    ($($module:ident)*) => {$(
        impl Answer for tfplugin6::$module::Response {
            fn add(&mut self, messages: Vec<DiagnosticMessage>) {
                self.diagnostics.extend(messages);
            }
            fn count(&self) -> usize {
                self.diagnostics.len()
            }
        }
    )*};
}

answers! {
    get_metadata get_provider_schema get_resource_identity_schemas validate_provider_config configure_provider
    validate_resource_config upgrade_resource_state upgrade_resource_identity read_resource plan_resource_change
    apply_resource_change import_resource_state move_resource_state generate_resource_config
    validate_data_resource_config read_data_source validate_ephemeral_resource_config open_ephemeral_resource
    renew_ephemeral_resource close_ephemeral_resource get_functions validate_list_resource_config
}

impl Answer for tfplugin6::call_function::Response {
    fn add(&mut self, messages: Vec<DiagnosticMessage>) {
        let Some(first) = messages.into_iter().next() else { return };
        let text = format!("{}: {}", first.summary, first.detail);
        // The response to a function call has one error instead of diagnostics.
        self.error = Some(tfplugin6::FunctionError { text, function_argument: None });
    }
    fn count(&self) -> usize {
        usize::from(self.error.is_some())
    }
}

impl<P: Provider> Server<P> {
    /// Serves one call. Errors and panics become diagnostics of the response.
    pub(super) async fn answer<R: Rpc<P>>(
        &self,
        request: Request<R::Request>,
    ) -> Result<Response<R::Response>, Status> {
        let request = request.into_inner();
        let subject = R::subject(&request).to_owned();
        let span = span(R::NAME, &subject);
        let work = async {
            let started = Instant::now();
            tracing::debug!("received request");
            let mut answer = R::untouched(&request);
            match panic::caught(R::serve(self, request)).await {
                Ok(Ok(done)) => answer = done,
                // Never as a gRPC status: core would show it as a failure of the plugin, without the attribute.
                Ok(Err(diagnostics)) => answer.add(to_messages(diagnostics)),
                Err(panic) => {
                    let during = format!("{} of {subject}", R::NAME);
                    answer.add(to_messages(panic.diagnostic(during.trim_end_matches(" of ")).into()));
                }
            }
            let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(tf_req_duration_ms = duration_ms, diagnostics = answer.count(), "served request");
            Ok(Response::new(answer))
        };
        work.instrument(span).await
    }
}

/// The span of a call, whose fields have the names of the Go SDKs.
pub(super) fn span(name: &'static str, subject: &str) -> tracing::Span {
    tracing::debug_span!(
        "rpc",
        tf_rpc = name,
        tf_resource_type = (!subject.is_empty()).then_some(subject),
        tf_req_id = request_id(),
        tf_proto_version = "6"
    )
}

/// Distinguishes the calls of several processes in one log.
fn request_id() -> String {
    let mut id = [0; 8];
    // Without randomness the IDs are merely equal.
    let _ = getrandom::fill(&mut id);
    hex::encode(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::Diagnostic;

    #[test]
    fn function_error_has_the_first_diagnostic() {
        let mut answer = tfplugin6::call_function::Response::default();
        answer.add(to_messages([Diagnostic::error("A", "b"), Diagnostic::error("C", "d")].into_iter().collect()));
        let error = tfplugin6::FunctionError { text: "A: b".to_owned(), function_argument: None };
        assert_eq!((answer.count(), answer.error), (1, Some(error)));
    }

    #[test]
    fn request_ids_are_unique() {
        assert_ne!(request_id(), request_id());
    }
}
