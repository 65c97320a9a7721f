//! Objects, one at a time: apply, get, list, delete.

use std::fmt;

use kube::Client;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams};
use kube::api::{Preconditions, ValidationDirective};
use kube::core::TypeMeta;
use serde_json::Value;

use super::error::KubernetesError;

/// Under this name the cluster keeps which fields are ours.
pub const FIELD_MANAGER: &str = "gitlabspot";

/// What to do with an object's dependents when it is deleted.
pub use kube::api::PropagationPolicy as Propagation;

/// An object's place: kind, namespace (none for cluster-wide kinds) and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// Such as `v1` or `apps/v1`.
    pub api_version: String,
    pub kind: String,
    pub namespace: Option<String>,
    pub name: String,
}

/// How to apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ApplyOptions {
    /// Takes fields over from other managers, instead of a [`KubernetesError::Conflict`].
    pub force: bool,
    /// Has the server check all and keep nothing.
    pub dry_run: bool,
}

/// How a deletion ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// There is no such object any more, or there was none.
    Gone,
    /// It is marked, and waits for dependents or finalizers.
    Deleting,
}

impl ObjectRef {
    /// The place of `object`, which needs `apiVersion`, `kind` and `metadata.name`.
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

    fn api(&self, client: &Client) -> Api<DynamicObject> {
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

/// The plural is guessed from the kind, which is right for all kinds that this provider makes and
/// saves a discovery per kind.
fn api(client: &Client, api_version: &str, kind: &str, namespace: Option<&str>) -> Api<DynamicObject> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

/// Applies `object`, the full intent: a field applied before and left out now is removed.
///
/// Returns the object as the server has it afterwards. Misspelt and doubled fields are errors.
///
/// # Errors
/// [`KubernetesError`]; [`KubernetesError::Conflict`] names the fields and who owns them.
pub async fn apply(client: &Client, object: &Value, options: ApplyOptions) -> Result<Value, KubernetesError> {
    let place = ObjectRef::of(object)?;
    let parameters = PatchParams {
        dry_run: options.dry_run,
        force: options.force,
        field_manager: Some(FIELD_MANAGER.to_owned()),
        field_validation: Some(ValidationDirective::Strict),
    };
    let api = place.api(client);
    let applied = api.patch(&place.name, &parameters, &Patch::Apply(object)).await;
    applied.map(value).map_err(|error| KubernetesError::new(&place, error))
}

/// The object at `place`, if there is one.
///
/// # Errors
/// [`KubernetesError`]
pub async fn get(client: &Client, place: &ObjectRef) -> Result<Option<Value>, KubernetesError> {
    let found = place.api(client).get_opt(&place.name).await;
    found.map(|object| object.map(value)).map_err(|error| KubernetesError::new(place, error))
}

/// All objects of a kind with these labels, in one namespace or in all.
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
    let found = place.api(client).list(&parameters).await;
    let found = found.map_err(|error| KubernetesError::new(&place, error))?;
    let typed = |mut object: DynamicObject| {
        // Entries of a list come without their type.
        object.types.get_or_insert_with(|| TypeMeta { api_version: api_version.to_owned(), kind: kind.to_owned() });
        value(object)
    };
    Ok(found.items.into_iter().map(typed).collect())
}

/// Deletes the object at `place`; that there is none is a success.
///
/// With `uid`, only that very object is deleted, not one that has taken its name since.
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
        preconditions: uid.map(|uid| Preconditions { uid: Some(uid.to_owned()), resource_version: None }),
        ..DeleteParams::default()
    };
    match place.api(client).delete(&place.name, &parameters).await {
        Ok(answer) => Ok(answer.either(|_| Deletion::Deleting, |_| Deletion::Gone)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Deletion::Gone),
        Err(error) => Err(KubernetesError::new(place, error)),
    }
}

fn value(object: DynamicObject) -> Value {
    // A DynamicObject came from JSON, so it goes back.
    serde_json::to_value(object).unwrap_or_default()
}
