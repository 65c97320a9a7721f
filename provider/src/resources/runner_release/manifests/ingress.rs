//! The Ingress of the session server.

use serde_json::{Map, Value, json};

use super::super::spec::ReleaseSpec;
use super::metadata::{self, put};

pub(super) fn object(spec: &ReleaseSpec) -> Option<Value> {
    let server = spec.session_server.as_ref()?;
    let ingress = server.ingress.as_ref()?;
    let name = spec.names.with("session-server-ingress");
    let object = metadata::object(spec, "networking.k8s.io/v1", "Ingress", &name);
    let mut object = metadata::with(object, None, ingress.annotations.as_ref());
    let host = server.settings.public_ip.as_deref();
    let backend = json!({
        "service": { "name": spec.names.with("session-server"), "port": { "number": server.external_port } },
    });
    let mut rule = Map::new();
    put(&mut rule, "host", host);
    put(&mut rule, "http", json!({ "paths": [{ "path": "/", "pathType": "Prefix", "backend": backend }] }));
    let mut fields = Map::new();
    put(&mut fields, "ingressClassName", ingress.class_name.clone().filter(|class| !class.is_empty()));
    put(&mut fields, "rules", vec![Value::Object(rule)]);
    let tls = ingress.tls.clone().unwrap_or_else(|| vec![json!({ "secretName": "gitlab-runner-session-server" })]);
    put(&mut fields, "tls", tls.into_iter().map(|entry| for_host(entry, host)).collect::<Vec<_>>());
    object.insert("spec".to_owned(), json!(fields));
    Some(Value::Object(object))
}

fn for_host(mut entry: Value, host: Option<&str>) -> Value {
    if let (Value::Object(fields), Some(host)) = (&mut entry, host) {
        fields.entry("hosts").or_insert_with(|| json!([host]));
    }
    entry
}
