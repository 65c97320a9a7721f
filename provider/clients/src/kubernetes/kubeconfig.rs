//! kube's configuration from settings: kubeconfig files, overrides, and the source of tokens.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::{
    AuthInfo, Cluster, Context, ExecAuthCluster, ExecInteractiveMode, KubeConfigOptions, Kubeconfig, NamedAuthInfo,
    NamedCluster, NamedContext,
};
use secrecy::{ExposeSecret, SecretString};

use super::cluster::Cluster as EksCluster;
use super::error::causes;
use super::exec::{self, ExecToken};
use super::place::Certificate;
use super::settings::{Exec, KubernetesSettings};
use super::token::{MintToken, Token, TokenFile};
use super::{in_cluster, proxy};
use crate::environment::Environment;
use crate::error::ClientError;

/// The name of the entries in the kubeconfig that is built from the settings.
const NAME: &str = "gitlabspot";

/// kube's configuration, and the source of bearer tokens if they are renewed.
pub(super) struct Connection {
    pub(super) config: kube::Config,
    pub(super) tokens: Option<Minting>,
    /// The certificate, if a command returned one.
    pub(super) certificate: Option<Certificate>,
    /// The EKS cluster, if it was selected by its name.
    pub(super) cluster: Option<EksCluster>,
}

/// A source of tokens, and the first token if it was already created while connecting.
pub(super) struct Minting {
    pub(super) source: Arc<dyn MintToken>,
    pub(super) first: Option<Token>,
}

impl Minting {
    pub(super) fn by(source: impl MintToken + 'static) -> Self {
        Self { source: Arc::new(source), first: None }
    }
}

impl Connection {
    /// The connection to an EKS cluster, with the overrides in the settings.
    pub(super) async fn from_eks(
        found: EksCluster,
        source: impl MintToken + 'static,
        settings: &KubernetesSettings,
        environment: &Environment,
    ) -> Result<Self, ClientError> {
        let mut cluster = Cluster {
            server: Some(found.endpoint.clone()),
            certificate_authority_data: Some(found.certificate_authority.clone()),
            ..Cluster::default()
        };
        override_cluster(&mut cluster, settings);
        let config = build(cluster, AuthInfo::default(), None, environment).await?;
        Ok(Self { config, tokens: Some(Minting::by(source)), certificate: None, cluster: Some(found) })
    }

    /// Reads the kubeconfig files and applies the other settings. If neither selects a cluster, the pod's service
    /// account is used.
    pub(super) async fn from_settings(
        settings: &KubernetesSettings,
        environment: &Environment,
    ) -> Result<Self, ClientError> {
        let files = settings.files();
        if files.is_empty() && settings.host.is_none() {
            return in_cluster::connection(settings, environment, Path::new(in_cluster::SERVICE_ACCOUNT)).await;
        }
        let Chosen { mut cluster, mut user, namespace } = choose(settings, &files, environment)?;
        override_cluster(&mut cluster, settings);
        override_user(&mut user, settings);
        let (tokens, certificate) = token_source(&mut user, &cluster).await?;
        let config = build(cluster, user, namespace, environment).await?;
        Ok(Self { config, tokens, certificate, cluster: None })
    }
}

/// The entries of the kubeconfig files that the context and the overrides select.
#[derive(Default)]
struct Chosen {
    cluster: Cluster,
    user: AuthInfo,
    namespace: Option<String>,
}

fn choose(settings: &KubernetesSettings, files: &[String], environment: &Environment) -> Result<Chosen, ClientError> {
    let Some(first) = files.first() else {
        return Ok(Chosen::default());
    };
    let mut merged = Kubeconfig::default();
    for file in files {
        let path = environment.expand_home(file);
        // As in kubectl, the first definition of a name takes precedence, and paths are relative to their own file.
        merged = read(Path::new(&path)).and_then(|next| {
            merged
                .merge(next)
                .map_err(|error| ClientError::Kubeconfig { path: PathBuf::from(&path), reason: error.to_string() })
        })?;
    }
    let refused = |reason: String| ClientError::Kubeconfig { path: PathBuf::from(first), reason };
    let context = match settings.config_context.as_ref().or(merged.current_context.as_ref()) {
        Some(name) if !name.is_empty() => {
            let known = || merged.contexts.iter().map(|context| context.name.as_str()).collect::<Vec<_>>().join(", ");
            let context = merged.contexts.iter().find(|context| &context.name == name);
            let context = context.and_then(|context| context.context.as_ref());
            Some(context.ok_or_else(|| {
                refused(format!("it does not have the context \"{name}\"; its contexts are: {}", known()))
            })?)
        }
        _ => None,
    };
    let cluster_name = settings.config_context_cluster.as_ref().or(context.map(|context| &context.cluster));
    let user_name = settings.config_context_auth_info.as_ref().or(context.and_then(|context| context.user.as_ref()));
    let cluster = match cluster_name {
        Some(name) => {
            let cluster = merged.clusters.iter().find(|cluster| &cluster.name == name);
            let cluster = cluster.and_then(|cluster| cluster.cluster.clone());
            cluster.ok_or_else(|| refused(format!("it does not have the cluster \"{name}\"")))?
        }
        // The file then supplies only the user.
        None if settings.host.is_some() => Cluster::default(),
        None => {
            return Err(refused(
                "it does not have a current-context: set config_context to the context to use".to_owned(),
            ));
        }
    };
    let user = match user_name {
        Some(name) if !name.is_empty() => {
            let user = merged.auth_infos.iter().find(|user| &user.name == name);
            user.and_then(|user| user.auth_info.clone()).ok_or_else(|| {
                refused(format!(
                    "it does not have the user \
                \"{name}\""
                ))
            })?
        }
        _ => AuthInfo::default(),
    };
    Ok(Chosen { cluster, user, namespace: context.and_then(|context| context.namespace.clone()) })
}

fn read(path: &Path) -> Result<Kubeconfig, ClientError> {
    let refused = |reason: String| ClientError::Kubeconfig { path: path.to_owned(), reason };
    // The parser's message may quote the line with the error, so it is not repeated.
    Kubeconfig::read_from(path).map_err(|error| match error {
        kube::config::KubeconfigError::ReadConfig(error, _) => refused(error.to_string()),
        _ => refused("it is not valid YAML of kind Config".to_owned()),
    })
}

pub(super) fn override_cluster(cluster: &mut Cluster, settings: &KubernetesSettings) {
    if let Some(host) = &settings.host {
        let schemed = host.contains("://");
        cluster.server = Some(if schemed { host.clone() } else { format!("https://{host}") });
    }
    // A kubeconfig contains certificates as base64 of PEM, the provider block as PEM.
    if let Some(pem) = &settings.cluster_ca_certificate {
        cluster.certificate_authority = None;
        cluster.certificate_authority_data = Some(STANDARD.encode(pem));
    }
    if let Some(insecure) = settings.insecure {
        cluster.insecure_skip_tls_verify = Some(insecure);
    }
    if settings.tls_server_name.is_some() {
        cluster.tls_server_name.clone_from(&settings.tls_server_name);
    }
    if settings.proxy_url.is_some() {
        cluster.proxy_url.clone_from(&settings.proxy_url);
    }
}

/// Credentials in the settings replace those of the file: with two identities, the server would decide which one
/// applies.
fn override_user(user: &mut AuthInfo, settings: &KubernetesSettings) {
    let given = settings.token.is_some()
        || settings.client_certificate.is_some()
        || settings.client_key.is_some()
        || settings.exec.is_some();
    if !given {
        return;
    }
    *user = AuthInfo::default();
    user.token.clone_from(&settings.token);
    user.client_certificate_data = settings.client_certificate.as_ref().map(|pem| STANDARD.encode(pem));
    let key = settings.client_key.as_ref();
    user.client_key_data = key.map(|pem| SecretString::from(STANDARD.encode(pem.expose_secret())));
    user.exec = settings.exec.as_ref().map(|exec| {
        let env = exec.env.iter().map(|(name, value)| {
            [("name", name), ("value", value)].map(|(key, text)| (key.to_owned(), text.clone())).into()
        });
        kube::config::ExecConfig {
            api_version: Some(exec.api_version.clone()),
            command: Some(exec.command.clone()),
            args: Some(exec.args.clone()),
            env: Some(env.collect()),
            ..Default::default()
        }
    });
}

/// Removes the source of tokens from `user`, so that kube does not create tokens as well. A command may also return a
/// certificate.
async fn token_source(
    user: &mut AuthInfo,
    cluster: &Cluster,
) -> Result<(Option<Minting>, Option<Certificate>), ClientError> {
    if user.token.is_some() {
        user.exec = None;
        return Ok((None, None));
    }
    if let Some(path) = user.token_file.take() {
        return Ok((Some(Minting::by(TokenFile(PathBuf::from(path)))), None));
    }
    let Some(config) = user.exec.take() else {
        return Ok((None, None));
    };
    if config.interactive_mode == Some(ExecInteractiveMode::Always) {
        return Err(ClientError::Exec {
            command: config.command.unwrap_or_default(),
            reason: "its interactiveMode is Always, but Terraform and OpenTofu do not give providers a terminal. Sign \
                     in before the run, and use a command, or another interactiveMode, that does not prompt"
                .to_owned(),
        });
    }
    let about = config.provide_cluster_info.then(|| cluster_info(cluster)).transpose()?;
    let exec = Exec {
        api_version: config.api_version.unwrap_or_else(|| "client.authentication.k8s.io/v1".to_owned()),
        command: config.command.unwrap_or_default(),
        args: config.args.unwrap_or_default(),
        env: config
            .env
            .unwrap_or_default()
            .into_iter()
            .filter_map(|mut entry| entry.remove("name").zip(entry.remove("value")))
            .collect(),
        install_hint: config.install_hint,
    };
    let credential = exec::run(&exec, about.as_ref()).await?;
    let certificate = credential.certificate.map(|(certificate, key)| {
        user.client_certificate_data = Some(STANDARD.encode(certificate));
        user.client_key_data = Some(STANDARD.encode(key.expose_secret()).into());
        Certificate::until(credential.expires)
    });
    let minting = |first| Minting { source: Arc::new(ExecToken { exec, cluster: about }), first: Some(first) };
    Ok((credential.token.map(minting), certificate))
}

/// The description of the cluster for commands with `provideClusterInfo`.
fn cluster_info(cluster: &Cluster) -> Result<serde_json::Value, ClientError> {
    let info = ExecAuthCluster::try_from(cluster)
        .map_err(|error| ClientError::KubernetesClient { reason: error.to_string() })?;
    Ok(serde_json::to_value(info).unwrap_or_default())
}

/// Builds kube's configuration from a kubeconfig with one entry of each kind, so that kube reads certificates as it
/// does from files. The proxy is determined separately.
pub(super) async fn build(
    mut cluster: Cluster,
    user: AuthInfo,
    namespace: Option<String>,
    environment: &Environment,
) -> Result<kube::Config, ClientError> {
    let proxy = cluster.proxy_url.take();
    let kubeconfig = Kubeconfig {
        clusters: vec![NamedCluster { name: NAME.to_owned(), cluster: Some(cluster), ..NamedCluster::default() }],
        auth_infos: vec![NamedAuthInfo { name: NAME.to_owned(), auth_info: Some(user), ..NamedAuthInfo::default() }],
        contexts: vec![NamedContext {
            name: NAME.to_owned(),
            context: Some(Context {
                cluster: NAME.to_owned(),
                user: Some(NAME.to_owned()),
                namespace,
                ..Context::default()
            }),
            ..NamedContext::default()
        }],
        current_context: Some(NAME.to_owned()),
        ..Kubeconfig::default()
    };
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(|error| ClientError::KubernetesClient { reason: causes(&error) })?;
    config.proxy_url = proxy::choose(proxy.as_deref(), environment, &config.cluster_url)?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const FILE: &str = r#"
apiVersion: v1
kind: Config
current-context: one
contexts:
- {name: one, context: {cluster: first, user: me, namespace: ci}}
- {name: two, context: {cluster: second, user: me}}
clusters:
- {name: first, cluster: {server: "https://first.example.com"}}
- {name: second, cluster: {server: "https://second.example.com", insecure-skip-tls-verify: true}}
users:
- {name: me, user: {token: from-file}}
- {name: runner, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: ["-c", "echo '{\"status\":{\"token\":\"t\"}}'"]}}}
"#;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    /// Server, default namespace, token in the configuration, and whether there is a source of tokens.
    async fn connected(settings: KubernetesSettings) -> Result<(String, String, Option<String>, bool), String> {
        let connection = Connection::from_settings(&settings, &Environment::fixed([])).await;
        let Connection { config, tokens, .. } = connection.map_err(|error| error.to_string())?;
        let token = config.auth_info.token.map(|token| token.expose_secret().to_owned());
        Ok((config.cluster_url.to_string(), config.default_namespace, token, tokens.is_some()))
    }

    fn expected(
        server: &str,
        namespace: &str,
        token: Option<&str>,
        minted: bool,
    ) -> (String, String, Option<String>, bool) {
        (server.to_owned(), namespace.to_owned(), token.map(str::to_owned), minted)
    }

    #[tokio::test]
    async fn contexts_and_overrides_are_applied() {
        let file = file(FILE);
        let settings = KubernetesSettings {
            config_path: Some(file.path().to_str().unwrap().to_owned()),
            ..KubernetesSettings::default()
        };
        assert_eq!(
            connected(settings.clone()).await,
            Ok(expected("https://first.example.com/", "ci", Some("from-file"), false))
        );
        let two = KubernetesSettings { config_context: Some("two".to_owned()), ..settings.clone() };
        assert_eq!(
            connected(two).await,
            Ok(expected("https://second.example.com/", "default", Some("from-file"), false))
        );
        let mixed = KubernetesSettings {
            config_context_cluster: Some("second".to_owned()),
            config_context_auth_info: Some("runner".to_owned()),
            ..settings.clone()
        };
        assert_eq!(connected(mixed).await, Ok(expected("https://second.example.com/", "ci", None, true)));
        let token = KubernetesSettings {
            host: Some("third.example.com:6443".to_owned()),
            token: Some("mine".into()),
            config_context_auth_info: Some("runner".to_owned()),
            ..settings
        };
        assert_eq!(connected(token).await, Ok(expected("https://third.example.com:6443/", "ci", Some("mine"), false)));
    }

    #[tokio::test]
    async fn first_file_takes_precedence() {
        let (one, two) = (file(FILE), file(&FILE.replace("first.example", "other.example")));
        let paths = [&two, &one].map(|file| file.path().to_str().unwrap().to_owned());
        let settings = KubernetesSettings { config_paths: Some(paths.to_vec()), ..KubernetesSettings::default() };
        assert_eq!(
            connected(settings).await,
            Ok(expected("https://other.example.com/", "ci", Some("from-file"), false))
        );
    }

    #[tokio::test]
    async fn invalid_kubeconfig_is_explained() {
        let file = file(FILE);
        let path = file.path().to_str().unwrap().to_owned();
        let settings = KubernetesSettings {
            config_path: Some(path.clone()),
            config_context: Some("three".to_owned()),
            ..KubernetesSettings::default()
        };
        assert_eq!(
            connected(settings).await.unwrap_err(),
            format!(
                "the kubeconfig {path} cannot be used: it does not have the context \"three\"; its contexts are: \
                 one, two"
            )
        );
        let missing =
            KubernetesSettings { config_path: Some("/nowhere/config".to_owned()), ..KubernetesSettings::default() };
        let found = connected(missing).await.unwrap_err();
        assert!(found.starts_with("the kubeconfig /nowhere/config cannot be used: No such file"), "{found}");
        let nothing = connected(KubernetesSettings::default()).await.unwrap_err();
        assert!(nothing.starts_with("no Kubernetes cluster is configured"), "{nothing}");
    }

    #[tokio::test]
    async fn interactive_command_is_refused() {
        let file = file(&FILE.replace("command: sh,", "command: sh, interactiveMode: Always,"));
        let settings = KubernetesSettings {
            config_path: Some(file.path().to_str().unwrap().to_owned()),
            config_context_auth_info: Some("runner".to_owned()),
            ..KubernetesSettings::default()
        };
        let found = connected(settings).await.unwrap_err();
        let begin =
            "the command \"sh\" returned no credentials for the cluster: its interactiveMode is Always, but Terraform";
        assert!(found.starts_with(begin), "{found}");
    }

    #[tokio::test]
    async fn content_of_an_invalid_file_is_not_shown() {
        let file = file("users: [{name: me, user: {token: hunter2");
        let settings = KubernetesSettings {
            config_path: Some(file.path().to_str().unwrap().to_owned()),
            ..KubernetesSettings::default()
        };
        let found = connected(settings).await.unwrap_err();
        assert!(found.ends_with("it is not valid YAML of kind Config"), "{found}");
    }
}
