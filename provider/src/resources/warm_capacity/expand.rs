//! Converts the desired warm capacity to its objects, and to the manifest of plan and state.

use serde_json::Value as Json;

use super::manifests::{cron_job, deployment, priority_class};
use super::model::Desired;
use super::schema::WarmCapacity;
use crate::objects::manifest::{Manifest, entry, shown_manifest};
use crate::objects::{Attributes, ShowsObjects};

/// All objects, in the order in which they are applied. The Job of the current period is not one of them: it only
/// exists during the period.
pub(super) fn objects(desired: &Desired) -> Vec<Json> {
    vec![priority_class::object(desired.priority), workload(desired)]
}

/// The object that creates the placeholders.
pub(super) fn workload(desired: &Desired) -> Json {
    match &desired.schedule {
        None => deployment::object(desired),
        Some(schedule) => cron_job::object(desired, schedule),
    }
}

/// The objects as plan and state show them.
pub(super) fn manifest(desired: &Desired) -> Manifest {
    objects(desired).iter().filter_map(entry).collect()
}

impl ShowsObjects for WarmCapacity {
    fn attributes(&self) -> Attributes<'_> {
        let Self { cluster_name, namespace, name, manifest, .. } = self;
        Attributes { cluster_name, namespace, name, manifest }
    }

    fn show(&mut self, manifest: &Manifest) {
        self.manifest = shown_manifest(manifest);
    }
}
