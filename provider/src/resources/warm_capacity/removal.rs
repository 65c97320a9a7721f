//! Taking objects away: placeholders first, then their priority class if nobody else uses it.

use std::time::Instant;

use super::error::Error;
use super::manifests::{priority_class, selector_of_all};
use super::model::priority_of_class;
use super::{Scene, time_for};
use crate::clients::kubernetes::{self, KubernetesError, ObjectRef};
use crate::framework::value::known_map;
use crate::framework::wait::WaitError;
use crate::framework::{Delete, Diagnostic, Timeouts};
use crate::resources::live;
use crate::resources::manifest::Manifest;

const CLASS: &str = "PriorityClass";

impl Scene<'_> {
    pub(super) async fn delete(&self, operation: &mut Delete<super::WarmCapacity>) -> Result<(), Error> {
        let failed = |source| Error::Remove { source };
        let manifest = known_map(&operation.state.manifest).unwrap_or_default();
        let end = self.context.clock.now() + time_for(&operation.state.timeouts, Timeouts::delete);
        self.remove_placeholders(&manifest, end).await.map_err(failed)?;
        if let Some(warning) = self.remove_classes(&manifest, end).await.map_err(failed)? {
            operation.warn(warning);
        }
        Ok(())
    }

    /// Removes Deployments and CronJobs, and with them their pods and Jobs.
    pub(super) async fn remove_placeholders(
        &self,
        manifest: &Manifest,
        end: Instant,
    ) -> Result<(), WaitError<KubernetesError>> {
        for place in live::places(manifest).into_iter().filter(|place| place.kind != CLASS) {
            live::remove(&self.client, &place, self.wait(end)).await?;
        }
        Ok(())
    }

    /// Removes priority classes that no placeholders use any more.
    pub(super) async fn remove_classes(
        &self,
        manifest: &Manifest,
        end: Instant,
    ) -> Result<Option<Diagnostic>, WaitError<KubernetesError>> {
        let mut warning = None;
        for place in live::places(manifest).into_iter().filter(|place| place.kind == CLASS) {
            match self.remove_class(&place, end).await {
                Err(WaitError::Failed(error @ KubernetesError::Forbidden { .. })) => {
                    let detail = format!(
                        "{place} was left, for it could not be seen or decided whether other placeholders use it: {error}."
                    );
                    warning = Some(Diagnostic::warning("Priority class was not removed", detail));
                }
                other => other?,
            }
        }
        Ok(warning)
    }

    async fn remove_class(&self, place: &ObjectRef, end: Instant) -> Result<(), WaitError<KubernetesError>> {
        if self.is_used(&place.name).await.map_err(WaitError::Failed)? {
            return Ok(());
        }
        live::remove(&self.client, place, self.wait(end)).await?;
        // Placeholders that were applied in between rely on it.
        if let Some(priority) = priority_of_class(&place.name)
            && self.is_used(&place.name).await.map_err(WaitError::Failed)?
        {
            let class = priority_class::object(priority);
            self.apply_class(&class, &Manifest::new()).await.map_err(WaitError::Failed)?;
        }
        Ok(())
    }

    /// Whether placeholders of any namespace have this class.
    async fn is_used(&self, class: &str) -> Result<bool, KubernetesError> {
        for (api_version, kind, pod) in [
            ("apps/v1", "Deployment", "/spec/template/spec"),
            ("batch/v1", "CronJob", "/spec/jobTemplate/spec/template/spec"),
        ] {
            let found = kubernetes::list(&self.client, api_version, kind, None, &selector_of_all()).await?;
            if found.iter().any(|object| object.pointer(pod).is_some_and(|pod| pod["priorityClassName"] == class)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
