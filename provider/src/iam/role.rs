//! Calls of IAM for one role.

use aws_sdk_iam::Client;
use aws_sdk_iam::types::Role;
use gitlabspot_clients::aws::AwsError;

use super::{optional, tags};
use crate::tags::{Change, Tags};

/// A role to create.
#[derive(Clone, Debug)]
pub(crate) struct NewRole<'a> {
    pub(crate) name: &'a str,
    pub(crate) path: &'a str,
    pub(crate) description: &'a str,
    pub(crate) trust_policy: String,
    pub(crate) boundary: Option<&'a str>,
    pub(crate) tags: &'a Tags,
}

pub(crate) async fn create(iam: &Client, role: &NewRole<'_>) -> Result<Option<Role>, AwsError> {
    let request = iam
        .create_role()
        .role_name(role.name)
        .path(role.path)
        .description(role.description)
        .assume_role_policy_document(&role.trust_policy)
        .set_permissions_boundary(role.boundary.map(str::to_owned))
        .set_tags(Some(tags(role.tags)));
    request.send().await.map(|answer| answer.role).map_err(AwsError::of("CreateRole"))
}

pub(crate) async fn get(iam: &Client, name: &str) -> Result<Option<Role>, AwsError> {
    // ListRoles returns neither the permissions boundary nor the tags.
    iam.get_role().role_name(name).send().await.map(|answer| answer.role).map_err(AwsError::of("GetRole"))
}

/// The ARN of the permissions boundary.
pub(crate) fn boundary(role: &Role) -> Option<String> {
    role.permissions_boundary.as_ref().and_then(|boundary| boundary.permissions_boundary_arn.clone())
}

pub(crate) fn tags_of(role: &Role) -> Tags {
    role.tags().iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

pub(crate) async fn set_boundary(iam: &Client, name: &str, boundary: Option<&str>) -> Result<(), AwsError> {
    match boundary {
        Some(arn) => {
            let request = iam.put_role_permissions_boundary().role_name(name).permissions_boundary(arn);
            request.send().await.map(drop).map_err(AwsError::of("PutRolePermissionsBoundary"))
        }
        None => {
            let request = iam.delete_role_permissions_boundary().role_name(name);
            optional(request.send().await.map_err(AwsError::of("DeleteRolePermissionsBoundary"))).map(drop)
        }
    }
}

pub(crate) async fn set_trust_policy(iam: &Client, name: &str, document: &str) -> Result<(), AwsError> {
    let request = iam.update_assume_role_policy().role_name(name).policy_document(document);
    request.send().await.map(drop).map_err(AwsError::of("UpdateAssumeRolePolicy"))
}

pub(crate) async fn change_tags(iam: &Client, name: &str, change: &Change) -> Result<(), AwsError> {
    // IAM compares tag keys without regard to case. If "team" replaces "Team", removing "Team" last would remove
    // "team".
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

/// The document of an inline policy.
pub(crate) async fn policy(iam: &Client, role: &str, policy: &str) -> Result<String, AwsError> {
    let answer = iam.get_role_policy().role_name(role).policy_name(policy).send().await;
    answer.map(|answer| answer.policy_document).map_err(AwsError::of("GetRolePolicy"))
}

pub(crate) async fn put_policy(iam: &Client, role: &str, policy: &str, document: &str) -> Result<(), AwsError> {
    let request = iam.put_role_policy().role_name(role).policy_name(policy).policy_document(document);
    request.send().await.map(drop).map_err(AwsError::of("PutRolePolicy"))
}

/// Deletes an inline policy. Succeeds if it does not exist.
pub(crate) async fn delete_policy(iam: &Client, role: &str, policy: &str) -> Result<(), AwsError> {
    let request = iam.delete_role_policy().role_name(role).policy_name(policy);
    optional(request.send().await.map_err(AwsError::of("DeleteRolePolicy"))).map(drop)
}

pub(crate) async fn attach_policy(iam: &Client, role: &str, arn: &str) -> Result<(), AwsError> {
    let request = iam.attach_role_policy().role_name(role).policy_arn(arn);
    request.send().await.map(drop).map_err(AwsError::of("AttachRolePolicy"))
}

/// Detaches a policy. Succeeds if it is not attached.
pub(crate) async fn detach_policy(iam: &Client, role: &str, arn: &str) -> Result<(), AwsError> {
    let request = iam.detach_role_policy().role_name(role).policy_arn(arn);
    optional(request.send().await.map_err(AwsError::of("DetachRolePolicy"))).map(drop)
}

/// Deletes a role. Succeeds if it does not exist.
pub(crate) async fn delete(iam: &Client, name: &str) -> Result<(), AwsError> {
    optional(iam.delete_role().role_name(name).send().await.map_err(AwsError::of("DeleteRole"))).map(drop)
}

/// The name of a role: the end of its ARN, which may have a path before it.
pub(crate) fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
