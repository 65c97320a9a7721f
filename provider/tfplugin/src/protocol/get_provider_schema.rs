//! Returns all schemas.

use std::collections::HashMap;

use tfplugin_proto::tfplugin6::Function;
use tfplugin_proto::tfplugin6::get_provider_schema::{Request, Response};

use super::convert;
use super::get_metadata::CAPABILITIES;
use super::offer::Offer;
use super::rpc::Rpc;
use super::server::Server;
use crate::framework::{Diagnostics, Provider, Schema};

pub(super) struct GetProviderSchema;

impl<P: Provider> Rpc<P> for GetProviderSchema {
    const NAME: &'static str = "GetProviderSchema";
    type Request = Request;
    type Response = Response;

    fn subject(_request: &Request) -> &str {
        ""
    }

    async fn serve(server: &Server<P>, _request: Request) -> Result<Response, Diagnostics> {
        let offer = server.offer();
        let schema = convert::schema::to_message;
        Ok(Response {
            // Core refuses a response without a schema of the provider, even if it has no attributes.
            provider: Some(schema(&Schema::of::<P::Config>(0, server.provider.description()))),
            resource_schemas: offer
                .resources
                .iter()
                .map(|(name, it)| ((*name).to_owned(), schema(it.schema())))
                .collect(),
            data_source_schemas: offer
                .data_sources
                .iter()
                .map(|(name, it)| ((*name).to_owned(), schema(it.schema())))
                .collect(),
            list_resource_schemas: offer
                .list_resources
                .iter()
                .map(|(name, it)| ((*name).to_owned(), schema(it.schema())))
                .collect(),
            functions: functions(offer),
            server_capabilities: Some(CAPABILITIES),
            ..Response::default()
        })
    }
}

pub(super) fn functions<D>(offer: &Offer<D>) -> HashMap<String, Function> {
    let function = convert::function::to_message;
    offer.functions.iter().map(|(name, it)| ((*name).to_owned(), function(&it.definition()))).collect()
}
