//! The standard credential chain: environment, profile, web identity, container, instance.
//!
//! The chain is evaluated on every request for credentials, so that files that were renewed in the meantime are read
//! again; the identity cache keeps the credentials between requests. All calls to STS use clients with the endpoints,
//! retries and user agent of the provider block.

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::credentials::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as Future;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided, SharedCredentialsProvider};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

use super::credentials::{RoleProvider, WebIdentityProvider};
use super::profile::{Base, Origin, ProfileError, Source, origin};
use super::settings::{AssumeRoleWithWebIdentity, Endpoints};
use super::{Connection, sts};
use crate::environment::Environment;

/// The standard chain, or one profile of it.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    /// All settings of the connection except the credentials.
    pub(super) connection: Connection,
    pub(super) endpoints: Endpoints,
    pub(super) environment: Environment,
    pub(super) files: EnvConfigFiles,
    /// The profile that the provider block selects. It replaces the rest of the chain.
    pub(super) profile: Option<String>,
}

impl Chain {
    async fn walk(&self) -> Provided {
        if self.profile.is_some() {
            return self.profile().await;
        }
        let sdk = self.sdk();
        // The order of the SDK's default chain, so that the provider finds the credentials that other AWS tools find.
        CredentialsProviderChain::first_try("Environment", EnvironmentVariableCredentialsProvider::new())
            .or_else("Profile", Step(self.clone(), Kind::Profile))
            .or_else("WebIdentityToken", Step(self.clone(), Kind::WebIdentity))
            .or_else("EcsContainer", EcsCredentialsProvider::builder().configure(&sdk).build())
            .or_else("Ec2InstanceMetadata", ImdsCredentialsProvider::builder().configure(&sdk).build())
            .provide_credentials()
            .await
    }

    /// The credentials of the profile that the provider block or `AWS_PROFILE` selects, or of `default`.
    async fn profile(&self) -> Provided {
        let name = self.profile.clone().map(Into::into);
        let profiles = aws_config::profile::load(&Fs::real(), &Env::real(), &self.files, name).await;
        let profiles = profiles.map_err(CredentialsError::invalid_configuration)?;
        match origin(&profiles) {
            Ok(origin) => self.from(origin).await,
            Err(error) if self.is_optional(&profiles, &error) => Err(CredentialsError::not_loaded(error)),
            Err(error) => Err(CredentialsError::invalid_configuration(error)),
        }
    }

    /// Whether the chain continues after this error: no profile was selected explicitly, and the default profile has no
    /// credentials.
    fn is_optional(&self, profiles: &ProfileSet, error: &ProfileError) -> bool {
        let nothing = matches!(error, ProfileError::Missing { .. } | ProfileError::Empty { .. });
        // A profile that AWS_PROFILE selects may exist only for its region.
        let named = self.profile.is_some()
            || matches!(error, ProfileError::Missing { .. }) && profiles.selected_profile() != "default";
        nothing && !named
    }

    async fn from(&self, origin: Origin) -> Provided {
        let mut credentials = match origin.base {
            Base::Keys(keys) => keys,
            Base::WebIdentity(identity) => {
                let settings = AssumeRoleWithWebIdentity {
                    role_arn: Some(identity.role_arn),
                    session_name: identity.session_name,
                    web_identity_token: None,
                    web_identity_token_file: Some(identity.token_file),
                    duration: identity.duration,
                };
                self.web_identity(&settings).await?
            }
            Base::Process(process) => process.run().await?,
            Base::Named(source) => {
                let sdk = self.sdk();
                let provider = match source {
                    Source::Environment => {
                        SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new())
                    }
                    Source::Instance => {
                        SharedCredentialsProvider::new(ImdsCredentialsProvider::builder().configure(&sdk).build())
                    }
                    Source::Container => {
                        SharedCredentialsProvider::new(EcsCredentialsProvider::builder().configure(&sdk).build())
                    }
                };
                provider.provide_credentials().await?
            }
            Base::Sdk(name) => {
                // IAM Identity Center needs the token cache of the AWS CLI, which the SDK reads.
                let provider = ProfileFileCredentialsProvider::builder()
                    .configure(&self.sdk())
                    .profile_files(self.files.clone())
                    .profile_name(name)
                    .build();
                provider.provide_credentials().await?
            }
        };
        // Each role is assumed with the credentials of the one before it, as `source_profile` describes it.
        for role in origin.roles {
            let connection = self.connection.with_credentials(SharedCredentialsProvider::new(credentials));
            credentials = RoleProvider { sts: sts(&connection, &self.endpoints), role }.assume().await?;
        }
        Ok(credentials)
    }

    async fn web_identity(&self, identity: &AssumeRoleWithWebIdentity) -> Provided {
        let sts = sts(&self.connection, &self.endpoints);
        let provider = WebIdentityProvider::new(sts, identity, &self.environment);
        provider.map_err(CredentialsError::not_loaded)?.provide_credentials().await
    }

    /// The configuration of the SDK's own credential providers.
    fn sdk(&self) -> ProviderConfig {
        let config = ProviderConfig::without_region()
            .with_region(self.connection.config.region().cloned())
            .with_use_fips(self.connection.config.use_fips())
            .with_use_dual_stack(self.connection.config.use_dual_stack());
        match self.connection.config.http_client() {
            Some(client) => config.with_http_client(client),
            None => config,
        }
    }
}

impl ProvideCredentials for Chain {
    fn provide_credentials<'a>(&'a self) -> Future<'a>
    where
        Self: 'a,
    {
        Future::new(self.walk())
    }
}

/// One step of the chain.
#[derive(Debug)]
struct Step(Chain, Kind);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Profile,
    WebIdentity,
}

impl ProvideCredentials for Step {
    fn provide_credentials<'a>(&'a self) -> Future<'a>
    where
        Self: 'a,
    {
        Future::new(async {
            match self.1 {
                Kind::Profile => self.0.profile().await,
                Kind::WebIdentity => self.0.web_identity(&AssumeRoleWithWebIdentity::default()).await,
            }
        })
    }
}
