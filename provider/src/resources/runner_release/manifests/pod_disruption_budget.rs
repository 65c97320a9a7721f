//! The PodDisruptionBudget of the manager, which limits evictions by node drains. The chart has none.

use serde_json::{Map, Value, json};

use super::super::spec::ReleaseSpec;
use super::metadata::{self, put};

pub(super) fn object(spec: &ReleaseSpec) -> Option<Value> {
    let budget = spec.settings.pod_disruption_budget.as_ref()?;
    let mut object = metadata::object(spec, "policy/v1", "PodDisruptionBudget", &spec.names.full);
    let mut fields = Map::new();
    put(&mut fields, "minAvailable", budget.min_available.clone());
    put(&mut fields, "maxUnavailable", budget.max_unavailable.clone());
    put(&mut fields, "selector", spec.names.deployment_selector());
    object.insert("spec".to_owned(), json!(fields));
    Some(Value::Object(object))
}
