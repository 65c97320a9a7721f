//! Checks settings of the user's launch template that affect the node group: the instance type, which EKS accepts from
//! one place only, and the hop limit of the instance metadata service, through which pods use the role of the nodes.
//!
//! The template is read when a plan contains it for the first time. Without credentials or a response in time nothing
//! is reported, and the checks are left to EKS.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::DisplayErrorContext;
use aws_sdk_ec2::types::ResponseLaunchTemplateData;
use tfplugin::framework::{AttributePath, Diagnostic, Plan, Value};

use super::instance_types::hasty;
use super::node_role::has_addons;
use super::private::Private;
use super::schema::{LaunchTemplate, NodeGroup};
use super::template::{HOPS_OF_PODS, OUT_OF_REACH};

/// Checks the template of a plan, if the state has another one.
pub(super) async fn review(ec2: &Client, plan: &mut Plan<NodeGroup, Private>) {
    let before = plan.prior.as_ref().map(|prior| prior.launch_template.clone()).unwrap_or_default();
    if before == plan.planned.launch_template {
        return;
    }
    // As configured: a template or version that the same run creates is unknown here, and cannot be read yet.
    let Some(data) = read(ec2, &plan.config.launch_template).await else { return };
    let (wrong, doubtful) = judge(&data, &plan.planned);
    plan.diagnostics.extend(wrong.into_iter().chain(doubtful));
}

/// The instance type that a template specifies: EKS does not return it with the node group.
pub(super) async fn instance_type(ec2: &Client, template: &Value<LaunchTemplate>) -> Option<String> {
    read(ec2, template).await?.instance_type.map(|kind| kind.as_str().to_owned())
}

async fn read(ec2: &Client, template: &Value<LaunchTemplate>) -> Option<ResponseLaunchTemplateData> {
    let template = template.known()?;
    if template.version.is_unknown() {
        return None;
    }
    let request = ec2.describe_launch_template_versions();
    let request = match (template.id.as_str(), template.name.as_str()) {
        (Some(id), _) => request.launch_template_id(id),
        (None, Some(name)) => request.launch_template_name(name),
        (None, None) => return None,
    };
    let request = request.versions(template.version.as_str().unwrap_or("$Default"));
    match request.customize().config_override(hasty()).send().await {
        Ok(observed) => observed.launch_template_versions.unwrap_or_default().pop()?.launch_template_data,
        Err(error) => {
            tracing::debug!("could not check the launch template: {}", DisplayErrorContext(error));
            None
        }
    }
}

fn judge(data: &ResponseLaunchTemplateData, planned: &NodeGroup) -> (Option<Diagnostic>, Option<Diagnostic>) {
    let wrong = data.instance_type.as_ref().map(|kind| {
        let text = format!(
            "The launch template sets the instance type {}. EKS accepts instance types either from the template or \
             from instance_types. Remove the instance type from the template with a new version of it.",
            kind.as_str()
        );
        Diagnostic::error("Instance type in the launch template", text).at("launch_template")
    });
    let hops = data.metadata_options.as_ref().and_then(|options| options.http_put_response_hop_limit).unwrap_or(1);
    let doubtful = (hops < HOPS_OF_PODS && has_addons(planned) == Some(true)).then(|| {
        let text = "Pods cannot use the role of the nodes: http_put_response_hop_limit of the launch template is 1 or \
                    not set, which has the same effect. Set it to 2 in metadata_options of the template, or give the \
                    add-ons IAM roles for service accounts or EKS Pod Identity instead.";
        unreachable(text)
    });
    (wrong, doubtful)
}

/// The warning for a group with a template and a configuration without one.
pub(super) fn dropped(template: &LaunchTemplate) -> Diagnostic {
    let quoted = |value: &Value<String>| format!("{:?}", value.as_str().unwrap_or_default());
    let text = format!(
        "The node group was created with the launch template {}, but the configuration does not have one, so that the \
         group would be replaced. To keep the group, add launch_template = {{ id = {}, version = {} }}, and omit \
         remote_access and disk_size, which are set in the template.",
        template.name.as_str().or(template.id.as_str()).unwrap_or_default(),
        quoted(&template.id),
        quoted(&template.version),
    );
    Diagnostic::warning("Node group without its launch template", text).at("launch_template")
}

fn unreachable(text: &'static str) -> Diagnostic {
    let path = AttributePath::of("node_role").attribute("addon_policies");
    Diagnostic::warning(OUT_OF_REACH, text).at(path)
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::LaunchTemplateInstanceMetadataOptions;

    use super::super::schema::NodeRole;
    use super::*;

    fn with_addons() -> NodeGroup {
        let addon_policies = Value::Known(["auto_scaler".to_owned()].into_iter().collect());
        NodeGroup {
            node_role: Value::Known(NodeRole { addon_policies, ..NodeRole::default() }),
            ..super::super::validate::tests::minimal()
        }
    }

    #[test]
    fn pods_need_two_hops() {
        let warned = |hops: Option<i32>, planned: &NodeGroup| {
            let options =
                LaunchTemplateInstanceMetadataOptions::builder().set_http_put_response_hop_limit(hops).build();
            let data = ResponseLaunchTemplateData::builder().metadata_options(options).build();
            judge(&data, planned).1.is_some()
        };
        assert!(warned(None, &with_addons()) && warned(Some(1), &with_addons()));
        assert!(!warned(Some(2), &with_addons()));
        assert!(!warned(None, &super::super::validate::tests::minimal()));
        assert!(judge(&ResponseLaunchTemplateData::builder().build(), &with_addons()).1.is_some());
    }

    #[test]
    fn an_instance_type_is_refused() {
        let data = ResponseLaunchTemplateData::builder().instance_type("t3.large".into()).build();
        let (wrong, doubtful) = judge(&data, &super::super::validate::tests::minimal());
        assert!(wrong.unwrap().detail.contains("t3.large"));
        assert_eq!(doubtful, None);
    }
}
