//! Returns the identity schemas of the resources.

use tfplugin_proto::tfplugin6::get_resource_identity_schemas::{Request, Response};

use super::convert;
use super::rpc::Rpc;
use super::server::Server;
use crate::framework::{Diagnostics, Provider};

pub(super) struct GetResourceIdentitySchemas;

impl<P: Provider> Rpc<P> for GetResourceIdentitySchemas {
    const NAME: &'static str = "GetResourceIdentitySchemas";
    type Request = Request;
    type Response = Response;

    fn subject(_request: &Request) -> &str {
        ""
    }

    async fn serve(server: &Server<P>, _request: Request) -> Result<Response, Diagnostics> {
        // Terraform 1.12 fails on every error of this call except `Unimplemented`. OpenTofu calls it since 1.12.
        let schemas = server.offer().resources.iter().filter_map(|(name, resource)| {
            Some(((*name).to_owned(), convert::identity::to_message(&resource.identity()?.schema)))
        });
        Ok(Response { identity_schemas: schemas.collect(), diagnostics: Vec::new() })
    }
}
