//! Taking over a release that Helm installed: its objects as they are, then its record.

mod files;
pub(super) mod kept;
mod listed;
mod record;
mod weave;

use std::collections::BTreeMap;

use gitlabspot_clients::kubernetes::{self, KubernetesError, ObjectRef, Propagation};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tfplugin::framework::private_state::is_default;
use tfplugin::framework::{Diagnostic, Diagnostics};

use self::kept::Verdict;
use self::record::Record;
use self::weave::Difference;
use super::error::Error;
use super::expand::{Manifest, Wanted};
use super::memory::Memory;
use super::private::Private;
use super::read::{CLUSTER_KINDS, ELSEWHERE, KINDS};
use super::schema::RunnerRelease;
use super::{Session, live};
use crate::objects;

/// What the private state has of an import, until an apply has completed it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Adoption {
    /// Whether the release is still managed by Helm.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) is_adopting: bool,
    /// Whether the next apply completes objects, whoever owns the fields that are missing.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) is_completing: bool,
    /// The pod template that was found.
    #[serde(skip_serializing_if = "is_default")]
    found: Option<kept::Found>,
    /// Secrets that are other than the pods were started with.
    #[serde(skip_serializing_if = "is_default")]
    outdated: Vec<String>,
    /// What Helm recorded of the release.
    #[serde(skip_serializing_if = "is_default")]
    record: Option<Record>,
}

/// On every object of Helm: who wrote it is Helm, by whatever name.
const RELEASE_NAME: &str = "meta.helm.sh/release-name";

/// Whether an object belongs to this release of Helm.
pub(super) fn is_helms(object: &Json, namespace: &str, release: &str) -> bool {
    let annotations = &object["metadata"]["annotations"];
    annotations[RELEASE_NAME] == release && annotations["meta.helm.sh/release-namespace"] == namespace
}

/// What the import of such a release says.
pub(super) fn announced(namespace: &str, release: &str, found: &[Json], private: &Private) -> Diagnostic {
    let chart = Record::of(private).map(|record| format!(" from {}", record.described())).unwrap_or_default();
    let detail = format!(
        "{namespace}/{release} was installed by Helm{chart}. The next apply takes these objects over as they are, and removes \
         Helm's annotations and records, so that Helm no longer knows the release: {}. The manager's pods stay if the \
         configuration asks for what they are; otherwise they are replaced once, and the plan says why. The values that \
         Helm was given are told by `helm get values {release} --namespace {namespace}`. Until the apply nothing is changed.",
        names(found.iter().filter_map(|object| ObjectRef::of(object).ok()))
    );
    Diagnostic::warning("Release is managed by Helm", detail)
}

/// What the plan says of a release that is still Helm's.
pub(super) fn foretold(wanted: &Wanted, verdict: &Verdict, config: &RunnerRelease, private: &Private) -> Diagnostics {
    let record = Record::of(private);
    let uncovered =
        record.as_ref().zip(private.memory.clone()).and_then(|(record, memory)| record.uncovered(config, &memory));
    of_pods(wanted, verdict, record.as_ref()).into_iter().chain(uncovered).collect()
}

fn of_pods(wanted: &Wanted, verdict: &Verdict, record: Option<&Record>) -> Option<Diagnostic> {
    let manager = &wanted.spec.names.full;
    let place = live::deployment(&wanted.spec.names.namespace, manager);
    match verdict {
        Verdict::Keeps(_) => {
            let detail = format!(
                "{place} is taken over from Helm, and its pods stay: they differ from those that this configuration asks \
                 for in nothing that a running manager knows of. Until the first change that needs new pods they stay the \
                 chart's, with its preStop hook if they have it, which takes their runner out of GitLab when they end."
            );
            Some(Diagnostic::warning("Pods of the Helm release are preserved", detail))
        }
        Verdict::Ours(differences) if !differences.is_empty() => {
            let lines: Vec<String> = differences.iter().map(|difference| line(difference, &place, manager)).collect();
            let is_image = |difference: &Difference| difference.path.ends_with(&format!("[{manager}].image"));
            let hint = record.filter(|_| differences.iter().any(is_image)).and_then(Record::hint);
            let hint = hint.map(|hint| format!("\n{hint}")).unwrap_or_default();
            let detail = format!(
                "{place} is taken over from Helm, and its pods are replaced once, because this configuration asks for \
                 other ones than those that run. To keep them, make these equal to what is there:{}{hint}\nA preStop hook \
                 of the chart takes the runner of an ending pod out of GitLab before its last jobs have ended.",
                lines.concat()
            );
            Some(Diagnostic::warning("Pods of the Helm release are replaced", detail))
        }
        Verdict::Ours(_) | Verdict::Later => None,
    }
}

fn line(difference: &Difference, place: &ObjectRef, manager: &str) -> String {
    let attribute = super::dry_run::attribute(place, &difference.path, manager);
    let attribute = attribute.map(|name| format!(" ({name})")).unwrap_or_default();
    match &difference.values {
        Some((found, wanted)) => format!("\n- {}{attribute}: {found} is there, {wanted} is asked for", difference.path),
        None => format!("\n- {}{attribute}", difference.path),
    }
}

impl Session<'_> {
    /// All objects, in whatever namespace, that Helm made for this release.
    pub(super) async fn helms(&self, namespace: &str, release: &str) -> Result<Vec<Json>, KubernetesError> {
        let mut found = Vec::new();
        let labels = "app.kubernetes.io/managed-by=Helm";
        for kind in KINDS {
            let of_kind = match ELSEWHERE.contains(&kind) {
                true => self.list_everywhere(kind, namespace, labels).await?,
                false => kubernetes::list(&self.client, kind.0, kind.1, Some(namespace), labels).await?,
            };
            found.extend(of_kind.into_iter().filter(|object| is_helms(object, namespace, release)));
        }
        for kind in CLUSTER_KINDS {
            let of_kind = self.list_of_cluster(kind, labels).await?;
            found.extend(of_kind.into_iter().filter(|object| is_helms(object, namespace, release)));
        }
        Ok(found)
    }

    /// Makes Helm's fields ours, so that the apply that follows removes what is not wanted any more.
    pub(super) async fn take_over(&self, wanted: &Wanted) -> Result<(), Error> {
        let names = &wanted.spec.names;
        let before = objects::Error::Before;
        let found = live::get_all(&self.client, live::places(&wanted.manifest)).await.map_err(before)?;
        for (place, object) in found {
            if object.is_some_and(|object| is_helms(&object, &names.namespace, &names.release)) {
                kubernetes::take_over(&self.client, &place, RELEASE_NAME).await.map_err(before)?;
            }
        }
        Ok(())
    }

    /// Reads Helm's newest record of the release, for what the plan says of it. Without rights to it, that says less.
    pub(super) async fn look_at_record(
        &self,
        private: &mut Private,
        namespace: &str,
        release: &str,
    ) -> Result<(), KubernetesError> {
        let records = match self.records(namespace, release).await {
            Err(KubernetesError::Forbidden { .. }) => return Ok(()),
            found => found?,
        };
        let memory = Memory::of_or_new(private);
        memory.keep(private);
        match Record::newest(&records, &memory) {
            Some(record) => record.keep(private),
            None => Record::forget(private),
        }
        Ok(())
    }

    async fn records(&self, namespace: &str, release: &str) -> Result<Vec<Json>, KubernetesError> {
        let labels = format!("owner=helm,name={release}");
        let mut found = kubernetes::list(&self.client, "v1", "Secret", Some(namespace), &labels).await?;
        found.retain(|record| record["type"] == "helm.sh/release.v1");
        Ok(found)
    }

    /// Removes Helm's records of the release, and tells what of it is left.
    pub(super) async fn forget_helm(&self, wanted: &Wanted) -> Result<Option<Diagnostic>, KubernetesError> {
        let (namespace, release) = (&wanted.spec.names.namespace, &wanted.spec.names.release);
        let records = self.records(namespace, release).await?;
        for record in &records {
            let uid = record["metadata"]["uid"].as_str();
            kubernetes::delete(&self.client, &ObjectRef::of(record)?, Propagation::Background, uid).await?;
        }
        let left = self.helms(namespace, release).await?;
        let left: Vec<ObjectRef> = left.iter().filter_map(|object| ObjectRef::of(object).ok()).collect();
        Ok((!left.is_empty()).then(|| {
            let detail = format!(
                "Helm installed more with {namespace}/{release} than this configuration makes, and it was left as it \
                 is: {}. Nothing manages it now: delete it, or bring it into a configuration of its own.",
                names(left)
            );
            Diagnostic::warning("Objects installed by Helm remain", detail)
        }))
    }
}

/// The release is ours.
pub(super) fn finished(private: &mut Private) {
    private.adoption.is_adopting = false;
    Record::forget(private);
}

/// Only what an import has found to be Helm's, so that nothing else is taken for it.
pub(super) fn bare(found: &[Json]) -> Manifest {
    let entry = |object: &Json| {
        let place = ObjectRef::of(object).ok()?;
        let mut metadata = BTreeMap::from([("name", &object["metadata"]["name"])]);
        metadata.insert("namespace", &object["metadata"]["namespace"]);
        metadata.insert("labels", &object["metadata"]["labels"]);
        let bare = serde_json::json!({
            "apiVersion": place.api_version, "kind": place.kind, "metadata": metadata,
        });
        Some((place.to_string(), super::expand::text(&bare)))
    };
    found.iter().filter_map(entry).collect()
}

fn names(places: impl IntoIterator<Item = ObjectRef>) -> String {
    places.into_iter().map(|place| place.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn helms_objects_are_told_by_their_annotations() {
        let of = |name: &str, namespace: &str| {
            let annotations = json!({ "meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": namespace });
            is_helms(&json!({ "metadata": { "annotations": annotations } }), "ci", "runner")
        };
        assert_eq!([of("runner", "ci"), of("other", "ci"), of("runner", "other")], [true, false, false]);
        assert!(!is_helms(&json!({ "metadata": {} }), "ci", "runner"));
    }
}
