//! Clients of AWS and Kubernetes, created from settings. Only this crate of the provider opens connections.
//!
//! [`Clients`] is created when the provider is configured, without reading files or sending requests. Each client is
//! created on first use and shared.

pub mod aws;
mod clock;
mod command;
mod eks_token;
mod environment;
mod error;
pub mod kubernetes;
mod no_proxy;
mod once;
#[cfg(any(test, feature = "testing"))]
pub mod scripted;
mod stop;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use self::aws::{AwsError, AwsSettings};
pub use self::clock::{Clock, SystemClock};
pub use self::environment::Environment;
pub use self::error::ClientError;
use self::kubernetes::{Connected, KubernetesSettings, Place};
use self::once::Once;
use self::stop::Stop;

/// All settings of the connections.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub aws: AwsSettings,
    pub kubernetes: KubernetesSettings,
    pub user_agent: UserAgent,
    pub environment: Environment,
}

/// The user agent of all requests.
#[derive(Debug, Clone, Default)]
pub struct UserAgent {
    /// `Terraform` or `OpenTofu` and its version, if known.
    pub host: Option<(String, Option<String>)>,
    /// The unchanged value of `TF_APPEND_USER_AGENT`.
    pub appended: Option<String>,
}

impl UserAgent {
    /// Name and version of this provider and of its host.
    fn parts(&self) -> Vec<(String, Option<String>)> {
        let provider = ("terraform-provider-gitlabspot".to_owned(), Some(env!("CARGO_PKG_VERSION").to_owned()));
        std::iter::once(provider).chain(self.host.clone()).collect()
    }

    /// The value of a `User-Agent` header.
    fn header(&self) -> String {
        let part = |(name, version): (String, Option<String>)| match version {
            Some(version) => format!("{name}/{version}"),
            None => name,
        };
        self.parts().into_iter().map(part).chain(self.appended.clone()).collect::<Vec<_>>().join(" ")
    }
}

/// The clients of one configured provider. Clones share them.
#[derive(Clone)]
pub struct Clients {
    shared: Arc<Inner>,
    own: Arc<Own>,
}

/// The state that all operations share.
struct Inner {
    settings: Settings,
    clock: Arc<dyn Clock>,
    aws: Once<aws::Connection, ClientError>,
    account: Once<String, ClientError>,
    /// By EKS cluster name; `None` is the cluster that the provider block describes.
    kubernetes: Mutex<HashMap<Option<String>, Arc<Place>>>,
}

/// The state of operations that are stopped together.
#[derive(Default)]
struct Own {
    stop: Stop,
    aws: OnceCell<aws::Connection>,
    account: OnceCell<String>,
    autoscaling: OnceCell<aws_sdk_autoscaling::Client>,
    ec2: OnceCell<aws_sdk_ec2::Client>,
    eks: OnceCell<aws_sdk_eks::Client>,
    iam: OnceCell<aws_sdk_iam::Client>,
    s3: OnceCell<aws_sdk_s3::Client>,
    sts: OnceCell<aws_sdk_sts::Client>,
}

/// Defines the getter of a service's client, which checks the account if account lists are set.
macro_rules! getter {
    ($name:ident, $sdk:ident, $service:literal) => {
        #[doc = concat!("The client of ", $service, ".")]
        ///
        /// # Errors
        /// [`ClientError`] when the settings cannot be used, or the account is not an allowed one.
        pub async fn $name(&self) -> Result<&$sdk::Client, ClientError> {
            if let Some(client) = self.own.$name.get() {
                return Ok(client);
            }
            self.check_account().await?;
            let connection = self.aws().await?;
            let build = || async { aws::$name(connection, &self.shared.settings.aws.endpoints) };
            Ok(self.own.$name.get_or_init(build).await)
        }
    };
}

impl Clients {
    /// Clients with these settings. Errors in the settings are reported on first use.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self::with_clock(settings, Arc::new(SystemClock))
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let shared =
            Inner { settings, clock, aws: Once::default(), account: Once::default(), kubernetes: Mutex::default() };
        Self { shared: Arc::new(shared), own: Arc::default() }
    }

    /// The same connections for operations that end with `stop`: after it, no call is repeated, reads in flight are
    /// abandoned, and changes in flight may take a few more seconds.
    #[must_use]
    pub fn until(&self, stop: &CancellationToken) -> Self {
        self.with(Stop::of(stop.clone()))
    }

    fn with(&self, stop: Stop) -> Self {
        Self { shared: Arc::clone(&self.shared), own: Arc::new(Own { stop, ..Own::default() }) }
    }

    getter!(autoscaling, aws_sdk_autoscaling, "EC2 Auto Scaling");
    getter!(ec2, aws_sdk_ec2, "EC2");
    getter!(eks, aws_sdk_eks, "EKS");
    getter!(iam, aws_sdk_iam, "IAM");

    /// The client of S3.
    ///
    /// # Errors
    /// [`ClientError`] when the settings cannot be used, or the account is not an allowed one.
    pub async fn s3(&self) -> Result<&aws_sdk_s3::Client, ClientError> {
        if let Some(client) = self.own.s3.get() {
            return Ok(client);
        }
        self.check_account().await?;
        let connection = self.aws().await?;
        Ok(self.own.s3.get_or_init(|| async { aws::s3(connection, &self.shared.settings.aws) }).await)
    }

    /// The custom URL of S3; `None` for that of AWS.
    ///
    /// # Errors
    /// [`ClientError`] when the settings cannot be used.
    pub async fn s3_endpoint(&self) -> Result<Option<String>, ClientError> {
        Ok(aws::s3_endpoint(self.aws().await?, &self.shared.settings.aws.endpoints))
    }

    /// The client of STS. It does not check the account, because the check itself uses it.
    ///
    /// # Errors
    /// [`ClientError`] when the settings cannot be used.
    pub async fn sts(&self) -> Result<&aws_sdk_sts::Client, ClientError> {
        let connection = self.aws().await?;
        let build = || async { aws::sts(connection, &self.shared.settings.aws.endpoints) };
        Ok(self.own.sts.get_or_init(build).await)
    }

    /// The region, such as `eu-west-1`.
    ///
    /// # Errors
    /// [`ClientError::NoRegion`], and other [`ClientError`]s of invalid settings.
    pub async fn region(&self) -> Result<&str, ClientError> {
        let connection = self.aws().await?;
        connection.config.region().map(AsRef::as_ref).ok_or(ClientError::NoRegion)
    }

    /// The ID of the account of the credentials. Requested once.
    ///
    /// # Errors
    /// [`ClientError::Aws`] if the request to STS fails.
    pub async fn account_id(&self) -> Result<&str, ClientError> {
        let ask = || async {
            let sts = self.sts().await?;
            let identity = sts.get_caller_identity().send().await.map_err(AwsError::of("GetCallerIdentity"))?;
            Ok::<_, ClientError>(identity.account.unwrap_or_default())
        };
        let shared = || self.shared.account.get(|| Box::pin(ask()));
        self.own.account.get_or_try_init(shared).await.map(String::as_str)
    }

    /// A client of the cluster `cluster_name`, or of the cluster in the provider block.
    ///
    /// # Errors
    /// [`ClientError`] if the cluster does not exist, or the settings cannot be used.
    pub async fn kubernetes(&self, cluster_name: Option<&str>) -> Result<Connected, ClientError> {
        let settings = &self.shared.settings.kubernetes;
        // A resource that names the cluster of the provider block shares its connection.
        let name = cluster_name.filter(|name| settings.cluster_name.as_deref() != Some(*name)).map(str::to_owned);
        let place = {
            let mut places = self.shared.kubernetes.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(places.entry(name.clone()).or_insert_with(|| Arc::new(Place::new(name))))
        };
        // The future is large, and would otherwise be on the stack of every operation.
        let connecting = Box::pin(place.connect(self));
        let connected = self.own.stop.unless(connecting).await.ok_or(ClientError::Stopped)??;
        Ok(connected.until_stopped(self.own.stop.token()))
    }

    /// The name of the EKS cluster in the provider block, if any.
    #[must_use]
    pub fn cluster_name(&self) -> Option<&str> {
        self.shared.settings.kubernetes.cluster_name.as_deref()
    }

    /// For tests: uses `client` as the connection of the cluster in the provider block.
    #[cfg(any(test, feature = "testing"))]
    pub fn stand_in(&self, client: kube::Client) {
        let place = Arc::new(Place::stand_in(client));
        self.shared.kubernetes.lock().unwrap_or_else(PoisonError::into_inner).insert(None, place);
    }

    async fn aws(&self) -> Result<&aws::Connection, ClientError> {
        let Settings { aws, user_agent, environment, .. } = &self.shared.settings;
        let load = || Box::pin(aws::load(aws, user_agent, environment));
        let own = async || {
            let loaded = self.own.stop.unless(self.shared.aws.get(load)).await.ok_or(ClientError::Stopped)??;
            Ok(loaded.until(&self.own.stop))
        };
        self.own.aws.get_or_try_init(own).await
    }

    /// Checks the account lists. Makes one call per provider process, and none without account lists.
    async fn check_account(&self) -> Result<(), ClientError> {
        let AwsSettings { allowed_account_ids: allowed, forbidden_account_ids: forbidden, .. } =
            &self.shared.settings.aws;
        let forbidden = forbidden.as_deref().unwrap_or_default();
        if allowed.is_none() && forbidden.is_empty() {
            return Ok(());
        }
        let account = self.account_id().await?.to_owned();
        if forbidden.contains(&account) {
            return Err(ClientError::AccountForbidden { account });
        }
        match allowed {
            // An empty list allows no account.
            Some(allowed) if !allowed.contains(&account) => {
                Err(ClientError::AccountNotAllowed { account, allowed: allowed.clone() })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Clients").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::scripted::{Answer, Script, clients};
    use super::*;

    fn accounts(ids: &[&str]) -> Option<Vec<String>> {
        Some(ids.iter().map(|id| (*id).to_owned()).collect())
    }

    #[tokio::test]
    async fn account_is_not_requested_without_account_lists() {
        let script = Script::default();
        let clients = script.clients();
        clients.eks().await.unwrap();
        clients.iam().await.unwrap();
        clients.s3().await.unwrap();
        assert_eq!(clients.region().await.unwrap(), "eu-west-1");
        assert_eq!(script.requests(), []);
    }

    #[tokio::test]
    async fn account_is_requested_once() {
        let script = Script::new([Answer::identity()]);
        let clients = clients(AwsSettings {
            allowed_account_ids: accounts(&["123456789012"]),
            forbidden_account_ids: accounts(&["999999999999"]),
            ..script.settings()
        });
        clients.eks().await.unwrap();
        clients.ec2().await.unwrap();
        assert_eq!(clients.account_id().await.unwrap(), "123456789012");
        let bodies: Vec<String> = script.requests().into_iter().map(|request| request.body).collect();
        assert_eq!(bodies, ["Action=GetCallerIdentity&Version=2011-06-15"]);
    }

    #[tokio::test]
    async fn every_client_refuses_a_wrong_account() {
        let script = Script::new([Answer::identity()]);
        let not_allowed = clients(AwsSettings {
            allowed_account_ids: accounts(&["111111111111", "222222222222"]),
            ..script.settings()
        });
        let found = [not_allowed.eks().await.unwrap_err().to_string(), not_allowed.s3().await.unwrap_err().to_string()];
        let text = "the credentials belong to AWS account 123456789012, which is not in allowed_account_ids \
                    (111111111111, 222222222222): use credentials of an allowed account, or add this one to the list. \
                    Nothing was changed";
        assert_eq!(found, [text, text]);
        assert_eq!(script.requests().len(), 1);

        let forbidden = clients(AwsSettings {
            forbidden_account_ids: accounts(&["123456789012"]),
            ..Script::new([Answer::identity()]).settings()
        });
        assert_eq!(
            forbidden.iam().await.unwrap_err().to_string(),
            "the credentials belong to AWS account 123456789012, which is in forbidden_account_ids: use credentials of \
             another account. Nothing was changed"
        );
    }

    #[tokio::test]
    async fn unknown_settings_open_no_connection() {
        let script = Script::default();
        let unknown = clients(AwsSettings { not_yet_known: vec!["region".to_owned()], ..script.settings() });
        let text = "the provider settings region are not known yet, because they depend on resources that this run has \
                    not created yet. No request was sent";
        assert_eq!(unknown.eks().await.unwrap_err().to_string(), text);

        let unknown = Clients::new(Settings {
            aws: script.settings(),
            kubernetes: KubernetesSettings {
                not_yet_known: vec!["kubernetes.host".to_owned()],
                ..KubernetesSettings::default()
            },
            environment: Environment::fixed([("KUBE_HOST", "https://localhost")]),
            ..Settings::default()
        });
        let error = unknown.kubernetes(None).await.map(|_| ()).unwrap_err().to_string();
        assert_eq!(error, text.replace("region", "kubernetes.host"));
        assert_eq!(script.requests(), []);
    }

    #[test]
    fn user_agent_names_the_host() {
        let host = Some(("Terraform".to_owned(), Some("1.12.0".to_owned())));
        let agent = UserAgent { host, appended: Some("job/7 (nightly)".to_owned()) };
        let provider = concat!("terraform-provider-gitlabspot/", env!("CARGO_PKG_VERSION"));
        assert_eq!(agent.header(), format!("{provider} Terraform/1.12.0 job/7 (nightly)"));
        assert_eq!(UserAgent::default().header(), provider);
    }
}
