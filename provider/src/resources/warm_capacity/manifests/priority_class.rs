//! The PriorityClass: a cluster-scoped object that all placeholders with the same priority share.

use gitlabspot_clients::kubernetes::ObjectRef;
use serde_json::{Value as Json, json};

use super::super::model::{priority_class_name, priority_of_class};
use super::{MANAGED_BY, NAME, WARM_CAPACITY};

pub(in super::super) fn object(priority: i64) -> Json {
    json!({
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {
            "name": priority_class_name(priority),
            "labels": { NAME: WARM_CAPACITY, MANAGED_BY: "gitlabspot" },
        },
        "value": priority,
        "globalDefault": false,
        // Job pods preempt placeholders. Placeholders must not preempt other pods.
        "preemptionPolicy": "Never",
        "description": "Placeholder pods that reserve capacity for CI jobs and are preempted by them.",
    })
}

/// The place of the class with this name.
pub(in super::super) fn place(name: &str) -> ObjectRef {
    ObjectRef {
        api_version: "scheduling.k8s.io/v1".to_owned(),
        kind: "PriorityClass".to_owned(),
        namespace: None,
        name: name.to_owned(),
    }
}

/// The place of the class that an observed Deployment or CronJob uses, if it is one of these.
pub(in super::super) fn of_workload(workload: &Json) -> Option<ObjectRef> {
    let pod = ["/spec/template/spec", "/spec/jobTemplate/spec/template/spec"];
    let name = pod.iter().find_map(|pod| workload.pointer(pod)?["priorityClassName"].as_str())?;
    priority_of_class(name).map(|_| place(name))
}

/// Whether an observed class has other values in fields that cannot be changed.
pub(in super::super) fn needs_replacement(desired: &Json, live: &Json) -> bool {
    ["value", "preemptionPolicy"].iter().any(|field| desired[*field] != live[*field])
}
