//! Credentials from settings of the provider block: access keys, roles and web identities.
//!
//! The SDK's role providers do not support the source identity and, for web identities, the duration. The providers in
//! this module do, and call STS with the endpoint and proxy of the provider block.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as Future;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided};
use aws_sdk_sts::types::{PolicyDescriptorType, Tag};
use secrecy::{ExposeSecret, SecretString};

use super::error::AwsError;
use super::settings::{AssumeRole, AssumeRoleWithWebIdentity, AwsSettings};
use crate::environment::Environment;
use crate::error::ClientError;

/// Default name of a role session, as CloudTrail records it.
const SESSION_NAME: &str = "gitlabspot";

/// The access keys in the provider block.
///
/// # Errors
/// [`ClientError::InvalidSetting`] when one key is set without the other.
pub(super) fn fixed(settings: &AwsSettings) -> Result<Option<Credentials>, ClientError> {
    let lonely = |setting, other: &str| {
        Err(ClientError::InvalidSetting { setting, reason: format!("it is set without \"{other}\". Set both") })
    };
    match (&settings.access_key, &settings.secret_key, &settings.token) {
        (Some(access_key), Some(secret_key), token) => Ok(Some(Credentials::new(
            access_key,
            secret_key.expose_secret(),
            token.as_ref().map(|token| token.expose_secret().to_owned()),
            None,
            "provider block",
        ))),
        (Some(_), None, _) => lonely("access_key", "secret_key"),
        (None, Some(_), _) => lonely("secret_key", "access_key"),
        (None, None, Some(_)) => lonely("token", "access_key"),
        (None, None, None) => Ok(None),
    }
}

/// Credentials of a role that is assumed with the credentials of `sts`.
#[derive(Debug)]
pub(super) struct RoleProvider {
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) role: AssumeRole,
}

impl RoleProvider {
    pub(super) async fn assume(&self) -> Provided {
        let role = &self.role;
        let arns = role.policy_arns.iter().map(|arn| PolicyDescriptorType::builder().arn(arn).build());
        let tags = role
            .tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect::<Result<Vec<_>, _>>()
            .map_err(CredentialsError::invalid_configuration)?;
        let answer = self
            .sts
            .assume_role()
            .role_arn(&role.role_arn)
            .role_session_name(role.session_name.as_deref().unwrap_or(SESSION_NAME))
            .set_external_id(role.external_id.clone())
            .set_duration_seconds(seconds(role.duration)?)
            .set_policy(role.policy.clone())
            .set_policy_arns(some(arns.collect()))
            .set_tags(some(tags))
            .set_source_identity(role.source_identity.clone())
            .send()
            .await
            .map_err(|error| refused(&role.role_arn, AwsError::new("AssumeRole", &error)))?;
        session(answer.credentials, "assume_role")
    }
}

impl ProvideCredentials for RoleProvider {
    fn provide_credentials<'a>(&'a self) -> Future<'a>
    where
        Self: 'a,
    {
        Future::new(self.assume())
    }
}

/// Credentials of a role that is assumed with a token of an OpenID Connect provider.
#[derive(Debug)]
pub(super) struct WebIdentityProvider {
    pub(super) sts: aws_sdk_sts::Client,
    role_arn: String,
    session_name: String,
    token: WebIdentityToken,
    duration_seconds: Option<i32>,
}

#[derive(Debug)]
enum WebIdentityToken {
    Given(SecretString),
    /// Read for every request, because another process renews the file.
    File(String),
}

impl WebIdentityProvider {
    /// # Errors
    /// [`ClientError::InvalidSetting`] when neither the settings nor the environment contain the role or the token.
    pub(super) fn new(
        sts: aws_sdk_sts::Client,
        settings: &AssumeRoleWithWebIdentity,
        environment: &Environment,
    ) -> Result<Self, ClientError> {
        let missing = |what: &str, variable: &str| ClientError::InvalidSetting {
            setting: "assume_role_with_web_identity",
            reason: format!("neither \"{what}\" nor the environment variable {variable} is set"),
        };
        let given = settings.web_identity_token.clone().map(WebIdentityToken::Given);
        let file = || {
            let path =
                settings.web_identity_token_file.clone().or_else(|| environment.get("AWS_WEB_IDENTITY_TOKEN_FILE"));
            path.map(|path| WebIdentityToken::File(environment.expand_home(&path)))
        };
        Ok(Self {
            sts,
            role_arn: settings
                .role_arn
                .clone()
                .or_else(|| environment.get("AWS_ROLE_ARN"))
                .ok_or_else(|| missing("role_arn", "AWS_ROLE_ARN"))?,
            session_name: settings
                .session_name
                .clone()
                .or_else(|| environment.get("AWS_ROLE_SESSION_NAME"))
                .unwrap_or_else(|| SESSION_NAME.to_owned()),
            token: given
                .or_else(file)
                .ok_or_else(|| missing("web_identity_token_file", "AWS_WEB_IDENTITY_TOKEN_FILE"))?,
            duration_seconds: seconds(settings.duration).map_err(|error| ClientError::InvalidSetting {
                setting: "assume_role_with_web_identity",
                reason: error.to_string(),
            })?,
        })
    }

    async fn assume(&self) -> Provided {
        let token = match &self.token {
            WebIdentityToken::Given(token) => token.clone(),
            WebIdentityToken::File(path) => {
                let text = tokio::fs::read_to_string(path).await.map_err(|error| {
                    CredentialsError::provider_error(format!(
                        "the web identity token file {path} cannot be read: \
                        {error}"
                    ))
                })?;
                // A line break at the end of the file is not part of the token.
                SecretString::from(text.trim().to_owned())
            }
        };
        let answer = self
            .sts
            .assume_role_with_web_identity()
            .role_arn(&self.role_arn)
            .role_session_name(&self.session_name)
            .web_identity_token(token.expose_secret())
            .set_duration_seconds(self.duration_seconds)
            .send()
            .await
            .map_err(|error| refused(&self.role_arn, AwsError::new("AssumeRoleWithWebIdentity", &error)))?;
        session(answer.credentials, "assume_role_with_web_identity")
    }
}

impl ProvideCredentials for WebIdentityProvider {
    fn provide_credentials<'a>(&'a self) -> Future<'a>
    where
        Self: 'a,
    {
        Future::new(self.assume())
    }
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn seconds(duration: Option<std::time::Duration>) -> Result<Option<i32>, CredentialsError> {
    duration
        .map(|duration| i32::try_from(duration.as_secs()))
        .transpose()
        .map_err(CredentialsError::invalid_configuration)
}

/// STS rejected the request for a role.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the role {role_arn} could not be assumed: {cause}")]
pub(super) struct NotAssumed {
    pub(super) role_arn: String,
    pub(super) cause: AwsError,
}

fn refused(role_arn: &str, cause: AwsError) -> CredentialsError {
    CredentialsError::provider_error(NotAssumed { role_arn: role_arn.to_owned(), cause })
}

fn session(credentials: Option<aws_sdk_sts::types::Credentials>, origin: &'static str) -> Provided {
    let credentials = credentials.ok_or_else(|| {
        CredentialsError::unhandled(
            "the response of STS does not contain \
        credentials",
        )
    })?;
    let expiry = SystemTime::try_from(credentials.expiration).map_err(CredentialsError::unhandled)?;
    Ok(Credentials::new(
        credentials.access_key_id,
        credentials.secret_access_key,
        Some(credentials.session_token),
        Some(expiry),
        origin,
    ))
}
