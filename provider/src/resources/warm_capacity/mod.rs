//! `gitlabspot_warm_capacity`: room for the next jobs, held by placeholders that give way to them.
//!
//! Always: a Deployment of pods that do nothing. With a schedule: a CronJob whose Job holds these pods and ends with the
//! period, so that nothing has to run in the cluster to scale anything, with rights to do so.
//!
//! * create: see that nothing of others is in the way, apply the priority class and then the Deployment or CronJob; start
//!   the period that is under way. Wait until the pods exist; they may be Pending, which is what makes nodes come.
//! * read: both objects; fields of ours that were changed and objects that are gone show in `manifest`.
//! * update: take away the Deployment or CronJob if it becomes the other, apply, and take away a priority class that
//!   nobody uses any more.
//! * delete: the same, placeholders first.
//! * import: `namespace/name`, by identity, or `cluster:namespace/name`.

mod apply;
mod error;
mod expand;
mod flatten;
pub mod list;
mod manifests;
mod model;
mod plan;
mod private;
mod read;
mod removal;
mod schedule;
mod schema;
#[cfg(test)]
mod tests;
mod validate;
mod wait;

use std::time::{Duration, Instant};

use gitlabspot_clients::ClientError;
use gitlabspot_clients::kubernetes::{self, KubernetesError, ObjectRef};
use serde_json::Value as Json;
use tfplugin::framework::value::known_map;
use tfplugin::framework::wait::Wait;
use tfplugin::framework::{
    Context, Create, Delete, Diagnostic, Diagnostics, Import, Plan, Read, Resource, Timeouts, Update, Value,
};

use self::apply::Stamp;
use self::error::Error;
use self::model::Placeholders;
use self::private::Private;
use self::schema::WarmCapacity;
use crate::cluster;
use crate::configured::Data;
use crate::errors::sentence;
use crate::identity::ObjectIdentity;
use crate::manifest::{Manifest, entry, restore, shown_manifest};
use crate::mutation::Mutations;
use crate::owner::{self, Owner};
use crate::turns::{self, Turn};

/// What an operation may take, unless the user says otherwise.
const TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// The resource `gitlabspot_warm_capacity`.
#[derive(Clone, Copy, Debug, Default)]
pub struct WarmCapacityResource;

impl Resource for WarmCapacityResource {
    type Data = Data;
    type Model = WarmCapacity;
    type Private = Private;
    type Identity = ObjectIdentity;
    const TYPE_NAME: &'static str = "gitlabspot_warm_capacity";
    const DESCRIPTION: &'static str = "Manages warm capacity: reserved capacity for the next jobs, so that a \
         job does not wait two to four minutes for a new node.\n\n\
         Placeholder pods with the resources of a job pod run on the build nodes and do nothing. A job pod has a \
         higher priority and preempts a placeholder pod at once. The placeholder pod is then pending, and the \
         cluster autoscaler adds a node for it, which has capacity for the next job.\n\n\
         Without `schedule` the placeholder pods belong to a Deployment. With `schedule` they belong to the Job of \
         a CronJob, which ends with the period and does not leave a failed Job. No permissions in the cluster are \
         required for that. Placeholder pods that are preempted come back until the period ends. All periods of a \
         schedule have the same local duration and do not overlap. They start and end in the time zone throughout \
         the year. Only a period during which the clock changes keeps its absolute duration, and ends an hour later \
         in spring and an hour earlier in autumn. An apply within a period starts the period at once, and ends it \
         on schedule. An apply that changes the placeholder pods replaces those of the current period.\n\n\
         An apply waits until the pods exist, not until they run: while there are no nodes they are expected to be \
         pending.\n\n\
         Changes by others are shown and reverted. The Job of a period is not part of the plan. If it is missing \
         five minutes after the start of its period or later, a warning is shown, and the next apply starts a Job \
         for the rest of the period. Fields of other field managers are shown as a change if their value differs. \
         Otherwise an apply that would change them fails with the name of the field and its manager, and changes \
         nothing.\n\n\
         The PriorityClass is a cluster-scoped object. All warm capacity with the same priority shares it, and the \
         last one to be destroyed deletes it: running pods keep their priority, but new pods that specify it are \
         rejected. Use it for placeholder pods only, and create another PriorityClass for other pods.\n\n\
         A destroy deletes the placeholder pods and their PriorityClass, and waits until both are deleted, which \
         takes seconds. The identity in use requires the permissions in \
         [docs/permissions/warm-capacity.yaml](https://github.com/gitlabspot/terraform-provider-gitlabspot/tree/main/docs/permissions/warm-capacity.yaml).";

    fn validate(&self, config: &WarmCapacity, diagnostics: &mut Diagnostics) {
        validate::check(config, diagnostics);
    }

    async fn plan(&self, _: &Context<Data>, plan: &mut Plan<WarmCapacity, Private>) -> Result<(), Diagnostics> {
        plan::complete(plan);
        Ok(())
    }

    async fn create(
        &self,
        context: &Context<Data>,
        operation: &mut Create<WarmCapacity, Private>,
    ) -> Result<(), Diagnostics> {
        let scene = Scene::set(context, &operation.planned, &mut operation.private).await?;
        Ok(scene.create(operation).await.map_err(Error::of_create)?)
    }

    async fn read(
        &self,
        context: &Context<Data>,
        operation: &mut Read<WarmCapacity, Private>,
    ) -> Result<(), Diagnostics> {
        match Scene::set(context, &operation.state, &mut operation.private).await {
            Ok(scene) => Ok(scene.read(operation).await?),
            // The cluster is still to be made, or its settings are: nothing can be said about what is in it.
            Err(Error::Client(ClientError::NotYetKnown { .. })) => Ok(()),
            // A destroy looks here first, and can then end; anything else will say the same as an error.
            Err(Error::Client(error @ ClientError::ClusterGone { .. })) => {
                let detail =
                    format!("{} The state of the warm capacity was not changed.", sentence(&error.to_string()));
                operation.diagnostics.push(Diagnostic::warning("Cluster no longer exists", detail));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn update(
        &self,
        context: &Context<Data>,
        operation: &mut Update<WarmCapacity, Private>,
    ) -> Result<(), Diagnostics> {
        let scene = Scene::set(context, &operation.planned, &mut operation.private).await?;
        Ok(scene.update(operation).await?)
    }

    async fn delete(
        &self,
        context: &Context<Data>,
        operation: &mut Delete<WarmCapacity, Private>,
    ) -> Result<(), Diagnostics> {
        match Scene::set(context, &operation.state, &mut operation.private).await {
            Ok(scene) => Ok(scene.delete(operation).await?),
            Err(Error::Client(error @ ClientError::ClusterGone { .. })) => {
                operation.warn(Diagnostic::warning(
                    "Cluster no longer exists",
                    format!(
                        "{} The placeholders were deleted with it and are removed from the state.",
                        sentence(&error.to_string())
                    ),
                ));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn import(&self, context: &Context<Data>, from: Import<ObjectIdentity>) -> Result<WarmCapacity, Diagnostics> {
        let (id, cluster_name) = match from {
            Import::Id(id) => (id, Value::Null),
            Import::Identity(identity) => (identity.place(), identity.cluster_name(&context.data()?.clients).await?),
        };
        let imported = parse(&id).ok_or_else(|| {
            let detail = format!(
                "{id:?} is not namespace/name. Import with both, for example \"gitlab-runner/warm\", or with the name of \
                 an EKS cluster before them: \"prod:gitlab-runner/warm\"."
            );
            Diagnostic::error("Invalid import ID", detail)
        })?;
        Ok(if cluster_name.is_null() { imported } else { WarmCapacity { cluster_name, ..imported } })
    }

    fn identity(&self, _: &Context<Data>, state: &WarmCapacity, private: &Private) -> Option<ObjectIdentity> {
        Some(ObjectIdentity::of(&state.namespace, &state.name, private.cluster.as_ref()))
    }
}

/// An import id: as much state as the read that follows needs.
fn parse(id: &str) -> Option<WarmCapacity> {
    let (cluster_name, place) = match id.split_once(':') {
        Some((cluster_name, place)) => (Value::from(cluster_name), place),
        None => (Value::Null, id),
    };
    let (namespace, name) = place.split_once('/')?;
    let is_whole = |part: &str| !part.is_empty() && !part.contains([':', '/', ' ']);
    (is_whole(namespace) && is_whole(name) && cluster_name.as_str().is_none_or(is_whole)).then(|| WarmCapacity {
        cluster_name,
        namespace: namespace.into(),
        name: name.into(),
        ..WarmCapacity::default()
    })
}

/// Where the story takes place.
struct Scene<'a> {
    context: &'a Context<Data>,
    client: kube::Client,
}

impl<'a> Scene<'a> {
    async fn set(context: &'a Context<Data>, model: &WarmCapacity, private: &mut Private) -> Result<Self, Error> {
        let data = context.data().map_err(Error::Configuration)?;
        let client = cluster::connect(&data.clients, &model.cluster_name, &mut private.cluster).await?;
        Ok(Self { context, client })
    }

    async fn get(&self, place: &ObjectRef) -> Result<Option<Json>, KubernetesError> {
        kubernetes::get(&self.client, place).await
    }

    /// Looks every few seconds until `end`.
    fn wait(&self, end: Instant) -> Wait {
        let left = end.saturating_duration_since(self.context.clock.now());
        Wait::new(self.context, left).every(Duration::from_millis(200), Duration::from_secs(3))
    }

    /// Sees that no other operation of this run makes or removes placeholders of the same name.
    async fn turn(&self, model: &WarmCapacity, end: Instant) -> Result<Turn, Error> {
        let turns = &self.context.data().map_err(Error::Configuration)?.turns;
        turns.make(turn_names(model), self.wait(end)).await.map_err(|source| Error::Taken { source })
    }

    /// The same for a create, which finds out whether it can go on.
    async fn begin(&self, model: &WarmCapacity, wanted: &Placeholders, end: Instant) -> Result<(Turn, Owner), Error> {
        let patience = self.context.clock.now() + owner::PATIENCE;
        loop {
            let turn = self.turn(model, end).await?;
            let found = match self.look_ahead(wanted, &Manifest::new(), None, end).await {
                Ok(owner) => self.look_for_other_shape(wanted).await.map(|()| owner),
                refused => refused,
            };
            match found {
                Err(Error::OfOther { .. } | Error::OtherShape { .. }) if self.context.clock.now() < patience => {}
                found => return Ok((turn, found?)),
            }
            drop(turn);
            self.context.clock.sleep(Duration::from_millis(500)).await;
        }
    }

    async fn create(&self, operation: &mut Create<WarmCapacity, Private>) -> Result<(), Error> {
        let end = self.context.clock.now() + time_for(&operation.planned.timeouts, Timeouts::create);
        let wanted = wanted(&operation.planned)?;
        let mut manifest = Manifest::new();
        let (_turn, owner) = self.begin(&operation.planned, &wanted, end).await?;
        let mut state = operation.planned.clone();
        plan::describe(&mut state);
        operation.private.is_applying = true;
        operation.private.owner = Some(owner.clone());
        let mut mutations = Mutations::default();
        let record = |object: &Json| {
            manifest.extend(entry(object));
            state.manifest = shown_manifest(&manifest);
            operation.record(state.clone());
        };
        let made = |asked: &Json, made| mutations.note_object(asked, made);
        let applied =
            self.apply(&wanted, &Manifest::new(), Stamp { owner: &owner, is_new: true }, end, record, made).await;
        operation.private.mutations = mutations;
        applied?;
        self.finish(&wanted, &owner).await?;
        operation.private.is_applying = false;
        Ok(())
    }

    async fn update(&self, operation: &mut Update<WarmCapacity, Private>) -> Result<(), Error> {
        let end = self.context.clock.now() + time_for(&operation.planned.timeouts, Timeouts::update);
        let failed = |source| Error::Remove { source };
        let wanted = wanted(&operation.planned)?;
        let mut manifest = known_map(&operation.prior.manifest).unwrap_or_default();
        let _turn = self.turn(&operation.planned, end).await?;
        let owner = self.look_ahead(&wanted, &manifest, Some(operation.private.owner.as_ref()), end).await?;
        operation.private.owner = Some(owner.clone());
        let mut state = operation.planned.clone();
        plan::describe(&mut state);
        let present = self.present(&operation.planned, &manifest, Some(&owner)).await;
        let mut left = present.map_err(|source| Error::Before { source })?;
        left.retain(|place| !removal::stays(place, &wanted));
        operation.private.is_applying = true;

        // Placeholders of both shapes at once would ask for twice the room.
        let warnings = self.remove_placeholders(&left, Some(&owner), end).await.map_err(failed)?;
        operation.diagnostics.extend(warnings);
        let before = manifest.clone();
        let mut mutations = operation.private.mutations.clone();
        let record = |object: &Json| {
            manifest.extend(entry(object));
            state.manifest = shown_manifest(&manifest);
            operation.record(state.clone());
        };
        let made = |asked: &Json, made| mutations.note_object(asked, made);
        let applied = self.apply(&wanted, &before, Stamp { owner: &owner, is_new: false }, end, record, made).await;
        operation.private.mutations = mutations;
        if let Err(Error::Apply { source: KubernetesError::Conflict { object, .. }, .. }) = &applied {
            // It is as it was, and what others own of it does not become ours by being in the state.
            restore(&mut manifest, &before, &object.to_string());
            state.manifest = shown_manifest(&manifest);
            operation.record(state.clone());
        }
        applied?;
        let warnings = self.remove_classes(&left, end).await.map_err(failed)?;
        operation.diagnostics.extend(warnings);
        state.manifest = shown_manifest(&expand::manifest(&wanted));
        operation.record(state);
        operation.private.is_applying = false;
        operation.private.is_lacking = false;
        Ok(())
    }
}

/// What no two operations of one run are to have in hand.
fn turn_names(model: &WarmCapacity) -> Vec<String> {
    let [namespace, name] = [&model.namespace, &model.name].map(|value| value.as_str().unwrap_or_default());
    turns::names(model.cluster_name.as_str(), &format!("The warm capacity {namespace}/{name}"), &[])
}

fn time_for(timeouts: &Value<Timeouts>, which: fn(&Value<Timeouts>, Duration) -> Duration) -> Duration {
    which(timeouts, TIMEOUT)
}

fn wanted(planned: &WarmCapacity) -> Result<Placeholders, Error> {
    Placeholders::of(planned).ok_or_else(|| {
        let detail = "A value is unknown or wrong while the placeholders are applied. This is a bug of the host.";
        Error::Configuration(Diagnostic::error("Unknown value", detail).into())
    })
}
