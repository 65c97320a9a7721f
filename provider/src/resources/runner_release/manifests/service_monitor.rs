//! The ServiceMonitor, which makes Prometheus scrape the metrics Service.

use serde_json::{Map, Value, json};

use super::super::schema::MonitorSettings;
use super::super::spec::ReleaseSpec;
use super::metadata::{self, put};

pub(super) fn object(spec: &ReleaseSpec) -> Option<Value> {
    Some(monitor(spec, spec.service_monitor.as_ref()?, "ServiceMonitor", "endpoints"))
}

/// Returns a monitor of either kind, which differ in the name of one field.
pub(super) fn monitor(spec: &ReleaseSpec, given: &MonitorSettings, kind: &str, endpoints: &str) -> Value {
    let namespace = given.namespace.as_deref().filter(|namespace| !namespace.is_empty());
    let namespace = namespace.unwrap_or(&spec.names.namespace);
    let api = "monitoring.coreos.com/v1";
    let object = metadata::in_namespace(spec, api, kind, &spec.names.full, Some(namespace));
    let mut object = metadata::with(object, given.labels.as_ref(), given.annotations.as_ref());
    let mut endpoint = Map::new();
    put(&mut endpoint, "port", spec.metrics.port_name.as_str());
    put(&mut endpoint, "interval", given.interval.clone());
    put(&mut endpoint, "scheme", given.scheme.clone());
    put(&mut endpoint, "path", given.path.clone());
    put(&mut endpoint, "honorLabels", given.honor_labels);
    put(&mut endpoint, "tlsConfig", given.tls_config.clone().map(Value::Object));
    put(&mut endpoint, "relabelings", given.relabelings.clone());
    put(&mut endpoint, "metricRelabelings", given.metric_relabelings.clone());
    let mut fields = Map::new();
    put(&mut fields, "jobLabel", given.job_label.clone());
    put(&mut fields, endpoints, vec![Value::Object(endpoint)]);
    // The namespace of the manager; the chart uses that of the release.
    put(&mut fields, "namespaceSelector", json!({ "matchNames": [spec.names.namespace] }));
    put(&mut fields, "selector", json!({ "matchLabels": spec.names.service_selector() }));
    object.insert("spec".to_owned(), json!(fields));
    Value::Object(object)
}
