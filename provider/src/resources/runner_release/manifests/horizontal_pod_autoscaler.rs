//! The HorizontalPodAutoscaler of the manager.

use serde_json::{Map, Value, json};

use super::super::spec::ReleaseSpec;
use super::metadata::{self, put};

pub(super) fn object(spec: &ReleaseSpec) -> Option<Value> {
    let hpa = spec.settings.hpa.as_ref()?;
    let mut object = metadata::object(spec, "autoscaling/v2", "HorizontalPodAutoscaler", &spec.names.full);
    let mut fields = Map::new();
    put(
        &mut fields,
        "scaleTargetRef",
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": spec.names.full }),
    );
    let least = hpa.min_replicas.unwrap_or(1);
    put(&mut fields, "minReplicas", least);
    put(&mut fields, "maxReplicas", hpa.max_replicas.unwrap_or(least));
    put(&mut fields, "metrics", hpa.metrics.clone());
    put(&mut fields, "behavior", hpa.behavior.clone().map(Value::Object));
    object.insert("spec".to_owned(), json!(fields));
    Some(Value::Object(object))
}
