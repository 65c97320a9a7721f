//! How a Deployment is, by kubectl's rule, and what keeps its pods.

use serde_json::Value as Json;

/// What one look at a Deployment tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rollout {
    /// All pods are of the newest kind and available.
    Done,
    /// Not yet; how far it is.
    Under(String),
    /// The controller gave up.
    Failed(String),
}

impl Rollout {
    /// As the attribute `status`.
    pub(super) fn status(&self) -> &'static str {
        match self {
            Self::Done => "available",
            Self::Under(_) => "progressing",
            Self::Failed(_) => "failed",
        }
    }
}

/// The rule of `kubectl rollout status`: nothing counts before the controller has seen the newest generation.
pub(super) fn rollout(deployment: &Json) -> Rollout {
    let number = |pointer: &str| deployment.pointer(pointer).and_then(Json::as_i64).unwrap_or(0);
    if number("/status/observedGeneration") < number("/metadata/generation") {
        return Rollout::Under("the Deployment's change has not been seen by its controller yet".to_owned());
    }
    let conditions = deployment.pointer("/status/conditions").and_then(Json::as_array);
    let progressing = conditions.into_iter().flatten().find(|condition| condition["type"] == "Progressing");
    if let Some(progressing) = progressing
        && progressing["reason"] == "ProgressDeadlineExceeded"
    {
        return Rollout::Failed(progressing["message"].as_str().unwrap_or("progress deadline exceeded").to_owned());
    }
    let wanted = deployment.pointer("/spec/replicas").and_then(Json::as_i64).unwrap_or(1);
    let (all, updated, available) =
        (number("/status/replicas"), number("/status/updatedReplicas"), number("/status/availableReplicas"));
    if updated < wanted {
        Rollout::Under(format!("{updated} of {wanted} pods are new"))
    } else if all > updated {
        Rollout::Under(format!("{} old pods are still there", all - updated))
    } else if available < updated {
        Rollout::Under(format!("{available} of {updated} pods are available"))
    } else {
        Rollout::Done
    }
}

/// Why pods do not run: one line for each, without those that do.
pub(super) fn reasons(pods: &[Json]) -> Vec<String> {
    pods.iter().filter_map(reason).collect()
}

fn reason(pod: &Json) -> Option<String> {
    let name = pod.pointer("/metadata/name").and_then(Json::as_str).unwrap_or_default();
    let list = |pointer: &str| pod.pointer(pointer).and_then(Json::as_array).cloned().unwrap_or_default();
    let said = |what: &Json| {
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
        if let Some(why) = said(&state["waiting"]).or_else(|| said(&state["terminated"])) {
            let code = last["exitCode"].as_i64().map(|code| format!(", last exit code {code}")).unwrap_or_default();
            let container = container["name"].as_str().unwrap_or_default();
            return Some(format!("pod {name}, container {container}: {why}{code}"));
        }
    }
    let failing = list("/status/conditions").into_iter().find(|condition| condition["status"] == "False")?;
    said(&failing).map(|why| format!("pod {name}: {why}"))
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
        // A finished status of the generation before says nothing.
        assert_eq!(
            rollout(&deployment(1, 2, 2, 2, good)),
            under("the Deployment's change has not been seen by its controller yet")
        );
        assert_eq!(
            rollout(&deployment(2, 2, 1, 2, "ProgressDeadlineExceeded")),
            Rollout::Failed("took too long".to_owned())
        );
        assert_eq!(rollout(&deployment(2, 2, 1, 2, good)), under("1 of 2 pods are new"));
        assert_eq!(rollout(&deployment(2, 3, 2, 2, good)), under("1 old pods are still there"));
        assert_eq!(rollout(&deployment(2, 2, 2, 1, good)), under("1 of 2 pods are available"));
        assert_eq!(rollout(&deployment(2, 2, 2, 2, good)), Rollout::Done);
    }

    #[test]
    fn pods_say_what_keeps_them() {
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
