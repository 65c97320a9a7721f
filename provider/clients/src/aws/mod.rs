//! The connection to AWS: one configuration from the settings and the standard chain, and six service clients.

mod attempts;
mod chain;
mod content_md5;
mod credentials;
mod error;
mod http;
mod permission;
mod process;
mod profile;
mod region;
mod renewal;
mod retry;
mod settings;
mod stop;
mod unreachable;
mod user_agent;

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::sdk_ua_metadata::FrameworkMetadata;
use aws_types::service_config::ServiceConfigKey;

pub use self::attempts::Attempts;
use self::chain::Chain;
use self::content_md5::ContentMd5;
pub use self::error::chain;
pub use self::error::{AwsError, Fault};
pub use self::region::dns_suffix;
use self::renewal::Renewal;
pub use self::retry::DEFAULT_MAX_RETRIES;
use self::retry::Partitions;
pub use self::settings::{AssumeRole, AssumeRoleWithWebIdentity, AwsSettings, Endpoints};
use self::unreachable::GiveUpConnecting;
use self::user_agent::Appended;
use super::UserAgent;
use super::environment::Environment;
use super::error::ClientError;
use super::stop::Stop;

/// How long to wait for a response. The SDK has no limit by default.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The configuration that all clients share, and the renewal of its credentials.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) config: SdkConfig,
    renewal: Renewal,
    appended: Option<Appended>,
    partitions: Partitions,
    /// When calls end because the run was stopped.
    stop: Stop,
}

/// Loads the configuration. Settings take precedence over the standard chain.
///
/// Does not use the network, with one exception that all AWS tools share: if no setting, variable or profile contains a
/// region, it is requested from the instance metadata service.
///
/// # Errors
/// [`ClientError`] for settings that are not known yet or invalid, and for a missing region.
pub(super) async fn load(
    settings: &AwsSettings,
    user_agent: &UserAgent,
    environment: &Environment,
) -> Result<Connection, ClientError> {
    if !settings.not_yet_known.is_empty() {
        return Err(ClientError::NotYetKnown { settings: settings.not_yet_known.clone() });
    }
    let http_client = http::client(settings, environment)?;
    let files = profile_files(settings, environment);

    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client)
        .profile_files(files.clone())
        .timeout_config(TimeoutConfig::builder().read_timeout(READ_TIMEOUT).build())
        // The credentials come from `Chain`, which calls STS with the endpoints and retries of the provider block.
        .no_credentials();
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(fips) = settings.use_fips_endpoint {
        loader = loader.use_fips(fips);
    }
    if let Some(dualstack) = settings.use_dualstack_endpoint {
        loader = loader.use_dual_stack(dualstack);
    }
    for (name, version) in user_agent.parts() {
        // Metadata that the SDK rejects is omitted: it must not prevent a connection.
        if let Ok(metadata) = FrameworkMetadata::new(name, version) {
            loader = loader.framework_metadata(metadata);
        }
    }
    if let Some(name) = environment.get("AWS_SDK_UA_APP_ID").and_then(|name| AppName::new(name).ok()) {
        loader = loader.app_name(name);
    }
    // Incomplete keys are reported before the region is looked up, which may call the instance metadata service.
    let keys = credentials::fixed(settings)?;

    let loaded = loader.load().await;
    let region = loaded.region().ok_or(ClientError::NoRegion)?;
    if !region::is_region(region.as_ref()) {
        return Err(ClientError::InvalidRegion { region: region.to_string() });
    }
    let retry =
        retry::config(settings.max_retries, settings.retry_mode.as_deref(), loaded.retry_config(), environment)?;
    let retry = match settings.initial_backoff {
        Some(pause) => retry.with_initial_backoff(pause).with_max_backoff(pause * retry::LONGEST_PAUSE),
        None => retry,
    };
    let connection = Connection {
        config: loaded.into_builder().retry_config(retry).build(),
        renewal: Renewal::new(),
        appended: user_agent.appended.as_deref().and_then(Appended::new),
        partitions: Partitions::default(),
        // This connection is shared by all operations. An operation that is stopped ends its own wait for it.
        stop: Stop::default(),
    };

    let provider = match keys {
        Some(keys) => SharedCredentialsProvider::new(keys),
        None => SharedCredentialsProvider::new(Chain {
            connection: connection.clone(),
            endpoints: settings.endpoints.clone(),
            environment: environment.clone(),
            files,
            profile: settings.profile.clone(),
        }),
    };
    let mut connection = connection.with_credentials(provider);
    if let Some(web_identity) = &settings.assume_role_with_web_identity {
        let sts = sts(&connection, &settings.endpoints);
        let provider = credentials::WebIdentityProvider::new(sts, web_identity, environment)?;
        connection = connection.with_credentials(SharedCredentialsProvider::new(provider));
    }
    // After the web identity: with both settings, the role is assumed with the session of the web identity.
    if let Some(role) = &settings.assume_role {
        let provider = credentials::RoleProvider { sts: sts(&connection, &settings.endpoints), role: role.clone() };
        connection = connection.with_credentials(SharedCredentialsProvider::new(provider));
    }
    Ok(connection)
}

impl Connection {
    /// The same connection with other credentials.
    fn with_credentials(&self, provider: SharedCredentialsProvider) -> Self {
        // Each provider needs its own cache: entries are keyed by slot, so that a role would otherwise get the
        // credentials of its source.
        let renewal = Renewal::new();
        let config = self.config.to_builder().credentials_provider(provider).identity_cache(renewal.clone()).build();
        Self { config, renewal, ..self.clone() }
    }

    /// The same connection, with calls that end when the run is stopped.
    pub(super) fn until(&self, stop: &Stop) -> Self {
        Self { stop: stop.clone(), ..self.clone() }
    }
}

/// The profile files in the settings. For a kind of file that is not set, the default path is used.
fn profile_files(settings: &AwsSettings, environment: &Environment) -> EnvConfigFiles {
    let (config, credentials) = (&settings.shared_config_files, &settings.shared_credentials_files);
    let mut files = EnvConfigFiles::builder()
        .include_default_config_file(config.is_none())
        .include_default_credentials_file(credentials.is_none());
    for path in config.iter().flatten() {
        files = files.with_file(EnvConfigFileKind::Config, environment.expand_home(path));
    }
    for path in credentials.iter().flatten() {
        files = files.with_file(EnvConfigFileKind::Credentials, environment.expand_home(path));
    }
    files.build()
}

/// The configuration of the client of one service: the shared configuration, with the retry rules of this provider.
macro_rules! configured {
    ($name:ident, $sdk:ident, $connection:expr, $endpoints:expr) => {{
        let (connection, endpoints): (&Connection, &Endpoints) = ($connection, $endpoints);
        let stop = &connection.stop;
        let mut builder = $sdk::config::Builder::from(&connection.config)
            .sleep_impl(stop::Pauses(stop.clone()))
            .identity_cache(stop::Identities { renewal: connection.renewal.clone(), stop: stop.clone() })
            .retry_classifier(retry::TryAgain)
            .retry_classifier(stop::NoFurtherTry(stop.clone()))
            .interceptor(stop::NoFurtherTry(stop.clone()))
            .interceptor(GiveUpConnecting)
            .interceptor(connection.renewal.clone())
            .retry_partition(connection.partitions.of(stringify!($name)));
        if let Some(inner) = connection.config.http_client() {
            builder = builder.http_client(stop::Http { inner, stop: stop.clone() });
        }
        if let Some(appended) = &connection.appended {
            builder = builder.interceptor(appended.clone());
        }
        if let Some(url) = &endpoints.$name {
            builder = builder.endpoint_url(url);
        }
        builder
    }};
}

macro_rules! service {
    ($name:ident, $sdk:ident) => {
        pub(super) fn $name(connection: &Connection, endpoints: &Endpoints) -> $sdk::Client {
            $sdk::Client::from_conf(configured!($name, $sdk, connection, endpoints).build())
        }
    };
}

service!(autoscaling, aws_sdk_autoscaling);
service!(ec2, aws_sdk_ec2);
service!(eks, aws_sdk_eks);
service!(iam, aws_sdk_iam);
service!(sts, aws_sdk_sts);

/// The client of S3, which has an additional setting and is also used for compatible stores.
pub(super) fn s3(connection: &Connection, settings: &AwsSettings) -> aws_sdk_s3::Client {
    let builder = configured!(s3, aws_sdk_s3, connection, &settings.endpoints).interceptor(ContentMd5);
    aws_sdk_s3::Client::from_conf(builder.force_path_style(settings.s3_use_path_style.unwrap_or(false)).build())
}

/// The custom URL of S3 from the provider block, the environment or the profile, in the SDK's order of precedence.
pub(super) fn s3_endpoint(connection: &Connection, endpoints: &Endpoints) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok();
    // `AWS_ENDPOINT_URL_S3` and the profile's `services` section override `AWS_ENDPOINT_URL`.
    let of_the_service = || connection.config.service_config().zip(key).and_then(|(all, key)| all.load_config(key));
    let of_all = || connection.config.endpoint_url().map(str::to_owned);
    endpoints.s3.clone().or_else(of_the_service).or_else(of_all)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use aws_credential_types::provider::ProvideCredentials;

    use super::*;
    use crate::scripted::{Answer, Script, clients};

    const ASSUMED: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t\
         </SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>\
         </AssumeRoleResponse>";

    async fn loaded(settings: &AwsSettings, environment: &Environment) -> Result<SdkConfig, String> {
        let connection = load(settings, &UserAgent::default(), environment).await;
        connection.map(|connection| connection.config).map_err(|error| error.to_string())
    }

    async fn access_key(config: &SdkConfig) -> Result<String, String> {
        let credentials = config.credentials_provider().unwrap().provide_credentials().await;
        let text = |error| error::chain(&error).map(ToString::to_string).collect::<Vec<_>>().join(": ");
        credentials.map(|credentials| credentials.access_key_id().to_owned()).map_err(text)
    }

    #[tokio::test]
    async fn invalid_region_is_refused() {
        let settings = AwsSettings { region: Some("Ireland".to_owned()), ..Script::default().settings() };
        assert_eq!(
            loaded(&settings, &Environment::fixed([])).await.unwrap_err(),
            "\"Ireland\" is not the name of an AWS region: set \"region\" in the provider block or AWS_REGION to one \
             such as \"eu-west-1\""
        );
    }

    #[tokio::test]
    async fn incomplete_key_pair_is_refused() {
        let settings = AwsSettings { secret_key: None, ..Script::default().settings() };
        assert_eq!(
            loaded(&settings, &Environment::fixed([])).await.unwrap_err(),
            "the provider setting \"access_key\" cannot be used: it is set without \"secret_key\". Set both"
        );
    }

    #[tokio::test]
    async fn profiles_are_read_from_configured_files() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"[ci]\naws_access_key_id = AKIACI\naws_secret_access_key = s\n").unwrap();
        let settings = AwsSettings {
            access_key: None,
            secret_key: None,
            profile: Some("ci".to_owned()),
            shared_credentials_files: Some(vec![file.path().to_str().unwrap().to_owned()]),
            shared_config_files: Some(vec![]),
            ..Script::default().settings()
        };
        let config = loaded(&settings, &Environment::fixed([])).await.unwrap();
        assert_eq!(access_key(&config).await.unwrap(), "AKIACI");
    }

    #[tokio::test]
    async fn assume_role_sends_every_argument() {
        let script = Script::new([Answer::Http(200, ASSUMED.to_owned())]);
        let settings = AwsSettings {
            assume_role: Some(AssumeRole {
                role_arn: "arn:aws:iam::123456789012:role/ci".to_owned(),
                session_name: Some("me".to_owned()),
                external_id: Some("x".to_owned()),
                duration: Some(Duration::from_mins(30)),
                policy: Some("{}".to_owned()),
                policy_arns: vec!["arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()],
                tags: [("team".to_owned(), "ci".to_owned())].into(),
                source_identity: Some("jane".to_owned()),
            }),
            ..script.settings()
        };
        let config = loaded(&settings, &Environment::fixed([])).await.unwrap();
        assert_eq!(access_key(&config).await.unwrap(), "ASIAROLE");
        let requests = script.requests();
        let [request] = requests.as_slice() else { unreachable!("one request, not {requests:?}") };
        assert_eq!(
            request.body,
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fci\
             &RoleSessionName=me&PolicyArns.member.1.arn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FReadOnlyAccess&Policy=%7B%7D\
             &DurationSeconds=1800&Tags.member.1.Key=team&Tags.member.1.Value=ci&ExternalId=x&SourceIdentity=jane"
        );
        assert!(request.authorization.contains("AKIAIOSFODNN7EXAMPLE/"), "{}", request.authorization);
        assert!(request.user_agent.contains("lib/terraform-provider-gitlabspot/0"), "{}", request.user_agent);
    }

    #[tokio::test]
    async fn web_identity_is_read_from_the_environment() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"the-token\n").unwrap();
        let body = ASSUMED.replace("AssumeRole", "AssumeRoleWithWebIdentity");
        let script = Script::new([Answer::Http(200, body)]);
        let settings = AwsSettings {
            assume_role_with_web_identity: Some(AssumeRoleWithWebIdentity {
                duration: Some(Duration::from_mins(15)),
                ..AssumeRoleWithWebIdentity::default()
            }),
            ..script.settings()
        };
        let path = file.path().to_str().unwrap();
        let environment = Environment::fixed([
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/tfc"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", path),
        ]);
        let config = loaded(&settings, &environment).await.unwrap();
        assert_eq!(access_key(&config).await.unwrap(), "ASIAROLE");
        let requests = script.requests();
        let calls: Vec<(&str, &str)> =
            requests.iter().map(|request| (request.body.as_str(), request.authorization.as_str())).collect();
        assert_eq!(
            calls,
            [(
                "Action=AssumeRoleWithWebIdentity&Version=2011-06-15\
                 &RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Ftfc&RoleSessionName=gitlabspot\
                 &WebIdentityToken=the-token&DurationSeconds=900",
                ""
            )]
        );
        assert_eq!(
            loaded(&settings, &Environment::fixed([])).await.unwrap_err(),
            "the provider setting \"assume_role_with_web_identity\" cannot be used: neither \"role_arn\" nor the \
             environment variable AWS_ROLE_ARN is set"
        );
    }

    #[tokio::test]
    async fn refused_role_is_named() {
        let denied =
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>";
        let script = Script::new([Answer::Http(403, denied.to_owned())]);
        let clients = clients(AwsSettings {
            assume_role: Some(AssumeRole {
                role_arn: "arn:aws:iam::123456789012:role/ci".to_owned(),
                ..AssumeRole::default()
            }),
            ..script.settings()
        });
        let error = clients.eks().await.unwrap().list_clusters().send().await.unwrap_err();
        let error = AwsError::new("ListClusters", &error);
        assert!(!error.is_outcome_unknown());
        let shown = error.to_string();
        assert!(
            shown.contains(
                "the role arn:aws:iam::123456789012:role/ci could not be assumed: AssumeRole: AccessDenied: not you"
            ),
            "{shown}"
        );
    }

    #[tokio::test]
    async fn endpoints_and_path_style_are_applied() {
        let script = Script::default();
        let clients = clients(AwsSettings {
            s3_use_path_style: Some(true),
            endpoints: Endpoints {
                s3: Some("http://127.0.0.1:9000".to_owned()),
                iam: Some("http://127.0.0.1:9001".to_owned()),
                ..Endpoints::default()
            },
            ..script.settings()
        });
        assert_eq!(clients.s3_endpoint().await.unwrap().as_deref(), Some("http://127.0.0.1:9000"));
        let _ = clients.s3().await.unwrap().head_bucket().bucket("cache").send().await;
        let _ = clients.iam().await.unwrap().get_user().send().await;
        let _ = clients.eks().await.unwrap().list_clusters().send().await;
        let uris: Vec<String> = script.requests().into_iter().map(|request| request.uri).collect();
        assert_eq!(
            uris,
            ["http://127.0.0.1:9000/cache/", "http://127.0.0.1:9001/", "https://eks.eu-west-1.amazonaws.com/clusters"]
        );
    }

    #[tokio::test]
    async fn retries_are_bounded_and_include_aborted_operations() {
        let aborted =
            format!("<Error><Code>OperationAborted</Code><Message>{}</Message></Error>", retry::OPERATION_ABORTED);
        let script = Script::new([
            Answer::Reset,
            Answer::Http(409, aborted),
            Answer::Http(503, String::new()),
            Answer::Http(200, String::new()),
        ]);
        let clients = clients(AwsSettings { max_retries: None, ..script.settings() });
        clients.s3().await.unwrap().create_bucket().bucket("cache").send().await.unwrap();
        assert_eq!(script.requests().len(), 4);
    }

    #[tokio::test]
    async fn default_is_ten_retries() {
        let script = Script::default();
        let clients = clients(AwsSettings { max_retries: None, ..script.settings() });
        let _ = clients.eks().await.unwrap().list_clusters().send().await.unwrap_err();
        assert_eq!(script.requests().len(), 11);
    }

    /// `aws-config` reads the process environment, so this test runs itself again in a child process with its own
    /// variables.
    #[tokio::test]
    async fn standard_credential_chain_is_used() {
        const CHILD: &str = "GITLABSPOT_TEST_STANDARD_CHAIN";
        let script = Script::default();
        let settings =
            AwsSettings { region: None, access_key: None, secret_key: None, max_retries: None, ..script.settings() };
        match std::env::var(CHILD).as_deref() {
            Ok("endpoints") => {
                let clients = clients(settings);
                assert_eq!(clients.region().await.unwrap(), "af-south-1");
                assert_eq!(clients.s3_endpoint().await.unwrap().as_deref(), Some("http://127.0.0.1:3"));
                let _ = clients.eks().await.unwrap().list_clusters().send().await;
                let _ = clients.ec2().await.unwrap().describe_subnets().send().await;
                let seen: Vec<(String, bool)> = script
                    .requests()
                    .into_iter()
                    .map(|request| (request.uri, request.authorization.contains("AKIAENV/")))
                    .collect();
                let eks = ("http://127.0.0.1:2/clusters".to_owned(), true);
                assert_eq!(
                    seen,
                    [
                        eks.clone(),
                        eks,
                        ("http://127.0.0.1:1/".to_owned(), true),
                        ("http://127.0.0.1:1/".to_owned(), true)
                    ]
                );
            }
            Ok("nothing") => {
                let clients = clients(AwsSettings { region: Some("eu-west-1".to_owned()), ..settings });
                let error = clients.eks().await.unwrap().list_clusters().send().await.unwrap_err();
                let error = AwsError::new("ListClusters", &error).to_string();
                assert_eq!(
                    error,
                    "ListClusters: no AWS credentials were found. Set \"profile\", or \"access_key\" and \
                     \"secret_key\", in the provider block, or the environment variables AWS_PROFILE, or \
                     AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                );
                assert_eq!(script.requests(), []);
            }
            _ => {
                let name = concat!(module_path!(), "::standard_credential_chain_is_used");
                let name = name.split_once("::").unwrap().1;
                let run = async |child: &str, variables: &[(&str, &str)]| {
                    let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
                    command
                        .args(["--exact", name])
                        .env_clear()
                        .env(CHILD, child)
                        .env("AWS_EC2_METADATA_DISABLED", "true");
                    let output = command.envs(variables.iter().copied()).output().await.unwrap();
                    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
                };
                run("nothing", &[]).await;
                let endpoints = [
                    ("AWS_REGION", "af-south-1"),
                    ("AWS_ACCESS_KEY_ID", "AKIAENV"),
                    ("AWS_SECRET_ACCESS_KEY", "s"),
                    ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
                    ("AWS_ENDPOINT_URL_EKS", "http://127.0.0.1:2"),
                    ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:3"),
                    ("AWS_MAX_ATTEMPTS", "2"),
                ];
                run("endpoints", &endpoints).await;
            }
        }
    }
}
