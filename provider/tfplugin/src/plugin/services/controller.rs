//! The controller service, with which the host ends this process.

use tfplugin_proto::go_plugin::Empty;
use tfplugin_proto::go_plugin::grpc_controller_server::{GrpcController, GrpcControllerServer};
use tonic::{Request, Response, Status};

use super::OnShutdown;

#[derive(Debug)]
pub(super) struct Controller {
    on_shutdown: OnShutdown,
}

pub(super) fn service(on_shutdown: OnShutdown) -> GrpcControllerServer<Controller> {
    GrpcControllerServer::new(Controller { on_shutdown })
}

#[tonic::async_trait]
impl GrpcController for Controller {
    /// Stops the server. It accepts no new calls, and still sends the response to this one.
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        match &self.on_shutdown {
            OnShutdown::Stop(stop) => stop.cancel(),
            OnShutdown::Stay(_) => tracing::debug!("a host has detached"),
        }
        Ok(Response::new(Empty {}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_util::sync::CancellationToken;

    async fn stopped_after(on_shutdown: OnShutdown) -> bool {
        let token = on_shutdown.stopped();
        Controller { on_shutdown }.shutdown(Request::new(Empty {})).await.unwrap();
        token.is_cancelled()
    }

    #[tokio::test]
    async fn shutdown_request_ends_only_a_started_process() {
        assert!(stopped_after(OnShutdown::Stop(CancellationToken::new())).await);
        assert!(!stopped_after(OnShutdown::Stay(CancellationToken::new())).await);
    }
}
