//! A Kubernetes API server in memory, with the controllers of Deployments and Jobs.
//!
//! Requests are written as `APPLY deployments ci/warm`, `LIST jobs ci` or `GET namespaces ci` in the log and in faults;
//! objects are written without the verb.
//!
//! Not supported: watches, patches other than server-side apply, conflicts between field managers, finalizers, and
//! schemas, so that a list in an object is a single field.

#![expect(clippy::unwrap_used, reason = "for tests alone, in which a failed unwrap is a failed test")]

mod apply;
mod discovery;
mod failure;
mod faults;
mod objects;
mod request;
#[cfg(test)]
mod tests;
mod workloads;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value as Json, json};

use self::failure::Failure;
pub use self::faults::Fault;
use self::request::Request;

/// The API server. Clones share its state.
#[derive(Clone, Debug, Default)]
pub struct Cluster(Arc<Mutex<World>>);

#[derive(Debug, Default)]
struct World {
    objects: BTreeMap<String, Json>,
    requests: Vec<String>,
    faults: Vec<Fault>,
    resource_version: u64,
}

impl Cluster {
    /// A server with one namespace.
    pub fn with_namespace(name: &str) -> Self {
        let cluster = Self::default();
        cluster.put(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }));
        cluster
    }

    /// A client of this server.
    pub fn client(&self) -> kube::Client {
        let cluster = self.clone();
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let cluster = cluster.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let (status, text) = cluster.answer(&head, serde_json::from_slice(&body).unwrap_or_default());
                http::Response::builder().status(status).body(Body::from(text.into_bytes()))
            }
        });
        kube::Client::new(service, "default")
    }

    fn answer(&self, head: &http::request::Parts, body: Json) -> (u16, String) {
        if let Some(answer) = discovery::answer(head.uri.path()) {
            self.world().requests.push(format!("GET {}", head.uri.path()));
            return (200, answer.to_string());
        }
        let Some(request) = Request::of(head, body) else { return (404, "404 page not found\n".to_owned()) };
        let mut world = self.world();
        world.requests.push(request.line());
        world.run_controllers();
        let answer = world.refusal(&request).map_or_else(|| world.carry_out(&request), Err);
        let happens = world.take_hook(&request);
        // The function of a fault locks the state itself.
        drop(world);
        happens.inspect(|happens| happens(self));
        match answer {
            Ok(Json::String(log)) => (200, log),
            Ok(object) => (200, object.to_string()),
            Err(failure) => (failure.code, failure.status().to_string()),
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// The requests since the last call of this function or of [`Self::writes`].
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.world().requests)
    }

    /// The writes, `APPLY` and `DELETE`, since the last call of this function or of [`Self::requests`].
    pub fn writes(&self) -> Vec<String> {
        self.requests().into_iter().filter(|line| request::is_write(line)).collect()
    }

    /// Adds a fault.
    pub fn inject(&self, fault: Fault) {
        self.world().faults.push(fault);
    }

    /// Removes all faults.
    pub fn recover(&self) {
        self.world().faults.clear();
    }
}
