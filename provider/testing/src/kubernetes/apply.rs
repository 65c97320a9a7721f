//! Server-side apply: fields that a manager omits are removed, those of other managers are preserved.

use serde_json::{Value as Json, json};

use super::request::Request;
use super::{Failure, World};

impl World {
    pub(super) fn apply(&mut self, request: &Request, before: Option<&Json>) -> Result<Json, Failure> {
        self.check_namespace(request.namespace.as_deref())?;
        let version = &request.body["metadata"]["resourceVersion"];
        if !version.is_null() && before.is_none_or(|before| before["metadata"]["resourceVersion"] != *version) {
            let why = "the object has been modified; please apply your changes to the latest version and try again";
            return Err(Failure::conflict(request, why));
        }
        let mut object = merged(request, before.cloned().unwrap_or_default());
        self.admit(&mut object);
        Ok(match request.verb {
            "DRY-RUN" => self.stamped(before, object),
            _ => self.store(&request.object, object),
        })
    }
}

fn merged(request: &Request, mut object: Json) -> Json {
    let manager = request.parameter("fieldManager");
    assert!(!manager.is_empty(), "fieldManager: Required value: is required for apply patch");
    let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let (own, mut entries): (Vec<Json>, Vec<Json>) = entries.into_iter().partition(|entry| entry["manager"] == manager);
    entries.push(json!({
        "manager": manager, "operation": "Apply", "apiVersion": request.kind.group_version, "time": "2026-01-01T00:00:00Z",
        "fieldsType": "FieldsV1", "fieldsV1": fields(&request.body),
    }));
    let kept: Vec<&Json> = entries.iter().map(|entry| &entry["fieldsV1"]).collect();
    own.iter().for_each(|entry| remove(&mut object, &entry["fieldsV1"], &kept));
    merge(&mut object, &request.body);
    object["metadata"]["managedFields"] = entries.into();
    object
}

/// The fields of an object in the format of `fieldsV1`.
fn fields(value: &Json) -> Json {
    let entries = value.as_object().into_iter().flatten();
    Json::Object(entries.map(|(name, below)| (format!("f:{name}"), fields(below))).collect())
}

/// Removes the fields in `applied`, in the format of `fieldsV1`, from an object, except those in `kept`.
fn remove(object: &mut Json, applied: &Json, kept: &[&Json]) {
    let Json::Object(object) = object else { return };
    for (key, below) in applied.as_object().into_iter().flatten() {
        let name = key.trim_start_matches("f:");
        let kept: Vec<&Json> = kept.iter().filter_map(|fields| fields.get(key)).collect();
        match object.get_mut(name) {
            Some(value) if !kept.is_empty() => remove(value, below, &kept),
            _ => drop(object.remove(name)),
        }
    }
}

fn merge(object: &mut Json, intent: &Json) {
    match (&mut *object, intent) {
        (Json::Object(object), Json::Object(intent)) => {
            intent.iter().for_each(|(name, value)| merge(object.entry(name).or_insert(Json::Null), value));
        }
        _ => *object = intent.clone(),
    }
}
