//! Tells the Prometheus operator about the pods themselves, also while they are ending.

use serde_json::Value;

use super::super::spec::ReleaseSpec;
use super::service_monitor::monitor;

pub(super) fn object(spec: &ReleaseSpec) -> Option<Value> {
    Some(monitor(spec, spec.pod_monitor.as_ref()?, "PodMonitor", "podMetricsEndpoints"))
}
