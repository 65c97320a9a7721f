//! Names without schemas. Core does not ask; servers that join several providers do.

use tfplugin_proto::tfplugin6::ServerCapabilities;
use tfplugin_proto::tfplugin6::get_metadata::{
    DataSourceMetadata, FunctionMetadata, ListResourceMetadata, Request, ResourceMetadata, Response,
};

use super::rpc::Rpc;
use super::server::Server;
use crate::framework::{Diagnostics, Provider};

/// What this server can do, whatever the provider.
pub(super) const CAPABILITIES: ServerCapabilities = ServerCapabilities {
    plan_destroy: true,
    get_provider_schema_optional: true,
    move_resource_state: true,
    generate_resource_config: true,
};

pub(super) struct GetMetadata;

impl<P: Provider> Rpc<P> for GetMetadata {
    const NAME: &'static str = "GetMetadata";
    type Request = Request;
    type Response = Response;

    fn subject(_request: &Request) -> &str {
        ""
    }

    async fn serve(server: &Server<P>, _request: Request) -> Result<Response, Diagnostics> {
        let offer = server.offer();
        let type_names = |name: &&str| (*name).to_owned();
        Ok(Response {
            server_capabilities: Some(CAPABILITIES),
            resources: offer.resources.keys().map(type_names).map(|type_name| ResourceMetadata { type_name }).collect(),
            data_sources: offer
                .data_sources
                .keys()
                .map(type_names)
                .map(|type_name| DataSourceMetadata { type_name })
                .collect(),
            list_resources: offer
                .list_resources
                .keys()
                .map(type_names)
                .map(|type_name| ListResourceMetadata { type_name })
                .collect(),
            functions: offer.functions.keys().map(type_names).map(|name| FunctionMetadata { name }).collect(),
            ..Response::default()
        })
    }
}
