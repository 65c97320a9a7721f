//! Calls a function. Core may do so before it configures the provider.

use tfplugin_proto::tfplugin6::call_function::{Request, Response};

use super::convert::{dynamic_value, function};
use super::offer::parameter_types;
use super::rpc::Rpc;
use super::server::Server;
use crate::framework::{Diagnostic, Diagnostics, Provider, Raw};

pub(super) struct CallFunction;

impl<P: Provider> Rpc<P> for CallFunction {
    const NAME: &'static str = "CallFunction";
    type Request = Request;
    type Response = Response;

    fn subject(request: &Request) -> &str {
        &request.name
    }

    async fn serve(server: &Server<P>, request: Request) -> Result<Response, Diagnostics> {
        let Some(called) = server.offer().functions.get(request.name.as_str()) else {
            let detail = format!("This version of the provider has no function {:?}.", request.name);
            return Err(Diagnostic::error("Unknown function", detail).into());
        };
        let definition = called.definition();
        let types = parameter_types(&definition, request.arguments.len());
        if types.len() != request.arguments.len() || types.len() < definition.parameters.len() {
            let detail = format!("{} was called with {} arguments.", request.name, request.arguments.len());
            return Err(Diagnostic::error("Wrong number of arguments", detail).into());
        }
        // OpenTofu sends an allowed null as a value without content, which is decoded as null.
        let arguments: Vec<Raw> = request
            .arguments
            .iter()
            .zip(&types)
            .map(|(argument, ty)| dynamic_value::decode(Some(argument), ty))
            .collect::<Result<_, _>>()?;
        match called.call(arguments) {
            Ok(result) => {
                Ok(Response { result: Some(dynamic_value::encode(&result, &definition.result)?), error: None })
            }
            Err(error) => Ok(Response { result: None, error: Some(function::error(error)) }),
        }
    }
}
