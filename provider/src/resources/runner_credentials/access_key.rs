//! Creates, verifies, deactivates and deletes the access keys of the user.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_iam::Client;
use aws_sdk_iam::types::StatusType;
use gitlabspot_clients::aws::{Attempts, AwsError};
use tfplugin::framework::Context;
use tfplugin::framework::wait::WaitError;

use super::manifests::secret::KeyPair;
use crate::configured::Data;
use crate::iam::{Iam, Waited, optional};
use crate::propagation::{PROPAGATION, Steady, accepted, settled};
use crate::timestamp;

/// A key as IAM lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) is_active: bool,
    /// RFC 3339.
    pub(super) created_at: Option<String>,
}

/// A key that was just created.
#[derive(Debug)]
pub(super) struct Created {
    pub(super) pair: KeyPair,
    /// RFC 3339.
    pub(super) created_at: String,
}

/// Reason why no key could be created.
#[derive(Debug)]
pub(super) enum Failure {
    /// The user has as many keys as IAM allows, and this provider did not create them all.
    TooMany(Vec<String>),
    /// The response contains no key, which AWS does not document.
    Empty,
    Call(WaitError<AwsError>),
}

impl<E: Into<WaitError<AwsError>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Call(error.into())
    }
}

/// Lists all keys of a user.
pub(super) async fn list(iam: &Client, user: &str) -> Result<Vec<Listed>, AwsError> {
    let mut pages = iam.list_access_keys().user_name(user).into_paginator().items().send();
    let mut keys = Vec::new();
    while let Some(key) = pages.next().await {
        let key = key.map_err(AwsError::of("ListAccessKeys"))?;
        keys.push(Listed {
            is_active: key.status() != Some(&StatusType::Inactive),
            created_at: key.create_date().and_then(time),
            id: key.access_key_id.unwrap_or_default(),
        });
    }
    Ok(keys)
}

fn time(date: &aws_smithy_types::DateTime) -> Option<String> {
    std::time::SystemTime::try_from(*date).ok().map(timestamp::format)
}

/// Creates a key. The call has no idempotency token, and only its response contains the secret. After a lost response
/// the new key is identified by comparison with the keys `before`, and deleted, because its secret cannot be read
/// again.
pub(super) async fn create(iam: Iam<'_>, user: &str, before: &[Listed]) -> Result<Created, Failure> {
    let mut tries = 0;
    loop {
        tries += 1;
        let attempts = Attempts::default();
        let call = || {
            let request = iam.create_access_key().user_name(user).customize().interceptor(attempts.clone());
            async move { request.send().await.map_err(AwsError::of("CreateAccessKey")) }
        };
        let passes = |error: &AwsError| matches!(error.code(), Some("NoSuchEntity" | "ConcurrentModification"));
        match accepted(iam.context, PROPAGATION, passes, call).await {
            Ok(answer) => {
                let Some(key) = answer.access_key else { return Err(Failure::Empty) };
                let created = Created {
                    created_at: key
                        .create_date()
                        .and_then(time)
                        .unwrap_or_else(|| timestamp::format(iam.context.clock.time_of_day())),
                    pair: KeyPair { id: key.access_key_id, secret: key.secret_access_key.into() },
                };
                // The SDK repeats a request after a lost response, so that an earlier attempt may have created a key
                // too.
                if attempts.answer_lost() {
                    remove_orphans(iam, user, before, Some(&created.pair.id)).await?;
                }
                return Ok(created);
            }
            // Keys of lost responses count toward the limit of two keys for each user.
            Err(WaitError::Failed(error)) if is_limit(&error) || error.is_outcome_unknown() => {
                let removed = remove_orphans(iam, user, before, None).await?;
                if removed == 0 && is_limit(&error) {
                    return Err(Failure::TooMany(before.iter().map(|key| key.id.clone()).collect()));
                }
                if tries == 3 {
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_limit(error: &AwsError) -> bool {
    error.code() == Some("LimitExceeded")
}

/// Deletes the keys that are neither in `before` nor `keep`. Returns their number.
async fn remove_orphans(iam: Iam<'_>, user: &str, before: &[Listed], keep: Option<&str>) -> Result<usize, AwsError> {
    let now = list(&iam, user).await?;
    let orphans: Vec<_> = now
        .into_iter()
        .map(|key| key.id)
        .filter(|id| Some(id.as_str()) != keep && !before.iter().any(|key| &key.id == id))
        .collect();
    for orphan in &orphans {
        tracing::warn!(
            user,
            access_key_id = orphan,
            "deleting an access key of which the secret access key was not received"
        );
        delete(iam, user, orphan).await?;
    }
    Ok(orphans.len())
}

/// Waits until AWS accepts the key everywhere. A new key propagates, so that several calls of STS in a row must
/// succeed.
pub(super) async fn prove(context: &Context<Data>, sts: &aws_sdk_sts::Client, pair: &KeyPair) -> Waited<()> {
    let sts = as_user(sts, pair);
    let steady = Steady { looks: 3, delay: Duration::ZERO, interval: Duration::from_secs(1), timeout: PROPAGATION };
    settled(context, steady, || async {
        match sts.get_caller_identity().send().await.map_err(AwsError::of("GetCallerIdentity")) {
            Ok(_) => Ok(true),
            Err(error) if is_unknown_key(&error) => Ok(false),
            Err(error) => Err(error),
        }
    })
    .await
}

/// Whether AWS accepts a key now.
pub(super) async fn works(sts: &aws_sdk_sts::Client, pair: &KeyPair) -> bool {
    as_user(sts, pair).get_caller_identity().send().await.is_ok()
}

fn as_user(sts: &aws_sdk_sts::Client, pair: &KeyPair) -> aws_sdk_sts::Client {
    use secrecy::ExposeSecret;
    let credentials = Credentials::new(&pair.id, pair.secret.expose_secret(), None, None, "a new access key");
    let config = sts
        .config()
        .to_builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .identity_cache(aws_sdk_sts::config::IdentityCache::no_cache())
        .build();
    aws_sdk_sts::Client::from_conf(config)
}

/// Whether AWS returned this error because the key, or its secret, has not propagated yet.
fn is_unknown_key(error: &AwsError) -> bool {
    const CODES: [&str; 5] = [
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "AuthFailure",
    ];
    error.code().is_some_and(|code| CODES.contains(&code))
}

/// Deactivates a key, then deletes it. A key that does not exist is a success.
pub(super) async fn retire(iam: Iam<'_>, user: &str, id: &str) -> Result<(), AwsError> {
    let call = || async {
        let request = iam.update_access_key().user_name(user).access_key_id(id).status(StatusType::Inactive);
        request.send().await.map(drop).map_err(AwsError::of("UpdateAccessKey"))
    };
    match optional(repeated(iam, call).await)? {
        Some(()) => delete(iam, user, id).await,
        None => Ok(()),
    }
}

/// Deletes a key. A key that does not exist is a success.
pub(super) async fn delete(iam: Iam<'_>, user: &str, id: &str) -> Result<(), AwsError> {
    let call = || async {
        let request = iam.delete_access_key().user_name(user).access_key_id(id);
        request.send().await.map(drop).map_err(AwsError::of("DeleteAccessKey"))
    };
    optional(repeated(iam, call).await).map(drop)
}

/// Repeats a change of a key while IAM rejects it because of a concurrent change.
async fn repeated<F>(iam: Iam<'_>, mut call: impl FnMut() -> F) -> Result<(), AwsError>
where
    F: Future<Output = Result<(), AwsError>>,
{
    let passes = |error: &AwsError| error.code() == Some("ConcurrentModification");
    match accepted(iam.context, PROPAGATION, passes, &mut call).await {
        Ok(()) => Ok(()),
        Err(WaitError::Failed(error)) => Err(error),
        // The user cancelled between two attempts. One more attempt, so that the key does not remain because of a short
        // wait.
        Err(_) => call().await,
    }
}
