//! Settings in values files that have no effect in this release: they are omitted with a note, as the chart omits them.

use serde_json::Value as Json;
use tfplugin::framework::{AttributePath, Diagnostic, Step};

use super::super::schema::RunnerReleaseSettings;
use super::super::values::{ChartValues, Notes, is_of_registration, option};
use super::{Names, Roles, ServiceAccount, Start, TokenSecret};

/// Adds the position in the file to diagnostics about attributes that values files set.
pub(super) fn placed(
    findings: Vec<Diagnostic>,
    typed: &RunnerReleaseSettings,
    values: &ChartValues,
) -> Vec<Diagnostic> {
    let typed = serde_json::to_value(typed).unwrap_or_default();
    let is_typed = |name: &str| !typed[name].is_null();
    let place = |finding: Diagnostic| {
        let names: Vec<&str> = finding
            .path
            .steps()
            .iter()
            .filter_map(|step| match step {
                Step::Attribute(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        let is_elsewhere = match names.as_slice() {
            [] | ["values" | "gitlab_url" | "runner_token_wo" | "runner_version", ..] => return finding,
            ["config", ..] => is_typed("config") || is_typed("config_toml") || is_typed("cache"),
            [name, ..] => is_typed(name),
        };
        match values.key_of(&names.join(".")).filter(|_| !is_elsewhere) {
            Some(key) => values.notes.placed(key, finding),
            None => finding,
        }
    };
    findings.into_iter().map(place).collect()
}

/// Converts errors about keys that the runner ignores to notes, if only the files contain these keys.
pub(super) fn excused(
    findings: Vec<Diagnostic>,
    typed: &RunnerReleaseSettings,
    values: &mut ChartValues,
) -> Vec<Diagnostic> {
    let is_of_files = typed.config.is_none() && typed.config_toml.is_none() && typed.cache.is_none();
    let (errors, mut kept): (Vec<_>, Vec<_>) = findings.into_iter().partition(|one| is_of_files && one.is_error());
    for error in errors {
        match error.path.steps().first() {
            Some(Step::Attribute(name)) if name == "cache_secret_name" && typed.cache_secret_name.is_some() => {
                kept.push(error);
            }
            _ => {
                let key = key_of_credentials(values);
                values.notes.add(&key, &error.detail);
            }
        }
    }
    kept
}

/// Returns the key of the files that contains the credentials of the cache: a variable, or the configuration.
fn key_of_credentials(values: &ChartValues) -> String {
    const NAME: &str = "CACHE_S3_ACCESS_KEY";
    let is_key = |variable: &&Json| variable["name"] == NAME;
    let is_extra = values.settings.extra_env.as_ref().is_some_and(|variables| variables.contains_key(NAME));
    match values.env.iter().find(is_key) {
        _ if is_extra => format!("extraEnv.{NAME}"),
        Some(_) => "envVars".to_owned(),
        None => "runners.config".to_owned(),
    }
}

/// Disables objects that the chart only creates together with others.
pub(super) fn objects(settings: &mut RunnerReleaseSettings, typed: &RunnerReleaseSettings, notes: &mut Notes) {
    let on = |enabled: Option<Option<bool>>| enabled.flatten() == Some(true);
    let metrics = on(settings.metrics.as_ref().map(|metrics| metrics.enabled));
    if let Some(service) = settings.service.as_mut().filter(|service| service.enabled == Some(true))
        && !metrics
        && typed.service.is_none()
    {
        service.enabled = Some(false);
        notes.add("service.enabled", "the chart does not create a Service without metrics.enabled.");
    }
    let service = on(settings.service.as_ref().map(|service| service.enabled));
    for (monitor, typed, path, is_of_use, needed) in [
        (
            &mut settings.service_monitor,
            &typed.service_monitor,
            "metrics.serviceMonitor.enabled",
            metrics && service,
            "metrics.enabled and service.enabled",
        ),
        (&mut settings.pod_monitor, &typed.pod_monitor, "metrics.podMonitor.enabled", metrics, "metrics.enabled"),
    ] {
        if let Some(monitor) = monitor.as_mut().filter(|monitor| monitor.enabled == Some(true))
            && !is_of_use
            && typed.is_none()
        {
            monitor.enabled = Some(false);
            notes.add(path, format!("the chart does not create a monitor without {needed}."));
        }
    }
}

/// Disables the session server for several pods, for which the chart does not create one.
pub(super) fn session_server(
    settings: &mut RunnerReleaseSettings,
    typed: &RunnerReleaseSettings,
    single_pod: bool,
    notes: &mut Notes,
) {
    if let Some(server) = settings.session_server.as_mut().filter(|server| server.enabled == Some(true))
        && !single_pod
        && typed.session_server.is_none()
    {
        server.enabled = Some(false);
        notes.add("sessionServer.enabled", "the chart does not create a session server for more than one manager pod.");
    }
}

/// How certain it is that the token is an authentication token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Certainty<'a> {
    /// The Secret of the token, if its content is not known.
    pub(super) unread: Option<&'a TokenSecret>,
    /// Whether this is a migration, and no file contains a token.
    pub(super) is_assumed: bool,
}

impl Certainty<'_> {
    /// What to do with an option that a migration leaves out.
    fn task(&self, option: &str, value: &Json) -> String {
        let otherwise = match self.unread {
            Some(secret) => {
                let name = &secret.name;
                format!(
                    "If the Secret {name} contains a registration token, set `{option} = {value}` in `registration`."
                )
            }
            None => format!(
                "If the release has a registration token, set `{option} = {value}` in `registration`, and \
                 `registration_token_wo` instead of `runner_token_wo`."
            ),
        };
        format!(
            "it is left out, because an authentication token (glrt-...) is assumed, with which GitLab stores this setting. \
             {otherwise}"
        )
    }

    /// Why an option has no effect.
    fn reason(&self) -> String {
        match self.unread {
            Some(secret) => format!(
                "with a registration token in the Secret {} it has an effect, and with an authentication token (glrt-...) \
                 it has none: GitLab stores this setting then. The Secret has not been read, and an authentication token \
                 is assumed.",
                secret.name
            ),
            None => {
                "it has no effect with an authentication token (glrt-...): GitLab stores this setting. The chart omits \
                     it as well."
                    .to_owned()
            }
        }
    }
}

/// Removes options that GitLab stores with an authentication token.
pub(super) fn registration(
    settings: &mut RunnerReleaseSettings,
    typed: &RunnerReleaseSettings,
    certainty: Certainty<'_>,
    values: &mut ChartValues,
) {
    let effect = certainty.reason();
    let given = std::mem::replace(&mut settings.registration, typed.registration.clone());
    if let Some(given) = given.filter(|_| typed.registration.is_none()) {
        let given = serde_json::to_value(given).unwrap_or_default();
        for (path, option) in [
            ("runners.tags", "tag_list"),
            ("runners.runUntagged", "run_untagged"),
            ("runners.locked", "locked"),
            ("runners.protected", "access_level"),
            ("runners.maximumTimeout", "maximum_timeout"),
        ] {
            match &given[option] {
                Json::Null => {}
                value if certainty.is_assumed => {
                    let text = certainty.task(option, value);
                    values.tasks.push((path.to_owned(), text));
                }
                _ => values.notes.add(path, &effect),
            }
        }
    }
    let mut variables = Vec::new();
    values.env.retain(|variable| {
        let name = variable["name"].as_str().unwrap_or_default();
        let is_one = is_of_registration(name);
        if is_one {
            variables.push(("envVars".to_owned(), name.to_owned()));
        }
        !is_one
    });
    if let Some(env) = &mut settings.extra_env {
        let is_typed = |name: &String| typed.extra_env.as_ref().is_some_and(|env| env.contains_key(name));
        env.retain(|name, _| {
            let is_one = is_of_registration(name) && !is_typed(name);
            if is_one {
                variables.push((format!("extraEnv.{name}"), name.clone()));
            }
            !is_one
        });
    }
    for (path, name) in variables {
        values.notes.add(&path, format!("{name}: {effect}"));
    }
}

/// Adds a note if the namespace of jobs in values files is not that of the configuration.
pub(super) fn job_namespace(
    typed: &RunnerReleaseSettings,
    runner: &toml::Table,
    names: &Names,
    values: &mut ChartValues,
) {
    let Some(given) = values.settings.job_namespace.as_deref().filter(|_| typed.job_namespace.is_none()) else {
        return;
    };
    let namespace = runner.get("kubernetes").and_then(|kubernetes| kubernetes.get("namespace")?.as_str());
    let namespace = namespace.unwrap_or(&names.namespace);
    if namespace != given {
        let text = format!(
            "jobs run in {namespace}, because the configuration does not refer to this key, and their Role is created \
             there. The chart creates the Role in {given}."
        );
        values.notes.add("runners.jobNamespace", text);
    }
}

/// Reports variables that configure a runner only when it registers, if it does not register.
pub(super) fn variables(start: &Start, typed: &RunnerReleaseSettings, values: &mut ChartValues) -> Vec<Diagnostic> {
    if *start != Start::WholeConfig {
        return Vec::new();
    }
    for (path, option) in std::mem::take(&mut values.variables_from_elsewhere) {
        values.notes.add(
            &path,
            format!(
                "the runner reads it only when it registers, and with an authentication token it does not. Set {option} in \
                 runners.config; credentials of the cache belong to the Secret of runners.cache.secretName."
            ),
        );
    }
    let names =
        typed.extra_env.iter().flat_map(|env| env.keys()).chain(typed.extra_env_from.iter().flat_map(|env| env.keys()));
    let unread = names.filter_map(|name| Some(format!("{name} (config.{})", option(name)?)));
    let unread: Vec<String> = unread.collect();
    if unread.is_empty() {
        return Vec::new();
    }
    vec![Diagnostic::warning("Variables without effect", format!(
            "{} configure a runner only when it registers, and with an authentication token (glrt-...) it does not. Set the \
             attribute of config instead.",
            unread.join(", ")
        )).at(AttributePath::of("extra_env"))]
}

/// Adds a note if jobs use the service account of the manager: the Role of the chart allows everything in the core
/// group, and that of this provider what the manager requires.
pub(super) fn jobs_of_the_manager(
    settings: &RunnerReleaseSettings,
    typed: &RunnerReleaseSettings,
    runner: &toml::Table,
    account: &ServiceAccount,
    roles: Option<&Roles>,
    notes: &mut Notes,
) {
    let has_rules =
        settings.rbac.as_ref().is_some_and(|rbac| rbac.rules.as_ref().is_some_and(|rules| !rules.is_empty()));
    let of_jobs = runner.get("kubernetes").and_then(|kubernetes| kubernetes.get("service_account")?.as_str());
    if roles.is_some() && !has_rules && typed.rbac.is_none() && of_jobs.is_some_and(|of_jobs| of_jobs == account.name) {
        notes.add(
            "rbac.create",
            format!(
                "jobs run as {}, the account of the manager, whose Role has the rights of the manager alone; the chart's \
                 allows everything in the core group. Write what jobs need in rbac.rules, or give them an account of their own.",
                account.name
            ),
        );
    }
}
