//! `gitlabspot_runner_release`: the GitLab Runner's manager on Kubernetes.
//!
//! Everything from configuration to Kubernetes objects is pure; the plan shows the objects as they will be applied, and
//! the state shows them as they were found.
//!
//! * plan: every object, tried out on the cluster if that can be reached.
//! * create: see that nothing of others is in the way, apply object by object, wait for the rollout. The state has each
//!   object from before its request on.
//! * read: every object; fields of ours that were changed and objects that are gone show in `manifest`.
//! * update: apply everything, wait for the rollout, take away what left the configuration.
//! * delete: delete the Deployment and wait for its pods, of which those that registered themselves leave GitLab; then the
//!   rest, roles last.
//! * import: `namespace/name`, also of a release that Helm installed: the next apply takes over its objects.

mod adoption;
mod apply;
mod dry_run;
mod dynamic;
mod error;
mod existing;
mod expand;
mod flatten;
mod last_applied;
pub mod list;
mod live;
pub mod manifests;
mod memory;
mod plan;
mod private;
mod read;
mod removal;
mod schema;
pub mod settings;
pub mod spec;
#[cfg(test)]
mod tests;
mod validate;
pub mod values;
pub mod version;
mod wait;

use std::time::{Duration, Instant};

use gitlabspot_clients::ClientError;
use gitlabspot_clients::kubernetes::KubernetesError;
use serde_json::Value as Json;
use tfplugin::framework::value::known_map;
use tfplugin::framework::wait::{Wait, WaitError};
use tfplugin::framework::{
    Context, Create, Delete, Diagnostic, Diagnostics, Import, Plan, Read, Resource, Timeouts, Update, Value,
};

use self::adoption::kept;
use self::error::Error;
use self::expand::{Manifest, Wanted, shown_manifest};
use self::live::Claims;
use self::private::Private;
pub use self::schema::RunnerRelease;
use self::settings::Unresolved;
use self::spec::TokenKind;
use crate::cluster;
use crate::configured::Data;
use crate::errors::sentence;
use crate::identity::ObjectIdentity;
use crate::manifest::restore;
use crate::owner::{self, Owner};
use crate::turns::{self, Turn};

const CREATE: Duration = Duration::from_secs(15 * 60);
const UPDATE: Duration = Duration::from_secs(15 * 60);

/// How long a controller may take to see that nothing is to do.
const SEEN: Duration = Duration::from_secs(30);

/// The resource `gitlabspot_runner_release`.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunnerReleaseResource;

impl Resource for RunnerReleaseResource {
    type Data = Data;
    type Model = RunnerRelease;
    type Private = Private;
    type Identity = ObjectIdentity;
    const TYPE_NAME: &'static str = "gitlabspot_runner_release";
    /// In version 0 `config`, `cache` and `affinity` were typed objects.
    const VERSION: i64 = 1;
    const DESCRIPTION: &'static str = "Manages a GitLab Runner on Kubernetes: the objects of the official Helm \
         chart, with every key of the runner's configuration as an attribute that is validated at plan.\n\n\
         Values files of the chart are supported. The objects have the names, labels and selector of the chart, and \
         are applied with server-side apply. The plan shows every object and validates it with a dry run on the \
         cluster. Changes by others are shown and reverted. No Helm release is recorded.";

    fn validate(&self, config: &RunnerRelease, diagnostics: &mut Diagnostics) {
        validate::validate(config, diagnostics);
    }

    async fn plan(&self, context: &Context<Data>, plan: &mut Plan<RunnerRelease, Private>) -> Result<(), Diagnostics> {
        dynamic::settle(plan);
        let existing = existing::look(context, &plan.planned, &plan.config, &plan.private).await;
        if let Some(warning) = existing.warning(plan.planned.namespace.as_str().unwrap_or_default()) {
            plan.warn(warning);
        }
        match plan::complete(plan, existing)? {
            Some(wanted) => dry_run::check(context, plan, &wanted).await,
            None => Ok(()),
        }
    }

    async fn create(
        &self,
        context: &Context<Data>,
        operation: &mut Create<RunnerRelease, Private>,
    ) -> Result<(), Diagnostics> {
        let scene = Scene::set(context, &operation.planned, &mut operation.private).await?;
        Ok(scene.create(operation).await.map_err(Error::of_create)?)
    }

    async fn read(
        &self,
        context: &Context<Data>,
        operation: &mut Read<RunnerRelease, Private>,
    ) -> Result<(), Diagnostics> {
        match Scene::set(context, &operation.state, &mut operation.private).await {
            Ok(scene) => Ok(scene.read(operation).await?),
            // The cluster is still to be made, or its settings are: nothing can be said about what is in it.
            Err(Error::Client(ClientError::NotYetKnown { .. })) => Ok(()),
            // A destroy looks here first, and can then end; anything else will say the same as an error.
            Err(Error::Client(error @ ClientError::ClusterGone { .. })) => {
                let detail = format!("{} The state of the release was not changed.", sentence(&error.to_string()));
                operation.diagnostics.push(Diagnostic::warning("Cluster no longer exists", detail));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn update(
        &self,
        context: &Context<Data>,
        operation: &mut Update<RunnerRelease, Private>,
    ) -> Result<(), Diagnostics> {
        let scene = Scene::set(context, &operation.planned, &mut operation.private).await?;
        Ok(scene.update(operation).await?)
    }

    async fn delete(
        &self,
        context: &Context<Data>,
        operation: &mut Delete<RunnerRelease, Private>,
    ) -> Result<(), Diagnostics> {
        match Scene::set(context, &operation.state, &mut operation.private).await {
            Ok(scene) => Ok(scene.delete(operation).await?),
            Err(Error::Client(error @ ClientError::ClusterGone { .. })) => {
                operation.warn(Diagnostic::warning(
                    "Cluster no longer exists",
                    format!(
                        "{} The release was deleted with it and is removed from the state.",
                        sentence(&error.to_string())
                    ),
                ));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn upgrade(&self, _: i64, state: Json) -> Result<Json, Diagnostics> {
        Ok(dynamic::upgrade(state))
    }

    async fn import(
        &self,
        context: &Context<Data>,
        from: Import<ObjectIdentity>,
    ) -> Result<RunnerRelease, Diagnostics> {
        let (id, cluster_name) = match from {
            Import::Id(id) => (id, Value::Null),
            Import::Identity(identity) => (identity.place(), identity.cluster_name(&context.data()?.clients).await?),
        };
        match id.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(RunnerRelease {
                    namespace: namespace.into(),
                    name: name.into(),
                    id: id.as_str().into(),
                    cluster_name,
                    ..RunnerRelease::default()
                })
            }
            _ => Err(invalid_id(&id).into()),
        }
    }

    fn identity(&self, _: &Context<Data>, state: &RunnerRelease, private: &Private) -> Option<ObjectIdentity> {
        Some(ObjectIdentity::of(&state.namespace, &state.name, private.cluster.as_ref()))
    }
}

fn invalid_id(id: &str) -> Diagnostic {
    Diagnostic::error(
        "Invalid import ID",
        format!("{id:?} is not namespace/name. Import with both, for example \"gitlab-runner/gitlab-runner\"."),
    )
}

/// Where the story takes place.
struct Scene<'a> {
    context: &'a Context<Data>,
    client: kube::Client,
}

impl<'a> Scene<'a> {
    async fn set(context: &'a Context<Data>, model: &RunnerRelease, private: &mut Private) -> Result<Self, Error> {
        let data = context.data().map_err(Error::Configuration)?;
        let client = cluster::connect(&data.clients, &model.cluster_name, &mut private.cluster).await?;
        Ok(Self { context, client })
    }

    /// Looks every few seconds until `end`.
    fn wait(&self, end: Instant) -> Wait {
        let left = end.saturating_duration_since(self.context.clock.now());
        Wait::new(self.context, left).every(Duration::from_millis(250), Duration::from_secs(5))
    }

    /// Sees that no other operation of this run makes or removes what has the same names.
    async fn turn(&self, model: &RunnerRelease, manifest: &Manifest, end: Instant) -> Result<Turn, Error> {
        let turns = &self.context.data().map_err(Error::Configuration)?.turns;
        turns.make(turn_names(model, manifest), self.wait(end)).await.map_err(|source| Error::Taken { source })
    }

    /// The same for a create, which finds out whether it can go on.
    async fn begin(&self, planned: &RunnerRelease, wanted: &Wanted, end: Instant) -> Result<(Turn, Owner), Error> {
        let patience = self.context.clock.now() + owner::PATIENCE;
        loop {
            let turn = self.turn(planned, &wanted.manifest, end).await?;
            match self.look_ahead(wanted, &Manifest::new(), false, None, end).await {
                Err(Error::OfOther { .. }) if self.context.clock.now() < patience => {}
                found => return Ok((turn, found?)),
            }
            drop(turn);
            self.context.clock.sleep(Duration::from_millis(500)).await;
        }
    }

    async fn create(&self, operation: &mut Create<RunnerRelease, Private>) -> Result<(), Error> {
        let end = self.context.clock.now() + Timeouts::create(&operation.planned.timeouts, CREATE);
        let planned = operation.planned.clone();
        let existing = self.existing(&planned, &operation.config, &mut operation.private).await?;
        let wanted = wanted(&planned, &operation.config, existing)?;
        let (_turn, owner) = self.begin(&planned, &wanted, end).await?;
        operation.private.owner = Some(owner.clone());
        self.namespace(&planned, &wanted, end).await?;
        let mut state = described(&planned, &wanted)?;
        state.manifest = shown_manifest(&Manifest::new());
        operation.record(state.clone());
        let mut private = operation.private.clone();
        let (before, after) = (&Manifest::new(), &wanted.manifest);
        let mut claims = Claims { before, after, all: false, owner: Some(owner.clone()), is_new: true };
        let mut applied = self
            .apply(&planned, &wanted, &claims, &mut private, |manifest| {
                state.manifest = shown_manifest(manifest);
                operation.record(state.clone());
            })
            .await;
        operation.private = private.clone();
        if applied.is_ok() && !self.are_kept(&wanted, &owner).await? {
            applied = self.apply(&planned, &wanted, &claims, &mut private, |_| {}).await;
            operation.private = private;
        }
        if let Err(Error::Lost { .. }) = &applied {
            // The other create has ended, and does not apply its objects again. If this fails as well, the error of the
            // create is what the user has to know.
            let _ = self.give_back(&planned, &wanted, &owner).await;
        }
        let deployment = applied?;
        state.status = self.rolled_out(&wanted, &planned, end).await?.into();
        operation.private.is_rolling = false;
        operation.record(state);
        // Of an earlier create that was killed.
        self.clear(&planned, &wanted, Manifest::new(), None, end).await?;
        claims.is_new = false;
        self.finish(&deployment, &claims).await?;
        if planned.wait.or(true) {
            // A change of annotations counts as one of the Deployment: its controller sees it, and starts no pod for it.
            let soon = self.context.clock.now() + SEEN;
            let _ = self.rolled_out(&wanted, &planned, end.min(soon)).await;
        }
        Ok(())
    }

    async fn update(&self, operation: &mut Update<RunnerRelease, Private>) -> Result<(), Error> {
        let end = self.context.clock.now() + Timeouts::update(&operation.planned.timeouts, UPDATE);
        let planned = operation.planned.clone();
        let existing = self.existing(&planned, &operation.config, &mut operation.private).await?;
        let mut wanted = wanted(&planned, &operation.config, existing)?;
        let before = known_map(&operation.prior.manifest).unwrap_or_default();
        kept::settle(&mut wanted, known_map(&planned.manifest).as_ref(), &before, &operation.private);
        let adopts = operation.private.adoption.is_adopting;
        let both: Manifest = before.clone().into_iter().chain(wanted.manifest.clone()).collect();
        let _turn = self.turn(&planned, &both, end).await?;
        let owner = self.look_ahead(&wanted, &before, adopts, Some(operation.private.owner.as_ref()), end).await?;
        operation.private.owner = Some(owner.clone());
        let owner = Some(owner);
        self.namespace(&planned, &wanted, end).await?;
        let mut state = described(&planned, &wanted)?;
        state.status = operation.prior.status.clone();
        state.manifest = operation.prior.manifest.clone();
        state.objects = operation.prior.objects.clone();
        operation.record(state.clone());
        if adopts {
            self.take_over(&wanted).await?;
        }
        self.remove_autoscaler(&wanted, &before, owner.as_ref(), end).await?;
        kept::remember(&wanted, &mut operation.private);
        let mut private = operation.private.clone();
        let completes = operation.private.adoption.is_completing;
        let all = adopts || completes;
        let claims = Claims { before: &before, after: &wanted.manifest, all, owner: owner.clone(), is_new: false };
        let applied = self.apply(&planned, &wanted, &claims, &mut private, |manifest| {
            state.manifest = shown_manifest(manifest);
            state.objects = expand::objects(manifest);
            operation.record(state.clone());
        });
        let applied = applied.await;
        operation.private = private;
        if let Err(Error::Apply { source: KubernetesError::Conflict { object, .. }, .. }) = &applied {
            // It is as it was, and what others own of it does not become ours by being in the state.
            let mut manifest = known_map(&state.manifest).unwrap_or_default();
            restore(&mut manifest, &before, &object.to_string());
            state.manifest = shown_manifest(&manifest);
            state.objects = expand::objects(&manifest);
            operation.record(state.clone());
        }
        applied?;
        state.status = self.rolled_out(&wanted, &planned, end).await?.into();
        operation.private.is_rolling = false;
        self.clear(&planned, &wanted, before, owner.as_ref(), end).await?;
        wanted.describe(&mut state).map_err(Error::Configuration)?;
        operation.record(state);
        if adopts {
            let left = self.forget_helm(&wanted).await;
            let left = left.map_err(|source| Error::Remove { source: WaitError::Failed(source) })?;
            left.into_iter().for_each(|warning| operation.diagnostics.push(warning));
            adoption::finished(&mut operation.private);
        }
        operation.private.adoption.is_completing = false;
        Ok(())
    }
}

fn wanted(planned: &RunnerRelease, config: &RunnerRelease, existing: Option<TokenKind>) -> Result<Wanted, Error> {
    Wanted::of(planned, config, existing).map_err(|unresolved| match unresolved {
        Unresolved::Invalid(found) => Error::Configuration(found),
        Unresolved::Unknown => {
            let detail = "A value is still unknown while the release is applied. This is a bug of the host.";
            Error::Configuration(Diagnostic::error("Unknown value", detail).into())
        }
    })
}

/// What no two operations of one run are to have in hand.
fn turn_names(model: &RunnerRelease, manifest: &Manifest) -> Vec<String> {
    let [namespace, name] = [&model.namespace, &model.name].map(|value| value.as_str().unwrap_or_default());
    turns::names(model.cluster_name.as_str(), &format!("The release {namespace}/{name}"), &live::places(manifest))
}

/// The plan with what follows from it, without a status.
fn described(planned: &RunnerRelease, wanted: &Wanted) -> Result<RunnerRelease, Error> {
    let mut state = planned.clone();
    wanted.describe(&mut state).map_err(Error::Configuration)?;
    plan::identify(&mut state);
    state.status = Value::Null;
    Ok(state)
}
