//! The placeholder: a pod that requests the resources of a job pod and does nothing.

use serde_json::{Value as Json, json};

use super::super::model::Desired;
use super::labels;

/// The pod template of a Deployment or Job.
pub(super) fn template(desired: &Desired) -> Json {
    let mut spec = json!({
        "priorityClassName": desired.priority_class_name(),
        // A job pod preempts it without a delay.
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": 65535,
            "runAsGroup": 65535,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "containers": [{
            "name": "placeholder",
            "image": desired.image,
            "resources": { "requests": desired.requests },
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": { "drop": ["ALL"] },
            },
        }],
    });
    if !desired.node_selector.is_empty() {
        spec["nodeSelector"] = json!(desired.node_selector);
    }
    if !desired.tolerations.is_empty() {
        spec["tolerations"] = json!(desired.tolerations);
    }
    json!({ "metadata": { "labels": labels(desired) }, "spec": spec })
}
