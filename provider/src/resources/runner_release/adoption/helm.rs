//! The objects that Helm created for a release, and its records.

use gitlabspot_clients::kubernetes::{self, KubernetesError, ObjectRef, Propagation};
use serde_json::Value as Json;
use tfplugin::framework::Diagnostic;

use super::names;
use super::record::Record;
use crate::objects::{During as _, Step};
use crate::resources::runner_release::error::Error;
use crate::resources::runner_release::model::Desired;
use crate::resources::runner_release::private::Private;
use crate::resources::runner_release::read::{CLUSTER_KINDS, ELSEWHERE, KINDS};
use crate::resources::runner_release::secret_hashes::SecretHashes;
use crate::resources::runner_release::{Session, live};

/// Annotation of every object of Helm. It identifies Helm's field managers, which have various names.
pub(super) const RELEASE_NAME: &str = "meta.helm.sh/release-name";

/// Whether an object belongs to this release of Helm.
pub(in super::super) fn is_helm_managed(object: &Json, namespace: &str, release: &str) -> bool {
    let annotations = &object["metadata"]["annotations"];
    annotations[RELEASE_NAME] == release && annotations["meta.helm.sh/release-namespace"] == namespace
}

impl Session<'_> {
    /// Returns all objects that Helm created for this release, in any namespace.
    pub(super) async fn list_helm_objects(&self, namespace: &str, release: &str) -> Result<Vec<Json>, KubernetesError> {
        let mut found = Vec::new();
        let labels = "app.kubernetes.io/managed-by=Helm";
        for kind in KINDS {
            let of_kind = match ELSEWHERE.contains(&kind) {
                true => self.list_everywhere(kind, namespace, labels).await?,
                false => kubernetes::list(&self.client, kind.0, kind.1, Some(namespace), labels).await?,
            };
            found.extend(of_kind.into_iter().filter(|object| is_helm_managed(object, namespace, release)));
        }
        for kind in CLUSTER_KINDS {
            let of_kind = self.list_of_cluster(kind, labels).await?;
            found.extend(of_kind.into_iter().filter(|object| is_helm_managed(object, namespace, release)));
        }
        Ok(found)
    }

    /// Takes over the fields of Helm, so that the apply that follows removes those that are not desired.
    pub(super) async fn take_over_fields(&self, desired: &Desired) -> Result<(), Error> {
        let names = &desired.spec.names;
        let found = live::get_all(&self.client, live::places(&desired.manifest)).await.during(Step::Check, self)?;
        for (place, object) in found {
            if object.is_some_and(|object| is_helm_managed(&object, &names.namespace, &names.release)) {
                kubernetes::take_over(&self.client, &place, RELEASE_NAME).await.during(Step::Check, self)?;
            }
        }
        Ok(())
    }

    /// Reads Helm's newest record of the release. Without permission to read it, the plan shows less.
    pub(super) async fn observe_record(
        &self,
        private: &mut Private,
        namespace: &str,
        release: &str,
    ) -> Result<(), KubernetesError> {
        let records = match self.records(namespace, release).await {
            Err(KubernetesError::Forbidden { .. }) => return Ok(()),
            found => found?,
        };
        let hashes = SecretHashes::stored_or_new(private);
        hashes.store(private);
        let record = Record::newest(&records, &hashes);
        private.adoption.import(true, |import| import.record = record);
        Ok(())
    }

    async fn records(&self, namespace: &str, release: &str) -> Result<Vec<Json>, KubernetesError> {
        let labels = format!("owner=helm,name={release}");
        let mut found = kubernetes::list(&self.client, "v1", "Secret", Some(namespace), &labels).await?;
        found.retain(|record| record["type"] == "helm.sh/release.v1");
        Ok(found)
    }

    /// Deletes Helm's records of the release. Returns a warning about objects that remain.
    pub(super) async fn delete_records(&self, desired: &Desired) -> Result<Option<Diagnostic>, KubernetesError> {
        let (namespace, release) = (&desired.spec.names.namespace, &desired.spec.names.release);
        let records = self.records(namespace, release).await?;
        for record in &records {
            let uid = record["metadata"]["uid"].as_str();
            kubernetes::delete(&self.client, &ObjectRef::of(record)?, Propagation::Background, uid).await?;
        }
        let left = self.list_helm_objects(namespace, release).await?;
        let left: Vec<ObjectRef> = left.iter().filter_map(|object| ObjectRef::of(object).ok()).collect();
        Ok((!left.is_empty()).then(|| {
            let detail = format!(
                "Helm installed objects with {namespace}/{release} that are not part of this configuration, and they \
                 were not changed: {}. They are no longer managed. Delete them, or manage them with another \
                 configuration.",
                names(left)
            );
            Diagnostic::warning("Objects installed by Helm remain", detail)
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_of_helm_have_its_annotations() {
        let of = |name: &str, namespace: &str| {
            let annotations = json!({ "meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": namespace });
            is_helm_managed(&json!({ "metadata": { "annotations": annotations } }), "ci", "runner")
        };
        assert_eq!([of("runner", "ci"), of("other", "ci"), of("runner", "other")], [true, false, false]);
        assert!(!is_helm_managed(&json!({ "metadata": {} }), "ci", "runner"));
    }
}
