//! Placeholders that are always kept.

use serde_json::{Value as Json, json};

use super::super::model::Placeholders;
use super::{INSTANCE, NAME, WARM_CAPACITY, metadata, pod};

pub(in super::super) fn object(wanted: &Placeholders) -> Json {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(wanted, &wanted.name),
        "spec": {
            "replicas": wanted.pods,
            "revisionHistoryLimit": 0,
            // Old and new ones together would ask for twice the room.
            "strategy": { "type": "Recreate" },
            // As good as never: placeholders wait for nodes as long as it takes.
            "progressDeadlineSeconds": i32::MAX,
            "selector": { "matchLabels": { NAME: WARM_CAPACITY, INSTANCE: wanted.name } },
            "template": pod::template(wanted),
        },
    })
}
