//! Applying the objects one by one, and the Job of a period that is under way.

use std::time::{Duration, Instant, SystemTime};

use gitlabspot_clients::kubernetes::{self, KubernetesError, ObjectRef, Propagation};
use serde_json::Value as Json;
use tfplugin::framework::wait::{Look, WaitError};

use super::error::Error;
use super::manifests::{is_warm_capacity, job, priority_class, selector, shapes};
use super::model::Placeholders;
use super::removal::stays;
use super::schedule::Schedule;
use super::{Scene, expand, wait};
use crate::live;
use crate::manifest::{Manifest, entry};
use crate::namespace::{Failure, Namespace};
use crate::owner::{self, Owner, is_of_other};
use crate::ownership::Claim;
use crate::projection::project;

/// Whose placeholders are to be. Refuses those of another resource; what a create has left that was killed is gone on with.
fn whose<'a>(found: impl Iterator<Item = &'a Json>, own: Option<Option<&Owner>>) -> Result<Owner, Error> {
    let found = found.filter(|object| ["Deployment", "CronJob"].iter().any(|kind| object["kind"] == *kind));
    let refused = |object: &Json| {
        let text = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
        let id = format!("{}/{}", text("namespace"), text("name"));
        Err(Error::OfOther { object: format!("{} {id}", object["kind"].as_str().unwrap_or_default()), id })
    };
    let found: Vec<&Json> = found.filter(|object| is_warm_capacity(object)).collect();
    match own {
        Some(kept) => {
            let owner = Owner::of_or_found(kept, found.first().copied()).unwrap_or_else(Owner::new);
            found.iter().find(|object| is_of_other(object, Some(&owner))).map_or(Ok(owner), |object| refused(object))
        }
        // An id that private state has is that of a resource which this one takes the place of.
        None => found.iter().find(|it| !owner::is_unfinished(it)).map_or_else(|| Ok(Owner::new()), |it| refused(it)),
    }
}

/// Whose the placeholders are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp<'a> {
    pub(super) owner: &'a Owner,
    /// Whether a create has not ended yet.
    pub(super) is_new: bool,
}

impl Stamp<'_> {
    fn on(self, workload: &Json) -> Json {
        match self.is_new {
            true => self.owner.stamp_unfinished(workload),
            false => self.owner.stamp(workload),
        }
    }
}

impl Scene<'_> {
    /// Finds out what will not go, before anything is changed. What was applied `before` is ours, whatever was done to it.
    /// Returns whose they are to be; `own` is the private state of an update.
    pub(super) async fn look_ahead(
        &self,
        wanted: &Placeholders,
        before: &Manifest,
        own: Option<Option<&Owner>>,
        end: Instant,
    ) -> Result<Owner, Error> {
        let objects = expand::objects(wanted);
        let places: Vec<ObjectRef> = objects.iter().filter_map(|object| ObjectRef::of(object).ok()).collect();
        let found = live::get_all(&self.client, places).await.map_err(|source| Error::Before { source })?;
        let found: Vec<_> = found.into_iter().filter_map(|(place, object)| Some((place, object?))).collect();
        let is_new = |place: &ObjectRef| !before.contains_key(&place.to_string());
        if let Some((place, _)) = found.iter().find(|(place, object)| is_new(place) && !is_warm_capacity(object)) {
            return Err(Error::Exists { object: place.to_string() });
        }
        let owner = whose(found.iter().map(|(_, object)| object), own)?;
        live::until_ended(&self.client, &found, || self.wait(end)).await?;
        let name = &wanted.namespace;
        let namespace = Namespace { client: &self.client, name, owner: String::new() };
        match namespace.ensure(self.context, false, Duration::ZERO).await {
            // Whoever may not look at namespaces may still be allowed to work in this one.
            Ok(_) | Err(Failure::Call(KubernetesError::Forbidden { .. })) => Ok(owner),
            Err(Failure::Missing) => Err(Error::NoNamespace { namespace: name.clone() }),
            Err(Failure::Call(source) | Failure::Wait(WaitError::Failed(source))) => Err(Error::Before { source }),
            // A namespace that is not to be made is not waited for.
            Err(Failure::Wait(_)) => Ok(owner),
        }
    }

    /// Refuses to make placeholders beside others of the same name: those of a run that was killed before it had a state, or
    /// of another configuration.
    pub(super) async fn look_for_other_shape(&self, wanted: &Placeholders) -> Result<(), Error> {
        let [namespace, name] = [wanted.namespace.as_str(), wanted.name.as_str()];
        let mut others = shapes(namespace, name).to_vec();
        others.retain(|place| !stays(place, wanted));
        for place in others {
            let found = self.get(&place).await.map_err(|source| Error::Before { source })?;
            if found.is_some_and(|found| is_warm_capacity(&found) && !live::is_ending(&found)) {
                return Err(Error::OtherShape { object: Box::new(place), id: format!("{namespace}/{name}") });
            }
        }
        Ok(())
    }

    /// Applies all objects, and says so before each; then sees to the period under way. `before` is what the state has, and
    /// `made` gets what the cluster has made of what.
    pub(super) async fn apply(
        &self,
        wanted: &Placeholders,
        before: &Manifest,
        stamp: Stamp<'_>,
        end: Instant,
        mut record: impl FnMut(&Json),
        mut made: impl FnMut(&Json, Json),
    ) -> Result<(), Error> {
        let failed = |source| Error::Apply { source, is_new: false };
        let class = priority_class::object(wanted.priority);
        record(&class);
        self.apply_class(&class, before).await.map_err(failed)?;
        let workload = expand::workload(wanted);
        record(&workload);
        let stamped = stamp.on(&workload);
        let applied = if stamp.is_new {
            // One that a create has left which was killed is gone on with; one that another create has ended is not.
            let is_lost = |found: &Json| is_of_other(found, Some(stamp.owner)) && !owner::is_unfinished(found);
            self.apply_workload(&stamped, is_lost).await?
        } else {
            self.apply_object(&stamped, before).await.map_err(failed)?
        };
        made(&workload, project(&workload, &applied));
        // Others may have removed the class in between, which did not see these placeholders yet.
        if self.get(&priority_class::place(&wanted.priority_class_name())).await.map_err(failed)?.is_none() {
            self.apply_class(&class, before).await.map_err(failed)?;
        }
        let result = match &wanted.schedule {
            None => self.deployment_made(&workload, end).await,
            Some(schedule) => self.start(wanted, schedule, &applied, end).await,
        };
        result.map_err(|source| Error::Placeholders { source, is_new: false })
    }

    /// Ends a create: what was made belongs to this resource alone from now on.
    pub(super) async fn finish(&self, wanted: &Placeholders, owner: &Owner) -> Result<(), Error> {
        let workload = owner.stamp(&expand::workload(wanted));
        // Another create may have taken it for that of a create that was killed.
        self.apply_workload(&workload, |found| is_of_other(found, Some(owner))).await.map(drop)
    }

    /// Applies the Deployment or CronJob of a create, unless another create has it.
    async fn apply_workload(&self, workload: &Json, is_lost: impl Fn(&Json) -> bool) -> Result<Json, Error> {
        let apply = |exact: Json| async move { self.apply_object(&exact, &Manifest::new()).await };
        match live::apply_unless_lost(&self.client, workload, is_lost, apply).await {
            Ok(Some(applied)) => Ok(applied),
            Ok(None) => {
                let object = ObjectRef::of(workload).map(|place| place.to_string()).unwrap_or_default();
                Err(Error::Lost { object })
            }
            Err(source) => Err(Error::Apply { source, is_new: false }),
        }
    }

    /// A class that someone made with another value is made anew: its value cannot be changed.
    pub(super) async fn apply_class(&self, class: &Json, before: &Manifest) -> Result<(), KubernetesError> {
        let place = ObjectRef::of(class)?;
        if let Some(found) = self.get(&place).await?
            && live::is_ours(&found)
            && priority_class::needs_replacement(class, &found)
        {
            let uid = found["metadata"]["uid"].as_str();
            kubernetes::delete(&self.client, &place, Propagation::Background, uid).await?;
        }
        self.apply_object(class, before).await.map(drop)
    }

    /// Takes what the plan has shown to be changed by others, and nothing else of theirs.
    async fn apply_object(&self, object: &Json, before: &Manifest) -> Result<Json, KubernetesError> {
        let before =
            entry(object).and_then(|(key, _)| before.get(&key)).and_then(|text| serde_json::from_str(text).ok());
        let claim = Claim::Shown { before: &before.unwrap_or_default(), after: object, hidden: &owner::HIDDEN };
        live::apply(&self.client, object, claim).await
    }

    async fn deployment_made(&self, deployment: &Json, end: Instant) -> Result<(), WaitError<KubernetesError>> {
        let place = ObjectRef::of(deployment)?;
        self.wait(end)
            .until(|| async {
                Ok(match self.get(&place).await? {
                    Some(found) => wait::of_deployment(&found),
                    None => Look::Pending("the Deployment was deleted by someone else in the meantime".to_owned()),
                })
            })
            .await
    }

    /// Starts the period under way, or what is left of it, and ends Jobs that are not of it.
    async fn start(
        &self,
        wanted: &Placeholders,
        schedule: &Schedule,
        cron_job: &Json,
        end: Instant,
    ) -> Result<(), WaitError<KubernetesError>> {
        let now = self.context.clock.time_of_day();
        let period = schedule.current(now);
        let mut running = None;
        for found in self.jobs(&wanted.namespace, &wanted.name).await? {
            let is_wanted = job::is_wanted(&found, wanted, schedule);
            if period.is_some() && is_wanted && running.is_none() && !wait::is_finished(&found) {
                running = Some(found);
            } else {
                let place = ObjectRef::of(&found)?;
                live::remove(&self.client, &place, None, self.wait(end)).await?;
            }
        }
        let Some(period) = period else { return Ok(()) };
        let job = match running {
            Some(job) => job,
            None => {
                let Ok(left) = SystemTime::from(period.end).duration_since(now) else { return Ok(()) };
                let job = job::current(wanted, schedule, period, left, cron_job);
                match self.apply_object(&job, &Manifest::new()).await {
                    // The CronJob was quicker.
                    Err(KubernetesError::Conflict { object, conflicts }) => {
                        let found = self.get(&object).await?;
                        let is_wanted = |found: &Json| job::is_wanted(found, wanted, schedule);
                        let conflict = KubernetesError::Conflict { object, conflicts };
                        found.filter(is_wanted).ok_or(WaitError::Failed(conflict))?
                    }
                    applied => applied?,
                }
            }
        };
        self.job_made(&job, end).await
    }

    async fn job_made(&self, job: &Json, end: Instant) -> Result<(), WaitError<KubernetesError>> {
        let place = ObjectRef::of(job)?;
        let made = self.wait(end).until(|| async { Ok(wait::of_job(self.get(&place).await?.as_ref())) }).await;
        let Err(WaitError::TimedOut { after, last }) = made else { return made };
        let why = self.why_not_made(&place).await;
        let why = why.map_or_else(|| "; see its events for details".to_owned(), |why| format!(": {why}"));
        Err(WaitError::TimedOut { after, last: last + &why })
    }

    /// Why the pods of a Job are not made, as far as its events can be read.
    async fn why_not_made(&self, job: &ObjectRef) -> Option<String> {
        let live = self.get(job).await.ok()??;
        let events = kubernetes::list(&self.client, "v1", "Event", job.namespace.as_deref(), "").await.ok()?;
        wait::refusal(&live, &events).map(str::to_owned)
    }

    pub(super) async fn jobs(&self, namespace: &str, name: &str) -> Result<Vec<Json>, KubernetesError> {
        kubernetes::list(&self.client, "batch/v1", "Job", Some(namespace), &selector(name)).await
    }
}
