//! Upgrades an identity of the state file to the current schema.

use serde_json::Value as Json;
use tfplugin_proto::tfplugin6::upgrade_resource_identity::{Request, Response};

use super::convert::dynamic_value;
use super::offer::Identity;
use super::rpc::Rpc;
use super::server::Server;
use crate::framework::{AttributePath, Diagnostic, Diagnostics, Provider, Raw, state_upgrade};

pub(super) struct UpgradeResourceIdentity;

impl<P: Provider> Rpc<P> for UpgradeResourceIdentity {
    const NAME: &'static str = "UpgradeResourceIdentity";
    type Request = Request;
    type Response = Response;

    fn subject(request: &Request) -> &str {
        &request.type_name
    }

    async fn serve(server: &Server<P>, request: Request) -> Result<Response, Diagnostics> {
        let resource = server.offer().resource(&request.type_name)?;
        let Some(identity) = resource.identity() else {
            let detail =
                format!("The state contains an identity of {}, which does not support identities.", request.type_name);
            return Err(Diagnostic::error("Resource without identity", detail).into());
        };
        let stored = dynamic_value::stored(request.raw_identity.as_ref())?;
        let raw = read(&resource.erased.upgrade_identity(request.version, stored)?, identity)?;
        let upgraded_identity = resource.write_identity(&raw)?;
        Ok(Response { upgraded_identity, diagnostics: Vec::new() })
    }
}

/// Reads a stored identity. Attributes that the schema no longer has are dropped.
pub(super) fn read(stored: &Json, identity: &Identity) -> Result<Raw, Diagnostics> {
    Ok(state_upgrade::read(stored, &identity.ty, &AttributePath::root())?)
}
