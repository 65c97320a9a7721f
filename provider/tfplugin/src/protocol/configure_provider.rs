//! Configures the provider for all calls that follow. During a plan, values of the `provider` block may be unknown.

use std::collections::BTreeMap;

use tfplugin_proto::tfplugin6::configure_provider::{Request, Response};

use super::convert::dynamic_value;
use super::host_version;
use super::rpc::Rpc;
use super::server::Server;
use crate::framework::schema::object_type;
use crate::framework::{Diagnostics, Host, Object, Provider, Raw};

pub(super) struct ConfigureProvider;

impl<P: Provider> Rpc<P> for ConfigureProvider {
    const NAME: &'static str = "ConfigureProvider";
    type Request = Request;
    type Response = Response;

    fn subject(_request: &Request) -> &str {
        ""
    }

    async fn serve(server: &Server<P>, request: Request) -> Result<Response, Diagnostics> {
        if request.client_capabilities.is_some_and(|it| it.write_only_attributes_allowed) {
            server.write_only_is_known();
        }
        // No other call has the version of the host.
        if let Some(oldest) = server.provider.oldest_host() {
            host_version::check(oldest, &request.terraform_version, server.knows_write_only())?;
        }
        let config = dynamic_value::decode(request.config.as_ref(), &object_type(&P::Config::attributes()))?;
        // A null configuration counts as an empty `provider` block.
        let config = if config.is_null() { Raw::Map(BTreeMap::new()) } else { config };
        let host = Host {
            version: request.terraform_version,
            deferral_allowed: request.client_capabilities.is_some_and(|it| it.deferral_allowed),
        };
        if let Some(config) = P::Config::from_raw(config)? {
            let data = server.provider.configure(config, &host)?;
            server.configure(data, host);
        }
        Ok(Response::default())
    }
}
