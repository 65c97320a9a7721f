//! Returns the definitions of the functions, without the other schemas.

use tfplugin_proto::tfplugin6::get_functions::{Request, Response};

use super::get_provider_schema::functions;
use super::rpc::Rpc;
use super::server::Server;
use crate::framework::{Diagnostics, Provider};

pub(super) struct GetFunctions;

impl<P: Provider> Rpc<P> for GetFunctions {
    const NAME: &'static str = "GetFunctions";
    type Request = Request;
    type Response = Response;

    fn subject(_request: &Request) -> &str {
        ""
    }

    async fn serve(server: &Server<P>, _request: Request) -> Result<Response, Diagnostics> {
        Ok(Response { functions: functions(server.offer()), diagnostics: Vec::new() })
    }
}
