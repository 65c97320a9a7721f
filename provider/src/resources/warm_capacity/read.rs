//! Reads placeholders, also for an import.

use gitlabspot_clients::kubernetes::KubernetesError;
use tfplugin::framework::{Diagnostic, Read};

use super::error::{Error, Fault};
use super::manifests::{cron_job, is_warm_capacity, job, workloads};
use super::model::{Desired, Observed};
use super::private::Private;
use super::{Session, WarmCapacity, flatten, plan, wait};
use crate::objects::{During as _, ShowsObjects as _, Step, requests};

impl Session<'_> {
    pub(super) async fn read(&self, operation: &mut Read<WarmCapacity, Private>) -> Result<(), Error> {
        if operation.importing {
            self.recall(&mut operation.state).await?;
        }
        let observed = self.observe(&operation.state, &mut operation.private).await?;
        flatten::flatten(&mut operation.state, &observed, &operation.private);
        if operation.state.manifest().is_empty() {
            operation.gone();
            return Ok(());
        }
        operation.private.is_lacking = observed.lacking.is_some();
        operation.diagnostics.extend(observed.lacking);
        operation.diagnostics.extend(observed.objects.denied.warning("warm capacity"));
        Ok(())
    }

    async fn observe(&self, state: &WarmCapacity, private: &mut Private) -> Result<Observed, Error> {
        let mut objects = self.observe_objects(&state.manifest(), &mut private.objects).await?;
        objects.retain(|object| !requests::is_ending(object));
        let is_scheduled = objects.workload().is_some_and(|workload| workload["kind"] == "CronJob");
        let lacking = if is_scheduled { self.lacking(state).await } else { Ok(None) };
        let lacking = match lacking {
            Err(KubernetesError::Forbidden { object, message }) => {
                objects.denied.note(&object.to_string(), &message);
                None
            }
            lacking => lacking.during(Step::Read, self)?,
        };
        Ok(Observed { objects, lacking })
    }

    /// The warning for a current period without its placeholders.
    async fn lacking(&self, state: &WarmCapacity) -> Result<Option<Diagnostic>, KubernetesError> {
        let now = self.context.clock.time_of_day();
        let Some(desired) = Desired::of(state) else { return Ok(None) };
        let Some((schedule, period)) = desired.schedule.as_ref().and_then(|all| Some((all, all.current(now)?))) else {
            return Ok(None);
        };
        // The CronJob may still start it, and clocks are never exactly the same.
        if !schedule.is_well_within(period, now, cron_job::latest_start(schedule)) {
            return Ok(None);
        }
        let jobs = self.jobs(&desired.namespace, &desired.name).await?;
        if jobs.iter().any(|job| job::is_wanted(job, &desired, schedule) && !wait::is_finished(job)) {
            return Ok(None);
        }
        let [start, end] = [period.start, period.end].map(|time| schedule.spoken(time));
        let detail = format!(
            "No Job exists for the {} placeholder pods of {}/{} in the period from {start} to {end}: the Job was \
             deleted or changed outside of this configuration, or the CronJob could not start it. The next apply \
             starts a Job for the rest of the period.",
            desired.pods, desired.namespace, desired.name
        );
        Ok(Some(Diagnostic::warning("Placeholders of the current period are missing", detail)))
    }

    /// Sets the attributes from the workload that was created from them.
    async fn recall(&self, state: &mut WarmCapacity) -> Result<(), Error> {
        let [namespace, name] = state.namespace_and_name().map(str::to_owned);
        for place in workloads(&namespace, &name) {
            let found = self.get(&place).await.during(Step::Read, self)?;
            if let Some(found) = found.filter(is_warm_capacity) {
                *state = WarmCapacity { cluster_name: state.cluster_name.clone(), ..flatten::attributes(&found) };
                plan::describe(state);
                return Ok(());
            }
        }
        Err(Fault::NothingToImport { namespace, name }.into())
    }
}
