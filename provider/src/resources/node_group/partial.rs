//! States of an operation in progress. All attributes are listed, so that a new one cannot be forgotten.

use std::collections::BTreeMap;

use super::schema::{NodeGroup, map_value};

/// The state at the start of a create: the Auto Scaling Group is not set up yet.
pub(super) fn created(planned: &NodeGroup) -> NodeGroup {
    let mut state = compose(planned, planned);
    state.asg_tags_all = map_value(BTreeMap::new());
    state.suspend_az_rebalance = false.into();
    state
}

/// The state at the start of an update: attributes that only exist in the state change at once, all others when they
/// are applied.
pub(super) fn updated(prior: &NodeGroup, planned: &NodeGroup) -> NodeGroup {
    compose(planned, prior)
}

/// Records an update of the version, which `observed` contains.
pub(super) fn version_updated(state: &mut NodeGroup, observed: NodeGroup) {
    state.version = observed.version;
    state.release_version = observed.release_version;
    state.launch_template = observed.launch_template;
}

/// Records an update of the configuration.
pub(super) fn config_updated(state: &mut NodeGroup, planned: &NodeGroup) {
    state.min_size = planned.min_size.clone();
    state.max_size = planned.max_size.clone();
    state.labels = planned.labels.clone();
    state.taints = planned.taints.clone();
    state.update_config = planned.update_config.clone();
    state.node_repair = planned.node_repair.clone();
    state.build_nodes = planned.build_nodes.clone();
}

/// Records a change of the tags of the node group.
pub(super) fn tagged(state: &mut NodeGroup, planned: &NodeGroup) {
    state.tags = planned.tags.clone();
    state.tags_all = planned.tags_all.clone();
}

/// Takes the attributes that only exist in the state from `settings`, and all others from `applied`.
fn compose(settings: &NodeGroup, applied: &NodeGroup) -> NodeGroup {
    NodeGroup {
        name_prefix: settings.name_prefix.clone(),
        force_update_version: settings.force_update_version.clone(),
        autoscaler: settings.autoscaler.clone(),
        asg_tags: settings.asg_tags.clone(),
        timeouts: settings.timeouts.clone(),
        id: applied.id.clone(),
        cluster_name: applied.cluster_name.clone(),
        name: applied.name.clone(),
        capacity_type: applied.capacity_type.clone(),
        instance_types: applied.instance_types.clone(),
        min_size: applied.min_size.clone(),
        max_size: applied.max_size.clone(),
        desired_size: applied.desired_size.clone(),
        availability_zones: applied.availability_zones.clone(),
        subnet_ids: applied.subnet_ids.clone(),
        labels: applied.labels.clone(),
        taints: applied.taints.clone(),
        node_role_arn: applied.node_role_arn.clone(),
        node_role: applied.node_role.clone(),
        remote_access: applied.remote_access.clone(),
        ami_type: applied.ami_type.clone(),
        disk_size: applied.disk_size.clone(),
        version: applied.version.clone(),
        release_version: applied.release_version.clone(),
        launch_template: applied.launch_template.clone(),
        template: applied.template.clone(),
        update_config: applied.update_config.clone(),
        node_repair: applied.node_repair.clone(),
        suspend_az_rebalance: applied.suspend_az_rebalance.clone(),
        tags: applied.tags.clone(),
        tags_all: applied.tags_all.clone(),
        arn: applied.arn.clone(),
        template_id: applied.template_id.clone(),
        template_version: applied.template_version.clone(),
        status: applied.status.clone(),
        autoscaling_group_names: applied.autoscaling_group_names.clone(),
        asg_tags_all: applied.asg_tags_all.clone(),
        build_nodes: applied.build_nodes.clone(),
    }
}
