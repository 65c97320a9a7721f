//! The objects that are wanted, and what plan and state show of them.

use serde_json::Value as Json;

use super::manifests::{cron_job, deployment, priority_class};
use super::model::Placeholders;
use crate::manifest::{Manifest, entry};

/// Every object, in the order in which they are made. The Job of a period under way is not among them: it is there only
/// as long as the period.
pub(super) fn objects(wanted: &Placeholders) -> Vec<Json> {
    vec![priority_class::object(wanted.priority), workload(wanted)]
}

/// What makes the placeholders.
pub(super) fn workload(wanted: &Placeholders) -> Json {
    match &wanted.schedule {
        None => deployment::object(wanted),
        Some(schedule) => cron_job::object(wanted, schedule),
    }
}

/// The same as plan and state show it.
pub(super) fn manifest(wanted: &Placeholders) -> Manifest {
    objects(wanted).iter().filter_map(entry).collect()
}
