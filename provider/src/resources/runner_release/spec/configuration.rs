//! Collects all sources of config.toml and merges them.

use gitlabspot_runner_config::catalogue::{GLOBAL, RUNNER};
use gitlabspot_runner_config::config_toml::{Config, Place, Release, Source, from_hcl, from_text, merge};
use gitlabspot_runner_config::version::{DEFAULT_RELEASE, RunnerVersion};
use serde_json::{Value as Json, json};
use tfplugin::framework::{AttributePath, Diagnostic};
use toml::{Table, Value};

use super::super::schema::{ATTRIBUTES, RunnerReleaseSettings};
use super::super::values::{CHART, ChartValues};
use super::{Names, SessionServer, build_nodes, docker_in_docker};

/// Defaults of the global keys.
pub fn global_defaults() -> Table {
    toml::toml! { concurrent = 10 check_interval = 3 log_level = "info" shutdown_timeout = 0 }
}

pub(super) struct Sources<'a> {
    pub(super) typed: &'a RunnerReleaseSettings,
    pub(super) values: &'a ChartValues,
    pub(super) names: &'a Names,
    pub(super) version: RunnerVersion,
    /// Created from typed settings and values together.
    pub(super) session_server: Option<&'a SessionServer>,
    pub(super) metrics_port: Option<i64>,
    pub(super) gitlab_url: &'a str,
}

impl Sources<'_> {
    /// Returns the configuration that is merged from all sources.
    pub(super) fn merged(&self) -> Result<Config, Vec<Diagnostic>> {
        let mut findings = Vec::new();
        let typed = self.typed(&mut findings);
        if !findings.is_empty() {
            return Err(findings);
        }
        let mut layers = vec![self.defaults(), self.derived()];
        layers.extend(self.job_namespace_of_values());
        layers.extend(self.values.config.iter().cloned());
        layers.push(self.values.environment.clone());
        layers.extend(named_parts(&self.values.settings));
        let mut merged = merge(&layers, &typed)?;
        if let (Some(nodes), Some(Value::Table(kubernetes))) =
            (&self.typed.build_nodes, merged.runner.get_mut("kubernetes"))
        {
            build_nodes::for_pause_pods(nodes, kubernetes);
        }
        Ok(merged)
    }

    /// Returns the defaults of the chart.
    fn defaults(&self) -> Config {
        let mut config = Config {
            global: global_defaults(),
            runner: kubernetes([("namespace", self.names.namespace.as_str().into())]),
        };
        let has_no_config = self.typed.config.is_none() && self.typed.config_toml.is_none() && !self.values.has_config;
        if has_no_config && let Some(Value::Table(kubernetes)) = config.runner.get_mut("kubernetes") {
            kubernetes.insert("image".into(), "alpine".into());
        }
        config
    }

    /// Returns the namespace of jobs in values files without a configuration: the default of `runners.config` in the
    /// chart refers to it. A configuration in the files replaces that default.
    fn job_namespace_of_values(&self) -> Option<Config> {
        let namespace = self.values.settings.job_namespace.as_deref().filter(|_| !self.values.has_config)?;
        Some(Config { runner: kubernetes([("namespace", namespace.into())]), ..Config::default() })
    }

    /// Returns the keys that other parts of the release require.
    fn derived(&self) -> Config {
        let mut global = Table::new();
        if let Some(port) = self.metrics_port {
            global.insert("listen_address".into(), format!(":{port}").into());
        }
        if let Some(server) = self.session_server {
            let timeout = [self.typed, &self.values.settings]
                .into_iter()
                .find_map(|settings| settings.session_server.as_ref()?.timeout);
            global.insert("session_server".into(), Value::Table(server.config(timeout)));
        }
        Config { global, runner: Table::new() }
    }

    fn typed(&self, findings: &mut Vec<Diagnostic>) -> Vec<Source> {
        let mut sources = Vec::new();
        let mut add = |name, read: Result<Config, Vec<Diagnostic>>| match read {
            Ok(config) => sources.push(Source { name, config }),
            Err(found) => findings.extend(found),
        };
        let typed = self.typed;
        let runner = |object: &Json, path: AttributePath| {
            let runner = from_hcl(object, &RUNNER, self.version, path)?;
            Ok(Config { runner, ..Config::default() })
        };
        if let Some(config) = &typed.config {
            add("config", runner(config, AttributePath::of("config")));
        }
        if let Some(text) = &typed.config_toml {
            let app_version = typed.runner_version.as_deref().unwrap_or(DEFAULT_RELEASE);
            let Names { release: name, namespace, .. } = self.names;
            let release = Release { name, namespace, values: None, app_version, chart_version: CHART };
            let place = Place::strict(AttributePath::of("config_toml"), self.version);
            add("config_toml", from_text(text, release, &place).map(|text| text.config));
        }
        if let Some(cache) = &typed.cache {
            // The object is below `cache`, so that its diagnostics have the right path.
            add("cache", runner(&json!({ "cache": cache }), AttributePath::root()));
        }
        if let Some(nodes) = &typed.build_nodes {
            let table = build_nodes::kubernetes(nodes);
            add("build_nodes", Ok(under_runner("kubernetes", table)));
        }
        if let Some(docker) = &typed.docker_in_docker {
            add("docker_in_docker", Ok(Config { runner: docker_in_docker::runner(docker), ..Config::default() }));
        }
        for (name, config) in globals(typed, self.version) {
            add(name, config);
        }
        for (name, config) in named(typed) {
            add(name, Ok(config));
        }
        // A missing or invalid URL has an error of its own, and is no contradiction.
        if !self.gitlab_url.is_empty() {
            let url = [("url".to_owned(), self.gitlab_url.into())].into_iter().collect();
            add("gitlab_url", Ok(Config { runner: url, ..Config::default() }));
        }
        sources
    }
}

/// Returns the attributes that are global keys of the same name.
fn globals(
    settings: &RunnerReleaseSettings,
    version: RunnerVersion,
) -> Vec<(&'static str, Result<Config, Vec<Diagnostic>>)> {
    let fields = settings.expose().unwrap_or_default();
    let read = |key: &'static str| {
        let value = fields.get(key)?;
        let read = from_hcl(&json!({ key: value }), &GLOBAL, version, AttributePath::root());
        Some((key, read.map(|global| Config { global, ..Config::default() })))
    };
    ATTRIBUTES.iter().flat_map(|attribute| attribute.marks("global")).filter_map(read).collect()
}

/// Returns the attributes that are keys of the runner with another name.
fn named(settings: &RunnerReleaseSettings) -> Vec<(&'static str, Config)> {
    let mut configs = Vec::new();
    if let Some(name) = &settings.runner_name {
        let runner = [("name".to_owned(), Value::from(name.as_str()))].into_iter().collect();
        configs.push(("runner_name", Config { runner, ..Config::default() }));
    }
    if let Some(namespace) = &settings.job_namespace {
        let runner = kubernetes([("namespace", namespace.as_str().into())]);
        configs.push(("job_namespace", Config { runner, ..Config::default() }));
    }
    configs
}

/// Returns the same from values files, without the namespace of jobs: a configuration in the files may not use it.
fn named_parts(settings: &RunnerReleaseSettings) -> impl Iterator<Item = Config> {
    named(settings).into_iter().filter(|(name, _)| *name == "runner_name").map(|(_, config)| config)
}

fn kubernetes<const N: usize>(entries: [(&str, Value); N]) -> Table {
    let kubernetes = entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    [("kubernetes".to_owned(), Value::Table(kubernetes))].into_iter().collect()
}

fn under_runner(name: &str, table: Table) -> Config {
    let runner = [(name.to_owned(), Value::Table(table))].into_iter().collect();
    Config { runner, ..Config::default() }
}
