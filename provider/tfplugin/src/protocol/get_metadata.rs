//! Returns the names of everything that the provider offers, without schemas. Core does not call it; servers that
//! combine several providers do.

use tfplugin_proto::tfplugin6::ServerCapabilities;
use tfplugin_proto::tfplugin6::get_metadata::{
    DataSourceMetadata, FunctionMetadata, ListResourceMetadata, Request, ResourceMetadata, Response,
};

use super::rpc::Rpc;
use super::server::Server;
use crate::framework::{Diagnostics, Provider};

/// Capabilities of the server, the same for every provider.
pub(super) const CAPABILITIES: ServerCapabilities = ServerCapabilities {
    // Core then also plans a destroy, so that a resource can warn before it.
    plan_destroy: true,
    // Core starts a process for each phase, and can then skip the schema in most of them.
    get_provider_schema_optional: true,
    // Terraform calls MoveResourceState only with this capability; OpenTofu calls it in any case.
    move_resource_state: true,
    // Terraform 1.14 and newer then calls GenerateResourceConfig for an import.
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
