//! The objects that are desired, and what plan and state show of them.

use serde_json::Value as Json;

use super::manifests::{cron_job, deployment, priority_class};
use super::model::Desired;
use crate::objects::manifest::{Manifest, entry};

/// Every object, in the order in which they are made. The Job of a period under way is not among them: it is there only
/// as long as the period.
pub(super) fn objects(desired: &Desired) -> Vec<Json> {
    vec![priority_class::object(desired.priority), workload(desired)]
}

/// What makes the placeholders.
pub(super) fn workload(desired: &Desired) -> Json {
    match &desired.schedule {
        None => deployment::object(desired),
        Some(schedule) => cron_job::object(desired, schedule),
    }
}

/// The same as plan and state show it.
pub(super) fn manifest(desired: &Desired) -> Manifest {
    objects(desired).iter().filter_map(entry).collect()
}
