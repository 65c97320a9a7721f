//! Removes the migrated instances from the state.

use super::super::project::Project;
use super::super::report::Topic;
use super::instance::{Instance, Instances};
use super::place;

/// Adds a `removed` block for each resource whose instances are all migrated.
pub(super) fn add(instances: &Instances, project: &mut Project) {
    let addresses = std::mem::take(&mut project.forgotten);
    let is_forgotten = |instance: &Instance| addresses.contains(&instance.address);
    for address in &addresses {
        let Some(instance) = instances.all().find(|it| it.address == *address && !it.is_deposed) else { continue };
        let resource = instance.forgotten();
        let of_resource = || instances.all().filter(|other| other.forgotten() == resource);
        if of_resource().all(is_forgotten) {
            project.remove(&resource);
        } else {
            let text = format!(
                "before the first plan, remove it from the state with `state rm '{address}'`, and its instance from the \
                 configuration. A `removed` block would also remove the instances that are not migrated."
            );
            project.report.add(Topic::Task, place(instance), text);
        }
        if of_resource().any(|other| other.is_deposed && other.address == *address) {
            let text = "the state has a deposed object of it, which an apply of its provider destroys. Apply before the migration: \
                        nothing destroys it afterwards.";
            project.report.add(Topic::Task, place(instance), text);
        }
        if instance.is_tainted {
            let text = "it is tainted, so that its provider would replace it. The import keeps it.";
            project.report.add(Topic::Change, place(instance), text);
        }
    }
}
