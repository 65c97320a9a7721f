//! Creates, updates or destroys a resource. The response always has the current state, also when the operation failed.

use tfplugin_proto::tfplugin6::apply_resource_change::{Request, Response};

use super::convert::diagnostics::to_messages;
use super::convert::dynamic_value;
use super::offer::Resource;
use super::rpc::Rpc;
use super::server::Server;
use crate::framework::conformance::{check_apply, check_state};
use crate::framework::resource::Applied;
use crate::framework::{Diagnostics, PrivateState, Provider, Raw};

pub(super) struct ApplyResourceChange;

impl<P: Provider> Rpc<P> for ApplyResourceChange {
    const NAME: &'static str = "ApplyResourceChange";
    type Request = Request;
    type Response = Response;

    fn subject(request: &Request) -> &str {
        &request.type_name
    }

    /// The prior state: core saves the state of a response with errors too.
    fn untouched(request: &Request) -> Response {
        Response {
            new_state: request.prior_state.clone(),
            private: request.planned_private.clone(),
            ..Response::default()
        }
    }

    async fn serve(server: &Server<P>, request: Request) -> Result<Response, Diagnostics> {
        let resource = server.offer().resource(&request.type_name)?;
        let value = |value| dynamic_value::decode(value, resource.ty());
        let prior = value(request.prior_state.as_ref())?;
        let planned = value(request.planned_state.as_ref())?;
        let config = value(request.config.as_ref())?;
        let planned_identity = resource.read_identity(request.planned_identity.as_ref())?;
        let context = server.context(None);
        let private = PrivateState::from_bytes(request.planned_private);
        let mut applied = resource.erased.apply(&context, prior, config, planned.clone(), private).await;
        let identity = applied.identity.take().unwrap_or_else(|| planned_identity.clone());
        applied.diagnostics.extend(server.bugs(<Self as Rpc<P>>::NAME, &request.type_name, || {
            // After an error, core saves the state as it is, and does not compare it with the plan.
            if applied.diagnostics.has_errors() {
                check_state(resource.schema(), &applied.state)
            } else {
                check_apply(resource.schema(), &planned, &applied.state)
            }
        }));
        if !resource.erased.identity_may_change() {
            let changed = resource.changed_identity(<Self as Rpc<P>>::NAME, &planned_identity, &identity);
            applied.diagnostics.extend(changed);
        }
        Ok(write(resource, applied, &identity, planned))
    }
}

/// Builds the response. It cannot fail: the operation is done, and without a response its result would be lost.
fn write<D>(resource: &Resource<D>, applied: Applied, identity: &Raw, planned: Raw) -> Response {
    let Applied { state, private, mut diagnostics, .. } = applied;
    let gone = state.is_null();
    let new_state = dynamic_value::encode(&state, resource.ty()).unwrap_or_else(|bug| {
        // The planned state was decoded with this type, so that it can be encoded with it. With null instead, core
        // would not save a resource that was created.
        diagnostics.extend(bug);
        dynamic_value::encode(&planned.without_unknown(), resource.ty()).unwrap_or_default()
    });
    let new_identity = resource.write_identity(if gone { &Raw::Null } else { identity }).unwrap_or_else(|bug| {
        diagnostics.extend(bug);
        None
    });
    Response {
        private: if gone { Vec::new() } else { private.into_bytes() },
        new_state: Some(new_state),
        diagnostics: to_messages(diagnostics),
        // `true` is for the old SDK: core would then only log violations that it otherwise refuses.
        legacy_type_system: false,
        new_identity,
    }
}
