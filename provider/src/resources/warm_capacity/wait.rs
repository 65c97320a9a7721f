//! Whether placeholders are created. They do not have to run: while there is no node they are pending, so that the
//! autoscaler adds one.

use serde_json::Value as Json;
use tfplugin::framework::wait::Look;

use crate::objects::requests::is_ending;
use crate::objects::status::{conditions, number, refusal as refusal_of_pods, unobserved};

/// The progress of a Deployment: done when all its pods exist, and none of an earlier revision.
pub(super) fn of_deployment(deployment: &Json) -> Look<()> {
    if let Some(unobserved) = unobserved(deployment) {
        return Look::Pending(unobserved);
    }
    let [desired, all, updated] =
        ["/spec/replicas", "/status/replicas", "/status/updatedReplicas"].map(|pointer| number(deployment, pointer));
    if updated == desired && all == desired {
        return Look::Done(());
    }
    let why = refusal_of_pods(deployment).map(|why| format!(": {why}"));
    Look::Pending(format!("{updated} of {desired} pods are created{}", why.unwrap_or_default()))
}

/// The progress of a Job: done when all its pods exist, or when the period is over.
pub(super) fn of_job(job: Option<&Json>) -> Look<()> {
    let Some(job) = job.filter(|job| !is_finished(job)) else { return Look::Done(()) };
    let (desired, active) = (number(job, "/spec/parallelism"), number(job, "/status/active"));
    if active >= desired {
        return Look::Done(());
    }
    let name = job.pointer("/metadata/name").and_then(Json::as_str).unwrap_or_default();
    Look::Pending(format!("{active} of {desired} pods of the Job {name} are created"))
}

/// Why the pods of a Job are not created, from the events of its namespace: a Job has no condition for this.
pub(super) fn refusal<'a>(job: &Json, events: &'a [Json]) -> Option<&'a str> {
    let is_its =
        |event: &&Json| event["reason"] == "FailedCreate" && event["involvedObject"]["uid"] == job["metadata"]["uid"];
    let last = events.iter().filter(is_its).max_by_key(|event| event["lastTimestamp"].as_str());
    last?["message"].as_str()
}

/// Whether a Job has completed or failed, or is being deleted.
pub(super) fn is_finished(job: &Json) -> bool {
    let is_end = |condition: &Json| ["Complete", "Failed", "FailureTarget"].iter().any(|end| condition["type"] == *end);
    conditions(job).any(is_end) || is_ending(job)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pending(text: &str) -> Look<()> {
        Look::Pending(text.to_owned())
    }

    #[test]
    fn a_deployment_needs_pods_and_no_nodes() {
        let deployment = |observed: i64, all: i64, updated: i64| {
            json!({
                "metadata": { "generation": 2 },
                "spec": { "replicas": 2 },
                "status": {
                    "observedGeneration": observed, "replicas": all, "updatedReplicas": updated, "readyReplicas": 0,
                    "conditions": [
                        { "type": "ReplicaFailure", "status": "False", "message": "an older one" },
                        { "type": "ReplicaFailure", "status": "True", "message": "exceeded quota" },
                    ],
                },
            })
        };
        assert_eq!(
            of_deployment(&deployment(1, 2, 2)),
            pending("the controller has not observed the change of the Deployment yet")
        );
        assert_eq!(of_deployment(&deployment(2, 2, 2)), Look::Done(()));
        assert_eq!(of_deployment(&deployment(2, 1, 1)), pending("1 of 2 pods are created: exceeded quota"));
        assert_eq!(of_deployment(&deployment(2, 3, 2)), pending("2 of 2 pods are created: exceeded quota"));
    }

    #[test]
    fn a_job_needs_pods_as_long_as_it_lasts() {
        let job = |active: i64, condition: &str| {
            json!({
                "metadata": { "name": "warm-1" }, "spec": { "parallelism": 2 },
                "status": { "active": active, "conditions": [{ "type": condition, "status": "True" }] },
            })
        };
        assert_eq!(of_job(Some(&job(2, "Suspended"))), Look::Done(()));
        assert_eq!(of_job(Some(&job(1, "Suspended"))), pending("1 of 2 pods of the Job warm-1 are created"));
        assert_eq!(of_job(Some(&job(0, "Failed"))), Look::Done(()));
        assert_eq!(of_job(None), Look::Done(()));
        assert!(is_finished(&json!({ "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z" } })));
        assert!(!is_finished(&json!({ "metadata": {} })));
    }

    #[test]
    fn last_rejection_of_a_job_is_reported() {
        let event = |uid: &str, reason: &str, at: &str, message: &str| {
            json!({
                "involvedObject": { "kind": "Job", "uid": uid }, "reason": reason, "lastTimestamp": at, "message": message,
            })
        };
        let events = [
            event("u", "FailedCreate", "2026-01-01T00:00:02Z", "Error creating: exceeded quota"),
            event("u", "FailedCreate", "2026-01-01T00:00:01Z", "Error creating: an older reason"),
            event("u", "SuccessfulCreate", "2026-01-01T00:00:03Z", "Created pod"),
            event("other", "FailedCreate", "2026-01-01T00:00:03Z", "Error creating: of another Job"),
        ];
        let job = json!({ "metadata": { "uid": "u" } });
        assert_eq!(refusal(&job, &events), Some("Error creating: exceeded quota"));
        assert_eq!(refusal(&json!({ "metadata": { "uid": "v" } }), &events), None);
    }
}
