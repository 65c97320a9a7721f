//! What the plan knows beyond the schema: every object that will be applied.

use super::expand::manifest;
use super::model::{Placeholders, priority_class_name};
use super::schema::WarmCapacity;
use super::validate;
use crate::framework::{Plan, Value};
use crate::resources::manifest::shown_manifest;

/// In private state: objects were applied, and the placeholders were not seen.
pub(super) const APPLYING: &str = "applying";

/// Completes a plan.
pub(super) fn complete(plan: &mut Plan<WarmCapacity>) {
    if let Some(prior) = &plan.prior
        && let (Some(before), Some(after)) = (prior.cluster_name.as_str(), plan.planned.cluster_name.as_str())
        && before != after
    {
        plan.require_replace("cluster_name");
    }
    describe(&mut plan.planned);
    // An apply that failed half way: the objects may be as planned, and the period under way without placeholders.
    if plan.prior.is_some() && plan.private.get::<bool>(APPLYING).unwrap_or(false) {
        plan.planned.manifest = Value::Unknown;
    }
    for warning in validate::warnings(&plan.planned) {
        plan.warn(warning);
    }
}

/// What follows from the attributes.
pub(super) fn describe(model: &mut WarmCapacity) {
    model.id = match (&model.namespace, &model.name) {
        (Value::Known(namespace), Value::Known(name)) => format!("{namespace}/{name}").into(),
        _ => Value::Unknown,
    };
    model.priority_class_name = model.priority.clone().map(priority_class_name);
    model.manifest = match Placeholders::of(model) {
        Some(wanted) => shown_manifest(&manifest(&wanted)),
        None => Value::Unknown,
    };
}
