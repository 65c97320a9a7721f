//! The inline policy of the user or role.

use std::time::Duration;

use aws_sdk_iam::Client;
use gitlabspot_clients::aws::AwsError;
use serde_json::Value as Json;

use super::principal::Principal;
use crate::iam::{Iam, Waited, optional, role};
use crate::policy_document::{equivalent, parse, text};
use crate::propagation::{PROPAGATION, Steady, accepted, settled};

/// Name of the policy.
pub(super) const NAME: &str = "gitlab-runner-cache";

/// Returns the policy document; `None` if the policy does not exist or is not JSON.
pub(super) async fn read(iam: &Client, principal: Principal, name: &str) -> Result<Option<Json>, AwsError> {
    let document = match principal {
        Principal::User => {
            let request = iam.get_user_policy().user_name(name).policy_name(NAME);
            let answer = request.send().await.map_err(AwsError::of("GetUserPolicy"));
            answer.map(|answer| answer.policy_document)
        }
        Principal::Role => role::policy(iam, name, NAME).await,
    };
    Ok(optional(document)?.as_deref().and_then(parse))
}

/// Writes the policy, and waits until IAM returns it.
pub(super) async fn put(iam: Iam<'_>, principal: Principal, (name, document): (&str, &Json)) -> Waited<()> {
    let passes = |error: &AwsError| error.is_not_found() || error.code() == Some("ConcurrentModification");
    accepted(iam.context, PROPAGATION, passes, || put_once(&iam, principal, name, document)).await?;
    let steady = Steady { looks: 1, delay: Duration::ZERO, interval: Duration::from_secs(1), timeout: PROPAGATION };
    settled(iam.context, steady, || async {
        Ok(read(&iam, principal, name).await?.is_some_and(|observed| equivalent(&observed, document)))
    })
    .await
}

async fn put_once(iam: &Client, principal: Principal, name: &str, document: &Json) -> Result<(), AwsError> {
    let document = text(document);
    match principal {
        Principal::User => {
            let request = iam.put_user_policy().user_name(name).policy_name(NAME).policy_document(document);
            request.send().await.map(drop).map_err(AwsError::of("PutUserPolicy"))
        }
        Principal::Role => role::put_policy(iam, name, NAME, &document).await,
    }
}

/// Deletes the policy. A policy that does not exist is a success.
pub(super) async fn delete(iam: Iam<'_>, principal: Principal, name: &str) -> Waited<()> {
    let passes = |error: &AwsError| error.code() == Some("ConcurrentModification");
    accepted(iam.context, PROPAGATION, passes, || delete_once(&iam, principal, name)).await
}

async fn delete_once(iam: &Client, principal: Principal, name: &str) -> Result<(), AwsError> {
    let result = match principal {
        Principal::User => {
            let request = iam.delete_user_policy().user_name(name).policy_name(NAME);
            request.send().await.map(drop).map_err(AwsError::of("DeleteUserPolicy"))
        }
        Principal::Role => role::delete_policy(iam, name, NAME).await,
    };
    optional(result).map(drop)
}
