//! The broker service, with which both sides can offer further connections. This process does not use it: the stream
//! exists because hosts open it immediately.

use futures::stream::{self, BoxStream, StreamExt};
use tfplugin_proto::go_plugin::ConnInfo;
use tfplugin_proto::go_plugin::grpc_broker_server::{GrpcBroker, GrpcBrokerServer};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

#[derive(Debug)]
pub(super) struct Broker {
    stopped: CancellationToken,
}

pub(super) fn service(stopped: CancellationToken) -> GrpcBrokerServer<Broker> {
    GrpcBrokerServer::new(Broker { stopped })
}

#[tonic::async_trait]
impl GrpcBroker for Broker {
    type StartStreamStream = BoxStream<'static, Result<ConnInfo, Status>>;

    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Self::StartStreamStream>, Status> {
        let stopped = self.stopped.clone().cancelled_owned();
        let mut offers = request.into_inner();
        let end = async move {
            tokio::select! {
                () = stopped => {}
                () = async { while let Some(Ok(_)) = offers.next().await {} } => {}
            }
        };
        Ok(Response::new(stream::pending().take_until(Box::pin(end)).boxed()))
    }
}
