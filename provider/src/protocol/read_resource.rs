//! What has become of a resource.

use gitlabspot_proto::tfplugin6::read_resource::{Request, Response};

use super::convert::diagnostics::to_messages;
use super::convert::dynamic_value;
use super::rpc::Rpc;
use super::server::Server;
use crate::framework::conformance::check_state;
use crate::framework::{Diagnostics, PrivateState, Provider};

pub(super) struct ReadResource;

impl<P: Provider> Rpc<P> for ReadResource {
    const NAME: &'static str = "ReadResource";
    type Request = Request;
    type Response = Response;

    fn subject(request: &Request) -> &str {
        &request.type_name
    }

    /// As it was: null would mean that the resource is gone.
    fn untouched(request: &Request) -> Response {
        Response {
            new_state: request.current_state.clone(),
            private: request.private.clone(),
            new_identity: request.current_identity.clone(),
            ..Response::default()
        }
    }

    async fn serve(server: &Server<P>, request: Request) -> Result<Response, Diagnostics> {
        let resource = server.offer().resource(&request.type_name)?;
        let state = dynamic_value::decode(request.current_state.as_ref(), resource.ty())?;
        let context = server.context(request.client_capabilities.as_ref());
        let private = PrivateState::from_bytes(&request.private);
        let mut read = resource.erased.read(&context, state, private).await;
        if !read.diagnostics.has_errors() {
            let name = <Self as Rpc<P>>::NAME;
            read.diagnostics
                .extend(server.bugs(name, &request.type_name, || check_state(resource.schema(), &read.state)));
        }
        let new_identity = match resource.identity() {
            Some(identity) if !read.state.is_null() => {
                let kept = dynamic_value::identity(request.current_identity.as_ref(), &identity.ty)?;
                dynamic_value::identity_data(&read.identity.unwrap_or(kept), &identity.ty)?
            }
            _ => None,
        };
        let private = if read.state.is_null() { Vec::new() } else { read.private.to_bytes() };
        Ok(Response {
            new_state: Some(dynamic_value::encode(&read.state, resource.ty())?),
            diagnostics: to_messages(read.diagnostics),
            private,
            deferred: None,
            new_identity,
        })
    }
}
