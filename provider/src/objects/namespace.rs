//! A namespace that a resource may create, and deletes again if it contains no other objects.

use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use gitlabspot_clients::kubernetes::{self, ApplyOptions, KubernetesError, ObjectRef, Propagation, causes};
use serde_json::{Value as Json, json};
use tfplugin::framework::wait::{Look, Wait, WaitError};
use tfplugin::framework::{Context, Diagnostic};

/// Annotation of a namespace that this provider created: the resource that created it.
const MADE_BY: &str = "gitlabspot.io/made-by";

/// How long controllers may take to delete dependents of deleted objects, such as the EndpointSlices of a Service.
const CLEANUP: Duration = Duration::from_secs(30);

/// The namespace of one resource.
#[derive(Clone)]
pub(crate) struct Namespace<'a> {
    pub(crate) client: &'a kube::Client,
    pub(crate) name: &'a str,
    /// Identifies this resource among others that use the namespace.
    pub(crate) owner: String,
}

/// Reason why the namespace cannot be used.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It does not exist and is not to be created.
    Missing,
    Call(KubernetesError),
    Wait(WaitError<KubernetesError>),
}

/// The result of a delete.
enum Deletion {
    /// It does not exist, or was not created by this resource.
    Done,
    /// It contains objects of others.
    InUse(Vec<String>),
    /// Not all of its objects can be listed.
    Unknown(String),
}

/// The place of the Namespace object.
pub(crate) fn place(name: &str) -> ObjectRef {
    ObjectRef { api_version: "v1".to_owned(), kind: "Namespace".to_owned(), namespace: None, name: name.to_owned() }
}

impl Namespace<'_> {
    fn object(&self) -> ObjectRef {
        place(self.name)
    }

    async fn get(&self) -> Result<Option<Json>, KubernetesError> {
        kubernetes::get(self.client, &self.object()).await
    }

    /// Ensures that the namespace exists. With `make`, a missing namespace is created, and one that is being deleted is
    /// waited for first. Returns whether it was created.
    pub(crate) async fn ensure<D>(&self, context: &Context<D>, make: bool, timeout: Duration) -> Result<bool, Failure> {
        let found = Wait::new(context, timeout)
            .until(|| async {
                Ok(match self.get().await? {
                    Some(found) if found["status"]["phase"] == "Terminating" && make => {
                        Look::Pending("the namespace is being deleted".to_owned())
                    }
                    found => Look::Done(found),
                })
            })
            .await
            .map_err(|error| match error {
                WaitError::Failed(error) => Failure::Call(error),
                error => Failure::Wait(error),
            })?;
        match found {
            Some(found) if found["status"]["phase"] == "Terminating" => {
                Err(Failure::Call(KubernetesError::NamespaceTerminating { object: Box::new(self.object()) }))
            }
            Some(_) => Ok(false),
            None if make => {
                let manifest = json!({
                    "apiVersion": "v1",
                    "kind": "Namespace",
                    "metadata": { "name": self.name, "annotations": { MADE_BY: self.owner } },
                });
                let applied = kubernetes::apply(self.client, &manifest, ApplyOptions::default()).await;
                applied.map(|_| true).map_err(Failure::Call)
            }
            None => Err(Failure::Missing),
        }
    }

    /// The UID of the namespace, which is unique among all clusters.
    pub(crate) async fn uid(&self) -> Result<Option<String>, KubernetesError> {
        Ok(self.get().await?.and_then(|found| found["metadata"]["uid"].as_str().map(str::to_owned)))
    }

    /// Whether the namespace exists and was created by this resource.
    pub(crate) async fn is_created_here(&self) -> Result<bool, KubernetesError> {
        let found = self.get().await?;
        Ok(found.is_some_and(|found| found["metadata"]["annotations"][MADE_BY] == self.owner.as_str()))
    }

    /// Deletes the namespace if this resource created it and it contains no other objects. Returns a warning if it is
    /// kept.
    pub(crate) async fn delete<D>(
        &self,
        context: &Context<D>,
        timeout: Duration,
    ) -> Result<Option<Diagnostic>, WaitError<KubernetesError>> {
        let wait = Wait::new(context, CLEANUP.min(timeout));
        let mut waiting = wait.every(Duration::from_millis(250), Duration::from_secs(4)).begin();
        let reason = loop {
            match self.delete_if_empty(context, timeout).await? {
                Deletion::Done => return Ok(None),
                Deletion::Unknown(error) => break format!("its objects could not all be listed ({error})."),
                Deletion::InUse(content) => {
                    let content = format!("it contains other objects ({}).", content.join(", "));
                    if waiting.next::<KubernetesError>(content.clone()).await.is_err() {
                        break content;
                    }
                }
            }
        };
        let text = format!("The namespace {} was created by this resource and is kept: {reason}", self.name);
        Ok(Some(Diagnostic::warning("Namespace kept", text)))
    }

    async fn delete_if_empty<D>(
        &self,
        context: &Context<D>,
        timeout: Duration,
    ) -> Result<Deletion, WaitError<KubernetesError>> {
        if !self.is_created_here().await? {
            return Ok(Deletion::Done);
        }
        match self.content().await {
            Ok(content) if content.is_empty() => {}
            Ok(content) => return Ok(Deletion::InUse(content)),
            Err(error) => return Ok(Deletion::Unknown(error)),
        }
        kubernetes::delete(self.client, &self.object(), Propagation::Background, None).await?;
        Wait::new(context, timeout)
            .until(|| async {
                Ok(match self.get().await? {
                    None => Look::Done(Deletion::Done),
                    Some(found) => Look::Pending(ending(&found)),
                })
            })
            .await
    }

    /// Lists the objects in the namespace, except those that Kubernetes creates in each, as `Kind name`; at most 10 of
    /// each kind.
    async fn content(&self) -> Result<Vec<String>, String> {
        let failed = |error| unlisted("the API", &error);
        let mut versions = self.client.list_core_api_versions().await.map_err(failed)?.versions;
        let groups = self.client.list_api_groups().await.map_err(failed)?.groups;
        versions.extend(groups.into_iter().filter_map(|group| {
            // The metrics APIs serve measurements, not stored objects.
            let is_metrics = group.name.ends_with("metrics.k8s.io");
            (!is_metrics).then(|| group.preferred_version.map(|version| version.group_version))?
        }));
        let found: Vec<Vec<String>> =
            stream::iter(versions).map(|version| self.content_of_version(version)).buffered(8).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn content_of_version(&self, version: String) -> Result<Vec<String>, String> {
        let name = version.clone();
        self.list_version(version).await.map_err(|error| unlisted(&name, &error))
    }

    async fn list_version(&self, version: String) -> kube::Result<Vec<String>> {
        let (root, kinds) = if version.contains('/') {
            (format!("/apis/{version}"), self.client.list_api_group_resources(&version).await?)
        } else {
            (format!("/api/{version}"), self.client.list_core_api_resources(&version).await?)
        };
        let mut found = Vec::new();
        for kind in kinds.resources {
            let is_listable = kind.namespaced && kind.verbs.iter().any(|verb| verb == "list");
            if !is_listable || kind.name.contains('/') || kind.kind == "Event" {
                continue;
            }
            // The answer contains only metadata, so that contents, such as those of Secrets, are not transferred.
            let uri = format!("{root}/namespaces/{}/{}?limit=10", self.name, kind.name);
            let request = http::Request::get(uri)
                .header("accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
                .body(Vec::new())
                .map_err(kube::Error::HttpError)?;
            let list: Json = self.client.request(request).await?;
            let items = list["items"].as_array().cloned().unwrap_or_default();
            let names = items.iter().filter_map(|item| item["metadata"]["name"].as_str());
            found.extend(
                names.filter(|name| !comes_by_itself(&kind.kind, name)).map(|name| format!("{} {name}", kind.kind)),
            );
        }
        Ok(found)
    }
}

/// Describes the deletion of a namespace, with the reasons that its conditions report.
fn ending(namespace: &Json) -> String {
    let conditions = namespace["status"]["conditions"].as_array().into_iter().flatten();
    let messages: Vec<&str> = conditions
        .filter(|condition| condition["status"] == "True")
        .filter_map(|condition| condition["message"].as_str())
        .collect();
    if messages.is_empty() {
        return "the namespace is being deleted".to_owned();
    }
    format!("the namespace is being deleted. Kubernetes reports: {}", messages.join("; "))
}

/// Reason why the objects of an API version could not be listed.
fn unlisted(version: &str, error: &kube::Error) -> String {
    let kube::Error::Api(status) = error else { return format!("{version}: {}", causes(error)) };
    let hint = if status.code == 503 {
        ". The server of this API is not available: find its APIService with `kubectl get apiservices`, and repair or \
         delete it"
    } else {
        ""
    };
    format!("{version} returned {} ({}){hint}", status.code, status.message.trim())
}

/// Whether Kubernetes creates this object in every namespace.
fn comes_by_itself(kind: &str, name: &str) -> bool {
    matches!((kind, name), ("ServiceAccount", "default") | ("ConfigMap", "kube-root-ca.crt"))
        || kind == "Secret" && name.starts_with("default-token-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_that_keep_a_namespace_are_listed() {
        let condition = |status: &str, message: &str| json!({ "type": "x", "status": status, "message": message });
        let remaining = "Some content in the namespace has finalizers remaining: a/b in 1 resource instances";
        let found =
            json!({ "status": { "conditions": [condition("False", "all is well"), condition("True", remaining)] } });
        assert_eq!(ending(&found), format!("the namespace is being deleted. Kubernetes reports: {remaining}"));
        assert_eq!(ending(&json!({})), "the namespace is being deleted");
    }

    #[test]
    fn missing_api_group_has_a_plain_error() {
        let status =
            kube::core::Status { code: 503, message: "service unavailable\n".to_owned(), ..Default::default() };
        let reason = unlisted("metrics.example.com/v1", &kube::Error::Api(Box::new(status)));
        assert!(
            reason.starts_with(
                "metrics.example.com/v1 returned 503 (service unavailable). The server of this API is not available"
            ),
            "{reason}"
        );
    }
}
