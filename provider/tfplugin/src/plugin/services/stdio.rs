//! The stdio service. Its stream stays open and empty: logs are written to stderr, because the host reports data on
//! this stream as unexpected.

use futures::stream::{self, BoxStream, StreamExt};
use tfplugin_proto::go_plugin::StdioData;
use tfplugin_proto::go_plugin::grpc_stdio_server::{GrpcStdio, GrpcStdioServer};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

#[derive(Debug)]
pub(super) struct Stdio {
    stopped: CancellationToken,
}

pub(super) fn service(stopped: CancellationToken) -> GrpcStdioServer<Stdio> {
    GrpcStdioServer::new(Stdio { stopped })
}

#[tonic::async_trait]
impl GrpcStdio for Stdio {
    type StreamStdioStream = BoxStream<'static, Result<StdioData, Status>>;

    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<Self::StreamStdioStream>, Status> {
        let stopped = Box::pin(self.stopped.clone().cancelled_owned());
        Ok(Response::new(stream::pending().take_until(stopped).boxed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn stdio_stream_is_empty_and_ends_with_the_process() {
        let stopped = CancellationToken::new();
        let stdio = Stdio { stopped: stopped.clone() };
        let mut stream = stdio.stream_stdio(Request::new(())).await.unwrap().into_inner();
        assert!(stream.next().now_or_never().is_none());
        stopped.cancel();
        assert!(stream.next().await.is_none());
    }
}
