//! Plans the launch template: whether there is one, a new version of it, or the replacement of a group.

use tfplugin::framework::{AttributePath, Diagnostic, Plan, Value};

use super::{Desired, HOPS_OF_PODS, is_applied, is_desired, is_gone, is_managed};
use crate::resources::node_group::node_role;
use crate::resources::node_group::private::Private;
use crate::resources::node_group::schema::NodeGroup;

/// Plans the computed attributes of the template.
pub(in super::super) fn plan(plan: &mut Plan<NodeGroup, Private>) {
    match plan.prior.clone() {
        None => {
            let none = is_desired(&plan.config) == Some(false);
            let value = || if none { Value::Null } else { Value::Unknown };
            (plan.planned.template_id, plan.planned.template_version) = (value(), value());
        }
        Some(prior) if is_managed(&prior) => change(plan, &prior),
        Some(_) => {
            (plan.planned.template_id, plan.planned.template_version) = (Value::Null, Value::Null);
            if !plan.planned.template.is_null() {
                // EKS cannot add a template to a group that was created without one.
                (plan.planned.template_id, plan.planned.template_version) = (Value::Unknown, Value::Unknown);
                plan.require_replace("template");
                plan.require_replace("template_id");
            }
        }
    }
    warn(plan);
}

fn change(plan: &mut Plan<NodeGroup, Private>, prior: &NodeGroup) {
    // EKS only updates a group with the template that it was created with.
    if is_gone(&plan.private) {
        (plan.planned.template_id, plan.planned.template_version) = (Value::Unknown, Value::Unknown);
        plan.require_replace("template_id");
        return;
    }
    plan.planned.template_id = prior.template_id.clone();
    let is_same = Desired::of(&plan.planned).is_some_and(|spec| is_applied(&spec, &plan.private));
    plan.planned.template_version = if is_same { prior.template_version.clone() } else { Value::Unknown };
}

/// Warns about add-ons that cannot use the role because of the metadata options of the template.
fn warn(plan: &mut Plan<NodeGroup, Private>) {
    let has_new_addons = plan.prior.as_ref().is_none_or(|prior| !has_addons(prior));
    let is_of_interest = plan.planned.template_version.is_unknown() || (is_managed(&plan.planned) && has_new_addons);
    if !is_of_interest || !has_addons(&plan.planned) {
        return;
    }
    let hops = Desired::of(&plan.planned).map(|spec| spec.hop_limit);
    if hops.is_some_and(|hops| hops < HOPS_OF_PODS) {
        let text = "Pods cannot use the role of the nodes: the template blocks their access to the instance metadata \
                    service. Omit hop_limit and pods, or give the add-ons IAM roles for service accounts or EKS Pod \
                    Identity instead of addon_policies.";
        let path = AttributePath::of("template").attribute("metadata");
        plan.warn(Diagnostic::warning(super::OUT_OF_REACH, text).at(path));
    }
}

/// The warning for a group with add-ons that gets no template. EKS then creates one, with a hop limit of 1 on Amazon
/// Linux 2023.
pub(in super::super) fn without_one(plan: &Plan<NodeGroup, Private>) -> Option<Diagnostic> {
    let planned = &plan.planned;
    let of_amazon_linux = planned.ami_type.as_str().is_none_or(|kind| kind.starts_with("AL2023"));
    if !of_amazon_linux || !has_addons(planned) || !planned.launch_template.is_null() || !planned.template.is_null() {
        return None;
    }
    let text = match &plan.prior {
        None if is_desired(&plan.config) != Some(false) => return None,
        None => {
            "Pods cannot use the role of the nodes: on Amazon Linux 2023, EKS sets the hop limit of the instance \
             metadata service to 1. The launch template that would change it cannot be combined with remote_access and \
             disk_size. Use template = { key_name = ..., security_group_ids = [...], root_volume = { size = ... } } \
             instead, or give the add-ons IAM roles for service accounts or EKS Pod Identity instead of \
             addon_policies."
        }
        Some(prior) if is_managed(prior) || has_addons(prior) => return None,
        Some(_) => {
            "Pods cannot use the role of the nodes: on Amazon Linux 2023, EKS sets the hop limit of the instance \
             metadata service to 1, and a launch template cannot be added to a node group that was created without \
             one. Replace it (-replace), or give the add-ons IAM roles for service accounts or EKS Pod Identity \
             instead of addon_policies."
        }
    };
    let path = AttributePath::of("node_role").attribute("addon_policies");
    Some(Diagnostic::warning(super::OUT_OF_REACH, text).at(path))
}

fn has_addons(model: &NodeGroup) -> bool {
    node_role::has_addons(model) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::super::schema::{Metadata, Template};
    use super::super::{keep, schema};
    use super::*;
    use crate::resources::node_group::schema::{NodeRole, RemoteAccess};
    use crate::resources::node_group::validate::tests::minimal;

    fn with_addons() -> NodeGroup {
        let addon_policies = Value::Known(["auto_scaler".to_owned()].into_iter().collect());
        NodeGroup { node_role: Value::Known(NodeRole { addon_policies, ..NodeRole::default() }), ..minimal() }
    }

    /// State and private state after this configuration was applied.
    fn applied(config: &NodeGroup) -> (NodeGroup, Private) {
        let mut private = Private::default();
        keep(&Desired::of(config).unwrap(), &mut private);
        let state = NodeGroup { template_id: "lt-1".into(), template_version: "1".into(), ..config.clone() };
        (state, private)
    }

    fn planned(prior: Option<NodeGroup>, private: Private, config: &NodeGroup) -> Plan<NodeGroup, Private> {
        let mut plan = Plan::new(prior, config.clone(), config.clone(), private, true);
        super::plan(&mut plan);
        plan
    }

    fn keyed(key: &str) -> NodeGroup {
        let template = schema::Template { key_name: key.into(), ..Template::default() };
        NodeGroup { template: Value::Known(template), ..with_addons() }
    }

    #[test]
    fn a_new_group_shows_whether_it_gets_one() {
        let of = |config: &NodeGroup| planned(None, Private::default(), config).planned.template_id;
        assert_eq!(
            (of(&minimal()), of(&with_addons()), of(&keyed("a"))),
            (Value::Null, Value::Unknown, Value::Unknown)
        );
    }

    #[test]
    fn another_content_is_another_version_in_place() {
        let (state, private) = applied(&keyed("a"));
        let same = planned(Some(state.clone()), private.clone(), &keyed("a"));
        assert_eq!((&same.planned.template_id, &same.planned.template_version), (&"lt-1".into(), &"1".into()));
        let mut other = planned(Some(state.clone()), private.clone(), &keyed("b"));
        assert_eq!((&other.planned.template_id, &other.planned.template_version), (&"lt-1".into(), &Value::Unknown));
        assert!(other.take_replace().is_empty());
        // Without the attribute the template remains.
        let mut less = planned(Some(state), private, &with_addons());
        assert_eq!((&less.planned.template_id, &less.planned.template_version), (&"lt-1".into(), &Value::Unknown));
        assert!(less.take_replace().is_empty());
    }

    #[test]
    fn a_group_without_one_is_replaced_for_it_and_not_for_add_ons() {
        let paths = |config: &NodeGroup| {
            let mut plan = planned(Some(minimal()), Private::default(), config);
            plan.take_replace().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(paths(&keyed("a")), ["template", "template_id"]);
        assert_eq!(paths(&with_addons()), [""; 0]);
        let plan = planned(Some(minimal()), Private::default(), &with_addons());
        assert!(without_one(&plan).unwrap().detail.contains("-replace"));
        let plan = planned(Some(with_addons()), Private::default(), &with_addons());
        assert_eq!(without_one(&plan), None);
    }

    #[test]
    fn deleted_template_replaces_the_group() {
        let (state, mut private) = applied(&keyed("a"));
        private.launch_template.is_gone = true;
        let mut plan = planned(Some(state), private, &keyed("a"));
        assert_eq!(plan.take_replace().iter().map(ToString::to_string).collect::<Vec<_>>(), ["template_id"]);
    }

    #[test]
    fn pods_that_are_kept_away_from_add_ons_are_warned_about() {
        let warnings = |config: &NodeGroup| planned(None, Private::default(), config).diagnostics;
        assert!(warnings(&with_addons()).is_empty());
        let metadata = Value::Known(Metadata { pods: false.into(), ..Metadata::default() });
        let template = Value::Known(Template { metadata, ..Template::default() });
        let closed = NodeGroup { template, ..with_addons() };
        assert_eq!(warnings(&closed).iter().next().unwrap().path.to_string(), "template.metadata");
        assert!(warnings(&NodeGroup { node_role: Value::Null, ..closed }).is_empty());
    }

    #[test]
    fn settings_that_rule_out_a_template_give_a_warning() {
        let with_access = NodeGroup { remote_access: Value::Known(RemoteAccess::default()), ..with_addons() };
        let warned = |config: &NodeGroup| {
            let plan = planned(None, Private::default(), config);
            without_one(&plan).is_some_and(|warning| warning.detail.contains("key_name"))
        };
        assert!(warned(&with_access) && warned(&NodeGroup { disk_size: 50.into(), ..with_addons() }));
        assert!(
            !warned(&with_addons()) && !warned(&NodeGroup { ami_type: "BOTTLEROCKET_x86_64".into(), ..with_access })
        );
    }
}
