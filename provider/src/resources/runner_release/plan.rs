//! Completes a plan with the computed attributes, among them every object that will be applied.

use tfplugin::framework::{Diagnostics, Plan, Value};

use super::adoption::{self, Decision};
use super::dynamic;
use super::existing::Existing;
use super::model::Desired;
use super::private::Private;
use super::running_version;
use super::schema::RunnerRelease;
use super::settings::Unresolved;
use crate::objects::{ShowsObjects as _, replace_if_moved};

/// Completes a plan. Returns the desired release if all of it is known.
///
/// # Errors
/// The faults of the configuration.
pub(super) fn complete(
    plan: &mut Plan<RunnerRelease, Private>,
    existing: Existing,
) -> Result<Option<Desired>, Diagnostics> {
    plan.planned.id = plan.planned.import_id();
    replace_if_moved(plan);
    let desired = match existing {
        Existing::Known(kind) => Desired::of(&running_version::kept(&plan.planned, &plan.private), &plan.config, kind),
        // The objects depend on the kind of the token.
        Existing::Missing(_) | Existing::Keyless(_) | Existing::Later => Err(Unresolved::Unknown),
    };
    let mut desired = match desired {
        Ok(desired) => desired,
        Err(Unresolved::Invalid(found)) => return Err(found),
        Err(Unresolved::Unknown) => {
            let found = dynamic::check(&plan.planned);
            if found.has_errors() {
                return Err(found);
            }
            forget(&mut plan.planned);
            return Ok(None);
        }
    };
    if let Some(prior) = &plan.prior {
        let (decision, warnings) = adoption::plan(&desired, &prior.manifest(), &plan.config, &plan.private);
        plan.diagnostics.extend(warnings);
        match decision {
            Decision::Preserve(template) => desired.preserve(template),
            Decision::Replace(_) => {}
            Decision::Unknown => {
                forget(&mut plan.planned);
                return Ok(None);
            }
        }
    }
    desired.describe(&mut plan.planned)?;
    for warning in std::mem::take(&mut desired.warnings) {
        plan.warn(warning);
    }
    let Some(prior) = &plan.prior else { return Ok(Some(desired)) };
    // The rollout of an interrupted apply was not observed: an update has to wait for it.
    let is_applying = plan.planned.wait.or(true) && plan.private.objects.is_applying;
    let differs = prior.manifest != plan.planned.manifest
        || prior.job_pod != plan.planned.job_pod
        || prior.config_toml_rendered != plan.planned.config_toml_rendered
        || prior.objects != plan.planned.objects;
    plan.planned.status = if plan.changed || differs || is_applying { Value::Unknown } else { prior.status.clone() };
    Ok(Some(desired))
}

/// Sets the computed attributes to unknown: a value that determines the objects is unknown.
fn forget(model: &mut RunnerRelease) {
    model.manifest = Value::Unknown;
    model.objects = Value::Unknown;
    model.config_toml_rendered = Value::Unknown;
    model.job_pod = Value::Unknown;
    model.status = Value::Unknown;
}
