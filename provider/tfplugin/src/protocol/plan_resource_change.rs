//! Plans a change of a resource. Core calls it twice, for the plan and again during apply, and both plans must agree.

use tfplugin_proto::tfplugin6::plan_resource_change::{Request, Response};

use super::convert::diagnostics::to_messages;
use super::convert::{attribute_path, dynamic_value};
use super::rpc::Rpc;
use super::server::Server;
use crate::framework::conformance::check_plan;
use crate::framework::{Diagnostics, PrivateState, Provider};

pub(super) struct PlanResourceChange;

impl<P: Provider> Rpc<P> for PlanResourceChange {
    const NAME: &'static str = "PlanResourceChange";
    type Request = Request;
    type Response = Response;

    fn subject(request: &Request) -> &str {
        &request.type_name
    }

    async fn serve(server: &Server<P>, request: Request) -> Result<Response, Diagnostics> {
        let resource = server.offer().resource(&request.type_name)?;
        let value = |value| dynamic_value::decode(value, resource.ty());
        let prior = value(request.prior_state.as_ref())?;
        let config = value(request.config.as_ref())?;
        let proposed = value(request.proposed_new_state.as_ref())?;
        let context = server.context(request.client_capabilities.as_ref());
        let private = PrivateState::from_bytes(request.prior_private);
        let known = resource.read_identity(request.prior_identity.as_ref())?;
        let check = (prior.clone(), config.clone(), proposed.clone());
        let mut planned = resource.erased.plan(&context, prior, config, proposed, private).await;
        let identity = planned.identity.take().unwrap_or_else(|| known.clone());
        if !planned.diagnostics.has_errors() {
            planned.diagnostics.extend(server.bugs(<Self as Rpc<P>>::NAME, &request.type_name, || {
                let (prior, config, proposed) = &check;
                check_plan(resource.schema(), prior, config, proposed, &planned.state)
            }));
            // After a create or a replacement, the resource has a new identity.
            let (prior, ..) = &check;
            let stays = planned.replace.is_empty() && !prior.is_null() && !resource.erased.identity_may_change();
            if stays {
                planned.diagnostics.extend(resource.changed_identity(<Self as Rpc<P>>::NAME, &known, &identity));
            }
        }
        Ok(Response {
            planned_state: Some(dynamic_value::encode(&planned.state, resource.ty())?),
            requires_replace: planned.replace.iter().map(attribute_path::to_message).collect(),
            planned_private: planned.private.into_bytes(),
            diagnostics: to_messages(planned.diagnostics),
            legacy_type_system: false,
            // OpenTofu 1.11 sets `deferral_allowed` without handling a deferred response.
            deferred: None,
            planned_identity: if planned.state.is_null() { None } else { resource.write_identity(&identity)? },
        })
    }
}
