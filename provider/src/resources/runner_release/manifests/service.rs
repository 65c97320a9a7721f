//! The Service of the metrics port.

use serde_json::{Map, Value, json};

use super::super::spec::ReleaseSpec;
use super::metadata::{self, put};

pub(super) fn object(spec: &ReleaseSpec) -> Option<Value> {
    let service = spec.service.as_ref()?;
    let object = metadata::object(spec, "v1", "Service", &spec.names.full);
    let mut object = metadata::with(object, service.labels.as_ref(), service.annotations.as_ref());
    let mut port = Map::new();
    put(&mut port, "name", spec.metrics.port_name.as_str());
    put(&mut port, "port", spec.metrics.port);
    put(&mut port, "targetPort", spec.metrics.port_name.as_str());
    // Server-side apply identifies ports by number and protocol, so neither is left to a default.
    put(&mut port, "protocol", "TCP");
    put(&mut port, "nodePort", service.node_port);
    let further = service.additional_ports.iter().flatten().cloned();
    let ports: Vec<Value> = std::iter::once(Value::Object(port)).chain(further).collect();
    let mut fields = Map::new();
    put(&mut fields, "type", service.r#type.as_deref().unwrap_or("ClusterIP"));
    put(&mut fields, "clusterIP", service.cluster_ip.clone());
    put(&mut fields, "externalIPs", service.external_ips.clone());
    put(&mut fields, "loadBalancerIP", service.load_balancer_ip.clone());
    put(&mut fields, "loadBalancerSourceRanges", service.load_balancer_source_ranges.clone());
    put(&mut fields, "externalTrafficPolicy", service.external_traffic_policy.clone());
    put(&mut fields, "internalTrafficPolicy", service.internal_traffic_policy.clone());
    put(&mut fields, "ports", ports);
    put(&mut fields, "selector", spec.names.service_selector());
    object.insert("spec".to_owned(), json!(fields));
    Some(Value::Object(object))
}
