//! The Job of one period.

use std::time::Duration;

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::super::model::Desired;
use super::super::schedule::{Period, Schedule};
use super::{metadata, pod};
use crate::objects::manifest::text;

/// More pods than can end in a period: the largest number of the API. A Job without Indexed completion mode has no
/// other limit.
const COMPLETIONS: i32 = i32::MAX;

/// Annotation of Jobs: its value shows whether a Job is as desired.
const FINGERPRINT: &str = "gitlabspot.io/placeholders";

/// The Job template of the CronJob.
pub(super) fn template(desired: &Desired, schedule: &Schedule) -> Json {
    json!({
        "metadata": { "labels": super::labels(desired), "annotations": { FINGERPRINT: fingerprint(desired, schedule) } },
        "spec": spec(desired, schedule.length),
    })
}

/// The Job for the rest of the current period. It has the name that the CronJob would give it, so that a period never
/// has two Jobs, and is deleted with the CronJob.
pub(in super::super) fn current(
    desired: &Desired,
    schedule: &Schedule,
    period: Period,
    left: Duration,
    cron_job: &Json,
) -> Json {
    let mut metadata = metadata(desired, &format!("{}-{}", desired.name, period.start.as_second() / 60));
    metadata["annotations"] = json!({ FINGERPRINT: fingerprint(desired, schedule) });
    metadata["ownerReferences"] = json!([{
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": desired.name,
        "uid": cron_job["metadata"]["uid"],
        "controller": true,
        "blockOwnerDeletion": true,
    }]);
    json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec(desired, left) })
}

/// Whether an observed Job holds the desired placeholders.
pub(in super::super) fn is_wanted(job: &Json, desired: &Desired, schedule: &Schedule) -> bool {
    let spec = &job["spec"];
    job["metadata"]["annotations"][FINGERPRINT] == fingerprint(desired, schedule).as_str()
        && spec["parallelism"] == desired.pods
        && spec["suspend"] != true
}

fn spec(desired: &Desired, length: Duration) -> Json {
    let mut template = pod::template(desired);
    template["spec"]["restartPolicy"] = json!("Never");
    json!({
        "parallelism": desired.pods,
        // A placeholder that is preempted gets SIGTERM, and the pause image exits with code 0: the pod has succeeded.
        // The Job must not be complete then: each success is replaced, and resets the back-off delay that failures
        // cause. Without a number of completions a Job starts no pod after its first success.
        "completions": COMPLETIONS,
        "activeDeadlineSeconds": length.as_secs().max(1),
        // A Job that ends at its deadline counts as failed. It is deleted at once, so that it does not trigger alerts.
        "ttlSecondsAfterFinished": 0,
        "backoffLimit": i32::MAX,
        // With a policy the controller waits for the final phase of a pod that is being deleted. Without one it counts
        // the pod as failed at once, and delays the replacement: 10 s, twice as long each time, up to 10 minutes. The
        // rule is for placeholders that fail, for example with their node.
        "podFailurePolicy": {
            "rules": [{ "action": "Ignore", "onPodConditions": [{ "type": "DisruptionTarget", "status": "True" }] }],
        },
        "template": template,
    })
}

/// Digest of everything that distinguishes the Job of this configuration from that of another one.
pub(super) fn fingerprint(desired: &Desired, schedule: &Schedule) -> String {
    let whole = json!({
        "job": spec(desired, schedule.length), "start": schedule.start, "end": schedule.end, "zone": schedule.time_zone,
    });
    hex::encode(Sha256::digest(text(&whole)).as_slice()).chars().take(16).collect()
}
