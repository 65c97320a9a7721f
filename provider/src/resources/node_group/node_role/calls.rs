//! Reads of IAM for the role of the nodes, and the retries while it propagates.

use std::collections::BTreeSet;

use aws_sdk_iam::Client;
use gitlabspot_clients::aws::AwsError;

use crate::iam::{Iam, Waited};
use crate::propagation::{PROPAGATION, accepted, principal_may_be_new};

/// Names of the inline policies and ARNs of the attached ones; `None` if the role does not exist.
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

/// Instance profiles that contain the role, except the one that EKS creates and deletes with the node group. Empty if
/// they cannot be listed: the error of the delete is reported in any case.
pub(super) async fn foreign_profiles(iam: &Client, name: &str) -> Vec<String> {
    let request = iam.list_instance_profiles_for_role().role_name(name).into_paginator().items();
    let observed: Result<Vec<_>, _> = request.send().try_collect().await;
    let names = observed.unwrap_or_default().into_iter().map(|profile| profile.instance_profile_name);
    names.filter(|profile| !is_of_eks(profile)).collect()
}

/// Whether the name has the form that EKS uses: `eks-` and a UUID.
fn is_of_eks(profile: &str) -> bool {
    profile.strip_prefix("eks-").is_some_and(|id| id.len() == 36 && id.split('-').count() == 5)
}

/// Repeats a call while a new role propagates, or while another change of it is in progress. A policy that does not
/// exist is an error at once.
pub(super) async fn until_propagated<T, F>(iam: Iam<'_>, call: impl FnMut() -> F) -> Waited<T>
where
    F: Future<Output = Result<T, AwsError>>,
{
    let passes = |error: &AwsError| match error.code() {
        Some("ConcurrentModification" | "ConcurrentModificationException" | "DeleteConflict") => true,
        // IAM returns the same code for a policy that does not exist: only the message distinguishes it.
        Some("NoSuchEntity") => error.message().to_ascii_lowercase().contains("role"),
        Some("MalformedPolicyDocument") => principal_may_be_new(error),
        _ => false,
    };
    accepted(iam.context, PROPAGATION, passes, call).await
}
