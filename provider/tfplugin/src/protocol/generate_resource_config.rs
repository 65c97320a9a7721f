//! Generates the configuration of an imported resource from its state.

use tfplugin_proto::tfplugin6::generate_resource_config::{Request, Response};

use super::convert::dynamic_value;
use super::rpc::Rpc;
use super::server::Server;
use crate::framework::{Diagnostics, Provider};

pub(super) struct GenerateResourceConfig;

impl<P: Provider> Rpc<P> for GenerateResourceConfig {
    const NAME: &'static str = "GenerateResourceConfig";
    type Request = Request;
    type Response = Response;

    fn subject(request: &Request) -> &str {
        &request.type_name
    }

    async fn serve(server: &Server<P>, request: Request) -> Result<Response, Diagnostics> {
        let resource = server.offer().resource(&request.type_name)?;
        let state = dynamic_value::decode(request.state.as_ref(), resource.ty())?;
        let config = resource.erased.configuration(state)?;
        let config = Some(dynamic_value::encode(&config, resource.ty())?);
        Ok(Response { config, diagnostics: Vec::new() })
    }
}
