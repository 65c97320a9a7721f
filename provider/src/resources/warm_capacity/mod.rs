//! `gitlabspot_warm_capacity`: reserved capacity for the next jobs, in the form of placeholder pods that job pods
//! preempt.
//!
//! Without a schedule the pods belong to a Deployment. With a schedule they belong to the Job of a CronJob, which ends
//! with the period: no component of the cluster has to scale anything, or needs permissions for it.
//!
//! * create: check for objects of others, apply the priority class and then the Deployment or CronJob, start the
//!   current period. Wait until the pods exist; they may be pending, so that the autoscaler adds nodes.
//! * read: both objects; managed fields that were changed and objects that no longer exist show in `manifest`.
//! * update: delete the Deployment or CronJob if the other one is desired, apply, delete a priority class without
//!   users.
//! * delete: delete the Deployment or CronJob, then a priority class without users.
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

use std::time::Duration;

use tfplugin::framework::{
    Context, Create, Delete, Diagnostic, Diagnostics, Import, Plan, Read, Resource, Timeouts, Update, Value,
};

use self::error::{Error, Fault};
use self::manifests::is_warm_capacity;
use self::model::Desired;
use self::private::Private;
use self::schema::WarmCapacity;
use crate::configured::Data;
use crate::identity::ObjectIdentity;
use crate::objects::manifest::Manifest;
use crate::objects::{self, During as _, Kind, ObjectSet, Objects, Prior, ShowsObjects as _, Step};
use crate::projection::project;
use crate::steps::{Progress, Remains};

/// Default timeout of an operation.
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
        let session = Session::connect(context, &operation.planned, &mut operation.private.objects).await?;
        Ok(session.create(operation).await.map_err(|error| error.of_create(Remains::Incomplete))?)
    }

    async fn read(
        &self,
        context: &Context<Data>,
        operation: &mut Read<WarmCapacity, Private>,
    ) -> Result<(), Diagnostics> {
        match Session::connect(context, &operation.state, &mut operation.private.objects).await {
            Ok(session) => session.read(operation).await?,
            Err(error) => operation.diagnostics.extend(error.in_read(&KIND)?),
        }
        Ok(())
    }

    async fn update(
        &self,
        context: &Context<Data>,
        operation: &mut Update<WarmCapacity, Private>,
    ) -> Result<(), Diagnostics> {
        let session = Session::connect(context, &operation.planned, &mut operation.private.objects).await?;
        Ok(session.update(operation).await?)
    }

    async fn delete(
        &self,
        context: &Context<Data>,
        operation: &mut Delete<WarmCapacity, Private>,
    ) -> Result<(), Diagnostics> {
        match Session::connect(context, &operation.state, &mut operation.private.objects).await {
            Ok(session) => session.delete(operation).await?,
            Err(error) => operation.warn(error.in_delete(&KIND)?),
        }
        Ok(())
    }

    async fn import(&self, context: &Context<Data>, from: Import<ObjectIdentity>) -> Result<WarmCapacity, Diagnostics> {
        let (id, cluster_name) = ObjectIdentity::imported(context, from).await?;
        let imported = parse(&id).ok_or_else(|| {
            let detail = format!(
                "{id:?} is not the ID of warm capacity. Use NAMESPACE/NAME, for example \"gitlab-runner/warm\", or \
                 CLUSTER:NAMESPACE/NAME with the name of an EKS cluster, for example \"prod:gitlab-runner/warm\"."
            );
            Diagnostic::error("Invalid import ID", detail)
        })?;
        Ok(if cluster_name.is_null() { imported } else { WarmCapacity { cluster_name, ..imported } })
    }

    fn identity(&self, _: &Context<Data>, state: &WarmCapacity, private: &Private) -> Option<ObjectIdentity> {
        Some(ObjectIdentity::of(&state.namespace, &state.name, private.objects.cluster.as_ref()))
    }
}

/// Parses an import ID. The result has the attributes that the following read needs.
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

/// Settings of the engine for Kubernetes objects.
static KIND: Kind = Kind {
    cannot_apply: "Cannot apply the warm capacity",
    cannot_read: "Cannot read the warm capacity",
    cannot_remove: "Cannot remove the warm capacity",
    noun: "warm capacity",
    not_own: "is not warm capacity of this provider",
    if_exists: "Choose another name, or delete the existing object.",
    to_rename: "",
    if_no_namespace: "Create it first.",
    is_own: is_warm_capacity,
    shown: project,
    pods: None,
};

impl Objects for WarmCapacityResource {
    const KIND: &'static Kind = &KIND;
}

/// The cluster of one operation.
type Session<'a> = objects::Session<'a, WarmCapacityResource>;

impl Session<'_> {
    async fn create(&self, operation: &mut Create<WarmCapacity, Private>) -> Result<(), Error> {
        let deadline = self.deadline(Timeouts::create(&operation.planned.timeouts, TIMEOUT));
        let desired = desired(&operation.planned)?;
        let check = || async {
            let owner = self.check_objects(&desired, Prior::Create, deadline).await?;
            self.refuse_other_workload(&desired).await.map(|()| owner)
        };
        let is_passing = |error: &Error| match &*error.fault {
            Fault::Objects(fault) => fault.is_of_other(),
            fault => matches!(fault, Fault::OtherWorkload { .. }),
        };
        let (_reservation, owner) = self.begin(&[], deadline, check, is_passing).await?;
        operation.private.objects.owner = Some(owner.clone());
        let (before, after) = (&Manifest::new(), &expand::manifest(&desired));
        let state = described(&operation.planned, before);
        let progress = &mut Progress { operation, state };
        let set = ObjectSet { before, after, adopts: false, owner: Some(owner), is_new: true };
        self.apply(&desired, &set, progress, deadline).await?;
        self.finish_create(&set, &expand::workload(&desired)).await?;
        progress.operation.private.objects.is_applying = false;
        Ok(())
    }

    async fn update(&self, operation: &mut Update<WarmCapacity, Private>) -> Result<(), Error> {
        let deadline = self.deadline(Timeouts::update(&operation.planned.timeouts, TIMEOUT));
        let desired = desired(&operation.planned)?;
        let (before, after) = (&operation.prior.manifest(), &expand::manifest(&desired));
        let _reservation = self.reserve(&[], deadline).await?;
        let prior = Prior::Update { owner: operation.private.objects.owner.as_ref(), manifest: before };
        let owner = self.check_objects(&desired, prior, deadline).await?;
        operation.private.objects.owner = Some(owner.clone());
        let existing = self.existing(&operation.planned, before, Some(&owner)).await.during(Step::Check, self)?;
        let (classes, workloads) = removal::leaving(existing, &desired);
        operation.private.objects.is_applying = true;
        // Placeholders of both workloads at once would request twice the capacity.
        operation.diagnostics.extend(self.remove_workloads(workloads, Some(&owner), deadline).await?);
        let state = described(&operation.planned, before);
        let progress = &mut Progress { operation, state };
        let set = ObjectSet { before, after, adopts: false, owner: Some(owner), is_new: false };
        self.apply(&desired, &set, progress, deadline).await?;
        progress.operation.diagnostics.extend(self.remove_classes(&classes, deadline).await?);
        progress.done(|state| state.show(after));
        progress.operation.private.objects.is_applying = false;
        progress.operation.private.is_lacking = false;
        Ok(())
    }
}

/// The plan with derived attributes, and with the objects that exist.
fn described(planned: &WarmCapacity, existing: &Manifest) -> WarmCapacity {
    let mut state = planned.clone();
    plan::describe(&mut state);
    state.show(existing);
    state
}

fn desired(planned: &WarmCapacity) -> Result<Desired, Error> {
    Desired::of(planned).ok_or_else(|| {
        let detail = "A value is unknown or has the wrong type during the apply. This is a bug of the host: please \
                      report it.";
        Fault::Objects(objects::Fault::Configuration(Diagnostic::error("Unknown value", detail).into())).into()
    })
}
