//! Applies the objects one by one, and starts the Job of the current period.

use std::time::{Instant, SystemTime};

use gitlabspot_clients::kubernetes::{self, KubernetesError, ObjectRef, Propagation};
use serde_json::Value as Json;
use tfplugin::framework::wait::{Look, WaitError};

use super::error::{Error, Fault};
use super::manifests::{is_warm_capacity, job, priority_class, selector, workloads};
use super::model::Desired;
use super::removal::stays;
use super::schedule::Schedule;
use super::{Session, expand, wait};
use crate::objects::owner::Owner;
use crate::objects::requests::{self, places};
use crate::objects::{self, Applies, Applying, During as _, ObjectSet, Preflight, Prior, Reason, Step};
use crate::steps::{Fault as _, Progress, Remains};

impl Session<'_> {
    /// Checks existing objects before anything is changed. Returns the owner of the objects.
    pub(super) async fn check_objects(
        &self,
        desired: &Desired,
        prior: Prior<'_>,
        deadline: Instant,
    ) -> Result<Owner, objects::Error> {
        let refuse = |place: &ObjectRef, found: &Json| match is_warm_capacity(found) {
            true => Ok(()),
            false => Err(objects::Error::from(self.fault(Reason::Exists(place.to_string())))),
        };
        let places = places(&expand::manifest(desired));
        let owner = self.preflight(Preflight { places, prior, workloads: Vec::new(), refuse }, deadline).await?;
        self.ensure_namespace(&desired.namespace, None, deadline).await?;
        Ok(owner)
    }

    /// Refuses to create placeholders if others of the same name have the other kind of workload: those of a run that
    /// was killed before its state was written, or of another configuration.
    pub(super) async fn refuse_other_workload(&self, desired: &Desired) -> Result<(), Error> {
        for place in workloads(&desired.namespace, &desired.name) {
            if stays(&place, desired) {
                continue;
            }
            let found = self.get(&place).await.during(Step::Check, self)?;
            if found.is_some_and(|found| is_warm_capacity(&found) && !requests::is_ending(&found)) {
                return Err(Fault::OtherWorkload { object: place, id: self.id() }.into());
            }
        }
        Ok(())
    }

    /// Applies all objects and records each before its request; then starts the current period.
    pub(super) async fn apply<O: Applies>(
        &self,
        desired: &Desired,
        set: &ObjectSet<'_>,
        progress: &mut Progress<'_, O>,
        deadline: Instant,
    ) -> Result<(), Error> {
        let class = priority_class::object(desired.priority);
        let workload = expand::workload(desired);
        let mut applying = Applying::new(self, set, progress);
        self.delete_changed_class(&class).await.during(Step::Apply, self)?;
        applying.object(&class).await?;
        let applied = applying.object(&workload).await?;
        // Others may have deleted the class before these placeholders existed, when it had no users.
        let place = priority_class::place(&desired.priority_class_name());
        if self.get(&place).await.during(Step::Apply, self)?.is_none() {
            applying.object(&class).await?;
        }
        let created = match &desired.schedule {
            None => self.deployment_created(&workload, deadline).await,
            Some(schedule) => self.start(desired, schedule, &applied, deadline).await,
        };
        created.map_err(|source| Fault::Placeholders { id: self.id(), source }.leaving(Remains::Applied))
    }

    /// Deletes a class that others created with another value: Kubernetes does not allow a change of the value.
    async fn delete_changed_class(&self, class: &Json) -> Result<(), KubernetesError> {
        let place = ObjectRef::of(class)?;
        if let Some(found) = self.get(&place).await?
            && requests::is_ours(&found)
            && priority_class::needs_replacement(class, &found)
        {
            let uid = found["metadata"]["uid"].as_str();
            kubernetes::delete(&self.client, &place, Propagation::Background, uid).await?;
        }
        Ok(())
    }

    async fn deployment_created(&self, deployment: &Json, deadline: Instant) -> Result<(), WaitError<KubernetesError>> {
        let place = ObjectRef::of(deployment)?;
        self.wait(deadline)
            .until(|| async {
                Ok(match self.get(&place).await? {
                    Some(found) => wait::of_deployment(&found),
                    None => {
                        Look::Pending("the Deployment was deleted by another client during the operation".to_owned())
                    }
                })
            })
            .await
    }

    /// Starts the rest of the current period, unless its Job exists. Deletes other Jobs.
    async fn start(
        &self,
        desired: &Desired,
        schedule: &Schedule,
        cron_job: &Json,
        deadline: Instant,
    ) -> Result<(), WaitError<KubernetesError>> {
        let now = self.context.clock.time_of_day();
        let period = schedule.current(now);
        let mut running = None;
        for found in self.jobs(&desired.namespace, &desired.name).await? {
            let is_wanted = job::is_wanted(&found, desired, schedule);
            if period.is_some() && is_wanted && running.is_none() && !wait::is_finished(&found) {
                running = Some(found);
            } else {
                let place = ObjectRef::of(&found)?;
                requests::remove(&self.client, &place, None, self.wait(deadline)).await?;
            }
        }
        let Some(period) = period else { return Ok(()) };
        let job = match running {
            Some(job) => job,
            None => {
                let Ok(left) = SystemTime::from(period.end).duration_since(now) else { return Ok(()) };
                let job = job::current(desired, schedule, period, left, cron_job);
                match self.apply_unrecorded(&job).await {
                    // The CronJob has started the period in the meantime.
                    Err(KubernetesError::Conflict { object, conflicts }) => {
                        let found = self.get(&object).await?;
                        let is_wanted = |found: &Json| job::is_wanted(found, desired, schedule);
                        let conflict = KubernetesError::Conflict { object, conflicts };
                        found.filter(is_wanted).ok_or(WaitError::Failed(conflict))?
                    }
                    applied => applied?,
                }
            }
        };
        self.job_created(&job, deadline).await
    }

    async fn job_created(&self, job: &Json, deadline: Instant) -> Result<(), WaitError<KubernetesError>> {
        let place = ObjectRef::of(job)?;
        let made = self.wait(deadline).until(|| async { Ok(wait::of_job(self.get(&place).await?.as_ref())) }).await;
        let Err(WaitError::TimedOut { after, last }) = made else { return made };
        let why = self.why_not_created(&place).await;
        let why = why.map_or_else(|| "; see its events for details".to_owned(), |why| format!(": {why}"));
        Err(WaitError::TimedOut { after, last: last + &why })
    }

    /// Why the pods of a Job are not created, as far as its events can be read.
    async fn why_not_created(&self, job: &ObjectRef) -> Option<String> {
        let live = self.get(job).await.ok()??;
        let events = kubernetes::list(&self.client, "v1", "Event", job.namespace.as_deref(), "").await.ok()?;
        wait::refusal(&live, &events).map(str::to_owned)
    }

    pub(super) async fn jobs(&self, namespace: &str, name: &str) -> Result<Vec<Json>, KubernetesError> {
        kubernetes::list(&self.client, "batch/v1", "Job", Some(namespace), &selector(name)).await
    }
}
