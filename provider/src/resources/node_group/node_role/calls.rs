//! Calls of IAM, repeated while the news of a role travels.

use std::collections::BTreeSet;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::Role;
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::Context;
use tfplugin::framework::wait::WaitError;

use crate::propagation::{PROPAGATION, accepted, principal_may_be_new};

pub(super) async fn get(iam: &Client, name: &str) -> Result<Option<Role>, AwsError> {
    match iam.get_role().role_name(name).send().await.map_err(AwsError::of("GetRole")) {
        Ok(output) => Ok(output.role),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Names of the inline policies and ARNs of the attached ones; `None` if there is no role.
pub(super) async fn policies_of(
    iam: &Client,
    name: &str,
) -> Result<Option<(BTreeSet<String>, BTreeSet<String>)>, AwsError> {
    let inline = iam.list_role_policies().role_name(name).into_paginator().items().send().try_collect();
    let attached = iam.list_attached_role_policies().role_name(name).into_paginator().items().send().try_collect();
    let (inline, attached) = tokio::join!(inline, attached);
    let inline = inline.map_err(AwsError::of("ListRolePolicies"));
    let attached = attached.map_err(AwsError::of("ListAttachedRolePolicies"));
    match (inline, attached) {
        (Ok(inline), Ok(attached)) => {
            let attached = attached.into_iter().filter_map(|policy| policy.policy_arn).collect();
            Ok(Some((inline.into_iter().collect(), attached)))
        }
        (Err(error), _) | (_, Err(error)) if error.is_not_found() => Ok(None),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

/// Instance profiles that have the role, without the one that EKS made for the node group and takes away by itself. Where
/// they cannot be listed, the refusal of IAM stands for itself.
pub(super) async fn foreign_profiles(iam: &Client, name: &str) -> Vec<String> {
    let request = iam.list_instance_profiles_for_role().role_name(name).into_paginator().items();
    let found: Result<Vec<_>, _> = request.send().try_collect().await;
    let names = found.unwrap_or_default().into_iter().map(|profile| profile.instance_profile_name);
    names.filter(|profile| !is_of_eks(profile)).collect()
}

/// `eks-` and a UUID.
fn is_of_eks(profile: &str) -> bool {
    profile.strip_prefix("eks-").is_some_and(|id| id.len() == 36 && id.split('-').count() == 5)
}

pub(super) async fn attach<D>(
    context: &Context<D>,
    iam: &Client,
    role: &str,
    arn: &str,
) -> Result<(), WaitError<AwsError>> {
    patiently(context, || async {
        let request = iam.attach_role_policy().role_name(role).policy_arn(arn);
        request.send().await.map(drop).map_err(AwsError::of("AttachRolePolicy"))
    })
    .await
}

pub(super) async fn detach<D>(
    context: &Context<D>,
    iam: &Client,
    role: &str,
    arn: &str,
) -> Result<(), WaitError<AwsError>> {
    gone_is_fine(context, || async {
        let request = iam.detach_role_policy().role_name(role).policy_arn(arn);
        request.send().await.map(drop).map_err(AwsError::of("DetachRolePolicy"))
    })
    .await
}

pub(super) async fn put<D>(
    context: &Context<D>,
    iam: &Client,
    role: &str,
    policy: &str,
    document: &str,
) -> Result<(), WaitError<AwsError>> {
    patiently(context, || async {
        let request = iam.put_role_policy().role_name(role).policy_name(policy).policy_document(document);
        request.send().await.map(drop).map_err(AwsError::of("PutRolePolicy"))
    })
    .await
}

pub(super) async fn delete_inline<D>(
    context: &Context<D>,
    iam: &Client,
    role: &str,
    policy: &str,
) -> Result<(), WaitError<AwsError>> {
    gone_is_fine(context, || async {
        let request = iam.delete_role_policy().role_name(role).policy_name(policy);
        request.send().await.map(drop).map_err(AwsError::of("DeleteRolePolicy"))
    })
    .await
}

/// Repeats a call while a new role is not known everywhere, or another change of it is under way. A policy that does not
/// exist is no news that travels: it fails at once.
pub(super) async fn patiently<D, T, F>(context: &Context<D>, call: impl FnMut() -> F) -> Result<T, WaitError<AwsError>>
where
    F: Future<Output = Result<T, AwsError>>,
{
    let passes = |error: &AwsError| match error.code() {
        Some("ConcurrentModification" | "ConcurrentModificationException" | "DeleteConflict") => true,
        Some("NoSuchEntity") => error.message().to_ascii_lowercase().contains("role"),
        Some("MalformedPolicyDocument") => principal_may_be_new(error),
        _ => false,
    };
    accepted(context, PROPAGATION, passes, call).await
}

/// The same for what takes something away.
pub(super) async fn gone_is_fine<D, F>(
    context: &Context<D>,
    mut call: impl FnMut() -> F,
) -> Result<(), WaitError<AwsError>>
where
    F: Future<Output = Result<(), AwsError>>,
{
    patiently(context, || {
        let answer = call();
        async move {
            match answer.await {
                Err(error) if error.is_not_found() => Ok(()),
                other => other,
            }
        }
    })
    .await
}
