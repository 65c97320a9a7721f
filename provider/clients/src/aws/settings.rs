//! Settings of the connection to AWS, named as in the provider block.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use secrecy::SecretString;

/// The AWS settings of the provider block. For `None`, the standard chain applies: environment, profile, SSO,
/// credential process, web identity, container, instance.
#[derive(Clone, Default)]
pub struct AwsSettings {
    pub region: Option<String>,
    /// Takes precedence over keys in the environment, as in the AWS CLI.
    pub profile: Option<String>,
    pub access_key: Option<String>,
    pub secret_key: Option<SecretString>,
    pub token: Option<SecretString>,
    pub shared_config_files: Option<Vec<String>>,
    pub shared_credentials_files: Option<Vec<String>>,
    pub assume_role: Option<AssumeRole>,
    pub assume_role_with_web_identity: Option<AssumeRoleWithWebIdentity>,
    pub endpoints: Endpoints,
    pub s3_use_path_style: Option<bool>,
    pub use_fips_endpoint: Option<bool>,
    pub use_dualstack_endpoint: Option<bool>,
    /// How often a failed call is repeated; see [`super::retry::DEFAULT_MAX_RETRIES`].
    pub max_retries: Option<u32>,
    /// `standard` or `adaptive`.
    pub retry_mode: Option<String>,
    pub http_proxy: Option<String>,
    pub https_proxy: Option<String>,
    pub no_proxy: Option<String>,
    /// Path of a PEM file that replaces the system's certificate authorities.
    pub custom_ca_bundle: Option<String>,
    pub allowed_account_ids: Option<Vec<String>>,
    pub forbidden_account_ids: Option<Vec<String>>,
    /// Names of settings whose values are not known yet, because they depend on resources that this run creates. No AWS
    /// client is available while there are any.
    pub not_yet_known: Vec<String>,
    /// The initial backoff instead of one second; the maximum backoff is scaled with it. For tests.
    pub initial_backoff: Option<Duration>,
    /// Replaces the network. For tests.
    pub http_client: Option<SharedHttpClient>,
}

/// A role to assume with the credentials of the other settings or the standard chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssumeRole {
    pub role_arn: String,
    pub session_name: Option<String>,
    pub external_id: Option<String>,
    pub duration: Option<Duration>,
    pub policy: Option<String>,
    pub policy_arns: Vec<String>,
    pub tags: BTreeMap<String, String>,
    pub source_identity: Option<String>,
}

/// A role to assume with a token of an OpenID Connect provider. For `None`, `AWS_ROLE_ARN`, `AWS_ROLE_SESSION_NAME` and
/// `AWS_WEB_IDENTITY_TOKEN_FILE` apply.
#[derive(Debug, Clone, Default)]
pub struct AssumeRoleWithWebIdentity {
    pub role_arn: Option<String>,
    pub session_name: Option<String>,
    pub web_identity_token: Option<SecretString>,
    pub web_identity_token_file: Option<String>,
    pub duration: Option<Duration>,
}

/// Custom endpoint URLs of the services.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    pub autoscaling: Option<String>,
    pub ec2: Option<String>,
    pub eks: Option<String>,
    pub iam: Option<String>,
    pub s3: Option<String>,
    pub sts: Option<String>,
}

impl fmt::Debug for AwsSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Proxy URLs may contain passwords, so only the settings that identify the connection are shown.
        formatter
            .debug_struct("AwsSettings")
            .field("region", &self.region)
            .field("profile", &self.profile)
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let settings = AwsSettings {
            region: Some("eu-west-1".to_owned()),
            access_key: Some("AKIAIOSFODNN7EXAMPLE".to_owned()),
            secret_key: Some("hunter2".into()),
            https_proxy: Some("http://me:hunter2@proxy:3128".to_owned()),
            ..AwsSettings::default()
        };
        let shown = format!("{settings:?}");
        assert!(shown.contains("eu-west-1") && !shown.contains("hunter2"), "{shown}");
    }
}
