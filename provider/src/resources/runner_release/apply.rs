//! Applying a release object by object.

use std::collections::BTreeMap;
use std::time::Instant;

use gitlabspot_clients::kubernetes::{self, ApplyOptions, KubernetesError, ObjectRef};
use serde_json::{Value as Json, json};

use super::error::Error;
use super::expand::{Manifest, Wanted};
use super::live::{Applied, Claims, DEPLOYMENT, places};
use super::manifests::{self, Fingerprints};
use super::memory::Memory;
use super::private::Private;
use super::schema::RunnerRelease;
use super::{Scene, adoption, last_applied, live};
use crate::live::apply_unless_lost;
use crate::namespace::{self, Failure, Namespace};
use crate::owner::{Owner, is_of_other, is_unfinished};
use crate::ownership::is_applied;

impl Scene<'_> {
    /// Finds out what will not go, before anything is changed.
    pub(super) async fn look_ahead(
        &self,
        wanted: &Wanted,
        before: &Manifest,
        adopts: bool,
        own: Option<Option<&Owner>>,
        end: Instant,
    ) -> Result<Owner, Error> {
        let objects = wanted.objects(&Fingerprints::new()).map_err(Error::Configuration)?;
        self.refuse_missing_namespaces(&objects, &wanted.spec.names.namespace).await?;
        live::refuse_unknown_kinds(&self.client, &objects).await?;
        let failed = |source| Error::Before { source };
        let found = live::get_all(&self.client, places(&wanted.manifest)).await.map_err(failed)?;
        let found: Vec<_> = found.into_iter().filter_map(|(place, object)| Some((place, object?))).collect();
        let names = &wanted.spec.names;
        let is_known = |object: &Json| adopts && adoption::is_helms(object, &names.namespace, &names.release);
        let is_new = |place: &ObjectRef| !before.contains_key(&place.to_string());
        live::refuse_strangers(found.iter().filter(|(place, _)| is_new(place)), names, is_known)?;
        let owner = match own {
            Some(kept) => {
                let main = found.iter().map(|(_, object)| object).find(|object| Owner::on(object).is_some());
                let owner = Owner::of_or_found(kept, main).unwrap_or_else(Owner::new);
                live::refuse_others(found.iter().map(|(_, object)| object), Some(&owner), names)?;
                owner
            }
            // An id that private state has is that of a resource which this one takes the place of.
            None => {
                let managers = self.managers(&names.namespace, &names.release).await.map_err(failed)?;
                live::refuse_made(found.iter().map(|(_, object)| object).chain(&managers), names)?;
                Owner::new()
            }
        };
        live::until_ended(&self.client, &found, || self.wait(end)).await?;
        Ok(owner)
    }

    /// Keeps the number of pods until the autoscaler sets it: left out of an apply, it would be 1.
    async fn hand_replicas_over(&self, deployment: &ObjectRef) -> Result<(), KubernetesError> {
        let found = kubernetes::get(&self.client, deployment).await?.unwrap_or_default();
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

    /// Sees after a create that all objects are its own: another one may have taken them for those of a create that was
    /// killed. Whose the Deployment is, whose they are.
    pub(super) async fn are_kept(&self, wanted: &Wanted, owner: &Owner) -> Result<bool, Error> {
        let failed = |source| Error::Apply { source, is_new: false };
        let found = live::get_all(&self.client, places(&wanted.manifest)).await.map_err(failed)?;
        let is_other = |object: &Option<Json>| object.as_ref().is_some_and(|object| is_of_other(object, Some(owner)));
        let others: Vec<&ObjectRef> =
            found.iter().filter(|(_, object)| is_other(object)).map(|(place, _)| place).collect();
        match others.iter().find(|place| place.to_string() == wanted.deployment()) {
            Some(deployment) => Err(Error::Lost { object: deployment.to_string() }),
            None => Ok(others.is_empty()),
        }
    }

    /// Ends a create: what was made belongs to this resource alone from now on.
    pub(super) async fn finish(&self, deployment: &Json, claims: &Claims<'_>) -> Result<(), Error> {
        let is_lost = |found: &Json| is_of_other(found, claims.owner.as_ref());
        self.apply_deployment(deployment, claims, is_lost).await.map(drop)
    }

    /// Applies the Deployment, unless another create has it.
    async fn apply_deployment(
        &self,
        deployment: &Json,
        claims: &Claims<'_>,
        is_lost: impl Fn(&Json) -> bool,
    ) -> Result<Applied, Error> {
        let apply = |exact: Json| async move { claims.apply(&self.client, &exact).await };
        match apply_unless_lost(&self.client, deployment, is_lost, apply).await {
            Ok(Some(applied)) => Ok(applied),
            Ok(None) => Err(Error::Lost {
                object: ObjectRef::of(deployment).map(|place| place.to_string()).unwrap_or_default(),
            }),
            Err(source) => Err(Error::Apply { source, is_new: false }),
        }
    }

    /// Gives the objects that this create has written to the owner of the Deployment, so that a destroy of this resource does
    /// not delete them.
    pub(super) async fn give_back(
        &self,
        planned: &RunnerRelease,
        wanted: &Wanted,
        own: &Owner,
    ) -> Result<(), KubernetesError> {
        let found = live::get_all(&self.client, places(&wanted.manifest)).await?;
        let owner_of = |place: &ObjectRef| {
            found.iter().find(|(found, _)| found == place).and_then(|(_, object)| Owner::on(object.as_ref()?))
        };
        let deployment = found.iter().map(|(place, _)| place).find(|place| place.kind == DEPLOYMENT);
        let Some(winner) = deployment.and_then(owner_of) else { return Ok(()) };
        let (before, after) = (&Manifest::new(), &wanted.manifest);
        let claims = Claims { before, after, all: false, owner: Some(winner), is_new: false };
        let mut objects = wanted.objects(&Fingerprints::new()).unwrap_or_default();
        note_last_applied(&mut objects, planned, wanted);
        objects.extend(wanted.secret().and_then(|secret| serde_json::to_value(&secret).ok()));
        for object in objects.iter().filter(|object| object["kind"] != DEPLOYMENT) {
            if owner_of(&ObjectRef::of(object)?).as_ref() == Some(own) {
                claims.apply(&self.client, object).await?;
            }
        }
        Ok(())
    }

    /// The namespace of jobs and that of a monitor may be others than the release's.
    async fn refuse_missing_namespaces(&self, objects: &[Json], own: &str) -> Result<(), Error> {
        let mut others = BTreeMap::new();
        for place in objects.iter().filter_map(|object| ObjectRef::of(object).ok()) {
            if let Some(namespace) = place.namespace.clone().filter(|namespace| namespace != own) {
                others.entry(namespace).or_insert(place);
            }
        }
        for (name, object) in others {
            match kubernetes::get(&self.client, &namespace::place(&name)).await {
                Ok(None) => return Err(Error::NoOtherNamespace { namespace: name, object: object.to_string() }),
                // Whoever may not look at namespaces may still be allowed to work in this one.
                Ok(Some(_)) | Err(KubernetesError::Forbidden { .. }) => {}
                Err(source) => return Err(Error::Before { source }),
            }
        }
        Ok(())
    }

    /// Sees that there is a namespace.
    pub(super) async fn namespace(&self, planned: &RunnerRelease, wanted: &Wanted, end: Instant) -> Result<(), Error> {
        let name = &wanted.spec.names.namespace;
        let namespace = Namespace { client: &self.client, name, owner: owner(&wanted.spec.names.release) };
        let left = end.saturating_duration_since(self.context.clock.now());
        match namespace.ensure(self.context, planned.create_namespace.or(false), left).await {
            // Whoever may not look at namespaces may still be allowed to work in this one.
            Ok(_) | Err(Failure::Call(KubernetesError::Forbidden { .. })) => Ok(()),
            Err(Failure::Missing) => Err(Error::NoNamespace { namespace: name.clone() }),
            Err(Failure::Call(source)) => Err(Error::Before { source }),
            Err(Failure::Wait(source)) => Err(Error::NamespaceEnds { namespace: name.clone(), source }),
        }
    }

    /// Applies all objects one by one, and says so before each. Returns the Deployment.
    pub(super) async fn apply(
        &self,
        planned: &RunnerRelease,
        wanted: &Wanted,
        claims: &Claims<'_>,
        private: &mut Private,
        mut record: impl FnMut(&Manifest),
    ) -> Result<Json, Error> {
        let failed = |source| Error::Apply { source, is_new: false };
        let namespace = &wanted.spec.names.namespace;
        let mut memory = Memory::of_or_new(private);
        memory.keep(private);
        private.is_rolling = true;
        let mut manifest = claims.before.clone();
        let mut next = |place: &ObjectRef| {
            let key = place.to_string();
            if let Some(text) = wanted.manifest.get(&key) {
                manifest.insert(key, text.clone());
                record(&manifest);
            }
        };
        // A token is written when its version says so, or when the Secret is not as it was.
        if let Some(secret) = wanted.secret() {
            let place = live::secret(namespace, &wanted.spec.token.name);
            let key = place.to_string();
            if claims.before.get(&key) != wanted.manifest.get(&key) {
                next(&place);
                let object = serde_json::to_value(&secret).unwrap_or_default();
                claims.apply(&self.client, &object).await.map(drop).map_err(failed)?;
                if wanted.keeps() {
                    // The same token, perhaps in other words: without a line end, or without a key of the chart's.
                    memory.note_secret(&place.name, &object);
                    memory.keep(private);
                }
            }
        }
        let names = manifests::used_secrets(&wanted.spec);
        let secrets = live::fingerprints(&self.client, &memory, namespace, names).await.map_err(failed)?;
        let mut objects = wanted.objects(&secrets).map_err(Error::Configuration)?;
        let has_autoscaler = objects.iter().any(|object| object["kind"] == AUTOSCALER);
        note_last_applied(&mut objects, planned, wanted);
        let config_map = objects.iter().find(|object| object["kind"] == "ConfigMap");
        let files: Option<Json> = config_map.cloned();
        for object in &objects {
            let place = ObjectRef::of(object).map_err(failed)?;
            next(&place);
            if object["kind"] == "Deployment" && has_autoscaler {
                self.hand_replicas_over(&place).await.map_err(failed)?;
            }
            let applied = if claims.is_new && object["kind"] == DEPLOYMENT {
                // One that a create has left which was killed is gone on with; one that another create has ended is not.
                let is_lost = |found: &Json| is_of_other(found, claims.owner.as_ref()) && !is_unfinished(found);
                self.apply_deployment(object, claims, is_lost).await?
            } else {
                claims.apply(&self.client, object).await.map_err(failed)?
            };
            let Applied { place, asked, made } = applied;
            private.mutations.note(&place, &asked, made);
        }
        match wanted.keeps() {
            // Pods that stay were started with the Secrets as they were then.
            true => memory.note_files(&secrets, &wanted.spec.token.name, files.as_ref()),
            false => memory.note(&secrets, files.as_ref()),
        }
        memory.note_texts(objects.iter().find(|object| object["kind"] == "Deployment"));
        memory.keep(private);
        Ok(objects.into_iter().find(|object| object["kind"] == "Deployment").unwrap_or_default())
    }
}

/// Writes to the ConfigMap what an import reads back.
fn note_last_applied(objects: &mut [Json], planned: &RunnerRelease, wanted: &Wanted) {
    let config_map = objects.iter_mut().find(|object| object["kind"] == "ConfigMap");
    if let (Some(config_map), Some(text)) = (config_map, last_applied::write(planned, wanted)) {
        config_map["metadata"]["annotations"][last_applied::ANNOTATION] = json!(text);
    }
}

/// What sets the number of the manager's pods.
pub(super) const AUTOSCALER: &str = "HorizontalPodAutoscaler";

/// Tells this release from other resources in its namespace.
pub(super) fn owner(release: &str) -> String {
    format!("runner_release {release}")
}
