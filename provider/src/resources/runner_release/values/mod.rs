//! Values files of the official chart, as they are written for Helm.
//!
//! Files are parsed as Helm parses YAML, and merged by Helm's rules. Every key is looked up in the table of the chart's
//! keys, and translated to settings of attributes or to the runner's configuration. Keys that Helm, the chart or the
//! runner would ignore are no errors: [`Notes`] returns one warning per file about them.

mod accounts;
mod environment;
mod keys;
mod layer;
mod notes;
mod older;
mod pod;
mod tokens;
mod translate;
mod umbrella;
mod unknown;
mod value_type;

pub use environment::{is_of_registration, option};
use gitlabspot_runner_config::config_toml::{Config, Release};
use gitlabspot_runner_config::version::{DEFAULT_RELEASE, RunnerVersion};
pub use keys::{CHART, KEYS, MapsTo, ValuesKey};
pub use notes::Notes;
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use tfplugin::framework::Diagnostic;
pub use tokens::is_registration_token;

use self::layer::Layers;
use super::schema::RunnerReleaseSettings;
use super::settings::overlay;

/// The translated content of the files.
#[derive(Debug, Default)]
pub struct ChartValues {
    pub settings: RunnerReleaseSettings,
    pub image: ImageParts,
    /// Variables of the manager in the order of `envVars`, in the form of Kubernetes.
    pub env: Vec<Value>,
    /// Layers of configuration, in the order of increasing precedence.
    pub config: Vec<Config>,
    /// Configuration in environment variables. It has precedence over the layers, as in a registration.
    pub environment: Config,
    /// Whether `runners.config` is set, which replaces the default text of the chart.
    pub has_config: bool,
    /// Whether a file sets the pod's security context. Otherwise it is that of the chart.
    pub has_pod_security_context: bool,
    has_pod_fs_group: bool,
    pub runner_token: Option<SecretString>,
    pub registration_token: Option<SecretString>,
    /// The key that contains the token, and the attribute for it.
    token_key: Option<(&'static str, &'static str)>,
    /// Why the token cannot be used.
    wrong_token: Option<Diagnostic>,
    pub notes: Notes,
    pub warnings: Vec<Diagnostic>,
    pub errors: Vec<Diagnostic>,
    /// Whether a file could not be parsed, so that missing values may be in it.
    pub is_unreadable: bool,
    /// What a migration does not decide, by the key of the files.
    pub tasks: Vec<(String, String)>,
    /// Path and option of each variable that configures a registration and has its value in another object.
    pub variables_from_elsewhere: Vec<(String, String)>,
}

/// Registry, name and tag of an image, which are three keys of the chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageParts {
    pub registry: Option<String>,
    pub image: Option<String>,
    pub tag: Option<String>,
}

impl ChartValues {
    /// Returns the key of the files that sets an attribute, which is a dotted path.
    pub fn key_of(&self, attribute: &str) -> Option<&'static str> {
        if attribute.starts_with("config") {
            return self.has_config.then_some("runners.config");
        }
        let is_from = |key: &&ValuesKey| match key.maps_to {
            MapsTo::Attribute(to) => to == attribute || to.starts_with(&format!("{attribute}.")),
            _ => false,
        };
        KEYS.iter().find(is_from).map(|key| key.path).filter(|path| self.notes.files().find(path).line.is_some())
    }

    /// Adds the warning that the token of the files is used, or the error why it cannot be used.
    pub fn token_is_used(&mut self) {
        let Some((key, attribute)) = self.token_key else { return };
        if let Some(wrong) = self.wrong_token.take() {
            self.errors.push(wrong);
            return;
        }
        let detail = format!(
            "{key} is used, but `values` are stored in the plan and the state. Remove it and set `{attribute}`, which \
             is never stored."
        );
        let warning = Diagnostic::warning("Token in a values file", detail);
        self.warnings.push(self.notes.placed(key, warning));
    }

    /// Adds a note about what is used instead of the token of the files, if they contain one.
    pub fn token_is_unused(&mut self, instead: &str) {
        if let Some((key, _)) = self.token_key {
            self.notes.add(key, format!("{instead}. `values` are stored in the plan and the state: remove the token."));
        }
    }
}

/// Attributes of the resource on which the files depend.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub release: &'a str,
    pub namespace: &'a str,
    /// `runner_version`. If it is not set, the image tag in the files determines the version.
    pub version: Option<RunnerVersion>,
    /// The same with its patch release, for `.Chart.AppVersion`.
    pub app_version: Option<&'a str>,
    /// Whether values of an existing release are translated. `version` is then that of its chart, if it is known.
    pub is_migration: bool,
}

impl<'a> Context<'a> {
    /// Returns the values for template expressions.
    fn release(&self, values: &'a Value) -> Release<'a> {
        let app_version = self.app_version.unwrap_or(DEFAULT_RELEASE);
        let (name, namespace) = (self.release, self.namespace);
        Release { name, namespace, values: Some(values), app_version, chart_version: CHART }
    }
}

/// Reads the files in the order in which Helm merges them. Faults are in `errors`; no diagnostic contains a token.
pub fn read(files: &[&str], context: Context<'_>) -> ChartValues {
    let Layers { merged, given, files, with_more } = match layer::merge(chart_defaults(), files) {
        Ok(layers) => layers,
        Err(errors) => return ChartValues { errors, is_unreadable: true, ..ChartValues::default() },
    };
    let pod = given.get("podSecurityContext").and_then(Value::as_object);
    let has_pod_security_context = pod.is_some_and(|fields| !fields.is_empty());
    let has_pod_fs_group = pod.is_some_and(|fields| fields.contains_key("fsGroup"));
    let has_moved = given.get("securityContext").and_then(Value::as_object).is_some_and(pod::has_fields_of_pods);
    let mut notes = Notes::new(files);
    for file in with_more {
        notes.of_file(
            file,
            "Helm reads the first YAML document (---) and ignores all others. Specify each document as an element of \
             its own.",
        );
    }
    let values = scope(&merged);
    let translated = ChartValues { notes, has_pod_fs_group, ..ChartValues::default() };
    let translated = translate::translate(&merged, translated, context, context.release(&values));
    ChartValues { has_pod_security_context: has_pod_security_context || has_moved, ..translated }
}

/// Returns the Secret to which the files refer for the token, if any.
pub fn token_secret(files: &[&str], context: Context<'_>) -> Option<String> {
    let merged = layer::merge(chart_defaults(), files).ok()?.merged;
    let name = value_type::text(merged.get("runners")?.get("secret")?)?;
    let values = scope(&merged);
    context.release(&values).expand(&name).ok().filter(|name| !name.is_empty())
}

/// Parses one file as Helm does.
pub fn parse(file: &str) -> Option<Map<String, Value>> {
    Some(umbrella::unwrapped(crate::yaml::read(file).ok()?).ok()?.values)
}

/// Returns the version in the image of the files.
fn version(values: &Map<String, Value>) -> Option<RunnerVersion> {
    let image = values.get("image")?;
    RunnerVersion::of_image_or_tag(image.as_str(), image.get("tag").and_then(Value::as_str))
}

/// Returns values by the dotted keys of the chart. Keys that the chart does not have are listed with their whole paths.
pub fn leaves(values: &Map<String, Value>) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    walk(values, "", &mut found);
    found
}

fn walk(values: &Map<String, Value>, prefix: &str, found: &mut Vec<(String, Value)>) {
    for (name, value) in values.iter().filter(|(_, value)| !value.is_null()) {
        let path = format!("{prefix}{name}");
        match value {
            Value::Object(below) if !KEYS.iter().any(|key| key.path == path) => walk(below, &format!("{path}."), found),
            value => found.push((path, value.clone())),
        }
    }
}

/// Returns the chart's default, to which values files add.
pub fn security_context() -> Value {
    json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": false,
        "runAsNonRoot": true,
        "privileged": false,
        "capabilities": { "drop": ["ALL"] },
    })
}

/// Returns the maps with defaults of the chart: a file adds to them, and removes keys with null.
fn chart_defaults() -> Value {
    json!({ "securityContext": security_context(), "podSecurityContext": { "runAsUser": 100, "fsGroup": 65533 } })
}

/// Default registry of the manager's image, as in the chart.
pub const REGISTRY: &str = "registry.gitlab.com";

/// The official image of GitLab Runner, without its tag.
pub const IMAGE: &str = "gitlab-org/gitlab-runner";

/// Returns `.Values` for expressions: the files merged over the defaults of the chart.
fn scope(merged: &Map<String, Value>) -> Value {
    let mut values = json!({
        "image": { "registry": REGISTRY, "image": IMAGE },
        "imagePullPolicy": "IfNotPresent",
        "unregisterRunners": true,
        "terminationGracePeriodSeconds": 3600,
        "concurrent": 10,
        "shutdown_timeout": 0,
        "checkInterval": 3,
        "metrics": { "enabled": false, "portName": "metrics", "port": 9252 },
        "service": { "enabled": false, "type": "ClusterIP" },
        "rbac": { "create": false, "clusterWideAccess": false },
    });
    if let Value::Object(below) = &mut values {
        overlay(below, merged.clone());
    }
    values
}

#[cfg(test)]
mod tests;
