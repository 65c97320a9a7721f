//! Operations on single objects: apply, get, list, delete and logs.

use std::fmt;

use http::Request;
use kube::Client;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams};
use kube::api::{Preconditions, ValidationDirective};
use kube::core::TypeMeta;
use serde_json::Value;

use super::error::KubernetesError;

/// The field manager of this provider in `managedFields`.
pub const FIELD_MANAGER: &str = "gitlabspot";

/// Field manager that keeps the value of a field until another tool manages it. Without it, a field that an apply omits
/// would be reset to its default.
pub const HANDOVER: &str = "gitlabspot-handover";

/// How often an apply is repeated after a concurrent modification.
const MAX_RACES: u32 = 5;

/// How a deletion treats the dependents of an object.
pub use kube::api::PropagationPolicy as Propagation;

/// The identity of an object: kind, namespace (none for cluster-scoped kinds) and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// Such as `v1` or `apps/v1`.
    pub api_version: String,
    pub kind: String,
    pub namespace: Option<String>,
    pub name: String,
}

/// Options of an apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ApplyOptions {
    /// Takes ownership of fields from other managers instead of failing with [`KubernetesError::Conflict`].
    pub force: bool,
    /// The server validates the object and does not save it.
    pub dry_run: bool,
    /// Uses the field manager [`HANDOVER`].
    pub hands_over: bool,
}

/// The result of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// The object does not exist.
    Gone,
    /// The object is marked for deletion, and waits for its dependents or finalizers.
    Deleting,
}

impl ObjectRef {
    /// The reference of `object`, which requires `apiVersion`, `kind` and `metadata.name`.
    ///
    /// # Errors
    /// [`KubernetesError::Incomplete`]
    pub fn of(object: &Value) -> Result<Self, KubernetesError> {
        let text = |pointer: &str, missing: &'static str| {
            let value = object.pointer(pointer).and_then(Value::as_str);
            value.map(str::to_owned).ok_or(KubernetesError::Incomplete { missing })
        };
        Ok(Self {
            api_version: text("/apiVersion", "apiVersion")?,
            kind: text("/kind", "kind")?,
            namespace: text("/metadata/namespace", "metadata.namespace").ok(),
            name: text("/metadata/name", "metadata.name")?,
        })
    }

    pub(super) fn api(&self, client: &Client) -> Api<DynamicObject> {
        api(client, &self.api_version, &self.kind, self.namespace.as_deref())
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(formatter, "{} {namespace}/{}", self.kind, self.name),
            None => write!(formatter, "{} {}", self.kind, self.name),
        }
    }
}

/// The plural is derived from the kind, which is correct for all kinds that this provider creates and avoids a
/// discovery request per kind.
fn api(client: &Client, api_version: &str, kind: &str, namespace: Option<&str>) -> Api<DynamicObject> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

/// Applies `object`, which is the full desired configuration: a field that was applied before and is omitted now is
/// removed.
///
/// Returns the object as the server saved it. Unknown and duplicate fields are errors.
///
/// # Errors
/// [`KubernetesError`]; [`KubernetesError::Conflict`] contains the fields and their managers.
pub async fn apply(client: &Client, object: &Value, options: ApplyOptions) -> Result<Value, KubernetesError> {
    let place = ObjectRef::of(object)?;
    let parameters = PatchParams {
        dry_run: options.dry_run,
        force: options.force,
        field_manager: Some(if options.hands_over { HANDOVER } else { FIELD_MANAGER }.to_owned()),
        // By default the server drops unknown fields with a warning only.
        field_validation: Some(ValidationDirective::Strict),
    };
    let api = place.api(client);
    // An apply with a resource version is for this version only.
    let may_repeat = object["metadata"]["resourceVersion"].is_null();
    let mut races = 0;
    loop {
        match api.patch(&place.name, &parameters, &Patch::Apply(object)).await {
            // The object was modified concurrently, and the retries of the server itself failed as well.
            Err(error) if may_repeat && is_race(&error) && races < MAX_RACES => races += 1,
            applied => return applied.map(value).map_err(|error| KubernetesError::new(&place, error).located(object)),
        }
    }
}

/// The last lines of a container's log, or of its previous run if `previous` is set.
///
/// # Errors
/// [`KubernetesError`], also if the container has not run yet.
pub async fn log(
    client: &Client,
    pod: &ObjectRef,
    container: &str,
    lines: u32,
    previous: bool,
) -> Result<String, KubernetesError> {
    let namespace = pod.namespace.as_deref().unwrap_or_default();
    let query = format!("container={container}&tailLines={lines}&previous={previous}");
    // kube's function for logs requires a typed `Pod`.
    let request = Request::get(format!("/api/v1/namespaces/{namespace}/pods/{}/log?{query}", pod.name));
    let failed = |error| KubernetesError::new(pod, error);
    let request = request.body(Vec::new()).map_err(|error| failed(kube::Error::HttpError(error)))?;
    client.request_text(request).await.map_err(failed)
}

/// The object at `place`; `None` if it does not exist or the cluster does not have its kind.
///
/// # Errors
/// [`KubernetesError`]
pub async fn get(client: &Client, place: &ObjectRef) -> Result<Option<Value>, KubernetesError> {
    match place.api(client).get(&place.name).await {
        Ok(object) => Ok(Some(value(object))),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(KubernetesError::new(place, error)),
    }
}

/// All objects of a kind with these labels, in one namespace or in all namespaces. Empty if the cluster does not have
/// the kind.
///
/// # Errors
/// [`KubernetesError`]
pub async fn list(
    client: &Client,
    api_version: &str,
    kind: &str,
    namespace: Option<&str>,
    labels: &str,
) -> Result<Vec<Value>, KubernetesError> {
    let place = ObjectRef {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: "(list)".to_owned(),
    };
    let parameters = ListParams::default().labels(labels);
    let found = match place.api(client).list(&parameters).await {
        Ok(found) => found,
        Err(error) if is_missing(&error) => return Ok(Vec::new()),
        Err(error) => return Err(KubernetesError::new(&place, error)),
    };
    let typed = |mut object: DynamicObject| {
        // The API server omits the type of list items.
        object.types.get_or_insert_with(|| TypeMeta { api_version: api_version.to_owned(), kind: kind.to_owned() });
        value(object)
    };
    Ok(found.items.into_iter().map(typed).collect())
}

/// Deletes the object at `place`. Succeeds if it does not exist.
///
/// With `uid`, an object that was created with the same name since is preserved.
///
/// # Errors
/// [`KubernetesError`]
pub async fn delete(
    client: &Client,
    place: &ObjectRef,
    propagation: Propagation,
    uid: Option<&str>,
) -> Result<Deletion, KubernetesError> {
    let parameters = DeleteParams {
        propagation_policy: Some(propagation),
        // The server compares the UID and deletes in one step; a read before the delete could be out of date.
        preconditions: uid.map(|uid| Preconditions { uid: Some(uid.to_owned()), resource_version: None }),
        ..DeleteParams::default()
    };
    match place.api(client).delete(&place.name, &parameters).await {
        Ok(answer) => Ok(answer.either(|_| Deletion::Deleting, |_| Deletion::Gone)),
        Err(error) if is_missing(&error) => Ok(Deletion::Gone),
        // The API server returns a conflict for a namespace that is already being deleted.
        Err(error) if place.kind == "Namespace" && is_race(&error) => Ok(Deletion::Deleting),
        // The UID differs: another object has this name now.
        Err(error) if uid.is_some() && is_race(&error) => Ok(Deletion::Gone),
        Err(error) => Err(KubernetesError::new(place, error)),
    }
}

/// Whether the API server itself reports that the object, or its kind, does not exist. Any other 404 is from a proxy;
/// if it counted as absence, an existing object would be removed from the state.
fn is_missing(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status)
        if status.code == 404 && (status.reason == "NotFound" || status.message.starts_with("404 page not found")))
}

/// Whether the object does not have the UID or the version in the request.
fn is_race(error: &kube::Error) -> bool {
    let is_of_fields = |status: &kube::core::Status| {
        let causes = status.details.iter().flat_map(|details| &details.causes);
        causes.into_iter().any(|cause| cause.reason == "FieldManagerConflict")
    };
    matches!(error, kube::Error::Api(status)
        if status.code == 409 && status.reason == "Conflict" && !is_of_fields(status))
}

fn value(object: DynamicObject) -> Value {
    // A `DynamicObject` was parsed from JSON, so that its serialization cannot fail.
    serde_json::to_value(object).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::scripted::{Answer, Cluster};
    use super::*;

    fn deployment() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "runner", "namespace": "ci"}})
    }

    fn place() -> ObjectRef {
        ObjectRef::of(&deployment()).unwrap()
    }

    #[tokio::test]
    async fn concurrent_modification_is_retried() {
        let race = Answer::status(409, "Conflict", "the object has been modified", Value::Null);
        let (cluster, client) = Cluster::start([race.clone(), race.clone(), Answer::Json(200, deployment())]).await;
        assert!(apply(&client, &deployment(), ApplyOptions::default()).await.is_ok());
        assert_eq!(cluster.requests().len(), 3);
        let (cluster, client) = Cluster::start(vec![race; 10]).await;
        assert!(apply(&client, &deployment(), ApplyOptions::default()).await.is_err());
        assert_eq!(cluster.requests().len(), 6);
    }

    #[tokio::test]
    async fn not_found_needs_a_status_of_the_api_server() {
        let missing = Answer::status(404, "NotFound", "no such thing", Value::Null);
        let (_cluster, client) = Cluster::start([missing, Answer::Text(404, "404 page not found\n")]).await;
        for _ in 0..2 {
            assert_eq!(get(&client, &place()).await.unwrap(), None);
        }
        let (_cluster, client) = Cluster::start(vec![Answer::Text(404, "<html>no such site</html>"); 2]).await;
        let page = "Deployment ci/runner: a proxy in front of the Kubernetes API returned 404 with a page of its own: \
                    check the proxies between this machine and the API server";
        assert_eq!(get(&client, &place()).await.unwrap_err().to_string(), page);
        let deleted = delete(&client, &place(), Propagation::Background, None).await;
        assert_eq!(deleted.unwrap_err().to_string(), page);
    }

    #[tokio::test]
    async fn delete_keeps_a_recreated_object() {
        let race = Answer::status(409, "Conflict", "Precondition failed: UID in precondition", Value::Null);
        let (_cluster, client) = Cluster::start([race.clone(), race]).await;
        let deleted = async |uid| delete(&client, &place(), Propagation::Background, uid).await;
        assert_eq!(deleted(Some("1")).await.unwrap(), Deletion::Gone);
        assert!(deleted(None).await.is_err());
    }

    #[tokio::test]
    async fn apply_sets_field_manager_and_strict_validation() {
        let (cluster, client) =
            Cluster::start([Answer::Json(200, deployment()), Answer::Json(200, deployment())]).await;
        let applied = apply(&client, &deployment(), ApplyOptions::default()).await.unwrap();
        assert_eq!(applied, deployment());
        let all = ApplyOptions { force: true, dry_run: true, hands_over: false };
        apply(&client, &deployment(), all).await.unwrap();
        let path = "PATCH /apis/apps/v1/namespaces/ci/deployments/runner";
        let common = "fieldManager=gitlabspot&fieldValidation=Strict";
        assert_eq!(cluster.lines(), [format!("{path}?&{common}"), format!("{path}?&dryRun=All&force=true&{common}")]);
        assert_eq!(cluster.requests()[0].2, deployment().to_string());
    }

    #[tokio::test]
    async fn conflict_names_fields_and_managers() {
        let causes = json!([
            {"reason": "FieldManagerConflict", "message": "conflict with \"helm\" using apps/v1", "field": ".spec.replicas"},
            {"reason": "FieldManagerConflict", "message": "conflict with \"kubectl\" using apps/v1", "field": ".spec.paused"},
        ]);
        let (_, client) = Cluster::start([Answer::status(409, "Conflict", "2 conflicts", causes)]).await;
        let error = apply(&client, &deployment(), ApplyOptions::default()).await.unwrap_err();
        let begin = "Deployment ci/runner was not applied, because other field managers own some of its fields: \
                    .spec.replicas (\"helm\"), .spec.paused (\"kubectl\"). The plan did not show this";
        assert!(error.to_string().starts_with(begin), "{error}");
    }

    /// The error message of applying `object` if the API server sends `answer`.
    async fn refusal(object: &Value, answer: Answer) -> String {
        let (_, client) = Cluster::start([answer]).await;
        apply(&client, object, ApplyOptions::default()).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn refused_objects_are_classified() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "ci"}});
        let field = json!([{"reason": "FieldValueInvalid", "message": "hunter2 is wrong", "field": "data[x]"}]);
        let terminating = json!([{"reason": "NamespaceTerminating", "message": "being terminated", "field": ""}]);
        let found = [
            refusal(&deployment(), Answer::status(422, "Invalid", "m", field.clone())).await,
            refusal(&secret, Answer::status(422, "Invalid", "hunter2", field)).await,
            refusal(&secret, Answer::status(400, "BadRequest", "hunter2", Value::Null)).await,
            refusal(
                &deployment(),
                Answer::status(400, "BadRequest", "strict decoding error: unknown field \"spec.replica\"", Value::Null),
            )
            .await,
            refusal(&deployment(), Answer::status(403, "Forbidden", "m", terminating)).await,
            refusal(&deployment(), Answer::status(403, "Forbidden", "user \"me\" cannot patch", Value::Null)).await,
            refusal(&deployment(), Answer::status(403, "Forbidden", "x is forbidden: exceeded quota", Value::Null))
                .await,
            refusal(&deployment(), Answer::status(404, "NotFound", "namespaces \"ci\" not found", Value::Null)).await,
            refusal(&deployment(), Answer::Text(404, "404 page not found\n")).await,
            refusal(&deployment(), Answer::status(401, "Unauthorized", "Unauthorized", Value::Null)).await,
        ];
        assert_eq!(
            found,
            [
                "Deployment ci/runner was rejected: data[x]: hunter2 is wrong",
                "Secret ci/s was rejected: data[x]: FieldValueInvalid",
                "Secret ci/s was rejected: the message is not shown, because Secret ci/s contains secrets",
                "Deployment ci/runner was rejected: strict decoding error: unknown field \"spec.replica\"",
                "Deployment ci/runner cannot be created while the namespace is being deleted: wait until it is \
                 deleted, or choose another one",
                "Deployment ci/runner: the identity in use is not allowed to do this: user \"me\" cannot patch",
                "Deployment ci/runner was rejected: x is forbidden: exceeded quota",
                "Deployment ci/runner: namespaces \"ci\" not found",
                "Deployment ci/runner cannot be created: the cluster does not have this kind (apps/v1 Deployment). \
                 Install the CustomResourceDefinition or API that provides this kind, or remove the settings that require it",
                "Deployment ci/runner: the cluster does not accept the credentials (401 Unauthorized). A token that can be \
                 renewed was renewed once. Check the token, certificate or command of the provider's \"kubernetes\"; with \
                 cluster_name, the AWS identity needs an access entry of the EKS cluster",
            ]
        );
    }

    #[tokio::test]
    async fn missing_object_is_none_and_its_deletion_succeeds() {
        let missing = || Answer::status(404, "NotFound", "not found", Value::Null);
        let unknown_kind = Answer::Text(404, "404 page not found\n");
        let (cluster, client) = Cluster::start([missing(), missing(), unknown_kind]).await;
        assert_eq!(get(&client, &place()).await.unwrap(), None);
        let deleted = delete(&client, &place(), Propagation::Foreground, Some("u-1")).await.unwrap();
        assert_eq!(deleted, Deletion::Gone);
        assert_eq!(cluster.requests()[1].2, r#"{"propagationPolicy":"Foreground","preconditions":{"uid":"u-1"}}"#);
    }

    #[tokio::test]
    async fn deletion_in_progress_is_reported() {
        let status = json!({"apiVersion": "v1", "kind": "Status", "status": "Success"});
        let (_, client) = Cluster::start([Answer::Json(200, deployment()), Answer::Json(200, status)]).await;
        let first = delete(&client, &place(), Propagation::Background, None).await.unwrap();
        let second = delete(&client, &place(), Propagation::Background, None).await.unwrap();
        assert_eq!([first, second], [Deletion::Deleting, Deletion::Gone]);
    }

    #[tokio::test]
    async fn listed_objects_have_their_types() {
        let item = json!({"metadata": {"name": "runner", "namespace": "ci"}});
        let answer = json!({"apiVersion": "apps/v1", "kind": "DeploymentList", "metadata": {}, "items": [item]});
        let (cluster, client) = Cluster::start([Answer::Json(200, answer)]).await;
        let found = list(&client, "apps/v1", "Deployment", None, "app=runner").await.unwrap();
        assert_eq!(found, [deployment()]);
        assert_eq!(cluster.lines(), ["GET /apis/apps/v1/deployments?&labelSelector=app%3Drunner"]);
    }

    #[tokio::test]
    async fn logs_are_text() {
        let (cluster, client) = Cluster::start([Answer::Text(200, "one\ntwo\n")]).await;
        let pod = ObjectRef { api_version: "v1".into(), kind: "Pod".into(), ..place() };
        assert_eq!(log(&client, &pod, "runner", 2, true).await.unwrap(), "one\ntwo\n");
        let path = "GET /api/v1/namespaces/ci/pods/runner/log";
        assert_eq!(cluster.lines(), [format!("{path}?container=runner&tailLines=2&previous=true")]);
    }

    #[test]
    fn object_needs_a_name() {
        let error = ObjectRef::of(&json!({"apiVersion": "v1", "kind": "Secret"})).unwrap_err();
        assert_eq!(error.to_string(), "an object to apply does not have metadata.name");
    }
}
