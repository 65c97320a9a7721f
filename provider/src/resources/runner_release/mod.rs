//! `gitlabspot_runner_release`: the GitLab Runner's manager on Kubernetes.
//!
//! Everything from configuration to Kubernetes objects is pure; the plan shows the objects as they will be applied, and
//! the state shows them as they were found.
//!
//! * create: see that nothing of others is in the way, apply object by object, wait for the rollout. The state has each
//!   object from before its request on.
//! * read: every object; fields of ours that were changed and objects that are gone show in `manifest`.
//! * update: apply everything, wait for the rollout, take away what left the configuration.
//! * delete: tell pods that registered themselves to leave GitLab, delete the Deployment and wait for its pods, then the
//!   rest, roles last.
//! * import: `namespace/name`.

pub mod catalogue;
pub mod config_toml;
mod error;
mod expand;
pub mod finding;
mod flatten;
pub mod inputs;
mod live;
pub mod manifests;
mod memory;
mod plan;
pub mod reference;
mod schema;
pub mod spec;
pub mod suggest;
#[cfg(test)]
mod tests;
mod validate;
pub mod values;
pub mod version;
mod wait;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use self::error::{Error, Reasons, RolloutError};
use self::expand::{Manifest, Wanted, shown_manifest, text};
use self::live::places;
use self::memory::Memory;
use self::plan::ROLLING;
pub use self::schema::RunnerRelease;
use self::wait::{Rollout, rollout};
use crate::clients::ClientError;
use crate::clients::kubernetes::{self, KubernetesError, ObjectRef};
use crate::framework::value::known_map;
use crate::framework::wait::{Look, Wait, WaitError};
use crate::framework::{
    Context, Create, Delete, Diagnostic, Diagnostics, Import, NoIdentity, Plan, PrivateState, Read, Resource, Timeouts,
    Update, Value,
};
use crate::provider::Data;

const CREATE: Duration = Duration::from_secs(15 * 60);
const UPDATE: Duration = Duration::from_secs(15 * 60);
/// Beyond the grace period of the pods.
const DELETE: Duration = Duration::from_secs(10 * 60);

/// The resource `gitlabspot_runner_release`.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunnerReleaseResource;

impl Resource for RunnerReleaseResource {
    type Data = Data;
    type Model = RunnerRelease;
    type Identity = NoIdentity;
    const TYPE_NAME: &'static str = "gitlabspot_runner_release";
    const DESCRIPTION: &'static str = "The GitLab Runner on Kubernetes: what the official Helm chart makes, with every key \
         of the runner's configuration as a typed attribute, checked at plan.\n\n\
         Values files of the chart work as they are. Objects have the chart's names, labels and selector, and are applied \
         one by one with server-side apply; the plan shows each of them, and what was changed by hand is shown and \
         repaired. No Helm record is kept.";

    fn validate(&self, config: &RunnerRelease, diagnostics: &mut Diagnostics) {
        validate::validate(config, diagnostics);
    }

    async fn plan(&self, _: &Context<Data>, plan: &mut Plan<RunnerRelease>) -> Result<(), Diagnostics> {
        plan::complete(plan, None)
    }

    async fn create(&self, context: &Context<Data>, operation: &mut Create<RunnerRelease>) -> Result<(), Diagnostics> {
        let scene = Scene::set(context, &operation.planned).await?;
        Ok(scene.create(operation).await?)
    }

    async fn read(&self, context: &Context<Data>, operation: &mut Read<RunnerRelease>) -> Result<(), Diagnostics> {
        match Scene::set(context, &operation.state).await {
            Ok(scene) => Ok(scene.read(operation).await?),
            // The cluster is still to be made, or its settings are: nothing can be said about what is in it.
            Err(Error::Client(ClientError::NotYetKnown { .. })) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn update(&self, context: &Context<Data>, operation: &mut Update<RunnerRelease>) -> Result<(), Diagnostics> {
        let scene = Scene::set(context, &operation.planned).await?;
        Ok(scene.update(operation).await?)
    }

    async fn delete(&self, context: &Context<Data>, operation: &mut Delete<RunnerRelease>) -> Result<(), Diagnostics> {
        match Scene::set(context, &operation.state).await {
            Ok(scene) => Ok(scene.delete(operation).await?),
            Err(Error::Client(error @ ClientError::ClusterNotFound { .. })) => {
                operation.warn(Diagnostic::warning(
                    "The cluster of the runner release is gone",
                    format!("{error}. The release went with it; it is taken out of the state."),
                ));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn import(&self, _: &Context<Data>, from: Import<NoIdentity>) -> Result<RunnerRelease, Diagnostics> {
        let Import::Id(id) = from else { return Err(invalid_id("").into()) };
        match id.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(RunnerRelease {
                    namespace: namespace.into(),
                    name: name.into(),
                    id: id.as_str().into(),
                    ..RunnerRelease::default()
                })
            }
            _ => Err(invalid_id(&id).into()),
        }
    }
}

fn invalid_id(id: &str) -> Diagnostic {
    Diagnostic::error(
        "Invalid import id",
        format!("{id:?} is not namespace/name. Import with both, for instance \"gitlab-runner/gitlab-runner\"."),
    )
}

/// Where the story takes place.
struct Scene<'a> {
    context: &'a Context<Data>,
    client: kube::Client,
}

impl<'a> Scene<'a> {
    async fn set(context: &'a Context<Data>, model: &RunnerRelease) -> Result<Self, Error> {
        let data = context.data().map_err(Error::Configuration)?;
        let client = data.clients.kubernetes(model.cluster_name.as_str()).await?;
        Ok(Self { context, client })
    }

    fn wait(&self, end: Instant) -> Wait {
        let left = end.saturating_duration_since(self.context.clock.now());
        Wait::new(self.context, left).every(Duration::from_secs(1), Duration::from_secs(5))
    }

    async fn create(&self, operation: &mut Create<RunnerRelease>) -> Result<(), Error> {
        let end = self.context.clock.now() + Timeouts::create(&operation.planned.timeouts, CREATE);
        let planned = operation.planned.clone();
        let wanted = wanted(&planned, &operation.config)?;
        live::refuse_unknown_kinds(&self.client, &wanted.objects(&BTreeMap::new()).map_err(Error::Configuration)?)
            .await?;
        live::refuse_strangers(&self.client, places(&wanted.manifest)).await?;
        let mut state = described(&planned, &wanted)?;
        state.manifest = shown_manifest(&Manifest::new());
        operation.record(state.clone());
        self.namespace(&planned, &wanted).await?;
        let mut private = operation.private.clone();
        let nothing = Manifest::new();
        let applied = self.apply(&wanted, &nothing, &mut private, |manifest| {
            state.manifest = shown_manifest(manifest);
            operation.record(state.clone());
        });
        let applied = applied.await;
        operation.private = private;
        applied?;
        state.status = self.rolled_out(&wanted, &planned, end).await?.into();
        operation.private.remove(ROLLING);
        operation.record(state);
        Ok(())
    }

    async fn namespace(&self, planned: &RunnerRelease, wanted: &Wanted) -> Result<(), Error> {
        let name = &wanted.spec.names.namespace;
        if planned.create_namespace.or(false) {
            let owner = format!("runner_release {}", wanted.spec.names.release);
            let made = live::make_namespace(&self.client, name, &owner).await;
            return made.map_err(|source| Error::Before { source });
        }
        match kubernetes::get(&self.client, &live::namespace(name)).await {
            Ok(None) => Err(Error::NoNamespace { namespace: name.clone() }),
            // Whoever may not look at namespaces may still be allowed to work in this one.
            Ok(Some(_)) | Err(KubernetesError::Forbidden { .. }) => Ok(()),
            Err(source) => Err(Error::Before { source }),
        }
    }

    /// Applies all objects one by one, and says so before each.
    async fn apply(
        &self,
        wanted: &Wanted,
        before: &Manifest,
        private: &mut PrivateState,
        mut record: impl FnMut(&Manifest),
    ) -> Result<(), Error> {
        const LEFT: &str =
            "What was applied before is in the cluster and in the state; apply again when the cause is gone.";
        let failed = |source| Error::Apply { source, left: LEFT };
        let mut memory = Memory::of_or_new(private);
        memory.keep(private);
        private.set(ROLLING, &true);
        let mut manifest = before.clone();
        let mut next = |place: &ObjectRef| {
            let key = place.to_string();
            if let Some(text) = wanted.manifest.get(&key) {
                manifest.insert(key, text.clone());
                record(&manifest);
            }
        };
        if let Some(secret) = wanted.secret() {
            let place = live::secret(&wanted.spec.names.namespace, &wanted.spec.token.name);
            let key = place.to_string();
            if before.get(&key) != wanted.manifest.get(&key) {
                next(&place);
                let object = serde_json::to_value(&secret).unwrap_or_default();
                live::apply(&self.client, &object).await.map_err(failed)?;
            }
        }
        let names = manifests::used_secrets(&wanted.spec);
        let secrets = live::fingerprints(&self.client, &memory, &wanted.spec.names.namespace, names);
        let secrets = secrets.await.map_err(failed)?;
        let objects = wanted.objects(&secrets).map_err(Error::Configuration)?;
        for object in &objects {
            let place = ObjectRef::of(object).map_err(failed)?;
            next(&place);
            live::apply(&self.client, object).await.map_err(failed)?;
        }
        memory.note(&secrets, objects.iter().find(|object| object["kind"] == "ConfigMap"));
        memory.keep(private);
        Ok(())
    }

    /// Waits for the rollout, if that is asked for; the Deployment's status.
    async fn rolled_out(&self, wanted: &Wanted, planned: &RunnerRelease, end: Instant) -> Result<&'static str, Error> {
        let place = wanted.deployment();
        let look = async || {
            let found = kubernetes::get(&self.client, &place).await?.ok_or(RolloutError::Gone)?;
            Ok::<_, RolloutError>(rollout(&found))
        };
        let result = if planned.wait.or(true) {
            self.wait(end)
                .until(|| async {
                    match look().await? {
                        Rollout::Done => Ok(Look::Done(Rollout::Done)),
                        Rollout::Under(how) => Ok(Look::Pending(how)),
                        Rollout::Failed(why) => Err(RolloutError::Failed(why)),
                    }
                })
                .await
        } else {
            look().await.map_err(WaitError::Failed)
        };
        match result {
            Ok(rollout) => Ok(rollout.status()),
            Err(source) => {
                let reasons = Reasons(live::reasons(&self.client, &place).await);
                Err(Error::Rollout { source, reasons })
            }
        }
    }

    async fn read(&self, operation: &mut Read<RunnerRelease>) -> Result<(), Error> {
        let failed = |source| Error::Read { source };
        let memory = Memory::of(&operation.private);
        let prior = known_map(&operation.state.manifest).unwrap_or_default();
        let namespace = operation.state.namespace.as_str().unwrap_or_default().to_owned();
        let found = live::get_all(&self.client, places(&prior)).await.map_err(failed)?;
        let mut outdated = Vec::new();
        if let Some(memory) = &memory {
            let now = live::fingerprints(&self.client, memory, &namespace, memory.secrets()).await.map_err(failed)?;
            for (name, _) in now {
                let place = live::secret(&namespace, &name);
                let live = kubernetes::get(&self.client, &place).await.map_err(failed)?;
                if !memory.is_same_secret(&name, live.as_ref()) {
                    outdated.push(name);
                }
            }
        }
        let mut manifest = Manifest::new();
        let mut status = "missing";
        for (place, live) in found {
            let key = place.to_string();
            let (Some(live), Some(shown)) = (live, prior.get(&key)) else { continue };
            if place.kind == "Deployment" {
                status = rollout(&live).status();
            }
            let shown: Json = serde_json::from_str(shown).unwrap_or_default();
            manifest.insert(key, text(&flatten::flatten(&shown, &live, memory.as_ref(), &outdated)));
        }
        if manifest.is_empty() {
            if operation.importing {
                let name = operation.state.name.as_str().unwrap_or_default().to_owned();
                return Err(Error::NothingToImport { namespace, name });
            }
            operation.gone();
            return Ok(());
        }
        let state = &mut operation.state;
        state.objects = expand::objects(&manifest);
        state.manifest = shown_manifest(&manifest);
        state.status = status.into();
        plan::identify(state);
        Ok(())
    }

    async fn update(&self, operation: &mut Update<RunnerRelease>) -> Result<(), Error> {
        let end = self.context.clock.now() + Timeouts::update(&operation.planned.timeouts, UPDATE);
        let planned = operation.planned.clone();
        let wanted = wanted(&planned, &operation.config)?;
        let before = known_map(&operation.prior.manifest).unwrap_or_default();
        let is_new = |place: &ObjectRef| !before.contains_key(&place.to_string());
        live::refuse_unknown_kinds(&self.client, &wanted.objects(&BTreeMap::new()).map_err(Error::Configuration)?)
            .await?;
        live::refuse_strangers(&self.client, places(&wanted.manifest).into_iter().filter(is_new).collect()).await?;
        let mut state = described(&planned, &wanted)?;
        state.status = operation.prior.status.clone();
        state.manifest = operation.prior.manifest.clone();
        state.objects = operation.prior.objects.clone();
        operation.record(state.clone());
        let mut private = operation.private.clone();
        let applied = self.apply(&wanted, &before, &mut private, |manifest| {
            state.manifest = shown_manifest(manifest);
            state.objects = expand::objects(manifest);
            operation.record(state.clone());
        });
        let applied = applied.await;
        operation.private = private;
        applied?;
        state.status = self.rolled_out(&wanted, &planned, end).await?.into();
        operation.private.remove(ROLLING);
        let mut left = places(&before);
        left.retain(|place| !wanted.manifest.contains_key(&place.to_string()));
        self.remove(left, end).await.map_err(|source| Error::Remove { source })?;
        wanted.describe(&mut state).map_err(Error::Configuration)?;
        operation.record(state);
        Ok(())
    }

    /// Takes objects away in good order.
    async fn remove(&self, mut places: Vec<ObjectRef>, end: Instant) -> Result<(), WaitError<KubernetesError>> {
        places.sort_by_key(|place| (live::removal_rank(place), place.clone()));
        for place in places {
            live::remove(&self.client, &place, self.wait(end)).await?;
            if place.kind == "Deployment" {
                live::pods_gone(&self.client, &place, self.wait(end)).await?;
            }
        }
        Ok(())
    }

    async fn delete(&self, operation: &mut Delete<RunnerRelease>) -> Result<(), Error> {
        let manifest = known_map(&operation.state.manifest).unwrap_or_default();
        let end = self.context.clock.now() + Timeouts::delete(&operation.state.timeouts, grace(&manifest) + DELETE);
        let places = places(&manifest);
        self.remove(places, end).await.map_err(|source| Error::Remove { source })
    }
}

fn wanted(planned: &RunnerRelease, config: &RunnerRelease) -> Result<Wanted, Error> {
    let unknown = || {
        let detail = "A value is still unknown while the release is applied. This is a bug of the host.";
        Err(Diagnostic::error("Unknown value", detail).into())
    };
    Wanted::of(planned, config, None).unwrap_or_else(unknown).map_err(Error::Configuration)
}

/// The plan with what follows from it, without a status.
fn described(planned: &RunnerRelease, wanted: &Wanted) -> Result<RunnerRelease, Error> {
    let mut state = planned.clone();
    wanted.describe(&mut state).map_err(Error::Configuration)?;
    plan::identify(&mut state);
    state.status = Value::Null;
    Ok(state)
}

/// How long the manager's pods may take to end.
fn grace(manifest: &Manifest) -> Duration {
    let seconds = manifest.values().find_map(|text| {
        let object: Json = serde_json::from_str(text).ok()?;
        object.pointer("/spec/template/spec/terminationGracePeriodSeconds")?.as_u64()
    });
    Duration::from_secs(seconds.unwrap_or(30))
}
