//! The user wants it to end. Running calls are told, and answer with what they have; this answers at once.

use tfplugin_proto::tfplugin6::stop_provider::Response;

use super::server::Server;
use crate::framework::Provider;

pub(super) fn serve<P: Provider>(server: &Server<P>) -> Response {
    tracing::debug!(tf_rpc = "StopProvider", "received request");
    // Core waits for the running calls, and saves the state that they return.
    server.stop();
    Response::default()
}
