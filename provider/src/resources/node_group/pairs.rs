//! Pairs of attributes with the same meaning. Users set one of the two. An import sets both, and OpenTofu writes all
//! attributes of the state into a generated configuration: a pair is accepted if both values agree.

use tfplugin::framework::{AttributePath, Diagnostics, Plan, Value};

use super::private::Private;
use super::schema::NodeGroup;
use super::validate::given;

const CONFLICT: &str = "Conflicting arguments";
const NAMES: &str = "A node group needs a name or a name prefix.";
const PLACES: &str = "A node group needs availability zones or subnets.";
const ROLES: &str = "A node group needs an IAM role: an existing one, or node_role = {} to create one.";

/// Checks the configuration without the state. [`review`] compares zones with subnets, and the ID with the name of a
/// launch template.
pub(super) fn check(config: &NodeGroup, diagnostics: &mut Diagnostics) {
    let NodeGroup { name, name_prefix, node_role_arn, node_role, .. } = config;
    one_is_needed(("name", given(name)), ("name_prefix", given(name_prefix)), NAMES, diagnostics);
    if contradict(name, name_prefix) {
        diagnostics.error("name_prefix", CONFLICT, only_one(NAMES, "name", "name_prefix"));
    }
    let Value::Known(role) = node_role else { return };
    if contradict(&role.name, &role.name_prefix) {
        let path = AttributePath::of("node_role").attribute("name_prefix");
        diagnostics.error(path, CONFLICT, "Only one of name and name_prefix can be set.");
    }
    if let Some(arn) = node_role_arn.as_str()
        && !role.name.is_unknown()
        && !role.path.is_unknown()
    {
        let (path, name) = (role.path.as_str().unwrap_or("/"), role.name.as_str().unwrap_or_default());
        let is_same = !name.is_empty() && arn.ends_with(&format!(":role{path}{name}"));
        if !is_same {
            diagnostics.error("node_role", CONFLICT, only_one(ROLES, "node_role_arn", "node_role"));
        }
    }
}

/// Checks the configuration against the state: a pair can only be set to its recorded values.
pub(super) fn review(plan: &mut Plan<NodeGroup, Private>) {
    let is_create = plan.is_create();
    let Plan { prior, config, diagnostics, .. } = plan;
    if is_create {
        // The state of an imported group has both, so that only a create requires one of them.
        let NodeGroup { availability_zones, subnet_ids, node_role_arn, node_role, .. } = &*config;
        let places = (given(availability_zones), given(subnet_ids));
        one_is_needed(("availability_zones", places.0), ("subnet_ids", places.1), PLACES, diagnostics);
        let roles = (given(node_role_arn), given(node_role));
        one_is_needed(("node_role_arn", roles.0), ("node_role", roles.1), ROLES, diagnostics);
    }
    let both_known = |one: Option<bool>, other: Option<bool>| (one, other) == (Some(true), Some(true));
    let as_before =
        |is_same: fn(&NodeGroup, &NodeGroup) -> bool| prior.as_ref().is_some_and(|prior| is_same(prior, config));
    if both_known(given(&config.availability_zones), given(&config.subnet_ids))
        && !as_before(|prior, config| {
            prior.availability_zones == config.availability_zones && prior.subnet_ids == config.subnet_ids
        })
    {
        diagnostics.error("subnet_ids", CONFLICT, only_one(PLACES, "availability_zones", "subnet_ids"));
    }
    if both_known(given(&config.node_role_arn), given(&config.node_role))
        && !as_before(|prior, config| prior.node_role_arn == config.node_role_arn)
    {
        diagnostics.error("node_role", CONFLICT, only_one(ROLES, "node_role_arn", "node_role"));
    }
    let Value::Known(template) = &config.launch_template else { return };
    if both_known(given(&template.id), given(&template.name))
        && !as_before(|prior, config| {
            let names = |model: &NodeGroup| {
                model.launch_template.known().map(|template| (template.id.clone(), template.name.clone()))
            };
            names(prior) == names(config)
        })
    {
        diagnostics.error("launch_template", CONFLICT, "Exactly one of id and name must be set.");
    }
}

/// Reduces the state of an imported group to what a user would configure: one attribute of each pair, and none that EKS
/// or the autoscaler chose.
pub(super) fn configuration(mut state: NodeGroup) -> NodeGroup {
    // The name without its prefix would be a change: the state has the prefix.
    if !state.name_prefix.is_null() {
        state.name = Value::Null;
    }
    // The zones may have additional subnets.
    if !state.subnet_ids.is_null() {
        state.availability_zones = Value::Null;
    }
    if let Value::Known(role) = &mut state.node_role {
        state.node_role_arn = Value::Null;
        if !role.name_prefix.is_null() {
            role.name = Value::Null;
        }
    }
    if let Value::Known(template) = &mut state.launch_template
        && !template.id.is_null()
    {
        template.name = Value::Null;
    }
    if state.ami_type.as_str() == Some("CUSTOM") {
        state.ami_type = Value::Null;
    }
    let is_spot = state.capacity_type.as_str() == Some("SPOT");
    if state.suspend_az_rebalance == Value::Known(is_spot) {
        state.suspend_az_rebalance = Value::Null;
    }
    NodeGroup { desired_size: Value::Null, version: Value::Null, release_version: Value::Null, ..state }
}

fn one_is_needed(
    (one, one_given): (&'static str, Option<bool>),
    (other, other_given): (&'static str, Option<bool>),
    why: &str,
    diagnostics: &mut Diagnostics,
) {
    if (one_given, other_given) == (Some(false), Some(false)) {
        diagnostics.error(one, "Missing argument", format!("{why} Set {one} or {other}."));
    }
}

fn only_one(why: &str, one: &str, other: &str) -> String {
    format!("{why} Only one of {one} and {other} can be set.")
}

/// Whether a name does not begin with its prefix.
fn contradict(name: &Value<String>, prefix: &Value<String>) -> bool {
    name.as_str().zip(prefix.as_str()).is_some_and(|(name, prefix)| !name.starts_with(prefix))
}
