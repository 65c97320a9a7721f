//! The placeholder: a pod that takes a job pod's room, and does nothing.

use serde_json::{Value as Json, json};

use super::super::model::Placeholders;
use super::labels;

/// As the template of a Deployment or Job.
pub(super) fn template(wanted: &Placeholders) -> Json {
    let mut spec = json!({
        "priorityClassName": wanted.priority_class_name(),
        // A job takes its place at once.
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
            "image": wanted.image,
            "resources": { "requests": wanted.requests },
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": { "drop": ["ALL"] },
            },
        }],
    });
    if !wanted.node_selector.is_empty() {
        spec["nodeSelector"] = json!(wanted.node_selector);
    }
    if !wanted.tolerations.is_empty() {
        spec["tolerations"] = json!(wanted.tolerations);
    }
    json!({ "metadata": { "labels": labels(wanted) }, "spec": spec })
}
