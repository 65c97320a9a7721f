//! Completes a plan beyond the schema, with every object that will be applied.

use tfplugin::framework::{Plan, Value};

use super::expand::manifest;
use super::model::{Desired, priority_class_name};
use super::private::Private;
use super::schema::WarmCapacity;
use super::validate;
use crate::objects::manifest::shown_manifest;
use crate::objects::{ShowsObjects as _, replace_if_moved};

/// Completes a plan.
pub(super) fn complete(plan: &mut Plan<WarmCapacity, Private>) {
    replace_if_moved(plan);
    describe(&mut plan.planned);
    // The manifest does not contain the Job of the current period, which may be missing after a failed apply, or
    // because others deleted it: an unknown manifest is a change, so that the next apply starts the Job.
    if plan.prior.is_some() && (plan.private.objects.is_applying || plan.private.is_lacking) {
        plan.planned.manifest = Value::Unknown;
    }
    for warning in validate::warnings(&plan.planned) {
        plan.warn(warning);
    }
}

/// Sets the attributes that are derived from others.
pub(super) fn describe(model: &mut WarmCapacity) {
    model.id = model.import_id();
    model.priority_class_name = model.priority.clone().map(priority_class_name);
    model.manifest = match Desired::of(model) {
        Some(desired) => shown_manifest(&manifest(&desired)),
        None => Value::Unknown,
    };
}
