//! The gRPC services that a go-plugin host expects beside the plugin's own.

use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;

use super::Services;

mod broker;
mod controller;
mod stdio;

/// What the host's Shutdown does to the process.
#[derive(Clone, Debug)]
pub(super) enum OnShutdown {
    /// The host started us and ends us.
    Stop(CancellationToken),
    /// A developer started us: other hosts may come. The token is cancelled at the very end.
    Stay(CancellationToken),
}

impl OnShutdown {
    /// Cancelled when the process is to end, for whatever reason.
    fn stopped(&self) -> CancellationToken {
        match self {
            Self::Stop(stop) | Self::Stay(stop) => stop.clone(),
        }
    }
}

/// The name under which go-plugin hosts ask for the health of the whole plugin.
const HEALTH_NAME: &str = "plugin";

/// Adds broker, controller, stdio and health to `services`.
pub(super) async fn beside(services: Services, on_shutdown: OnShutdown) -> Services {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status(HEALTH_NAME, ServingStatus::Serving).await;
    services
        .add_service(health)
        // Hosts open the streams of broker and stdio at once.
        .add_service(broker::service(on_shutdown.stopped()))
        .add_service(stdio::service(on_shutdown.stopped()))
        .add_service(controller::service(on_shutdown))
}
