//! Upgrades state of the state file to the current schema. Core calls it for every resource in the state, also when the
//! version of the state is current.

use tfplugin_proto::tfplugin6::upgrade_resource_state::{Request, Response};

use super::convert::diagnostics::to_messages;
use super::convert::dynamic_value;
use super::rpc::Rpc;
use super::server::Server;
use crate::framework::conformance::check_state;
use crate::framework::{Diagnostics, Provider, Raw};

pub(super) struct UpgradeResourceState;

impl<P: Provider> Rpc<P> for UpgradeResourceState {
    const NAME: &'static str = "UpgradeResourceState";
    type Request = Request;
    type Response = Response;

    fn subject(request: &Request) -> &str {
        &request.type_name
    }

    async fn serve(server: &Server<P>, request: Request) -> Result<Response, Diagnostics> {
        let resource = server.offer().resource(&request.type_name)?;
        let stored = dynamic_value::stored(request.raw_state.as_ref())?;
        let state = if stored.is_null() { Raw::Null } else { resource.erased.upgrade(request.version, stored)? };
        let bugs = server.bugs(<Self as Rpc<P>>::NAME, &request.type_name, || check_state(resource.schema(), &state));
        Ok(Response {
            upgraded_state: Some(dynamic_value::encode(&state, resource.ty())?),
            diagnostics: to_messages(bugs),
        })
    }
}
