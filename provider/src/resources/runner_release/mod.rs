//! `gitlabspot_runner_release`: the GitLab Runner's manager on Kubernetes.
//!
//! Everything from configuration to Kubernetes objects is pure; the plan shows the objects as they will be applied, and
//! the state shows them as they were found.
//!
//! * plan: every object, tried out on the cluster if that can be reached.
//! * create: check for objects of others, apply object by object, wait for the rollout. The state has each object from
//!   before its request on.
//! * read: every object; managed fields that were changed and objects that no longer exist show in `manifest`.
//! * update: apply all objects, wait for the rollout, delete objects that are no longer desired.
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
pub mod from_values;
mod last_applied;
pub mod list;
mod live;
pub mod manifests;
mod model;
mod plan;
mod private;
mod read;
mod removal;
mod running_version;
mod schema;
mod secret_hashes;
pub mod settings;
pub mod spec;
#[cfg(test)]
mod tests;
mod validate;
pub mod values;
pub mod version;
mod wait;

use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tfplugin::framework::value::known_map;
use tfplugin::framework::{
    Context, Create, Delete, Diagnostic, Diagnostics, Import, Plan, Read, Resource, Timeouts, Update, Value,
};

use self::adoption::Adoption;
use self::error::Error;
use self::expand::Manifest;
use self::model::Desired;
use self::private::Private;
pub use self::schema::RunnerRelease;
use self::settings::Unresolved;
use self::spec::TokenKind;
use crate::configured::Data;
use crate::identity::ObjectIdentity;
use crate::objects::{self, Kind, ObjectSet, Objects, Prior, ShowsObjects as _};
use crate::reservations;
use crate::steps::Progress;

const CREATE: Duration = Duration::from_secs(15 * 60);
const UPDATE: Duration = Duration::from_secs(15 * 60);

/// How long a controller may take to observe a change that starts no pod.
const OBSERVED: Duration = Duration::from_secs(30);

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
            Some(desired) => dry_run::check(context, plan, &desired).await,
            None => Ok(()),
        }
    }

    async fn create(
        &self,
        context: &Context<Data>,
        operation: &mut Create<RunnerRelease, Private>,
    ) -> Result<(), Diagnostics> {
        let session = Session::connect(context, &operation.planned.cluster_name, &mut operation.private.objects)
            .await
            .map_err(Error::from)?;
        Ok(session.create(operation).await.map_err(Error::of_create)?)
    }

    async fn read(
        &self,
        context: &Context<Data>,
        operation: &mut Read<RunnerRelease, Private>,
    ) -> Result<(), Diagnostics> {
        match Session::connect(context, &operation.state.cluster_name, &mut operation.private.objects).await {
            Ok(session) => session.read(operation).await?,
            Err(error) => operation.diagnostics.extend(error.in_read(&KIND)?),
        }
        Ok(())
    }

    async fn update(
        &self,
        context: &Context<Data>,
        operation: &mut Update<RunnerRelease, Private>,
    ) -> Result<(), Diagnostics> {
        let session = Session::connect(context, &operation.planned.cluster_name, &mut operation.private.objects)
            .await
            .map_err(Error::from)?;
        Ok(session.update(operation).await?)
    }

    async fn delete(
        &self,
        context: &Context<Data>,
        operation: &mut Delete<RunnerRelease, Private>,
    ) -> Result<(), Diagnostics> {
        match Session::connect(context, &operation.state.cluster_name, &mut operation.private.objects).await {
            Ok(session) => session.delete(operation).await?,
            Err(error) => operation.warn(error.in_delete(&KIND)?),
        }
        Ok(())
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
        Some(ObjectIdentity::of(&state.namespace, &state.name, private.objects.cluster.as_ref()))
    }
}

fn invalid_id(id: &str) -> Diagnostic {
    Diagnostic::error(
        "Invalid import ID",
        format!("{id:?} is not namespace/name. Import with both, for example \"gitlab-runner/gitlab-runner\"."),
    )
}

/// What the engine for Kubernetes objects knows of a release.
static KIND: Kind = Kind {
    invalid: "Invalid runner release",
    cannot_apply: "Cannot apply the runner release",
    cannot_read: "Cannot read the runner release",
    cannot_remove: "Cannot remove the runner release",
    noun: "release",
    not_own: "was not created by this provider",
    if_exists: "Choose another name for the release, import the release if Helm installed it, or delete the existing \
                object.",
    to_rename: ", for example with `name` or `fullname_override`",
    if_no_namespace: "Create it first, or set create_namespace = true.",
    is_own: live::is_ours,
    shown: |asked, answer| flatten::flatten(asked, answer, None, &[]),
    pods: Some(|deployment| format!("app={}", deployment.name)),
};

impl Objects for RunnerReleaseResource {
    const KIND: &'static Kind = &KIND;
}

/// The cluster of one operation.
type Session<'a> = objects::Session<'a, RunnerReleaseResource>;

impl Session<'_> {
    async fn create(&self, operation: &mut Create<RunnerRelease, Private>) -> Result<(), Error> {
        let deadline = self.deadline(Timeouts::create(&operation.planned.timeouts, CREATE));
        let planned = operation.planned.clone();
        let existing = self.existing(&planned, &operation.config, &mut operation.private).await?;
        let desired = desired(&planned, &operation.config, existing)?;
        let check = || self.check_objects(&desired, Prior::Create, &Adoption::None, deadline);
        let is_passing = |error: &Error| matches!(error, Error::Objects(objects::Error::OfOther { .. }));
        let names = reserved_names(&planned, &desired.manifest);
        let (_reservation, owner) = self.begin(names, deadline, check, is_passing).await?;
        operation.private.objects.owner = Some(owner.clone());
        self.namespace(&planned, &desired, deadline).await?;
        let (before, after) = (&Manifest::new(), &desired.manifest);
        let progress = &mut Progress::begin(operation, described(&planned, &desired, before)?);
        let set = ObjectSet { before, after, adopts: false, owner: Some(owner), is_new: true };
        let deployment = self.apply_new(&desired, &set, progress, &planned).await?;
        let status = self.rolled_out(&desired, &planned, deadline).await?;
        progress.operation.private.objects.is_applying = false;
        progress.done(|state| state.status = status.into());
        // Of an earlier create that was interrupted.
        self.clear(&planned, &desired, Manifest::new(), None, deadline).await?;
        self.finish_create(&set, &deployment).await?;
        if planned.wait.or(true) {
            // A change of annotations is one of the Deployment: its controller observes it, and starts no pod for it.
            let _ = self.rolled_out(&desired, &planned, deadline.min(self.deadline(OBSERVED))).await;
        }
        Ok(())
    }

    async fn update(&self, operation: &mut Update<RunnerRelease, Private>) -> Result<(), Error> {
        let deadline = self.deadline(Timeouts::update(&operation.planned.timeouts, UPDATE));
        let planned = operation.planned.clone();
        let existing = self.existing(&planned, &operation.config, &mut operation.private).await?;
        let mut desired = desired(&running_version::kept(&planned, &operation.private), &operation.config, existing)?;
        let before = operation.prior.manifest();
        adoption::preserve(&mut desired, known_map(&planned.manifest).as_ref(), &before, &operation.private);
        let both: Manifest = before.clone().into_iter().chain(desired.manifest.clone()).collect();
        let _reservation = self.reserve(reserved_names(&planned, &both), deadline).await?;
        let prior = Prior::Update { owner: operation.private.objects.owner.as_ref(), manifest: &before };
        let owner = self.check_objects(&desired, prior, &operation.private.adoption, deadline).await?;
        operation.private.objects.owner = Some(owner.clone());
        self.namespace(&planned, &desired, deadline).await?;
        let mut state = described(&planned, &desired, &before)?;
        state.status = operation.prior.status.clone();
        let progress = &mut Progress::begin(operation, state);
        self.remove_autoscaler(&desired, &before, Some(&owner), deadline).await?;
        self.begin_adoption(&desired, &mut progress.operation.private).await?;
        let adopts = progress.operation.private.adoption.claims_all();
        let after = &desired.manifest;
        let set = ObjectSet { before: &before, after, adopts, owner: Some(owner.clone()), is_new: false };
        self.apply(&planned, &desired, &set, progress).await?;
        progress.state.status = self.rolled_out(&desired, &planned, deadline).await?.into();
        progress.operation.private.objects.is_applying = false;
        self.clear(&planned, &desired, before.clone(), Some(&owner), deadline).await?;
        progress.done(|state| state.show(after));
        let remaining = self.finish_adoption(&desired, &mut progress.operation.private).await?;
        progress.operation.diagnostics.extend(remaining);
        Ok(())
    }

    /// Checks that the namespace exists, or creates it.
    async fn namespace(&self, planned: &RunnerRelease, desired: &Desired, deadline: Instant) -> Result<(), Error> {
        let names = &desired.spec.names;
        let made_by = planned.create_namespace.or(false).then(|| apply::owner(&names.release));
        Ok(self.ensure_namespace(&names.namespace, made_by, deadline).await?)
    }
}

fn desired(planned: &RunnerRelease, config: &RunnerRelease, existing: Option<TokenKind>) -> Result<Desired, Error> {
    let desired = Desired::of(planned, config, existing).map_err(|unresolved| match unresolved {
        Unresolved::Invalid(found) => found,
        Unresolved::Unknown => {
            let detail = "A value is still unknown while the release is applied. This is a bug of the host.";
            Diagnostic::error("Unknown value", detail).into()
        }
    });
    Ok(desired.map_err(objects::Error::Configuration)?)
}

/// The names that an operation reserves.
fn reserved_names(model: &RunnerRelease, manifest: &Manifest) -> Vec<String> {
    let [namespace, name] = [&model.namespace, &model.name].map(|value| value.as_str().unwrap_or_default());
    reservations::names(
        model.cluster_name.as_str(),
        &format!("The release {namespace}/{name}"),
        &live::places(manifest),
    )
}

/// The plan with what follows from it, without a status, and with the objects that exist.
fn described(planned: &RunnerRelease, desired: &Desired, existing: &Manifest) -> Result<RunnerRelease, Error> {
    let mut state = planned.clone();
    desired.describe(&mut state).map_err(objects::Error::Configuration)?;
    state.show(existing);
    plan::identify(&mut state);
    state.status = Value::Null;
    Ok(state)
}
