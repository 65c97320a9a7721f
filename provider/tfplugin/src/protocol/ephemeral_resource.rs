//! Ephemeral resources, which exist for one run. The framework does not support them: each of the four calls returns an
//! error with the name of the type.

use tfplugin_proto::tfplugin6::{
    close_ephemeral_resource as close, open_ephemeral_resource as open, renew_ephemeral_resource as renew,
    validate_ephemeral_resource_config as validate,
};

use super::rpc::Rpc;
use super::server::Server;
use crate::framework::{Diagnostic, Diagnostics, Provider};

pub(super) struct ValidateEphemeralResourceConfig;
pub(super) struct OpenEphemeralResource;
pub(super) struct RenewEphemeralResource;
pub(super) struct CloseEphemeralResource;

macro_rules! refused {
    ($($name:ident $module:ident)*) => {$(
        impl<P: Provider> Rpc<P> for $name {
            const NAME: &'static str = stringify!($name);
            type Request = $module::Request;
            type Response = $module::Response;

            fn subject(request: &Self::Request) -> &str {
                &request.type_name
            }

            async fn serve(_server: &Server<P>, request: Self::Request) -> Result<Self::Response, Diagnostics> {
                Err(none(&request.type_name).into())
            }
        }
    )*};
}

refused! {
    ValidateEphemeralResourceConfig validate
    OpenEphemeralResource open
    RenewEphemeralResource renew
    CloseEphemeralResource close
}

fn none(type_name: &str) -> Diagnostic {
    Diagnostic::error(
        "Unknown type",
        format!("This provider has no ephemeral resource {type_name:?}, nor any other ephemeral resource."),
    )
}
