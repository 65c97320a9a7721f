//! What the plan knows beyond the schema: every object that will be applied.

use super::expand::manifest;
use super::model::{Placeholders, priority_class_name};
use super::schema::WarmCapacity;
use super::validate;
use crate::manifest::shown_manifest;
use tfplugin::framework::{Plan, Value};

/// In private state: objects were applied, and the placeholders were not seen.
pub(super) const APPLYING: &str = "applying";

/// In private state: the last look found a period under way without its placeholders.
pub(super) const LACKING: &str = "lacking";

/// Completes a plan.
pub(super) fn complete(plan: &mut Plan<WarmCapacity>) {
    if let Some(prior) = &plan.prior
        && let (Some(before), Some(after)) = (prior.cluster_name.as_str(), plan.planned.cluster_name.as_str())
        && before != after
    {
        plan.require_replace("cluster_name");
    }
    describe(&mut plan.planned);
    // The Job of a period under way is in no manifest. It may be missing after an apply that failed half way, or because
    // someone deleted it.
    let is_set = |name| plan.private.get::<bool>(name).unwrap_or(false);
    if plan.prior.is_some() && (is_set(APPLYING) || is_set(LACKING)) {
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
