//! Placeholders that are kept in periods.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::super::model::Desired;
use super::super::schedule::Schedule;
use super::{job, metadata};

/// The user's expression for the end, of which the CronJob itself knows only the length.
pub(in super::super) const PERIOD_END: &str = "gitlabspot.io/period-end";

/// How late a period may still be started: it ends as much later.
const LATEST_START: Duration = Duration::from_secs(300);

/// How late after its time the CronJob may still start a period of this schedule.
pub(in super::super) fn latest_start(schedule: &Schedule) -> Duration {
    LATEST_START.min(schedule.length)
}

pub(in super::super) fn object(desired: &Desired, schedule: &Schedule) -> Json {
    let mut metadata = metadata(desired, &desired.name);
    metadata["annotations"] = json!({ PERIOD_END: schedule.end });
    json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": metadata,
        "spec": {
            "schedule": schedule.start,
            "timeZone": schedule.time_zone,
            "suspend": false,
            "startingDeadlineSeconds": latest_start(schedule).as_secs(),
            "concurrencyPolicy": "Replace",
            "successfulJobsHistoryLimit": 0,
            "failedJobsHistoryLimit": 0,
            "jobTemplate": job::template(desired, schedule),
        },
    })
}
