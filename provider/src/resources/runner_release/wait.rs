//! The rollout of a Deployment, by the rules of kubectl, and reasons why its pods do not run.

use std::time::Instant;

use gitlabspot_clients::kubernetes::{self, ObjectRef};
use serde_json::Value as Json;
use tfplugin::framework::wait::WaitError;

use super::error::{Error, Fault, Reasons, RolloutError};
use super::model::Desired;
use super::schema::RunnerRelease;
use super::{Session, live};
use crate::objects::status::{number, refusal, unobserved};

/// Maximum number of pods with logs in an error.
const LOGS: usize = 2;
/// Number of lines of each log.
const LINES: u32 = 10;

/// Prefix of the reason why pods are rejected.
const REFUSED: &str = "pods are refused: ";

/// State of a rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rollout {
    /// All pods have the newest template and are available.
    Done,
    /// Not complete, with the progress.
    Under(String),
    /// The controller exceeded its progress deadline, with its message.
    Failed(String),
}

impl Rollout {
    /// Value of the attribute `status`.
    pub(super) fn status(&self) -> &'static str {
        match self {
            Self::Done => "available",
            Self::Under(_) => "progressing",
            Self::Failed(_) => "failed",
        }
    }
}

/// The rules of `kubectl rollout status`: a status is valid after the controller has observed the newest generation.
pub(super) fn rollout(deployment: &Json) -> Rollout {
    if let Some(unobserved) = unobserved(deployment) {
        return Rollout::Under(unobserved);
    }
    let number = |pointer: &str| number(deployment, pointer);
    let conditions = deployment.pointer("/status/conditions").and_then(Json::as_array);
    let progressing = conditions.into_iter().flatten().find(|condition| condition["type"] == "Progressing");
    if let Some(progressing) = progressing
        && progressing["reason"] == "ProgressDeadlineExceeded"
    {
        let message = progressing["message"].as_str().unwrap_or("progress deadline exceeded");
        return Rollout::Failed(message.trim_end_matches('.').to_owned());
    }
    let desired = deployment.pointer("/spec/replicas").and_then(Json::as_i64).unwrap_or(1);
    let (all, updated, available) =
        (number("/status/replicas"), number("/status/updatedReplicas"), number("/status/availableReplicas"));
    if updated < desired {
        // The cause can be temporary, such as a quota, so the wait continues.
        let why = refusal(deployment).map(|why| format!("; {REFUSED}{why}"));
        Rollout::Under(format!("{updated} of {desired} pods are new{}", why.unwrap_or_default()))
    } else if all > updated {
        Rollout::Under(format!("{} old pods still exist", all - updated))
    } else if available < updated {
        Rollout::Under(format!("{available} of {updated} pods are available"))
    } else {
        Rollout::Done
    }
}

impl Session<'_> {
    /// Waits for the rollout if `wait` is set. Returns the status of the Deployment.
    pub(super) async fn rolled_out(
        &self,
        desired: &Desired,
        planned: &RunnerRelease,
        end: Instant,
    ) -> Result<&'static str, Error> {
        let place = live::deployment(&desired.spec.names.namespace, &desired.spec.names.full);
        match self.wait_for_rollout(&place, planned.wait.or(true), end).await {
            Ok(rollout) => Ok(rollout.status()),
            // An API server that does not answer returns no pods either.
            Err(source @ WaitError::Failed(RolloutError::Kubernetes(_))) => {
                Err(Fault::rollout(self.id(), source, Reasons::default()))
            }
            Err(source) => {
                let mut reasons = self.reasons(&place).await;
                let text = source.to_string();
                // The progress in `text` may contain the same reason.
                reasons.pods.retain(|reason| !reason.strip_prefix(REFUSED).is_some_and(|why| text.contains(why)));
                Err(Fault::rollout(self.id(), source, reasons))
            }
        }
    }

    async fn wait_for_rollout(
        &self,
        place: &ObjectRef,
        is_awaited: bool,
        end: Instant,
    ) -> Result<Rollout, WaitError<RolloutError>> {
        let mut waiting = self.wait(end).begin();
        loop {
            let deployment = self.get(place).await.map_err(RolloutError::from)?;
            match rollout(&deployment.ok_or(RolloutError::Deleted)?) {
                Rollout::Under(progress) if is_awaited => waiting.next::<RolloutError>(progress).await?,
                Rollout::Failed(reason) if is_awaited => return Err(RolloutError::Failed(reason).into()),
                rollout => return Ok(rollout),
            }
        }
    }

    /// Returns why the manager's pods do not run, and the last lines of their logs, as far as they can be read.
    async fn reasons(&self, deployment: &ObjectRef) -> Reasons {
        let found = kubernetes::get(&self.client, deployment).await.ok().flatten();
        let refused = found.as_ref().and_then(refusal).map(|why| format!("{REFUSED}{why}"));
        let pods = self.pods(deployment).await.unwrap_or_default();
        let mut logs = Vec::new();
        for (pod, container, has_restarted) in pods.iter().filter_map(troubled).take(LOGS) {
            // After a restart, the cause of the failure is in the log of the previous run.
            let log = kubernetes::log(&self.client, &pod, container, LINES, has_restarted).await;
            if let Ok(log) = log
                && !log.trim().is_empty()
            {
                logs.push((pod.name, log));
            }
        }
        Reasons { pods: refused.into_iter().chain(reasons(&pods)).collect(), logs }
    }
}

/// Returns a container that has run and is not ready, and whether it has restarted.
fn troubled(pod: &Json) -> Option<(ObjectRef, &str, bool)> {
    let statuses = pod.pointer("/status/containerStatuses")?.as_array()?;
    let status = statuses.iter().find(|status| status["ready"] != true)?;
    let has_restarted = status.pointer("/lastState/terminated").is_some_and(|last| !last.is_null());
    let has_run = has_restarted || status.pointer("/state/waiting").is_none_or(Json::is_null);
    has_run.then_some(())?;
    Some((ObjectRef::of(pod).ok()?, status["name"].as_str()?, has_restarted))
}

/// Returns one line for each pod that does not run.
pub(super) fn reasons(pods: &[Json]) -> Vec<String> {
    pods.iter().filter_map(reason).collect()
}

fn reason(pod: &Json) -> Option<String> {
    let name = pod.pointer("/metadata/name").and_then(Json::as_str).unwrap_or_default();
    let list = |pointer: &str| pod.pointer(pointer).and_then(Json::as_array).cloned().unwrap_or_default();
    let text = |what: &Json| {
        let reason = what["reason"].as_str()?;
        Some(match what["message"].as_str() {
            Some(message) if !message.is_empty() => format!("{reason}: {message}"),
            _ => reason.to_owned(),
        })
    };
    let containers = list("/status/initContainerStatuses").into_iter().chain(list("/status/containerStatuses"));
    for container in containers {
        let state = &container["state"];
        let last = &container["lastState"]["terminated"];
        if let Some(why) = text(&state["waiting"]).or_else(|| text(&state["terminated"])) {
            let code = last["exitCode"].as_i64().map(|code| format!(", last exit code {code}")).unwrap_or_default();
            let container = container["name"].as_str().unwrap_or_default();
            return Some(format!("pod {name}, container {container}: {why}{code}"));
        }
    }
    let failing = list("/status/conditions").into_iter().find(|condition| condition["status"] == "False")?;
    text(&failing).map(|why| format!("pod {name}: {why}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(observed: i64, all: i64, updated: i64, available: i64, reason: &str) -> Json {
        json!({
            "metadata": { "generation": 2 },
            "spec": { "replicas": 2 },
            "status": {
                "observedGeneration": observed, "replicas": all, "updatedReplicas": updated,
                "availableReplicas": available,
                "conditions": [{ "type": "Progressing", "reason": reason, "message": "took too long" }],
            },
        })
    }

    #[test]
    fn kubectls_rule() {
        let under = |text: &str| Rollout::Under(text.to_owned());
        let good = "NewReplicaSetAvailable";
        // The status of an earlier generation is not valid.
        assert_eq!(
            rollout(&deployment(1, 2, 2, 2, good)),
            under("the controller has not observed the change of the Deployment yet")
        );
        assert_eq!(
            rollout(&deployment(2, 2, 1, 2, "ProgressDeadlineExceeded")),
            Rollout::Failed("took too long".to_owned())
        );
        assert_eq!(rollout(&deployment(2, 2, 1, 2, good)), under("1 of 2 pods are new"));
        assert_eq!(rollout(&deployment(2, 3, 2, 2, good)), under("1 old pods still exist"));
        assert_eq!(rollout(&deployment(2, 2, 2, 1, good)), under("1 of 2 pods are available"));
        assert_eq!(rollout(&deployment(2, 2, 2, 2, good)), Rollout::Done);
    }

    #[test]
    fn rejected_pods_are_reported() {
        let refused = |status: &str| {
            let mut found = deployment(2, 1, 1, 1, "ReplicaSetUpdated");
            found["status"]["conditions"].as_array_mut().unwrap().push(json!({
                "type": "ReplicaFailure", "status": status, "reason": "FailedCreate", "message": "exceeded quota: none",
            }));
            rollout(&found)
        };
        let under = |text: &str| Rollout::Under(text.to_owned());
        assert_eq!(refused("True"), under("1 of 2 pods are new; pods are refused: exceeded quota: none"));
        assert_eq!(refused("False"), under("1 of 2 pods are new"));
    }

    #[test]
    fn pending_pods_are_reported_with_the_reason() {
        let pods = [
            json!({ "metadata": { "name": "a" }, "status": { "containerStatuses": [{
                "name": "runner", "state": { "waiting": { "reason": "ImagePullBackOff", "message": "no such image" } },
            }] } }),
            json!({ "metadata": { "name": "b" }, "status": { "conditions": [{
                "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes",
            }] } }),
            json!({ "metadata": { "name": "c" }, "status": { "containerStatuses": [{
                "name": "runner", "state": { "waiting": { "reason": "CrashLoopBackOff" } },
                "lastState": { "terminated": { "exitCode": 1 } },
            }] } }),
            json!({ "metadata": { "name": "d" }, "status": { "conditions": [{ "type": "Ready", "status": "True" }] } }),
        ];
        assert_eq!(
            reasons(&pods),
            [
                "pod a, container runner: ImagePullBackOff: no such image",
                "pod b: Unschedulable: 0/3 nodes",
                "pod c, container runner: CrashLoopBackOff, last exit code 1",
            ]
        );
    }
}
