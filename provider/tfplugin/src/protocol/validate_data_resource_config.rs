//! Validates the configuration of a data source. Values may be unknown.

use tfplugin_proto::tfplugin6::validate_data_resource_config::{Request, Response};

use super::convert::diagnostics::to_messages;
use super::convert::dynamic_value;
use super::rpc::Rpc;
use super::server::Server;
use crate::framework::{Diagnostics, Provider};

pub(super) struct ValidateDataResourceConfig;

impl<P: Provider> Rpc<P> for ValidateDataResourceConfig {
    const NAME: &'static str = "ValidateDataResourceConfig";
    type Request = Request;
    type Response = Response;

    fn subject(request: &Request) -> &str {
        &request.type_name
    }

    async fn serve(server: &Server<P>, request: Request) -> Result<Response, Diagnostics> {
        let data_source = server.offer().data_source(&request.type_name)?;
        let config = dynamic_value::decode(request.config.as_ref(), data_source.ty())?;
        Ok(Response { diagnostics: to_messages(data_source.erased.validate(config)) })
    }
}
