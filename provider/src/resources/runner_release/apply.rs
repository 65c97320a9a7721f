//! Applying a release object by object.

use std::collections::BTreeMap;
use std::time::Instant;

use gitlabspot_clients::kubernetes::{self, ApplyOptions, KubernetesError, ObjectRef};
use serde_json::{Value as Json, json};

use super::adoption::Adoption;
use super::error::{Error, Fault};
use super::manifests::{self, Fingerprints};
use super::model::Desired;
use super::private::Private;
use super::schema::RunnerRelease;
use super::secret_hashes::SecretHashes;
use super::{Session, last_applied, live};
use crate::objects::claim::is_applied;
use crate::objects::namespace;
use crate::objects::owner::Owner;
use crate::objects::requests::places;
use crate::objects::{self, During as _, ObjectSet, Preflight, Prior, Step, is_workload};
use crate::steps::{Operation, Progress};

/// A create or an update of a release.
pub(super) trait Applying: Operation<Model = RunnerRelease, Private = Private> {}

impl<O: Operation<Model = RunnerRelease, Private = Private>> Applying for O {}

impl Session<'_> {
    /// Runs the preflight of the apply, before anything is changed. Returns the owner ID for the objects.
    pub(super) async fn check_objects(
        &self,
        desired: &Desired,
        prior: Prior<'_>,
        adoption: &Adoption,
        deadline: Instant,
    ) -> Result<Owner, Error> {
        let objects = desired.objects(&Fingerprints::new())?;
        let names = &desired.spec.names;
        self.refuse_missing_namespaces(&objects, &names.namespace).await?;
        self.refuse_unknown_kinds(&objects).await?;
        let mut workloads = Vec::new();
        if matches!(prior, Prior::Create) {
            workloads = self.managers(&names.namespace, &names.release).await.during(Step::Check, self)?;
            workloads.retain(|found| live::other_release(found, &names.namespace, &names.release).is_none());
        }
        let is_adopted = |object: &Json| adoption.takes_over(object, names);
        let refuse = |place: &ObjectRef, object: &Json| self.refuse_others(place, object, names, is_adopted);
        let preflight = Preflight { places: places(&desired.manifest), prior, workloads, refuse };
        self.preflight(preflight, deadline).await
    }

    /// Keeps the number of pods until the autoscaler sets it: a field that an apply omits is reset to its default, 1.
    async fn hand_replicas_over(&self, deployment: &Json) -> Result<(), KubernetesError> {
        let deployment = ObjectRef::of(deployment)?;
        let found = self.get(&deployment).await?.unwrap_or_default();
        if !is_applied(&found, ".spec.replicas") {
            return Ok(());
        }
        let kept = json!({
            "apiVersion": deployment.api_version,
            "kind": deployment.kind,
            "metadata": { "name": deployment.name, "namespace": deployment.namespace },
            "spec": { "replicas": found["spec"]["replicas"] },
        });
        let options = ApplyOptions { hands_over: true, ..ApplyOptions::default() };
        kubernetes::apply(&self.client, &kept, options).await.map(drop)
    }

    /// Returns an error for a missing namespace of jobs or of a monitor, which can differ from that of the release.
    async fn refuse_missing_namespaces(&self, objects: &[Json], own: &str) -> Result<(), Error> {
        let mut others = BTreeMap::new();
        for place in objects.iter().filter_map(|object| ObjectRef::of(object).ok()) {
            if let Some(namespace) = place.namespace.clone().filter(|namespace| namespace != own) {
                others.entry(namespace).or_insert(place);
            }
        }
        for (name, object) in others {
            match self.get(&namespace::place(&name)).await {
                Ok(None) => {
                    let (release, object) = (self.id(), object.to_string());
                    return Err(Fault::NoOtherNamespace { release, object, namespace: name }.into());
                }
                // Credentials without permission to read namespaces may still be allowed to use this one.
                Ok(Some(_)) | Err(KubernetesError::Forbidden { .. }) => {}
                Err(source) => return Ok(Err(source).during(Step::Check, self)?),
            }
        }
        Ok(())
    }

    /// Applies the objects of a create, and again if another create has written to them. Returns the Deployment.
    pub(super) async fn apply_new<O: Applying>(
        &self,
        desired: &Desired,
        set: &ObjectSet<'_>,
        progress: &mut Progress<'_, O>,
        planned: &RunnerRelease,
    ) -> Result<Json, Error> {
        let applied = self.apply(planned, desired, set, progress).await?;
        if self.owns_all(set, live::places(set.after)).await? {
            return Ok(applied);
        }
        self.apply(planned, desired, set, progress).await
    }

    /// Applies all objects one by one and records each before its request. Returns the Deployment.
    pub(super) async fn apply<O: Applying>(
        &self,
        planned: &RunnerRelease,
        desired: &Desired,
        set: &ObjectSet<'_>,
        progress: &mut Progress<'_, O>,
    ) -> Result<Json, Error> {
        let namespace = &desired.spec.names.namespace;
        let mut hashes = SecretHashes::stored_or_new(progress.operation.private());
        // Stored before the first request: after an interrupted apply, a new key would change all checksums.
        hashes.store(progress.operation.private());
        let mut applying = objects::Applying::new(self, set, progress);
        // A token is written if its version changed, or if the Secret has drifted.
        if let Some(secret) = desired.secret() {
            let place = live::secret(namespace, &desired.spec.token.name);
            let key = place.to_string();
            if set.before.get(&key) != desired.manifest.get(&key) {
                let object = secret.expose();
                applying.object(&object).await?;
                if desired.preserves() {
                    // The token is the same, but the text may differ: no newline at its end, or no second key.
                    hashes.record_secret(&place.name, &object);
                    hashes.store(applying.progress.operation.private());
                }
            }
        }
        let names = manifests::used_secrets(&desired.spec);
        let secrets = live::fingerprints(&self.client, &hashes, namespace, names).await.during(Step::Apply, self)?;
        let objects = applied_objects(planned, desired, &secrets)?;
        let has_autoscaler = objects.iter().any(|object| object["kind"] == AUTOSCALER);
        for object in &objects {
            if is_workload(object) && has_autoscaler {
                self.hand_replicas_over(object).await.during(Step::Apply, self)?;
            }
            applying.object(object).await?;
        }
        let files = objects.iter().find(|object| object["kind"] == "ConfigMap");
        match desired.preserves() {
            // Preserved pods were started with the earlier content of the Secrets.
            true => hashes.record_files(&secrets, &desired.spec.token.name, files),
            false => hashes.record(&secrets, files),
        }
        let deployment = objects.iter().find(|object| is_workload(object));
        hashes.record_texts(deployment);
        hashes.store(progress.operation.private());
        Ok(deployment.cloned().unwrap_or_default())
    }

    /// Gives back the objects of a create that lost its Deployment to another create. A failure is only logged, because
    /// the create returns its own error.
    pub(super) async fn give_back_all(&self, planned: &RunnerRelease, desired: &Desired, set: &ObjectSet<'_>) {
        let Ok(mut objects) = applied_objects(planned, desired, &Fingerprints::new()) else { return };
        objects.extend(desired.secret().map(|secret| secret.expose()));
        if let Err(error) = self.give_back(set, &objects).await {
            tracing::warn!(%error, "objects of another create could not be given back");
        }
    }
}

/// The objects as they are applied, without the Secret of the token.
fn applied_objects(planned: &RunnerRelease, desired: &Desired, secrets: &Fingerprints) -> Result<Vec<Json>, Error> {
    let mut objects = desired.objects(secrets)?;
    note_last_applied(&mut objects, planned, desired);
    Ok(objects)
}

/// Adds the annotation to the ConfigMap from which an import restores the attributes.
fn note_last_applied(objects: &mut [Json], planned: &RunnerRelease, desired: &Desired) {
    let config_map = objects.iter_mut().find(|object| object["kind"] == "ConfigMap");
    if let (Some(config_map), Some(text)) = (config_map, last_applied::write(planned, desired)) {
        config_map["metadata"]["annotations"][last_applied::ANNOTATION] = json!(text);
    }
}

/// Kind of the object that sets the number of the manager's pods.
pub(super) const AUTOSCALER: &str = "HorizontalPodAutoscaler";

/// Identifies this release among the resources that use its namespace.
pub(super) fn owner(release: &str) -> String {
    format!("runner_release {release}")
}
