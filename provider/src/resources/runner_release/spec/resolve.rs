//! Resolves a configuration to a release.

use gitlabspot_runner_config::version::RunnerVersion;
use secrecy::SecretString;
use tfplugin::framework::{AttributePath, Diagnostic};
use toml::Value;

use super::super::schema::RunnerReleaseSettings;
use super::super::values::{self, ChartValues, Context};
use super::super::version::{self, Running};
use super::configuration::Sources;
use super::of_values::Certainty;
use super::{
    ManagerPod, Metrics, Names, Registration, ReleaseSpec, Roles, Rule, ServiceAccount, SessionServer, Start,
    TokenKind, TokenSecret, job_pod, lint, needed, of_values,
};

/// Input of a plan or an apply.
#[derive(Debug, Default)]
pub struct Given<'a> {
    pub typed: RunnerReleaseSettings,
    pub values: &'a [&'a str],
    /// The kind of the write-only token that is set, if any.
    pub token: Option<TokenKind>,
    /// The kind of the token in the Secret of `token_secret_name`. Without it, an authentication token is assumed.
    pub existing_secret: Option<TokenKind>,
    /// Whether values of an existing release are translated: those of older charts may have had an effect.
    pub is_migration: bool,
}

/// The resolved release.
#[derive(Debug)]
pub struct Resolved {
    pub spec: ReleaseSpec,
    /// The token in a values file, which is used if no write-only token is set.
    pub token: Option<SecretString>,
    pub warnings: Vec<Diagnostic>,
    /// What a migration does not decide, by the key of the files.
    pub tasks: Vec<(String, String)>,
}

/// Resolves a configuration.
///
/// # Errors
///
/// All faults of the configuration that can be found at once.
pub fn resolve(given: Given<'_>) -> Result<Resolved, Vec<Diagnostic>> {
    let typed = given.typed;
    let release = typed.name.as_deref().unwrap_or("gitlab-runner").to_owned();
    let namespace = typed.namespace.as_deref().unwrap_or("gitlab-runner").to_owned();
    let asked = version::asked(&typed);
    let asked_version = asked.as_ref().ok().copied().flatten();
    let context = Context {
        release: &release,
        namespace: &namespace,
        version: asked_version,
        app_version: typed.runner_version.as_deref(),
        is_migration: given.is_migration,
    };
    let mut values = match given.values {
        [] => ChartValues::default(),
        files => values::read(files, context),
    };
    let mut findings = std::mem::take(&mut values.errors);
    let mut settings = typed.clone().over(values.settings.clone()).map_err(shape_error)?;
    if typed.pod_security_context.is_none() && !values.has_pod_security_context {
        // Without an explicit value, the default of this provider is used, and not that of the chart.
        settings.pod_security_context = None;
    }
    let names =
        Names::new(&release, &namespace, settings.name_override.as_deref(), settings.fullname_override.as_deref());
    let running = Running::of(asked_version, &typed, &settings, values.image.tag.as_deref());
    let (version, expands_token) = (running.version, running.expands_token());

    findings.extend(asked.err().into_iter().flatten());
    of_values::objects(&mut settings, &typed, &mut values.notes);
    findings.extend(lint::objects(&settings));
    findings.extend(running.findings());
    let gitlab_url = self::gitlab_url(&settings);
    let token = Tokens { typed: &typed, names: &names, write_only: given.token, existing: given.existing_secret };
    let token = keep(token.choose(&mut values), &mut findings);
    findings.append(&mut values.errors);
    if token.as_ref().is_none_or(|token| token.kind == TokenKind::Authentication) {
        let is_unread = |token: &&TokenSecret| !token.owned && given.existing_secret.is_none();
        let unread = token.as_ref().filter(is_unread);
        let is_assumed = given.is_migration && values.runner_token.is_none();
        of_values::registration(&mut settings, &typed, Certainty { unread, is_assumed }, &mut values);
    }
    let single_pod = settings.hpa.is_none() && settings.replicas.unwrap_or(1) == 1;
    of_values::session_server(&mut settings, &typed, single_pod, &mut values.notes);
    let session_server =
        keep(SessionServer::new(settings.session_server.as_ref(), &names, single_pod), &mut findings).flatten();
    let metrics = metrics(&settings);
    let sources = Sources {
        typed: &typed,
        values: &values,
        names: &names,
        version,
        session_server: session_server.as_ref(),
        metrics_port: metrics.enabled.then_some(metrics.port),
        gitlab_url: gitlab_url.as_deref().unwrap_or_default(),
    };
    let config = keep(sources.merged(), &mut findings);
    let in_config = config.as_ref().and_then(|config| config.runner.get("url")?.as_str());
    let gitlab_url = match gitlab_url {
        Err(WrongUrl::Missing) => in_config.map_or(Err(WrongUrl::Missing), with_scheme),
        url => url,
    };
    let gitlab_url = gitlab_url.map_err(|wrong| findings.push(wrong.finding())).unwrap_or_default();
    if let Some(config) = &config {
        let found = lint::runner(&config.runner, &settings);
        findings.extend(of_values::excused(found, &typed, &mut values));
        of_values::job_namespace(&typed, &config.runner, &names, &mut values);
    }
    if let Some(token) = &token {
        findings.extend(lint::registration(token.kind, &settings));
    }
    let findings = of_values::placed(findings, &typed, &values);
    let (mut errors, mut warnings): (Vec<_>, Vec<_>) = findings.into_iter().partition(Diagnostic::is_error);
    if values.is_unreadable {
        // The missing values may be in the file.
        errors.retain(|error| !MAY_BE_IN_VALUES.contains(&error.summary.as_ref()));
    }
    let (Some(token), Some(mut config), true) = (token, config, errors.is_empty()) else { return Err(errors) };
    warnings.splice(0..0, std::mem::take(&mut values.warnings));

    let start = start(&mut config.runner, &token, expands_token, &settings);
    warnings.extend(of_values::variables(&start, &typed, &mut values));
    let services = usize::from(settings.docker_in_docker.is_some());
    let empty = toml::Table::new();
    let kubernetes = config.runner.get("kubernetes").and_then(Value::as_table).unwrap_or(&empty);
    warnings.extend(job_pod::left_out(kubernetes));
    let job_pod = job_pod(kubernetes, services);
    let roles = roles(&settings, &config.runner, &names, version);
    let service_account = service_account(&settings, &names);
    of_values::jobs_of_the_manager(
        &settings,
        &typed,
        &config.runner,
        &service_account,
        roles.as_ref(),
        &mut values.notes,
    );
    warnings.extend(std::mem::take(&mut values.notes).into_findings());
    let spec = ReleaseSpec {
        roles,
        service_account,
        pod: ManagerPod::new(&settings, values.image, values.env),
        gitlab_url,
        version,
        token,
        start,
        config,
        cache_secret_name: settings.cache_secret_name.clone(),
        pre_entrypoint_script: settings.pre_entrypoint_script.clone(),
        config_maps: settings.config_maps.clone().unwrap_or_default(),
        metrics,
        service: settings.service.clone().filter(|service| service.enabled == Some(true)),
        service_monitor: settings.service_monitor.clone().filter(|monitor| monitor.enabled == Some(true)),
        pod_monitor: settings.pod_monitor.clone().filter(|monitor| monitor.enabled == Some(true)),
        session_server,
        job_pod,
        names,
        settings: Box::new(settings),
    };
    let token = match spec.token.kind {
        _ if !spec.token.owned => None,
        TokenKind::Authentication => values.runner_token,
        TokenKind::Registration => values.registration_token,
    };
    Ok(Resolved { spec, token, warnings, tasks: values.tasks })
}

fn keep<T>(result: Result<T, Vec<Diagnostic>>, findings: &mut Vec<Diagnostic>) -> Option<T> {
    result.map_err(|found| findings.extend(found)).ok()
}

fn shape_error(error: serde_json::Error) -> Vec<Diagnostic> {
    vec![Diagnostic::error("Conflicting values and attributes", error.to_string()).at(AttributePath::of("values"))]
}

const NO_URL: &str = "Missing or invalid GitLab URL";
const NO_TOKEN: &str = "A runner needs one token";

/// Summaries of errors about values that a file which cannot be parsed may contain.
const MAY_BE_IN_VALUES: [&str; 2] = [NO_URL, NO_TOKEN];

/// Why there is no URL of GitLab.
enum WrongUrl {
    Missing,
    Placeholder(String),
    NoScheme(String),
}

impl WrongUrl {
    fn finding(self) -> Diagnostic {
        let detail = match self {
            Self::Missing => "Set gitlab_url, or gitlabUrl in a values file.".to_owned(),
            Self::Placeholder(url) => format!(
                "{url:?} is a placeholder. Replace it with the address of GitLab, such as https://gitlab.example.com/."
            ),
            Self::NoScheme(url) => {
                format!("{url:?} must start with https:// or http://. Write for instance \"https://{url}\".")
            }
        };
        Diagnostic::error(NO_URL, detail).at(AttributePath::of("gitlab_url"))
    }
}

fn gitlab_url(settings: &RunnerReleaseSettings) -> Result<String, WrongUrl> {
    match settings.gitlab_url.as_deref() {
        None | Some("") => Err(WrongUrl::Missing),
        Some(url) => with_scheme(url),
    }
}

fn with_scheme(url: &str) -> Result<String, WrongUrl> {
    match url.starts_with("https://") || url.starts_with("http://") {
        true => Ok(url.to_owned()),
        false if is_placeholder(url) => Err(WrongUrl::Placeholder(url.to_owned())),
        false => Err(WrongUrl::NoScheme(url.to_owned())),
    }
}

/// Whether a text stands for a value, as in `${gitlab_url}` or `<url>`: no host name contains these characters.
fn is_placeholder(text: &str) -> bool {
    text.contains(['$', '<', '>', '{', '}', '%'])
}

/// The sources of a token other than values files.
struct Tokens<'a> {
    typed: &'a RunnerReleaseSettings,
    names: &'a Names,
    write_only: Option<TokenKind>,
    existing: Option<TokenKind>,
}

impl Tokens<'_> {
    /// Attributes have precedence over values, and in values the Secret has precedence over a token, as in the chart.
    fn choose(&self, values: &mut ChartValues) -> Result<TokenSecret, Vec<Diagnostic>> {
        let wrong = |detail: &str| vec![Diagnostic::error(NO_TOKEN, detail).at(AttributePath::of("runner_token_wo"))];
        let in_values = match (&values.runner_token, &values.registration_token) {
            (Some(_), _) => Some(TokenKind::Authentication),
            (None, Some(_)) => Some(TokenKind::Registration),
            (None, None) => None,
        };
        let secret_in_values = values.settings.token_secret_name.clone();
        match (self.typed.token_secret_name.as_deref(), self.write_only) {
            (Some(_), Some(_)) => Err(wrong("Both a token and token_secret_name are set. Keep one of them.")),
            (Some(name), None) => {
                values.token_is_unused("the Secret of token_secret_name is used");
                if secret_in_values.is_some_and(|other| other != name) {
                    values.notes.add("runners.secret", "the Secret of token_secret_name is used.");
                }
                Ok(self.secret(name))
            }
            (None, Some(kind)) => {
                values.token_is_unused("the token of the attribute is used");
                if secret_in_values.is_some() {
                    values.notes.add("runners.secret", "the token of the attribute is used instead of this Secret.");
                }
                Ok(TokenSecret { name: self.names.full.clone(), kind, owned: true })
            }
            (None, None) => match (secret_in_values, in_values) {
                (Some(name), _) => {
                    values.token_is_unused("the Secret of runners.secret is used, as in the chart");
                    Ok(self.secret(&name))
                }
                (None, Some(kind)) => {
                    values.token_is_used();
                    Ok(TokenSecret { name: self.names.full.clone(), kind, owned: true })
                }
                (None, None) => Err(wrong(
                    "Set runner_token_wo to the authentication token (glrt-...) that GitLab shows when a runner is \
                     created, or token_secret_name to the name of a Secret that contains it.",
                )),
            },
        }
    }

    fn secret(&self, name: &str) -> TokenSecret {
        TokenSecret { name: name.to_owned(), kind: self.existing.unwrap_or(TokenKind::Authentication), owned: false }
    }
}

fn metrics(settings: &RunnerReleaseSettings) -> Metrics {
    let given = settings.metrics.clone().unwrap_or_default();
    Metrics {
        enabled: given.enabled.unwrap_or(false),
        port: given.port.unwrap_or(9252),
        port_name: given.port_name.unwrap_or_else(|| "metrics".to_owned()),
    }
}

/// Completes the configuration of the runner for its start.
fn start(
    runner: &mut toml::Table,
    token: &TokenSecret,
    expands_token: bool,
    settings: &RunnerReleaseSettings,
) -> Start {
    if token.kind == TokenKind::Authentication && expands_token {
        runner.insert("executor".into(), "kubernetes".into());
        // The runner expands the variable when it reads the configuration.
        runner.insert("token".into(), "$CI_SERVER_TOKEN".into());
        return Start::WholeConfig;
    }
    // `register` gets these keys as arguments, and rejects or overrides them in a template.
    runner.remove("url");
    runner.remove("executor");
    let name = runner.remove("name").and_then(|name| name.as_str().map(str::to_owned));
    let given = settings.registration.clone().unwrap_or_default();
    Start::Register(Registration {
        name,
        tag_list: given.tag_list.unwrap_or_default(),
        run_untagged: given.run_untagged.unwrap_or(false),
        locked: given.locked.unwrap_or(true),
        access_level: given.access_level,
        maximum_timeout: given.maximum_timeout,
        unregister_on_destroy: token.kind == TokenKind::Registration && settings.unregister_on_destroy.unwrap_or(true),
    })
}

fn service_account(settings: &RunnerReleaseSettings, names: &Names) -> ServiceAccount {
    let given = settings.service_account.clone().unwrap_or_default();
    let create = given.create.unwrap_or(true);
    let fallback = if create { names.full.clone() } else { String::new() };
    ServiceAccount {
        create,
        name: given.name.filter(|name| !name.is_empty()).unwrap_or(fallback),
        annotations: given.annotations.unwrap_or_default(),
        image_pull_secrets: given.image_pull_secrets.unwrap_or_default(),
    }
}

fn roles(
    settings: &RunnerReleaseSettings,
    runner: &toml::Table,
    names: &Names,
    version: RunnerVersion,
) -> Option<Roles> {
    let given = settings.rbac.clone().unwrap_or_default();
    if given.create == Some(false) {
        return None;
    }
    let needed = needed(runner, version);
    let own = given.rules.unwrap_or_default().into_iter().map(|rule| Rule {
        api_groups: rule.api_groups.unwrap_or_else(|| vec![String::new()]),
        resources: rule.resources.unwrap_or_default(),
        resource_names: rule.resource_names.unwrap_or_default(),
        verbs: rule.verbs.unwrap_or_default(),
    });
    let own: Vec<Rule> = own.collect();
    let job_namespace = runner.get("kubernetes").and_then(|kubernetes| kubernetes.get("namespace"));
    Some(Roles {
        namespace: job_namespace.and_then(Value::as_str).unwrap_or(&names.namespace).to_owned(),
        cluster_wide: given.cluster_wide.unwrap_or(needed.cluster_wide),
        priority_classes: own.is_empty() && needed.priority_classes,
        rules: if own.is_empty() { needed.rules } else { own },
    })
}
