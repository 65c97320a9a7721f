//! The objects: reads, lists and deletes by clients, and changes by tests.

use serde_json::{Value as Json, json};

use super::discovery::{kind_at, kind_of};
use super::request::{Request, place};
use super::{Cluster, Failure, World};

impl Cluster {
    /// Creates an object as another client does, and replaces an existing one of its name.
    pub fn put(&self, object: Json) {
        let [namespace, name] = ["namespace", "name"].map(|name| object["metadata"][name].as_str());
        let mut world = self.world();
        world.check_namespace(namespace).unwrap();
        let place = place(kind_of(&object).unwrap(), namespace, name);
        world.objects.remove(&place);
        world.store(&place, object);
    }

    /// The object; null if it does not exist.
    pub fn get(&self, place: &str) -> Json {
        self.world().objects.get(place).cloned().unwrap_or_default()
    }

    /// Changes an object as another client does.
    pub fn change(&self, place: &str, change: impl FnOnce(&mut Json)) {
        let mut world = self.world();
        let mut object = world.objects[place].clone();
        change(&mut object);
        world.store(place, object);
    }

    /// Deletes an object as another client does.
    pub fn remove(&self, place: &str) {
        self.world().remove(place).unwrap();
    }

    /// All objects.
    pub fn objects(&self) -> Vec<String> {
        self.world().objects.keys().cloned().collect()
    }

    /// All objects of a resource.
    pub fn objects_of(&self, resource: &str) -> Vec<String> {
        self.objects().into_iter().filter(|place| place.split(' ').next() == Some(resource)).collect()
    }

    /// The resources with at least one object.
    pub fn resources(&self) -> Vec<String> {
        let objects = self.objects();
        let mut resources: Vec<String> =
            objects.iter().flat_map(|it| it.split(' ').next()).map(str::to_owned).collect();
        resources.dedup();
        resources
    }
}

impl World {
    pub(super) fn carry_out(&mut self, request: &Request) -> Result<Json, Failure> {
        let found = self.objects.get(&request.object).cloned();
        let missing = || Failure::not_found(request.kind, request.name.as_deref().unwrap_or_default());
        match request.verb {
            "LIST" => Ok(self.list(request)),
            "APPLY" | "DRY-RUN" => self.apply(request, found.as_ref()),
            "DELETE" => self.delete(request, &found.ok_or_else(missing)?),
            "LOG" => found.map(|_| "the last line\n".into()).ok_or_else(missing),
            _ => found.ok_or_else(missing),
        }
    }

    fn list(&self, request: &Request) -> Json {
        let Request { kind, namespace, .. } = request;
        let within = format!("{} {}", kind.resource, namespace.iter().map(|it| format!("{it}/")).collect::<String>());
        let selector = request.parameter("labelSelector");
        let is_selected = |object: &Json| selector.split(',').all(|it| is_met(it, &object["metadata"]["labels"]));
        let items = self.objects.iter().filter(|(place, object)| place.starts_with(&within) && is_selected(object));
        let items: Vec<Json> = items.map(|(_, object)| without_type(object)).collect();
        let list = format!("{}List", kind.kind);
        json!({ "apiVersion": kind.group_version, "kind": list, "metadata": {}, "items": items })
    }

    fn delete(&mut self, request: &Request, found: &Json) -> Result<Json, Failure> {
        let (wanted, uid) = (&request.body["preconditions"]["uid"], &found["metadata"]["uid"]);
        if !wanted.is_null() && wanted != uid {
            let why = format!("the UID in the precondition ({wanted}) does not match the UID in record ({uid})");
            return Err(Failure::conflict(request, &why));
        }
        self.remove(&request.object);
        Ok(json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success" }))
    }

    /// Deletes an object, the objects that it owns, and the objects in a namespace.
    fn remove(&mut self, place: &str) -> Option<Json> {
        let gone = self.objects.remove(place)?;
        let (uid, name) = (&gone["metadata"]["uid"], &gone["metadata"]["name"]);
        let is_in_it = |object: &Json| {
            let mut owners = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
            owners.any(|owner| owner["uid"] == *uid)
                || gone["kind"] == "Namespace" && object["metadata"]["namespace"] == *name
        };
        let owned = self.objects.iter().filter(|(_, object)| is_in_it(object));
        let owned: Vec<String> = owned.map(|(place, _)| place.clone()).collect();
        owned.iter().for_each(|place| drop(self.remove(place)));
        Some(gone)
    }

    pub(super) fn check_namespace(&self, namespace: Option<&str>) -> Result<(), Failure> {
        let is_missing = |name: &&str| !self.objects.contains_key(&format!("namespaces {name}"));
        let namespaces = kind_at("v1", "namespaces").unwrap();
        namespace.filter(is_missing).map_or(Ok(()), |name| Err(Failure::not_found(namespaces, name)))
    }

    pub(super) fn store(&mut self, place: &str, object: Json) -> Json {
        let object = self.stamped(self.objects.get(place), object);
        self.resource_version += 1;
        self.objects.insert(place.to_owned(), object.clone());
        object
    }

    /// Sets the metadata of a write. A write without changes keeps the version. Unlike in a real Deployment, a change
    /// of annotations does not increase the generation, so that each generation is a rollout.
    pub(super) fn stamped(&self, before: Option<&Json>, mut object: Json) -> Json {
        let next = (self.resource_version + 1).to_string();
        let known = |name: &str| before.and_then(|before| before["metadata"].get(name).cloned());
        object["metadata"]["uid"] = known("uid").unwrap_or_else(|| format!("uid-{next}").into());
        if object["spec"].is_object() {
            let is_changed = before.is_none_or(|before| before["spec"] != object["spec"]);
            let generation = known("generation").and_then(|it| it.as_u64()).unwrap_or(0);
            object["metadata"]["generation"] = (generation + u64::from(is_changed)).into();
        }
        object["metadata"]["resourceVersion"] = known("resourceVersion").unwrap_or_default();
        if before != Some(&object) {
            object["metadata"]["resourceVersion"] = next.into();
        }
        object
    }
}

/// An item of a list, which has no type.
fn without_type(object: &Json) -> Json {
    let entries = object.as_object().into_iter().flatten();
    entries
        .filter(|(name, _)| !["apiVersion", "kind"].contains(&name.as_str()))
        .map(|(name, it)| (name.clone(), it.clone()))
        .collect()
}

/// Whether labels meet a condition of a selector: `a=b` or `a`.
fn is_met(condition: &str, labels: &Json) -> bool {
    match condition.split_once('=') {
        _ if condition.contains(['!', '(']) => unreachable!("{condition} is not served"),
        Some((label, value)) => labels[label] == value,
        None => condition.is_empty() || labels.get(condition).is_some(),
    }
}
