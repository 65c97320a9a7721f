//! The import of a release that Helm installed, or of one with preserved pods.
//!
//! Four hooks: a read observes ([`Session::observe_import`], [`Session::observe_again`]), a plan decides ([`plan`]), an
//! update applies ([`preserve`], [`Session::begin_adoption`]) and finishes ([`Session::finish_adoption`]).

mod helm;
mod merge;
mod preserve;
mod record;
mod settings;
mod tolerated;

use gitlabspot_clients::kubernetes::{KubernetesError, ObjectRef};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tfplugin::framework::private_state::is_default;
use tfplugin::framework::{Diagnostic, Diagnostics, Read};

use self::helm::is_helm_managed;
use self::merge::Difference;
use self::preserve::ObservedPod;
pub(super) use self::preserve::{Decision, TEMPLATE_HASH, hash, preserve, resume};
use self::record::Record;
use super::error::Error;
use super::expand::Manifest;
use super::model::Desired;
use super::private::Private;
use super::schema::RunnerRelease;
use super::spec::Names;
use super::{Session, live};
use crate::objects::{During as _, Step};

/// State of an import in the private state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Adoption {
    /// The release was created by this provider, or its import is complete and no pods are preserved.
    #[default]
    None,
    /// The import is not complete: the next apply takes over all fields of the objects.
    Importing(Import),
    /// The Deployment has the pod template that the import observed.
    Preserving(ObservedPod),
}

/// An import that is not complete.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Import {
    /// Whether Helm manages the release.
    is_helm: bool,
    /// Helm's record of the release.
    #[serde(skip_serializing_if = "is_default")]
    record: Option<Record>,
    #[serde(skip_serializing_if = "is_default")]
    pod: Option<ObservedPod>,
}

impl Adoption {
    /// Whether the next apply takes over all fields of the objects.
    pub(super) fn claims_all(&self) -> bool {
        matches!(self, Self::Importing(_))
    }

    /// Whether Helm manages the release.
    fn is_helm(&self) -> bool {
        matches!(self, Self::Importing(import) if import.is_helm)
    }

    /// Whether the apply adopts an object of Helm.
    pub(super) fn takes_over(&self, object: &Json, names: &Names) -> bool {
        self.is_helm() && is_helm_managed(object, &names.namespace, &names.release)
    }

    /// Records the Secrets that have changed since the pods were started.
    pub(super) fn note_outdated(&mut self, names: &[String]) {
        if let Self::Importing(Import { pod: Some(pod), .. }) | Self::Preserving(pod) = self {
            pod.outdated = names.to_vec();
        }
    }

    /// Returns the warning of a destroy before the first apply.
    pub(super) fn warning_of_delete(&self) -> Option<Diagnostic> {
        let detail = "The release was imported from Helm, and no apply has adopted all of its objects. Objects that \
                      are still managed by Helm were not deleted. Use `helm uninstall` to delete them.";
        self.is_helm().then(|| Diagnostic::warning("Release managed by Helm was not removed", detail))
    }

    /// Starts an import, or continues it.
    fn import(&mut self, is_helm: bool, change: impl FnOnce(&mut Import)) {
        let mut import = match std::mem::take(self) {
            Self::Importing(import) => import,
            Self::Preserving(pod) => Import { is_helm, pod: Some(pod), ..Import::default() },
            Self::None => Import { is_helm, ..Import::default() },
        };
        import.is_helm |= is_helm;
        change(&mut import);
        *self = Self::Importing(import);
    }

    fn pod(&self) -> Option<&ObservedPod> {
        match self {
            Self::None => None,
            Self::Importing(import) => import.pod.as_ref(),
            Self::Preserving(pod) => Some(pod),
        }
    }

    fn set_pod(&mut self, pod: ObservedPod) {
        match self {
            Self::Importing(import) => import.pod = Some(pod),
            Self::None | Self::Preserving(_) => *self = Self::Preserving(pod),
        }
    }

    /// Returns the adoption while `desired` is applied: from now on a preserved template replaces the desired one.
    fn applied(self, desired: &Desired) -> Self {
        let preserved = |pod: ObservedPod| desired.preserves().then(|| pod.preserved_for(desired));
        match self {
            Self::None => Self::None,
            Self::Importing(import) => Self::Importing(Import { pod: import.pod.and_then(preserved), ..import }),
            Self::Preserving(pod) => preserved(pod).map_or(Self::None, Self::Preserving),
        }
    }

    fn finished(self) -> Self {
        match self {
            Self::Importing(import) => import.pod.map_or(Self::None, Self::Preserving),
            other => other,
        }
    }
}

impl Session<'_> {
    /// Returns the objects of a release that is imported: those of this provider and those of Helm.
    pub(super) async fn observe_import(
        &self,
        operation: &mut Read<RunnerRelease, Private>,
        namespace: &str,
        release: &str,
    ) -> Result<Vec<Json>, KubernetesError> {
        let mut found = self.ours(namespace, release).await?;
        let helm = self.list_helm_objects(namespace, release).await?;
        if !helm.is_empty() {
            operation.private.adoption.import(true, |_| {});
            self.observe_record(&mut operation.private, namespace, release).await?;
            operation.diagnostics.push(import_warning(namespace, release, &helm, &operation.private.adoption));
            found.extend(helm);
        }
        self.observe_pod(&found, &mut operation.private, namespace, release).await?;
        Ok(found)
    }

    /// Observes the objects and records of Helm again, which may have changed since the import.
    pub(super) async fn observe_again(
        &self,
        private: &mut Private,
        namespace: &str,
        release: &str,
    ) -> Result<(), KubernetesError> {
        if !private.adoption.is_helm() {
            return Ok(());
        }
        let helm = self.list_helm_objects(namespace, release).await?;
        self.observe_record(private, namespace, release).await?;
        self.observe_pod(&helm, private, namespace, release).await
    }

    /// Takes over the fields of Helm, so that the apply that follows removes those that are not desired.
    pub(super) async fn begin_adoption(&self, desired: &Desired, private: &mut Private) -> Result<(), Error> {
        if private.adoption.is_helm() {
            self.take_over_fields(desired).await?;
        }
        private.adoption = std::mem::take(&mut private.adoption).applied(desired);
        Ok(())
    }

    /// Deletes Helm's records. From now on only this provider manages the release.
    pub(super) async fn finish_adoption(
        &self,
        desired: &Desired,
        private: &mut Private,
    ) -> Result<Option<Diagnostic>, Error> {
        let mut warning = None;
        if private.adoption.is_helm() {
            let deleted = self.delete_records(desired).await;
            warning = deleted.during(Step::Remove, self)?;
        }
        private.adoption = std::mem::take(&mut private.adoption).finished();
        Ok(warning)
    }
}

/// Starts the import of a release without an annotation that contains its attributes: the next apply completes its
/// objects, whichever manager owns the missing fields.
pub(super) fn import_incomplete(private: &mut Private) {
    private.adoption.import(false, |_| {});
}

/// Decides about the pods of a release, and returns warnings about the apply of an import.
pub(super) fn plan(
    desired: &Desired,
    prior: &Manifest,
    config: &RunnerRelease,
    private: &Private,
) -> (Decision, Diagnostics) {
    let decision = preserve::decide(desired, prior, private);
    let warnings = match &private.adoption {
        Adoption::Importing(Import { is_helm: true, record, pod: Some(_) }) => {
            let record = record.as_ref();
            let uncovered =
                record.zip(private.hashes.as_ref()).and_then(|(record, hashes)| record.uncovered(config, hashes));
            pods_warning(desired, &decision, record).into_iter().chain(uncovered).collect()
        }
        _ => Diagnostics::default(),
    };
    (decision, warnings)
}

/// Returns the warning of an import.
fn import_warning(namespace: &str, release: &str, found: &[Json], adoption: &Adoption) -> Diagnostic {
    let record = match adoption {
        Adoption::Importing(import) => import.record.as_ref(),
        Adoption::None | Adoption::Preserving(_) => None,
    };
    let chart = record.map(|record| format!(" from {}", record.described())).unwrap_or_default();
    let detail = format!(
        "{namespace}/{release} was installed by Helm{chart}. The next apply adopts these objects and deletes the \
         annotations and records of Helm, which then no longer manages the release: {}. The manager pods are preserved \
         if the configuration matches them. Otherwise they are replaced once, and the plan shows the reasons. `helm \
         get values {release} --namespace {namespace}` shows the values of the release. Nothing is changed before the \
         apply.",
        names(found.iter().filter_map(|object| ObjectRef::of(object).ok()))
    );
    Diagnostic::warning("Release is managed by Helm", detail)
}

fn pods_warning(desired: &Desired, decision: &Decision, record: Option<&Record>) -> Option<Diagnostic> {
    let manager = &desired.spec.names.full;
    let place = live::deployment(&desired.spec.names.namespace, manager);
    match decision {
        Decision::Preserve(_) => {
            let detail = format!(
                "{place} is adopted from Helm, and its pods are preserved: they do not differ from the desired ones in \
                 anything that affects a running manager. Until the first change that requires new pods they are those \
                 of the chart, with its preStop hook if they have it, which unregisters their runner when they end."
            );
            Some(Diagnostic::warning("Pods of the Helm release are preserved", detail))
        }
        Decision::Replace(differences) if !differences.is_empty() => {
            let lines: Vec<String> = differences.iter().map(|difference| line(difference, &place, manager)).collect();
            let is_image = |difference: &Difference| difference.path.ends_with(&format!("[{manager}].image"));
            let hint = record.filter(|_| differences.iter().any(is_image)).and_then(Record::hint);
            let hint = hint.map(|hint| format!("\n{hint}")).unwrap_or_default();
            let detail = format!(
                "{place} is adopted from Helm, and its pods are replaced once, because they differ from the \
                 configuration. To preserve them, change these settings to match:{}{hint}\nA preStop hook of the chart \
                 unregisters the runner of a terminating pod before its last jobs have ended.",
                lines.concat()
            );
            Some(Diagnostic::warning("Pods of the Helm release are replaced", detail))
        }
        Decision::Replace(_) | Decision::Unknown => None,
    }
}

fn line(difference: &Difference, place: &ObjectRef, manager: &str) -> String {
    let attribute = super::dry_run::attribute(place, &difference.path, manager);
    let attribute = attribute.map(|name| format!(" ({name})")).unwrap_or_default();
    match &difference.values {
        Some((found, desired)) => {
            format!("\n- {}{attribute}: {found} exists, {desired} is configured", difference.path)
        }
        None => format!("\n- {}{attribute}", difference.path),
    }
}

fn names(places: impl IntoIterator<Item = ObjectRef>) -> String {
    places.into_iter().map(|place| place.to_string()).collect::<Vec<_>>().join(", ")
}
