//! The PodMonitor, which makes Prometheus scrape the pods themselves, also while they are terminating.

use serde_json::Value;

use super::super::spec::ReleaseSpec;
use super::service_monitor::monitor;

pub(super) fn object(spec: &ReleaseSpec) -> Option<Value> {
    Some(monitor(spec, spec.pod_monitor.as_ref()?, "PodMonitor", "podMetricsEndpoints"))
}
