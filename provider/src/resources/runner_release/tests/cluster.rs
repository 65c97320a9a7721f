//! An API server in memory: objects by resource and place, applied, read, listed and deleted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use http::{Method, Request, Response};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value as Json, json};

/// Resource, namespace (empty for none), name.
type Key = (String, String, String);

#[derive(Debug, Default)]
struct World {
    objects: BTreeMap<Key, Json>,
    requests: Vec<String>,
    uids: u64,
    holds_rollouts: bool,
    /// What new Deployments have as conditions.
    conditions: Json,
    /// What admission makes of objects.
    admission: Option<fn(&mut Json)>,
    /// Resources of which nothing may be read.
    hidden: Vec<&'static str>,
    /// A resource whose objects are not accepted.
    refused: String,
}

/// The server. Deployments are available at once, and nothing has finalizers.
#[derive(Clone, Debug, Default)]
pub(super) struct Cluster(Arc<Mutex<World>>);

impl Cluster {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    pub(super) fn client(&self) -> kube::Client {
        let cluster = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let cluster = cluster.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let body = serde_json::from_slice(&body).unwrap_or_default();
                let (path, query) = (parts.uri.path(), parts.uri.query());
                let (status, answer) = cluster.answer(&parts.method, path, query, body);
                let response = Response::builder().status(status).body(Body::from(answer.to_string().into_bytes()));
                Ok::<_, std::convert::Infallible>(response.unwrap())
            }
        });
        kube::Client::new(service, "default")
    }

    fn answer(&self, method: &Method, path: &str, query: Option<&str>, body: Json) -> (u16, Json) {
        let mut world = self.world();
        world.requests.push(format!("{method} {path}"));
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        if let Some(answer) = discovery(path) {
            return (200, answer);
        }
        let rest = if parts[0] == "api" { &parts[2..] } else { &parts[3..] };
        let (namespace, resource, name) = match rest {
            ["namespaces", namespace, resource] => (*namespace, *resource, None),
            ["namespaces", _, "pods", _, "log"] => return (200, json!("the last line")),
            ["namespaces", namespace, resource, name] => (*namespace, *resource, Some(*name)),
            [resource, name] => ("", *resource, Some(*name)),
            [resource] => ("", *resource, None),
            _ => unreachable!("{path}"),
        };
        let missing = || {
            let status =
                json!({ "kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound", "message": "no" });
            (404, status)
        };
        if *method == Method::GET && world.hidden.contains(&resource) {
            let verb = if name.is_some() { "get" } else { "list" };
            let message = format!(
                "{resource} is forbidden: User \"u\" cannot {verb} resource \"{resource}\" in API group \"\" in the \
                 namespace \"{namespace}\""
            );
            let status = json!({
                "kind": "Status", "status": "Failure", "code": 403, "reason": "Forbidden", "message": message,
            });
            return (403, status);
        }
        let Some(name) = name else {
            let items: Vec<Json> = world
                .objects
                .iter()
                .filter(|((of, place, _), _)| of == resource && (namespace.is_empty() || place == namespace))
                .map(|(_, object)| object.clone())
                .filter(|object| selected(object, query.unwrap_or_default()))
                .collect();
            return (200, json!({ "apiVersion": "v1", "kind": "List", "metadata": {}, "items": items }));
        };
        let key = (resource.to_owned(), namespace.to_owned(), name.to_owned());
        match *method {
            Method::GET => world.objects.get(&key).map_or_else(missing, |object| (200, object.clone())),
            Method::DELETE => match world.objects.remove(&key) {
                Some(_) => (200, json!({ "kind": "Status", "apiVersion": "v1", "status": "Success" })),
                None => missing(),
            },
            _ if query.is_some_and(|query| query.contains("dryRun")) => {
                let mut body = body;
                if let Some(admit) = world.admission {
                    admit(&mut body);
                }
                (200, body)
            }
            _ if resource == world.refused => {
                let status =
                    json!({ "kind": "Status", "status": "Failure", "code": 422, "reason": "Invalid", "message": "m" });
                (422, status)
            }
            _ => {
                let before = world.objects.get(&key).cloned();
                if before.is_none() {
                    world.uids += 1;
                }
                let (uid, mut body) = (world.uids, body);
                if let Some(admit) = world.admission {
                    admit(&mut body);
                }
                let mut object = applied(before, body, uid);
                if world.holds_rollouts && object["status"].is_object() {
                    object["status"]["updatedReplicas"] = json!(0);
                    object["status"]["conditions"] = world.conditions.clone();
                }
                world.objects.insert(key, object.clone());
                (200, object)
            }
        }
    }

    /// Whether new pods of Deployments do not come.
    pub(super) fn hold_rollouts(&self, hold: bool) {
        self.world().holds_rollouts = hold;
    }

    /// The conditions of Deployments whose pods do not come.
    pub(super) fn add_conditions(&self, conditions: Json) {
        self.world().conditions = conditions;
    }

    pub(super) fn hide(&self, resources: &[&'static str]) {
        self.world().hidden = resources.to_vec();
    }

    pub(super) fn admit(&self, admission: fn(&mut Json)) {
        self.world().admission = Some(admission);
    }

    pub(super) fn refuse(&self, resource: &str) {
        self.world().refused = resource.to_owned();
    }

    /// The resources of which there are objects.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.world().objects.keys().map(|(resource, ..)| resource.clone()).collect();
        names.dedup();
        names
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.world().requests.clone()
    }

    fn key(resource: &str, name: &str) -> Key {
        (resource.to_owned(), "gitlab-runner".to_owned(), name.to_owned())
    }

    pub(super) fn get(&self, resource: &str, name: &str) -> Json {
        self.world().objects[&Self::key(resource, name)].clone()
    }

    pub(super) fn put(&self, resource: &str, object: Json) {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        self.world().objects.insert(Self::key(resource, &name), object);
    }

    /// Where its metadata says.
    pub(super) fn put_there(&self, resource: &str, object: Json) {
        let place = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
        let key = (resource.to_owned(), place("namespace"), place("name"));
        self.world().objects.insert(key, object);
    }

    /// Places of all objects of a resource.
    pub(super) fn places(&self, resource: &str) -> Vec<String> {
        let world = self.world();
        let places = world.objects.keys().filter(|(of, ..)| of == resource);
        places.map(|(_, namespace, name)| format!("{namespace}/{name}")).collect()
    }

    pub(super) fn change(&self, resource: &str, name: &str, change: impl FnOnce(&mut Json)) {
        change(self.world().objects.get_mut(&Self::key(resource, name)).unwrap());
    }

    pub(super) fn remove(&self, resource: &str, name: &str) {
        self.world().objects.remove(&Self::key(resource, name)).unwrap();
    }
}

/// What the server can do, as far as a namespace is looked through.
fn discovery(path: &str) -> Option<Json> {
    let resource = |name: &str, kind: &str| json!({ "name": name, "singularName": "", "namespaced": true, "kind": kind, "verbs": ["list"] });
    Some(match path {
        "/api" => json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] }),
        "/api/v1" => json!({
            "kind": "APIResourceList", "groupVersion": "v1",
            "resources": [resource("configmaps", "ConfigMap"), resource("secrets", "Secret")],
        }),
        "/apis" => json!({ "kind": "APIGroupList", "groups": [] }),
        _ => return None,
    })
}

fn selected(object: &Json, query: &str) -> bool {
    let selector = query.split('&').find_map(|part| part.strip_prefix("labelSelector=")).unwrap_or_default();
    let selector = selector.replace("%3D", "=").replace("%2C", ",").replace("%2F", "/");
    selector
        .split(',')
        .filter_map(|part| part.split_once('='))
        .all(|(label, value)| object["metadata"]["labels"][label] == value)
}

/// What the server keeps: the applied object, with what it adds itself.
fn applied(before: Option<Json>, mut object: Json, uid: u64) -> Json {
    let before = before.unwrap_or_default();
    let generation = before["metadata"]["generation"].as_i64().unwrap_or(0);
    let is_same = before["spec"] == object["spec"];
    object["metadata"]["uid"] = before["metadata"].get("uid").cloned().unwrap_or_else(|| json!(uid.to_string()));
    if object["kind"] == "Deployment" {
        let generation = if is_same { generation } else { generation + 1 };
        object["metadata"]["generation"] = json!(generation);
        object["status"] = json!({
            "observedGeneration": generation, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1,
        });
    }
    object
}
