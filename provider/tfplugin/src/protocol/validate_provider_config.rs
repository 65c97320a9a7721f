//! Validates the `provider` block. Values may be unknown.

use tfplugin_proto::tfplugin6::validate_provider_config::{Request, Response};

use super::convert::diagnostics::to_messages;
use super::convert::dynamic_value;
use super::rpc::Rpc;
use super::server::Server;
use crate::framework::schema::object_type;
use crate::framework::{Diagnostics, Object, Provider, configuration};

pub(super) struct ValidateProviderConfig;

impl<P: Provider> Rpc<P> for ValidateProviderConfig {
    const NAME: &'static str = "ValidateProviderConfig";
    type Request = Request;
    type Response = Response;

    fn subject(_request: &Request) -> &str {
        ""
    }

    async fn serve(server: &Server<P>, request: Request) -> Result<Response, Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        let config = dynamic_value::decode(request.config.as_ref(), &object_type(&P::Config::attributes()))?;
        if let Some(config) = configuration::read::<P::Config>(config, &mut diagnostics) {
            server.provider.validate(&config, &mut diagnostics);
        }
        Ok(Response { diagnostics: to_messages(diagnostics) })
    }
}
