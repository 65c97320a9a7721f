//! The CronJob, for placeholders with a schedule.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::super::model::Desired;
use super::super::schedule::Schedule;
use super::{job, metadata};

/// Annotation with the configured end of periods, for imports: the CronJob itself only has their length.
pub(in super::super) const PERIOD_END: &str = "gitlabspot.io/period-end";

/// Maximum delay of the start of a period, which also delays its end.
const LATEST_START: Duration = Duration::from_secs(300);

/// Maximum delay with which the CronJob starts a period of this schedule.
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
            // A Job that ends at its deadline counts as failed: a history of these would trigger alerts.
            "failedJobsHistoryLimit": 0,
            "jobTemplate": job::template(desired, schedule),
        },
    })
}
