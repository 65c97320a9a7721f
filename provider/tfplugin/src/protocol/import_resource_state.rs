//! Imports an existing object, by ID or by identity. Core then calls ReadResource with the result.

use tfplugin_proto::tfplugin6::import_resource_state::{ImportedResource, Request, Response};

use super::convert::diagnostics::to_messages;
use super::convert::dynamic_value;
use super::rpc::Rpc;
use super::server::Server;
use crate::framework::conformance::check_state;
use crate::framework::resource::Import;
use crate::framework::{Diagnostic, Diagnostics, Provider, Raw};

pub(super) struct ImportResourceState;

impl<P: Provider> Rpc<P> for ImportResourceState {
    const NAME: &'static str = "ImportResourceState";
    type Request = Request;
    type Response = Response;

    fn subject(request: &Request) -> &str {
        &request.type_name
    }

    async fn serve(server: &Server<P>, request: Request) -> Result<Response, Diagnostics> {
        let resource = server.offer().resource(&request.type_name)?;
        if request.identity.is_some() && resource.identity().is_none() {
            return Err(no_identity(&request.type_name).into());
        }
        let given = resource.read_identity(request.identity.as_ref())?;
        // Core sends one of them: the identity for `identity` in an import block, otherwise the ID.
        let from = if given.is_null() { Import::Id(request.id) } else { Import::Identity(given.clone()) };
        let context = server.context(request.client_capabilities.as_ref());
        let mut imported = resource.erased.import(&context, from).await;
        if imported.diagnostics.has_errors() {
            return Err(imported.diagnostics);
        }
        let check = || check_state(resource.schema(), &imported.state);
        imported.diagnostics.extend(server.bugs(<Self as Rpc<P>>::NAME, &request.type_name, check));
        // Core requires an identity in the response to an import by identity.
        let identity = completed(imported.identity.take().unwrap_or_default(), &given);
        imported.diagnostics.extend(resource.changed_identity(<Self as Rpc<P>>::NAME, &given, &identity));
        let identity = resource.write_identity(&identity)?;
        // Exactly one resource: core refuses several for an import block, and none for any import.
        let resources = vec![ImportedResource {
            state: Some(dynamic_value::encode(&imported.state, resource.ty())?),
            type_name: request.type_name,
            private: imported.private.into_bytes(),
            identity,
        }];
        Ok(Response { imported_resources: resources, diagnostics: to_messages(imported.diagnostics), deferred: None })
    }
}

/// Completes an identity with the attributes of the given one, because some values are not known before the read.
fn completed(found: Raw, given: &Raw) -> Raw {
    match (found, given) {
        (Raw::Null, given) => given.clone(),
        (Raw::Map(mut found), Raw::Map(given)) => {
            for (name, value) in given {
                let found = found.entry(name.clone()).or_default();
                if found.is_null() {
                    *found = value.clone();
                }
            }
            Raw::Map(found)
        }
        (found, _) => found,
    }
}

fn no_identity(type_name: &str) -> Diagnostic {
    Diagnostic::error(
        "Resource without identity",
        format!("{type_name} has no identity. Import it with its ID instead."),
    )
}
