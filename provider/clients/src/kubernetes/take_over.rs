//! Takes the ownership of an object's fields from another field manager permanently.

use kube::Client;
use kube::api::{Patch, PatchParams};
use serde_json::{Map, Value, json};

use super::apply::{FIELD_MANAGER, ObjectRef, get};
use super::error::KubernetesError;

/// Attempts if other writers modify the object concurrently.
const ATTEMPTS: u32 = 5;

/// Transfers all fields of the writer of `annotation` to this provider, regardless of the manager's name and operation;
/// the next apply then removes those that it omits. Succeeds if there are no such fields.
///
/// # Errors
/// [`KubernetesError`]
pub async fn take_over(client: &Client, place: &ObjectRef, annotation: &str) -> Result<(), KubernetesError> {
    let mut attempt = 1;
    loop {
        let Some(object) = get(client, place).await? else { return Ok(()) };
        let Some(fields) = moved(&object["metadata"]["managedFields"], annotation) else { return Ok(()) };
        // With the version, the patch fails after a concurrent change instead of undoing its ownership.
        let version = &object["metadata"]["resourceVersion"];
        let patch = json!({ "metadata": { "managedFields": fields, "resourceVersion": version } });
        let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        match place.api(client).patch(&place.name, &parameters, &Patch::Merge(&patch)).await {
            Ok(_) => return Ok(()),
            Err(kube::Error::Api(status)) if status.code == 409 && attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(KubernetesError::new(place, error)),
        }
    }
}

/// The entries, with those of the annotation's writers merged into this provider's; `None` if no other manager wrote
/// it.
fn moved(entries: &Value, annotation: &str) -> Option<Vec<Value>> {
    let entries = entries.as_array()?;
    // Entries of a subresource, such as the status, belong to controllers.
    let is_whole = |entry: &Value| entry["subresource"].as_str().unwrap_or_default().is_empty();
    let wrote = |entry: &&Value| {
        let annotations = &entry["fieldsV1"]["f:metadata"]["f:annotations"];
        is_whole(entry) && annotations.get(format!("f:{annotation}")).is_some()
    };
    let writers: Vec<&Value> = entries.iter().filter(wrote).map(|entry| &entry["manager"]).collect();
    let is_ours = |entry: &Value| entry["manager"] == FIELD_MANAGER && entry["operation"] == "Apply";
    let is_to_unite = |entry: &&Value| {
        is_whole(entry) && (is_ours(entry) || writers.iter().any(|writer| entry["manager"] == **writer))
    };
    let theirs = entries.iter().find(|entry| is_to_unite(entry) && !is_ours(entry))?;
    // The entries are merged into one: a field with another owner is not removed when an apply omits it.
    let mut fields = Value::Object(Map::new());
    entries.iter().filter(is_to_unite).for_each(|entry| unite(&mut fields, &entry["fieldsV1"]));
    let mut all: Vec<Value> = entries.iter().filter(|entry| !is_to_unite(entry)).cloned().collect();
    all.push(json!({
        "manager": FIELD_MANAGER, "operation": "Apply", "apiVersion": theirs["apiVersion"], "time": theirs["time"],
        "fieldsType": "FieldsV1", "fieldsV1": fields,
    }));
    Some(all)
}

fn unite(fields: &mut Value, more: &Value) {
    if let (Value::Object(fields), Value::Object(more)) = (fields, more) {
        for (name, below) in more {
            unite(fields.entry(name).or_insert_with(|| Value::Object(Map::new())), below);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Answer, Cluster};
    use super::*;

    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({
            "manager": manager, "operation": operation, "apiVersion": "v1", "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1", "fieldsV1": fields,
        })
    }

    const MARK: &str = "meta.helm.sh/release-name";

    fn marked(mut fields: Value) -> Value {
        fields["f:metadata"]["f:annotations"][format!("f:{MARK}")] = json!({});
        fields
    }

    #[test]
    fn managed_fields_of_helm_are_merged() {
        let others = entry("kubectl-edit", "Update", json!({ "f:data": { "f:c": {} } }));
        let mut status = entry("helm", "Update", json!({ "f:status": {} }));
        status["subresource"] = json!("status");
        // All fields of the writer of the annotation, under any name.
        for name in ["helm", "terraform-provider-helm_v2.17.0_x5"] {
            let entries = json!([
                entry(name, "Update", json!({ "f:data": { ".": {}, "f:a": {} } })),
                entry(name, "Apply", marked(json!({}))),
                others,
                status,
                entry("gitlabspot", "Apply", json!({ "f:data": { "f:b": {} } })),
            ]);
            let united = marked(json!({ "f:data": { ".": {}, "f:a": {}, "f:b": {} } }));
            let expected = vec![others.clone(), status.clone(), entry("gitlabspot", "Apply", united)];
            assert_eq!(moved(&entries, MARK), Some(expected));
        }
    }

    #[test]
    fn objects_without_fields_of_helm_are_unchanged() {
        assert_eq!(moved(&json!([entry("gitlabspot", "Apply", marked(json!({})))]), MARK), None);
        assert_eq!(moved(&json!([entry("helm", "Update", json!({ "f:data": {} }))]), MARK), None);
        assert_eq!(moved(&Value::Null, MARK), None);
    }

    #[tokio::test]
    async fn conflict_is_retried_with_a_new_read() {
        let object = |version: &str| {
            let metadata = json!({
                "name": "x", "namespace": "ci", "resourceVersion": version,
                "managedFields": [entry("helm", "Update", marked(json!({ "f:data": {} })))],
            });
            Answer::Json(200, json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata }))
        };
        let lost = Answer::status(409, "Conflict", "modified", Value::Null);
        let (cluster, client) = Cluster::start([object("1"), lost, object("2"), object("3")]).await;
        let place = ObjectRef::of(&json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "x", "namespace": "ci" },
        }));
        take_over(&client, &place.unwrap(), MARK).await.unwrap();
        let versions: Vec<String> = cluster
            .requests()
            .into_iter()
            .filter(|(line, ..)| line.starts_with("PATCH"))
            .map(|(_, _, body)| {
                serde_json::from_str::<Value>(&body).unwrap()["metadata"]["resourceVersion"].to_string()
            })
            .collect();
        assert_eq!(versions, [r#""1""#, r#""2""#]);
    }
}
