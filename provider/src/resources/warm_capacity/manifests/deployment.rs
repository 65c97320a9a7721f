//! The Deployment, for placeholders without a schedule.

use serde_json::{Value as Json, json};

use super::super::model::Desired;
use super::{INSTANCE, NAME, WARM_CAPACITY, metadata, pod};

pub(in super::super) fn object(desired: &Desired) -> Json {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(desired, &desired.name),
        "spec": {
            "replicas": desired.pods,
            "revisionHistoryLimit": 0,
            // Old and new placeholders together would request twice the capacity.
            "strategy": { "type": "Recreate" },
            // In effect no deadline: placeholders wait for nodes as long as necessary.
            "progressDeadlineSeconds": i32::MAX,
            "selector": { "matchLabels": { NAME: WARM_CAPACITY, INSTANCE: desired.name } },
            "template": pod::template(desired),
        },
    })
}
