//! Cancels the running calls when the user interrupts the run. They return the state so far; this call returns
//! immediately.

use tfplugin_proto::tfplugin6::stop_provider::Response;

use super::server::Server;
use crate::framework::Provider;

pub(super) fn serve<P: Provider>(server: &Server<P>) -> Response {
    tracing::debug!(tf_rpc = "StopProvider", "received request");
    // Core waits for the running calls, and saves the state that they return.
    server.stop();
    Response::default()
}
