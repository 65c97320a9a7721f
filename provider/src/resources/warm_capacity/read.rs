//! Reading placeholders back, also those that are to be imported.

use gitlabspot_clients::kubernetes::KubernetesError;
use serde_json::Value as Json;
use tfplugin::framework::value::known_map;
use tfplugin::framework::{Diagnostic, Read};

use super::error::Error;
use super::manifests::{cron_job, is_warm_capacity, job, workloads};
use super::model::Desired;
use super::private::Private;
use super::{Session, WarmCapacity, flatten, plan, wait};
use crate::denied_reads::get_readable;
use crate::objects;
use crate::objects::manifest::{Manifest, shown_manifest, text};
use crate::objects::owner::Owner;
use crate::objects::requests;
use crate::projection::project;

impl Session<'_> {
    pub(super) async fn read(&self, operation: &mut Read<WarmCapacity, Private>) -> Result<(), Error> {
        if operation.importing {
            self.recall(&mut operation.state).await?;
        }
        let prior = known_map(&operation.state.manifest).unwrap_or_default();
        let failed = objects::Error::read;
        let found = get_readable(&self.client, requests::places(&prior)).await;
        let mut manifest = Manifest::new();
        let mut is_scheduled = false;
        let (found, mut denied) = found.map_err(failed)?;
        let main = found.iter().filter(|(place, _)| place.kind != "PriorityClass").find_map(|(_, live)| live.as_ref());
        if let Some(owner) = Owner::of_or_found(operation.private.objects.owner.as_ref(), main) {
            operation.private.objects.owner = Some(owner);
        }
        let mutations = operation.private.objects.mutations.clone();
        for (place, live) in found {
            let key = place.to_string();
            let live = live.filter(|live| !requests::is_ending(live));
            let (Some(live), Some(shown)) = (live, prior.get(&key)) else { continue };
            is_scheduled |= place.kind == "CronJob";
            let shown: Json = serde_json::from_str(shown).unwrap_or_default();
            manifest.insert(key, text(&mutations.reconciled(&place, project(&shown, &live))));
        }
        manifest.extend(prior.iter().filter(|(key, _)| denied.has(key)).map(|(key, text)| (key.clone(), text.clone())));
        if manifest.is_empty() {
            operation.gone();
            return Ok(());
        }
        operation.state.manifest = shown_manifest(&manifest);
        operation.private.is_lacking = false;
        let lacking = if is_scheduled { self.lacking(&operation.state).await } else { Ok(None) };
        match lacking {
            Ok(Some(warning)) => {
                operation.diagnostics.push(warning);
                operation.private.is_lacking = true;
            }
            Err(KubernetesError::Forbidden { object, message }) => denied.note(&object.to_string(), &message),
            other => drop(other.map_err(failed)?),
        }
        operation.diagnostics.extend(denied.warning("warm capacity"));
        Ok(())
    }

    /// What to say of a period under way without its placeholders.
    async fn lacking(&self, state: &WarmCapacity) -> Result<Option<Diagnostic>, KubernetesError> {
        let now = self.context.clock.time_of_day();
        let Some(desired) = Desired::of(state) else { return Ok(None) };
        let Some((schedule, period)) = desired.schedule.as_ref().and_then(|all| Some((all, all.current(now)?))) else {
            return Ok(None);
        };
        // At first the CronJob may still start it; and clocks are never quite the same.
        if !schedule.is_well_within(period, now, cron_job::latest_start(schedule)) {
            return Ok(None);
        }
        let jobs = self.jobs(&desired.namespace, &desired.name).await?;
        if jobs.iter().any(|job| job::is_wanted(job, &desired, schedule) && !wait::is_finished(job)) {
            return Ok(None);
        }
        let [start, end] = [period.start, period.end].map(|time| schedule.spoken(time));
        let detail = format!(
            "No Job holds the {} placeholders of {}/{} in the period from {start} to {end}: it was deleted or changed \
             outside of this configuration, or the CronJob could not start it. The next apply starts one for the rest \
             of the period.",
            desired.pods, desired.namespace, desired.name
        );
        Ok(Some(Diagnostic::warning("Placeholders of the current period are missing", detail)))
    }

    /// The attributes, from the object that was made from them.
    async fn recall(&self, state: &mut WarmCapacity) -> Result<(), Error> {
        let [namespace, name] =
            [&state.namespace, &state.name].map(|text| text.as_str().unwrap_or_default().to_owned());
        for place in workloads(&namespace, &name) {
            let found = self.get(&place).await.map_err(objects::Error::read)?;
            if let Some(found) = found.filter(is_warm_capacity) {
                *state = WarmCapacity { cluster_name: state.cluster_name.clone(), ..flatten::attributes(&found) };
                plan::describe(state);
                return Ok(());
            }
        }
        Err(Error::NothingToImport { namespace, name })
    }
}
