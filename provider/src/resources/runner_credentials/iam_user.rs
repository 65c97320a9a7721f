//! The IAM user.

use aws_sdk_iam::Client;
use gitlabspot_clients::aws::AwsError;

use super::inline_policy;
use super::principal::{Observed, Settings};
use crate::iam::{optional, tags};
use crate::tags::Change;

pub(super) async fn create(iam: &Client, settings: &Settings) -> Result<String, AwsError> {
    let request = iam
        .create_user()
        .user_name(&settings.name)
        .path(&settings.path)
        .set_permissions_boundary(settings.boundary.clone())
        .set_tags(Some(tags(&settings.tags)));
    let answer = request.send().await.map_err(AwsError::of("CreateUser"))?;
    Ok(answer.user.map(|user| user.arn).unwrap_or_default())
}

pub(super) async fn read(iam: &Client, name: &str) -> Result<Observed, AwsError> {
    let answer = iam.get_user().user_name(name).send().await.map_err(AwsError::of("GetUser"))?;
    let user = answer.user;
    let boundary =
        user.as_ref().and_then(|user| user.permissions_boundary()).and_then(|b| b.permissions_boundary_arn());
    Ok(Observed {
        boundary: boundary.map(str::to_owned),
        arn: user.as_ref().map(|user| user.arn.clone()).unwrap_or_default(),
        path: user.as_ref().map(|user| user.path.clone()).unwrap_or_default(),
        tags: user.and_then(|user| user.tags).into_iter().flatten().map(|tag| (tag.key, tag.value)).collect(),
        trust: None,
    })
}

pub(super) async fn set_boundary(iam: &Client, name: &str, boundary: Option<&str>) -> Result<(), AwsError> {
    match boundary {
        Some(arn) => {
            let request = iam.put_user_permissions_boundary().user_name(name).permissions_boundary(arn);
            request.send().await.map(drop).map_err(AwsError::of("PutUserPermissionsBoundary"))
        }
        None => {
            let request = iam.delete_user_permissions_boundary().user_name(name);
            optional(request.send().await.map_err(AwsError::of("DeleteUserPermissionsBoundary"))).map(drop)
        }
    }
}

pub(super) async fn change_tags(iam: &Client, name: &str, change: &Change) -> Result<(), AwsError> {
    // IAM ignores the case of tag keys: removing "Team" after setting "team" would remove the new tag.
    if !change.remove.is_empty() {
        let request = iam.untag_user().user_name(name).set_tag_keys(Some(change.remove.clone()));
        request.send().await.map_err(AwsError::of("UntagUser"))?;
    }
    if !change.set.is_empty() {
        let request = iam.tag_user().user_name(name).set_tags(Some(tags(&change.set)));
        request.send().await.map_err(AwsError::of("TagUser"))?;
    }
    Ok(())
}

/// Deletes the user. A user that does not exist is a success.
pub(super) async fn delete(iam: &Client, name: &str) -> Result<(), AwsError> {
    optional(iam.delete_user().user_name(name).send().await.map_err(AwsError::of("DeleteUser"))).map(drop)
}

/// Prefix of access keys in the list of [`obstacles`].
pub(super) const ACCESS_KEY: &str = "access key";

/// Lists attachments of others that prevent the deletion of the user, without the deleted keys `gone`. Attachments that
/// cannot be listed are omitted, because the error of the deletion is shown anyway.
pub(super) async fn obstacles(iam: &Client, name: &str, gone: &[String]) -> Vec<String> {
    let (policies, credentials) = tokio::join!(policies(iam, name), credentials(iam, name, gone));
    [policies, credentials].concat()
}

/// Lists policies and groups of the user.
async fn policies(iam: &Client, name: &str) -> Vec<String> {
    let (inline, attached, groups) = tokio::join!(
        iam.list_user_policies().user_name(name).send(),
        iam.list_attached_user_policies().user_name(name).send(),
        iam.list_groups_for_user().user_name(name).send(),
    );
    let mut found = Vec::new();
    let inline = inline.map(|inline| inline.policy_names).unwrap_or_default();
    let inline = inline.iter().filter(|policy| *policy != inline_policy::NAME);
    found.extend(inline.map(|policy| format!("inline policy {policy}")));
    let attached = attached.ok().and_then(|attached| attached.attached_policies).unwrap_or_default();
    found.extend(attached.iter().filter_map(|policy| Some(format!("attached policy {}", policy.policy_arn()?))));
    let groups = groups.map(|groups| groups.groups).unwrap_or_default();
    found.extend(groups.iter().map(|group| format!("membership of group {}", group.group_name())));
    found
}

/// Lists everything with which the user can authenticate.
async fn credentials(iam: &Client, name: &str, gone: &[String]) -> Vec<String> {
    let (keys, login, devices, ssh, certificates, services) = tokio::join!(
        iam.list_access_keys().user_name(name).send(),
        iam.get_login_profile().user_name(name).send(),
        iam.list_mfa_devices().user_name(name).send(),
        iam.list_ssh_public_keys().user_name(name).send(),
        iam.list_signing_certificates().user_name(name).send(),
        iam.list_service_specific_credentials().user_name(name).send(),
    );
    let mut found = Vec::new();
    let keys = keys.map(|keys| keys.access_key_metadata).unwrap_or_default();
    let keys = keys.iter().filter_map(|key| key.access_key_id()).filter(|key| !gone.iter().any(|gone| gone == key));
    found.extend(keys.map(|key| format!("{ACCESS_KEY} {key}")));
    found.extend(login.is_ok().then(|| "console password".to_owned()));
    let devices = devices.map(|devices| devices.mfa_devices).unwrap_or_default();
    found.extend(devices.iter().map(|device| format!("MFA device {}", device.serial_number())));
    let ssh = ssh.ok().and_then(|ssh| ssh.ssh_public_keys).unwrap_or_default();
    found.extend(ssh.iter().map(|key| format!("SSH key {}", key.ssh_public_key_id())));
    let certificates = certificates.map(|certificates| certificates.certificates).unwrap_or_default();
    found.extend(certificates.iter().map(|one| format!("signing certificate {}", one.certificate_id())));
    let services = services.ok().and_then(|services| services.service_specific_credentials).unwrap_or_default();
    found.extend(
        services.iter().map(|one| format!("service-specific credential {}", one.service_specific_credential_id())),
    );
    found
}
