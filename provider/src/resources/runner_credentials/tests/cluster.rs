//! A small Kubernetes API in memory: namespaces, Secrets and ConfigMaps, applied by one manager.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value as Json, json};

/// Objects by path.
type Objects = BTreeMap<String, Json>;

#[derive(Clone, Default, Debug)]
pub(super) struct Cluster {
    objects: Arc<Mutex<Objects>>,
    /// Whether every write fails.
    pub(super) is_read_only: Arc<Mutex<bool>>,
}

impl Cluster {
    pub(super) fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap()
    }

    pub(super) fn add(&self, path: &str, object: Json) {
        self.objects().insert(path.to_owned(), object);
    }

    pub(super) fn with_namespace(self) -> Self {
        self.add("/api/v1/namespaces/ci", json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ci"}}));
        self
    }

    pub(super) fn client(&self) -> kube::Client {
        let cluster = self.clone();
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let cluster = cluster.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let (status, answer) = cluster.answer(&head, serde_json::from_slice(&body).unwrap_or_default());
                let answer = http::Response::builder().status(status).body(Body::from(answer.to_string().into_bytes()));
                Ok::<_, std::convert::Infallible>(answer.unwrap())
            }
        });
        kube::Client::new(service, "default")
    }

    fn answer(&self, head: &http::request::Parts, body: Json) -> (u16, Json) {
        let path = head.uri.path();
        let mut objects = self.objects();
        let writes = head.method != http::Method::GET;
        if writes && *self.is_read_only.lock().unwrap() {
            return status(500, "InternalError");
        }
        if let Some(answer) = discovery(path) {
            return (200, answer);
        }
        if path.starts_with("/api/v1/namespaces/") && path.matches('/').count() == 5 && !writes {
            let items: Vec<_> = objects
                .iter()
                .filter(|(place, _)| place.starts_with(&format!("{path}/")))
                .map(|(_, o)| o.clone())
                .collect();
            return (200, json!({"kind": "PartialObjectMetadataList", "items": items}));
        }
        match head.method.as_str() {
            "GET" => match objects.get(path) {
                Some(object) => (200, object.clone()),
                None => status(404, "NotFound"),
            },
            "PATCH" => {
                let namespace = body["metadata"]["namespace"].as_str();
                if namespace.is_some_and(|name| !objects.contains_key(&format!("/api/v1/namespaces/{name}"))) {
                    return status(404, "NotFound");
                }
                let mut object = body;
                object["metadata"]["managedFields"] = json!([{"manager": "gitlabspot", "operation": "Apply"}]);
                objects.insert(path.to_owned(), object.clone());
                (200, object)
            }
            "DELETE" => match objects.remove(path) {
                Some(_) => (200, json!({"kind": "Status", "apiVersion": "v1", "status": "Success", "metadata": {}})),
                None => status(404, "NotFound"),
            },
            other => unreachable!("{other} {path}"),
        }
    }
}

fn status(code: u16, reason: &str) -> (u16, Json) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code, "reason": reason, "message": reason});
    (code, status)
}

fn discovery(path: &str) -> Option<Json> {
    let kind = |name: &str, kind: &str| json!({"name": name, "singularName": "", "namespaced": true, "kind": kind, "verbs": ["get", "list"]});
    match path {
        "/api" => Some(json!({"versions": ["v1"], "serverAddressByClientCIDRs": []})),
        "/apis" => Some(json!({"groups": []})),
        "/api/v1" => Some(json!({
            "groupVersion": "v1",
            "resources": [kind("secrets", "Secret"), kind("configmaps", "ConfigMap"), kind("events", "Event")],
        })),
        _ => None,
    }
}
