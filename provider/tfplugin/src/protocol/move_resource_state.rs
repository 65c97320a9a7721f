//! Moves state from another resource. The source must have the same type and come from the same provider, which may
//! have another address: that of a mirror, a fork or another registry.

use tfplugin_proto::tfplugin6::move_resource_state::{Request, Response};

use super::convert::diagnostics::to_messages;
use super::convert::dynamic_value;
use super::rpc::Rpc;
use super::server::Server;
use super::upgrade_resource_identity;
use crate::framework::conformance::check_state;
use crate::framework::{Diagnostic, Diagnostics, Provider};

pub(super) struct MoveResourceState;

impl<P: Provider> Rpc<P> for MoveResourceState {
    const NAME: &'static str = "MoveResourceState";
    type Request = Request;
    type Response = Response;

    fn subject(request: &Request) -> &str {
        &request.target_type_name
    }

    async fn serve(server: &Server<P>, request: Request) -> Result<Response, Diagnostics> {
        let resource = server.offer().resource(&request.target_type_name)?;
        check(server.provider.name(), resource.schema().version, &request)?;
        let state = resource
            .erased
            .upgrade(request.source_schema_version, dynamic_value::stored(request.source_state.as_ref())?)?;
        let target_identity = match (resource.identity(), &request.source_identity) {
            (Some(identity), Some(source)) => {
                let stored = dynamic_value::stored(Some(source))?;
                let upgraded = resource.erased.upgrade_identity(request.source_identity_schema_version, stored)?;
                let raw = upgrade_resource_identity::read(&upgraded, identity)?;
                resource.write_identity(&raw)?
            }
            _ => None,
        };
        let check = || check_state(resource.schema(), &state);
        let bugs = server.bugs(<Self as Rpc<P>>::NAME, &request.target_type_name, check);
        Ok(Response {
            target_state: Some(dynamic_value::encode(&state, resource.ty())?),
            diagnostics: to_messages(bugs),
            target_private: request.source_private,
            target_identity,
        })
    }
}

/// Checks the source of a move. Its provider address is `registry.example.com/namespace/type`, of which host and
/// namespace may differ.
fn check(provider: &str, version: i64, request: &Request) -> Result<(), Diagnostic> {
    let Request { source_provider_address: address, source_type_name: from, target_type_name: to, .. } = request;
    let refused = |why: String| Err(Diagnostic::error("State cannot be moved", why));
    // OpenTofu before 1.12.5 also calls this if only the host or the namespace of the provider changed.
    if address.rsplit('/').next() != Some(provider) || from != to {
        return refused(format!(
            "The configuration moves a {from} of the provider {address} to a {to} of this provider. Only the state of the same \
             type can be moved, from a provider {provider} at another address. Import the {to} instead."
        ));
    }
    if request.source_schema_version > version {
        return refused(format!(
            "The state of the {from} was written by a newer version of the provider (schema version {}; this version \
             of the provider supports versions up to {version}). Use that version of the provider, or a newer one.",
            request.source_schema_version
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_state_of_the_same_type_and_provider_is_moved() {
        let allowed = |address: &str, from: &str, version| {
            let request = Request {
                source_provider_address: address.to_owned(),
                source_type_name: from.to_owned(),
                target_type_name: "spot_thing".to_owned(),
                source_schema_version: version,
                ..Request::default()
            };
            check("spot", 1, &request).is_ok()
        };
        assert!(allowed("registry.opentofu.org/spot/spot", "spot_thing", 0));
        assert!(allowed("registry.example.com/fork/spot", "spot_thing", 1));
        assert!(!allowed("registry.example.com/fork/spot", "spot_other", 0));
        assert!(!allowed("registry.example.com/hashicorp/aws", "spot_thing", 0));
        assert!(!allowed("registry.example.com/a/notspot", "spot_thing", 0));
        assert!(!allowed("registry.opentofu.org/spot/spot", "spot_thing", 2));
    }
}
