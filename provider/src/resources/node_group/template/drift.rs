//! Reads changes of a template since the last apply, and adopts the template of an imported group.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::LaunchTemplateVersion;
use aws_sdk_eks::types::Nodegroup;
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::{Diagnostic, Value};

use super::{calls, data};
use crate::resources::node_group::private::Private;
use crate::resources::node_group::schema::NodeGroup;

/// Updates the state to the version that the group has. The content of the version is read only when its digest differs
/// from that of the version that the provider applied.
///
/// # Errors
/// A call failed.
pub(in super::super) async fn follow(
    ec2: &Client,
    eks: &aws_sdk_eks::Client,
    state: &mut NodeGroup,
    private: &mut Private,
) -> Result<Option<Diagnostic>, AwsError> {
    let (Some(id), Some(number)) = (state.template_id.as_str(), state.template_version.as_str()) else {
        return Ok(None);
    };
    let Some(version) = calls::version(ec2, id, number).await? else {
        let is_there = calls::exists(ec2, id).await?;
        private.launch_template.digest = None;
        // Only the version was deleted: the next apply creates another one.
        if is_there {
            state.template_version = Value::Null;
            return Ok(None);
        }
        private.launch_template.is_gone = true;
        let text = format!(
            "The launch template {id} was deleted. The nodes keep running, because EKS has a copy of it, but EKS only \
             updates the group with this template: the next apply replaces the group."
        );
        return Ok(Some(Diagnostic::warning("Launch template of the node group was deleted", text)));
    };
    private.launch_template.is_gone = false;
    let known = private.launch_template.digest.as_deref();
    if known.is_some() && known == calls::digest(&version) {
        return Ok(None);
    }
    read(&version, eks, state, private).await?;
    Ok(None)
}

/// Adopts the template of an imported group, if the provider created it for that group.
///
/// # Errors
/// A call failed.
pub(in super::super) async fn import(
    ec2: &Client,
    eks: &aws_sdk_eks::Client,
    group: &Nodegroup,
    owner: &str,
    state: &mut NodeGroup,
    private: &mut Private,
) -> Result<(), AwsError> {
    let Some(template) = &group.launch_template else { return Ok(()) };
    let (Some(id), Some(number)) = (&template.id, &template.version) else { return Ok(()) };
    if calls::owner_of_template(ec2, id).await?.as_deref() != Some(owner) {
        return Ok(());
    }
    state.launch_template = Value::Null;
    state.template_id = id.as_str().into();
    state.template_version = number.as_str().into();
    if let Some(version) = calls::version(ec2, id, number).await? {
        read(&version, eks, state, private).await?;
    }
    Ok(())
}

async fn read(
    version: &LaunchTemplateVersion,
    eks: &aws_sdk_eks::Client,
    state: &mut NodeGroup,
    private: &mut Private,
) -> Result<(), AwsError> {
    if let Some(content) = &version.launch_template_data {
        let cluster = state.cluster_name.as_str().unwrap_or_default();
        let of_cluster = match content.security_group_ids() {
            [] => None,
            _ => calls::cluster_security_group(eks, cluster).await?,
        };
        state.template = data::attribute(content, state, of_cluster.as_deref());
    }
    // A version of others may have settings without an attribute. This digest matches no configuration, so that the
    // next apply creates another version.
    private.launch_template.digest = Some(calls::digest(version).unwrap_or("unknown").to_owned());
    Ok(())
}
