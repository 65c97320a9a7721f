//! The PriorityClass: of the whole cluster, shared by all placeholders of one priority.

use serde_json::{Value as Json, json};

use super::super::model::priority_class_name;
use super::{MANAGED_BY, NAME, WARM_CAPACITY};
use crate::clients::kubernetes::ObjectRef;

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
        // Placeholders make room for others, never for themselves.
        "preemptionPolicy": "Never",
        "description": "Placeholders that keep room for CI jobs, and give way to them.",
    })
}

/// The place of one.
pub(in super::super) fn place(name: &str) -> ObjectRef {
    ObjectRef {
        api_version: "scheduling.k8s.io/v1".to_owned(),
        kind: "PriorityClass".to_owned(),
        namespace: None,
        name: name.to_owned(),
    }
}

/// Whether a live one has other values in fields that cannot be changed.
pub(in super::super) fn needs_replacement(wanted: &Json, live: &Json) -> bool {
    ["value", "preemptionPolicy"].iter().any(|field| wanted[*field] != live[*field])
}
