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
    // Core then asks for the plan of a destroy, in which a resource can warn.
    plan_destroy: true,
    // Core starts a process for each phase, and can skip the schema in most of them.
    get_provider_schema_optional: true,
    // Terraform asks for moved state only with this capability; OpenTofu asks in any case.
    move_resource_state: true,
    // Terraform 1.14 and newer then lets the provider generate configuration for an import.
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
