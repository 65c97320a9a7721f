//! The Job of one period.

use std::time::Duration;

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::super::model::Placeholders;
use super::super::schedule::{Period, Schedule};
use super::{metadata, pod};
use crate::manifest::text;

/// More pods than can end in a period. The API's largest number: a Job without Indexed completion mode has no other limit.
const COMPLETIONS: i32 = i32::MAX;

/// On Jobs: tells whether one is what is wanted now.
const FINGERPRINT: &str = "gitlabspot.io/placeholders";

/// As the template of the CronJob.
pub(super) fn template(wanted: &Placeholders, schedule: &Schedule) -> Json {
    json!({
        "metadata": { "labels": super::labels(wanted), "annotations": { FINGERPRINT: fingerprint(wanted, schedule) } },
        "spec": spec(wanted, schedule.length),
    })
}

/// The Job for what is left of the period under way, under the name that the CronJob would give it, so that there are
/// never two for one period. It goes with the CronJob.
pub(in super::super) fn current(
    wanted: &Placeholders,
    schedule: &Schedule,
    period: Period,
    left: Duration,
    cron_job: &Json,
) -> Json {
    let mut metadata = metadata(wanted, &format!("{}-{}", wanted.name, period.start.as_second() / 60));
    metadata["annotations"] = json!({ FINGERPRINT: fingerprint(wanted, schedule) });
    metadata["ownerReferences"] = json!([{
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": wanted.name,
        "uid": cron_job["metadata"]["uid"],
        "controller": true,
        "blockOwnerDeletion": true,
    }]);
    json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec(wanted, left) })
}

/// Whether a live one holds the placeholders that are wanted now.
pub(in super::super) fn is_wanted(job: &Json, wanted: &Placeholders, schedule: &Schedule) -> bool {
    let spec = &job["spec"];
    job["metadata"]["annotations"][FINGERPRINT] == fingerprint(wanted, schedule).as_str()
        && spec["parallelism"] == wanted.pods
        && spec["suspend"] != true
}

fn spec(wanted: &Placeholders, length: Duration) -> Json {
    let mut template = pod::template(wanted);
    template["spec"]["restartPolicy"] = json!("Never");
    json!({
        "parallelism": wanted.pods,
        // A placeholder that is preempted gets SIGTERM, which the pause image answers with exit code 0: it has succeeded. The
        // Job must not be complete then; each success is replaced, and resets the back-off that failures cause.
        // Without a number of completions a Job starts no pod after its first success.
        "completions": COMPLETIONS,
        "activeDeadlineSeconds": length.as_secs().max(1),
        // A Job that ends at its deadline counts as failed: none is left for anyone to be alarmed by.
        "ttlSecondsAfterFinished": 0,
        "backoffLimit": i32::MAX,
        // With a policy the controller waits for the final phase of a pod that is being deleted. Without one it counts the
        // pod as failed at once, and holds back the replacement: 10 s, twice as long each time, up to 10 minutes.
        // The rule is for placeholders that do fail, for instance with their node.
        "podFailurePolicy": {
            "rules": [{ "action": "Ignore", "onPodConditions": [{ "type": "DisruptionTarget", "status": "True" }] }],
        },
        "template": template,
    })
}

/// Of all that makes a Job of one period other than that of the next apply.
pub(super) fn fingerprint(wanted: &Placeholders, schedule: &Schedule) -> String {
    let whole = json!({
        "job": spec(wanted, schedule.length), "start": schedule.start, "end": schedule.end, "zone": schedule.time_zone,
    });
    hex::encode(Sha256::digest(text(&whole)).as_slice()).chars().take(16).collect()
}
