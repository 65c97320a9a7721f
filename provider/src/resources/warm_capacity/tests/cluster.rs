//! A small Kubernetes API in memory: objects by path, with pods that are made at once, or never.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use http::Method;
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value as Json, json};

pub(super) const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/ci/deployments/warm";
pub(super) const CRON_JOB: &str = "/apis/batch/v1/namespaces/ci/cronjobs/warm";
const JOBS: &str = "/apis/batch/v1/namespaces/ci/jobs/";
const CLASSES: &str = "/apis/scheduling.k8s.io/v1/priorityclasses/";

/// What happens after a request of this method for this path, once.
type Hook = (Method, String, fn(&mut World));

#[derive(Default)]
pub(super) struct World {
    pub(super) objects: BTreeMap<String, Json>,
    requests: Vec<String>,
    uids: u64,
    /// No pods are made.
    pub(super) is_full: bool,
    /// Writes of paths that begin so are refused.
    pub(super) refused: Option<&'static str>,
    /// Lists over all namespaces are forbidden.
    pub(super) hides_others: bool,
    /// Priority classes may not be read.
    pub(super) hides_classes: bool,
    pub(super) hook: Option<Hook>,
}

#[derive(Clone, Default)]
pub(super) struct Cluster(Arc<Mutex<World>>);

pub(super) fn class(priority: &str) -> String {
    format!("{CLASSES}gitlabspot-placeholder-{priority}")
}

impl Cluster {
    pub(super) fn new() -> Self {
        let cluster = Self::default();
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "ci" } });
        cluster.world().objects.insert("/api/v1/namespaces/ci".to_owned(), namespace);
        cluster
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// Paths of all objects but the namespace, without what is common to all.
    pub(super) fn paths(&self) -> Vec<String> {
        let world = self.world();
        let paths = world.objects.keys().filter(|path| *path != "/api/v1/namespaces/ci");
        paths
            .map(|path| path.rsplit('/').take(2).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("/"))
            .collect()
    }

    pub(super) fn get(&self, path: &str) -> Json {
        self.world().objects.get(path).cloned().unwrap_or_default()
    }

    /// The Jobs, by name.
    pub(super) fn jobs(&self) -> Vec<(String, Json)> {
        let world = self.world();
        let jobs =
            world.objects.iter().filter_map(|(path, job)| Some((path.strip_prefix(JOBS)?.to_owned(), job.clone())));
        jobs.collect()
    }

    /// The writes since the last look, without what is common to all.
    pub(super) fn writes(&self) -> Vec<String> {
        let requests = std::mem::take(&mut self.world().requests);
        let writes = requests.into_iter().filter(|line| !line.starts_with("GET"));
        writes.map(|line| line.replace("/apis/", "").replace("namespaces/ci/", "")).collect()
    }

    pub(super) fn client(&self) -> kube::Client {
        let cluster = self.clone();
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let cluster = cluster.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let body = serde_json::from_slice(&body).unwrap_or_default();
                let mut world = cluster.world();
                let (status, answer) = world.answer(&head.method, head.uri.path(), body);
                let is_hooked = |hook: &mut Hook| hook.0 == head.method && head.uri.path() == hook.1;
                if let Some((.., happens)) = world.hook.take_if(is_hooked) {
                    happens(&mut world);
                }
                let answer = Body::from(answer.to_string().into_bytes());
                Ok::<_, std::convert::Infallible>(http::Response::builder().status(status).body(answer).unwrap())
            }
        });
        kube::Client::new(service, "default")
    }
}

impl World {
    fn answer(&mut self, method: &Method, path: &str, body: Json) -> (u16, Json) {
        self.requests.push(format!("{method} {path}"));
        let failure = |code: u16, reason: &str| {
            (code, json!({ "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": reason }))
        };
        match *method {
            Method::GET if ["deployments", "cronjobs", "jobs", "events"].iter().any(|kind| path.ends_with(kind)) => {
                if self.hides_others && !path.contains("/namespaces/") {
                    return failure(403, "Forbidden");
                }
                let kind = path.rsplit('/').next().unwrap_or_default();
                let of_kind = |found: &&String| found.rsplit('/').nth(1) == Some(kind);
                let items: Vec<&Json> =
                    self.objects.iter().filter(|(path, _)| of_kind(path)).map(|(_, object)| object).collect();
                (200, json!({ "apiVersion": "v1", "kind": "List", "metadata": {}, "items": items }))
            }
            Method::GET if self.hides_classes && path.starts_with(CLASSES) => {
                let message = "User \"u\" cannot get resource \"priorityclasses\" in API group \"scheduling.k8s.io\" at the \
                               cluster scope";
                let (code, mut status) = failure(403, "Forbidden");
                status["message"] = json!(message);
                (code, status)
            }
            Method::GET => {
                self.objects.get(path).map_or_else(|| failure(404, "NotFound"), |found| (200, found.clone()))
            }
            _ if self.refused.is_some_and(|refused| path.starts_with(refused)) => failure(422, "Invalid"),
            Method::DELETE => match self.objects.remove(path) {
                Some(gone) => {
                    // Its Jobs go with a CronJob.
                    let uid = &gone["metadata"]["uid"];
                    self.objects.retain(|_, object| object["metadata"]["ownerReferences"][0]["uid"] != *uid);
                    (200, json!({ "kind": "Status", "apiVersion": "v1", "status": "Success" }))
                }
                None => failure(404, "NotFound"),
            },
            _ => {
                let applied = self.applied(path, body);
                self.objects.insert(path.to_owned(), applied.clone());
                (200, applied)
            }
        }
    }

    fn applied(&mut self, path: &str, mut object: Json) -> Json {
        self.uids += 1;
        let before = self.objects.get(path).cloned().unwrap_or_default();
        let uid = before["metadata"].get("uid").cloned().unwrap_or_else(|| json!(self.uids.to_string()));
        object["metadata"]["uid"] = uid;
        let count = |pods: &Json| if self.is_full { json!(0) } else { pods.clone() };
        match object["kind"].as_str() {
            Some("Deployment") => {
                let pods = count(&object["spec"]["replicas"]);
                object["status"] = json!({ "replicas": pods, "updatedReplicas": pods });
            }
            Some("Job") => object["status"] = json!({ "active": count(&object["spec"]["parallelism"]) }),
            _ => {}
        }
        object
    }
}
