//! The Service through which GitLab reaches the session server.

use serde_json::{Map, Value, json};

use super::super::spec::ReleaseSpec;
use super::metadata::{self, put};

pub(super) fn object(spec: &ReleaseSpec) -> Option<Value> {
    let server = spec.session_server.as_ref()?;
    let name = spec.names.with("session-server");
    let object = metadata::object(spec, "v1", "Service", &name);
    let mut object = metadata::with(object, None, server.settings.annotations.as_ref());
    let mut port = Map::new();
    put(&mut port, "name", "session-server");
    put(&mut port, "port", server.external_port);
    put(&mut port, "targetPort", server.internal_port);
    put(&mut port, "protocol", "TCP");
    let mut fields = Map::new();
    match server.service_type.as_str() {
        "Headless" => {
            put(&mut fields, "type", "ClusterIP");
            put(&mut fields, "clusterIP", "None");
        }
        other => put(&mut fields, "type", other),
    }
    if matches!(server.service_type.as_str(), "NodePort" | "LoadBalancer") {
        put(&mut port, "nodePort", server.settings.node_port);
    }
    if server.service_type == "LoadBalancer" {
        put(&mut fields, "loadBalancerIP", server.settings.public_ip.clone());
        put(&mut fields, "loadBalancerSourceRanges", server.settings.load_balancer_source_ranges.clone());
    }
    put(&mut fields, "externalTrafficPolicy", server.settings.external_traffic_policy.clone());
    put(&mut fields, "internalTrafficPolicy", server.settings.internal_traffic_policy.clone());
    put(&mut fields, "ports", vec![Value::Object(port)]);
    put(&mut fields, "selector", spec.names.service_selector());
    object.insert("spec".to_owned(), json!(fields));
    Some(Value::Object(object))
}
