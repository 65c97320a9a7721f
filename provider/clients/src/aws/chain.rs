//! The standard chain of credentials: environment, profile, web identity, container, instance.
//!
//! It is walked anew each time that credentials are asked for, so that files which somebody renewed meanwhile are read
//! again; remembering credentials is the identity cache's business. All calls to STS go through clients of the provider
//! block, with its endpoints, retries and user agent.

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
    /// Everything about connections but credentials.
    pub(super) connection: Connection,
    pub(super) endpoints: Endpoints,
    pub(super) environment: Environment,
    pub(super) files: EnvConfigFiles,
    /// A profile that the provider block names. Nothing else is tried then.
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

    /// The profile that the provider block or `AWS_PROFILE` names, or the one called `default`.
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

    /// Whether the rest of the chain may have better: nobody asked for a profile, and the default one has nothing.
    fn is_optional(&self, profiles: &ProfileSet, error: &ProfileError) -> bool {
        let nothing = matches!(error, ProfileError::Missing { .. } | ProfileError::Empty { .. });
        // A profile that AWS_PROFILE names may be there for its region alone.
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
                // Single sign-on needs the token cache of the AWS CLI, which the SDK reads.
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

    /// What the SDK's own providers are told.
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
