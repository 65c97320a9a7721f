//! The gRPC services that a go-plugin host expects beside the plugin's own.

use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;

use super::Services;

mod broker;
mod controller;
mod stdio;

/// The effect of the host's Shutdown on the process.
#[derive(Clone, Debug)]
pub(super) enum OnShutdown {
    /// The host started the process, and ends it.
    Stop(CancellationToken),
    /// A developer started the process, and other hosts may connect: Shutdown has no effect. The token is cancelled at
    /// the end of the process.
    Stay(CancellationToken),
}

impl OnShutdown {
    /// Returns the token that is cancelled at the end of the process, for any reason.
    fn stopped(&self) -> CancellationToken {
        match self {
            Self::Stop(stop) | Self::Stay(stop) => stop.clone(),
        }
    }
}

/// The service name with which go-plugin hosts check the health of the plugin.
const HEALTH_NAME: &str = "plugin";

/// Adds broker, controller, stdio and health to `services`.
pub(super) async fn beside(services: Services, on_shutdown: OnShutdown) -> Services {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status(HEALTH_NAME, ServingStatus::Serving).await;
    services
        .add_service(health)
        // Hosts open the streams of broker and stdio immediately.
        .add_service(broker::service(on_shutdown.stopped()))
        .add_service(stdio::service(on_shutdown.stopped()))
        .add_service(controller::service(on_shutdown))
}
