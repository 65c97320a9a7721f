//! Reads the current state of a resource.

use tfplugin_proto::tfplugin6::read_resource::{Request, Response};

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

    /// The prior state: null would mean that the object no longer exists.
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
        let known = resource.read_identity(request.current_identity.as_ref())?;
        let context = server.context(request.client_capabilities.as_ref());
        let private = PrivateState::from_bytes(request.private);
        let mut read = resource.erased.read(&context, state, private).await;
        let identity = read.identity.take().unwrap_or_else(|| known.clone());
        // With null, core removes the resource from the state.
        let gone = read.state.is_null();
        if !read.diagnostics.has_errors() {
            read.diagnostics.extend(
                server.bugs(<Self as Rpc<P>>::NAME, &request.type_name, || check_state(resource.schema(), &read.state)),
            );
            if !gone && !resource.erased.identity_may_change() {
                read.diagnostics.extend(resource.changed_identity(<Self as Rpc<P>>::NAME, &known, &identity));
            }
        }
        Ok(Response {
            new_state: Some(dynamic_value::encode(&read.state, resource.ty())?),
            diagnostics: to_messages(read.diagnostics),
            private: if gone { Vec::new() } else { read.private.into_bytes() },
            deferred: None,
            new_identity: if gone { None } else { resource.write_identity(&identity)? },
        })
    }
}
