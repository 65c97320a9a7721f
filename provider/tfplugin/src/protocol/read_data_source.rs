//! Reads a data source.

use tfplugin_proto::tfplugin6::read_data_source::{Request, Response};

use super::convert::diagnostics::to_messages;
use super::convert::dynamic_value;
use super::rpc::Rpc;
use super::server::Server;
use crate::framework::conformance::{Violation, check_state};
use crate::framework::{AttributePath, Diagnostics, Provider};

pub(super) struct ReadDataSource;

impl<P: Provider> Rpc<P> for ReadDataSource {
    const NAME: &'static str = "ReadDataSource";
    type Request = Request;
    type Response = Response;

    fn subject(request: &Request) -> &str {
        &request.type_name
    }

    async fn serve(server: &Server<P>, request: Request) -> Result<Response, Diagnostics> {
        let data_source = server.offer().data_source(&request.type_name)?;
        let config = dynamic_value::decode(request.config.as_ref(), data_source.ty())?;
        let context = server.context(request.client_capabilities.as_ref());
        let (state, mut diagnostics) = data_source.erased.read(&context, config).await;
        if !diagnostics.has_errors() {
            diagnostics.extend(server.bugs(<Self as Rpc<P>>::NAME, &request.type_name, || match state.is_null() {
                // Core fails with "Provider produced null object".
                true => {
                    vec![Violation { path: AttributePath::root(), rule: "a data source that was read is not null" }]
                }
                false => check_state(data_source.schema(), &state),
            }));
        }
        Ok(Response {
            state: Some(dynamic_value::encode(&state, data_source.ty())?),
            diagnostics: to_messages(diagnostics),
            deferred: None,
        })
    }
}
