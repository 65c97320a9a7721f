//! The IAM role.

use aws_sdk_iam::Client;
use gitlabspot_clients::aws::AwsError;

use super::inline_policy;
use super::principal::{Observed, Settings};
use crate::iam::role::{self, NewRole};
use crate::policy_document::{parse, text};

pub(super) async fn create(iam: &Client, settings: &Settings) -> Result<String, AwsError> {
    let new = NewRole {
        name: &settings.name,
        path: &settings.path,
        description: "Cache of GitLab Runner",
        trust_policy: settings.trust.as_ref().map(text).unwrap_or_default(),
        boundary: settings.boundary.as_deref(),
        tags: &settings.tags,
    };
    Ok(role::create(iam, &new).await?.map(|role| role.arn).unwrap_or_default())
}

pub(super) async fn read(iam: &Client, name: &str) -> Result<Observed, AwsError> {
    let role = role::get(iam, name).await?;
    let role = role.as_ref();
    Ok(Observed {
        boundary: role.and_then(role::boundary),
        arn: role.map(|role| role.arn.clone()).unwrap_or_default(),
        path: role.map(|role| role.path.clone()).unwrap_or_default(),
        trust: role.and_then(|role| role.assume_role_policy_document()).and_then(parse),
        tags: role.map(role::tags_of).unwrap_or_default(),
    })
}

/// Lists attachments of others that prevent the deletion of the role. Attachments that cannot be listed are omitted,
/// because the error of the deletion is shown anyway.
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
