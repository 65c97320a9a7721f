//! Status of workloads.

use serde_json::Value as Json;

/// The number at a JSON pointer; 0 if it is missing.
pub(crate) fn number(object: &Json, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Json::as_i64).unwrap_or(0)
}

/// The conditions that are met.
pub(crate) fn conditions(object: &Json) -> impl Iterator<Item = &Json> {
    let conditions = object.pointer("/status/conditions").and_then(Json::as_array);
    conditions.into_iter().flatten().filter(|condition| condition["status"] == "True")
}

/// The reason to wait if the controller has not observed the latest generation of a Deployment. Until then, the status
/// is that of an older generation.
pub(crate) fn unobserved(deployment: &Json) -> Option<String> {
    let is_older = number(deployment, "/status/observedGeneration") < number(deployment, "/metadata/generation");
    is_older.then(|| "the controller has not observed the change of the Deployment yet".to_owned())
}

/// The reason why pods of the ReplicaSet are rejected, such as a quota, a Pod Security Standard or a webhook. Only the
/// Deployment reports it, because the pods do not exist.
pub(crate) fn refusal(deployment: &Json) -> Option<&str> {
    conditions(deployment).find(|condition| condition["type"] == "ReplicaFailure")?["message"].as_str()
}
