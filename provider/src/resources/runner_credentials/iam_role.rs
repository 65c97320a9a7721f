//! The IAM role.

use aws_sdk_iam::Client;
use gitlabspot_clients::aws::AwsError;
use serde_json::Value as Json;

use super::iam_user::tags;
use super::inline_policy;
use super::principal::{Observed, Settings};
use crate::policy_document::{parse, text};
use crate::tags::Change;

/// The name at the end of the ARN of a role.
pub(super) fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

pub(super) async fn create(iam: &Client, settings: &Settings) -> Result<String, AwsError> {
    let request = iam
        .create_role()
        .role_name(&settings.name)
        .path(&settings.path)
        .assume_role_policy_document(settings.trust.as_ref().map(text).unwrap_or_default())
        .description("Cache of GitLab Runner")
        .set_permissions_boundary(settings.boundary.clone())
        .set_tags(Some(tags(&settings.tags)));
    let answer = request.send().await.map_err(AwsError::of("CreateRole"))?;
    Ok(answer.role.map(|role| role.arn).unwrap_or_default())
}

pub(super) async fn read(iam: &Client, name: &str) -> Result<Observed, AwsError> {
    let answer = iam.get_role().role_name(name).send().await.map_err(AwsError::of("GetRole"))?;
    let role = answer.role;
    let boundary =
        role.as_ref().and_then(|role| role.permissions_boundary()).and_then(|b| b.permissions_boundary_arn());
    Ok(Observed {
        boundary: boundary.map(str::to_owned),
        arn: role.as_ref().map(|role| role.arn.clone()).unwrap_or_default(),
        path: role.as_ref().map(|role| role.path.clone()).unwrap_or_default(),
        trust: role.as_ref().and_then(|role| role.assume_role_policy_document()).and_then(parse),
        tags: role.and_then(|role| role.tags).into_iter().flatten().map(|tag| (tag.key, tag.value)).collect(),
    })
}

pub(super) async fn set_boundary(iam: &Client, name: &str, boundary: Option<&str>) -> Result<(), AwsError> {
    match boundary {
        Some(arn) => {
            let request = iam.put_role_permissions_boundary().role_name(name).permissions_boundary(arn);
            request.send().await.map(drop).map_err(AwsError::of("PutRolePermissionsBoundary"))
        }
        None => {
            let request = iam.delete_role_permissions_boundary().role_name(name);
            request.send().await.map(drop).map_err(AwsError::of("DeleteRolePermissionsBoundary"))
        }
    }
}

pub(super) async fn set_trust(iam: &Client, name: &str, trust: &Json) -> Result<(), AwsError> {
    let request = iam.update_assume_role_policy().role_name(name).policy_document(text(trust));
    request.send().await.map(drop).map_err(AwsError::of("UpdateAssumeRolePolicy"))
}

pub(super) async fn change_tags(iam: &Client, name: &str, change: &Change) -> Result<(), AwsError> {
    // IAM takes no notice of case in keys: to remove "Team" after "team" was set would remove that one.
    if !change.remove.is_empty() {
        let request = iam.untag_role().role_name(name).set_tag_keys(Some(change.remove.clone()));
        request.send().await.map_err(AwsError::of("UntagRole"))?;
    }
    if !change.set.is_empty() {
        let request = iam.tag_role().role_name(name).set_tags(Some(tags(&change.set)));
        request.send().await.map_err(AwsError::of("TagRole"))?;
    }
    Ok(())
}

pub(super) async fn delete(iam: &Client, name: &str) -> Result<(), AwsError> {
    iam.delete_role().role_name(name).send().await.map(drop).map_err(AwsError::of("DeleteRole"))
}

/// What others have put on the role. What cannot be listed is left out: the refusal itself is shown anyway.
pub(super) async fn obstacles(iam: &Client, name: &str) -> Vec<String> {
    let (inline, attached, profiles) = tokio::join!(
        iam.list_role_policies().role_name(name).send(),
        iam.list_attached_role_policies().role_name(name).send(),
        iam.list_instance_profiles_for_role().role_name(name).send(),
    );
    let mut found = Vec::new();
    let inline = inline.map(|inline| inline.policy_names).unwrap_or_default();
    let inline = inline.iter().filter(|policy| *policy != inline_policy::NAME);
    found.extend(inline.map(|policy| format!("inline policy {policy}")));
    let attached = attached.ok().and_then(|attached| attached.attached_policies).unwrap_or_default();
    found.extend(attached.iter().filter_map(|policy| Some(format!("attached policy {}", policy.policy_arn()?))));
    let profiles = profiles.map(|profiles| profiles.instance_profiles).unwrap_or_default();
    found.extend(profiles.iter().map(|profile| format!("instance profile {}", profile.instance_profile_name())));
    found
}
