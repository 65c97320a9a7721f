//! Translates values files to attributes, as a user would write them without values files.
//!
//! The files are resolved like those of `values`, and the result is translated: these attributes give the same release.

use gitlabspot_runner_config::catalogue::{GLOBAL, RUNNER};
use gitlabspot_runner_config::config_toml::to_hcl;
use gitlabspot_runner_config::version::{DEFAULT_RELEASE, RunnerVersion};
use secrecy::ExposeSecret;
use serde_json::{Map, Value as Json, json};
use tfplugin::framework::Diagnostic;
use toml::Value as Toml;

use super::schema::{ATTRIBUTES, DockerInDockerSettings, RunnerReleaseSettings};
use super::settings::{Attributes, attributes};
use super::spec::{self, Given, ReleaseSpec, Start, TokenKind, docker_in_docker_runner, global_defaults};
use super::values::{self, ChartValues, Context, is_registration_token, security_context};

/// The release that the files describe.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub name: &'a str,
    pub namespace: &'a str,
    /// The version that runs, if the files do not specify one.
    pub runner_version: Option<&'a str>,
}

/// A release in the form of attributes.
#[derive(Clone, Debug)]
pub struct Release {
    /// All attributes except name, namespace and tokens. Sensitive values are included.
    pub attributes: Map<String, Json>,
    /// The kind of its token; `None` if an existing Secret contains it, which is an attribute then.
    pub token: Option<TokenKind>,
    /// The key of the files that contains a token.
    pub token_key: Option<&'static str>,
    /// Settings without a corresponding attribute.
    pub lost: Vec<String>,
    pub warnings: Vec<Diagnostic>,
    /// What the files do not decide: a key of the files, and what is to be done.
    pub tasks: Vec<(String, String)>,
}

/// Reads the files in the order in which Helm merges them.
///
/// # Errors
///
/// Every reason why the files do not describe a release. The texts do not contain tokens.
pub fn release(files: &[&str], place: Place<'_>) -> Result<Release, Vec<Diagnostic>> {
    let typed = RunnerReleaseSettings {
        name: Some(place.name.to_owned()),
        namespace: Some(place.namespace.to_owned()),
        runner_version: place.runner_version.map(str::to_owned),
        ..RunnerReleaseSettings::default()
    };
    let context = Context {
        release: place.name,
        namespace: place.namespace,
        version: None,
        app_version: place.runner_version,
        is_migration: true,
    };
    let read = values::read(files, context);
    let (token, token_key) = token(&read);
    let resolved = spec::resolve(Given { typed, values: files, token, existing_secret: None, is_migration: true })?;
    let spec::Resolved { spec, warnings, mut tasks, .. } = resolved;
    let Attributes { mut given, lost } = attributes(settings(&spec));
    given.extend(config(&spec));
    tasks.extend(version_task(&read, &spec, place));
    Ok(Release { attributes: in_order(given), token, token_key, lost, warnings, tasks })
}

/// Returns a task if the version of the image is not that of the release, or is not supported.
fn version_task(read: &ChartValues, spec: &ReleaseSpec, place: Place<'_>) -> Option<(String, String)> {
    let has_tag = read.settings.image.is_some() || read.image.tag.is_some();
    if let Some(version) = RunnerVersion::too_old(&spec.pod.image).filter(|_| has_tag) {
        let oldest = RunnerVersion::OLDEST;
        let text = format!(
            "GitLab Runner {version} is older than {oldest}, the oldest version that this provider supports. `image` keeps \
             it. Set `runner_version` instead to update it."
        );
        return Some(("image".to_owned(), text));
    }
    if has_tag || place.runner_version.is_some() || spec::official_version(&spec.pod.image).is_some() {
        return None;
    }
    let text = format!(
        "there is no tag, so that the chart of the release determines the version. `image` has the tag of {DEFAULT_RELEASE}: \
         replace it with that of the version that runs, or give that version with `--runner-version`."
    );
    Some(("image".to_owned(), text))
}

/// Returns the kind of the token that the release needs, unless a Secret contains it, and the key with a token.
fn token(read: &ChartValues) -> (Option<TokenKind>, Option<&'static str>) {
    let (kind, key) = match (&read.runner_token, &read.registration_token) {
        (Some(token), _) if is_registration_token(token.expose_secret()) => {
            (TokenKind::Registration, Some("runnerToken"))
        }
        (Some(_), _) => (TokenKind::Authentication, Some("runnerToken")),
        (None, Some(_)) => (TokenKind::Registration, Some("runnerRegistrationToken")),
        (None, None) => (TokenKind::Authentication, None),
    };
    (read.settings.token_secret_name.is_none().then_some(kind), key)
}

/// Returns the settings that differ from the defaults of the attributes.
fn settings(spec: &ReleaseSpec) -> Map<String, Json> {
    let mut settings = spec.settings.expose().unwrap_or_default();
    for name in ["name", "namespace", "job_namespace", "runner_version", "config", "config_toml", "cache"] {
        settings.remove(name);
    }
    if settings.get("security_context") == Some(&security_context()) {
        settings.remove("security_context");
    }
    if let Some(name) = name(spec) {
        settings.insert("runner_name".to_owned(), name.into());
    }
    settings.insert("gitlab_url".to_owned(), spec.gitlab_url.as_str().into());
    settings.extend(image(&spec.pod.image, spec.settings.runner_version.as_deref()));
    environment(spec, &mut settings);
    settings
}

fn name(spec: &ReleaseSpec) -> Option<String> {
    match &spec.start {
        Start::WholeConfig => spec.config.runner.get("name").and_then(Toml::as_str).map(str::to_owned),
        Start::Register(registration) => registration.name.clone(),
    }
}

/// Returns the attributes for an image: only the version if the image is the official one.
fn image(image: &str, version: Option<&str>) -> Vec<(String, Json)> {
    let version = version.map(|version| ("runner_version".to_owned(), Json::from(version)));
    match spec::official_version(image) {
        Some(found) if RunnerVersion::too_old(image).is_none() => {
            let is_default = version.is_none() && found == DEFAULT_RELEASE;
            let found = ("runner_version".to_owned(), found.into());
            if is_default { Vec::new() } else { vec![found] }
        }
        _ => [("image".to_owned(), image.into())].into_iter().chain(version).collect(),
    }
}

/// Adds the environment variables of the manager by name.
fn environment(spec: &ReleaseSpec, settings: &mut Map<String, Json>) {
    for variable in &spec.pod.env {
        let Some(name) = variable["name"].as_str() else { continue };
        let (attribute, value) = match variable.get("valueFrom") {
            Some(from) => ("extra_env_from", from),
            None => ("extra_env", &variable["value"]),
        };
        if let Json::Object(variables) = settings.entry(attribute).or_insert_with(|| json!({})) {
            variables.insert(name.to_owned(), value.clone());
        }
    }
}

/// Keys of `[[runners]]` that the release sets itself.
const OF_RELEASE: [&str; 4] = ["executor", "name", "token", "url"];

fn config(spec: &ReleaseSpec) -> Map<String, Json> {
    let mut given = Map::new();
    if let Json::Object(global) = to_hcl(&spec.config.global, &GLOBAL) {
        let is_attribute =
            |key: &str| ATTRIBUTES.iter().any(|attribute| attribute.marks("global").any(|name| name == key));
        let defaults = to_hcl(&global_defaults(), &GLOBAL);
        let is_default = |key: &str, value: &Json| defaults.get(key) == Some(value);
        given.extend(global.into_iter().filter(|(key, value)| is_attribute(key) && !is_default(key, value)));
    }
    let mut runner = spec.config.runner.clone();
    runner.retain(|key, _| !OF_RELEASE.contains(&key));
    if let Some(Toml::Table(kubernetes)) = runner.get_mut("kubernetes") {
        let namespace = kubernetes.get("namespace").and_then(Toml::as_str).map(str::to_owned);
        let is_attribute = namespace.is_some() && namespace == spec.settings.job_namespace;
        if is_attribute {
            given.insert("job_namespace".to_owned(), json!(namespace));
        }
        if is_attribute || namespace.as_deref() == Some(spec.names.namespace.as_str()) {
            kubernetes.remove("namespace");
        }
        // An empty table is equivalent to none.
        if kubernetes.is_empty() {
            runner.remove("kubernetes");
        }
    }
    // Without `config` the image of jobs has this default.
    if runner == toml::toml! { kubernetes = { image = "alpine" } } {
        return given;
    }
    let mut config = to_hcl(&runner, &RUNNER);
    if let Some(docker) = docker_in_docker(&mut config) {
        given.insert("docker_in_docker".to_owned(), docker);
    }
    given.insert("config".to_owned(), config);
    given
}

/// Removes the settings that `docker_in_docker` replaces from the configuration, if all of them are present.
fn docker_in_docker(config: &mut Json) -> Option<Json> {
    let image = config["kubernetes"]["image"].as_str()?.to_owned();
    let settings = |tls| DockerInDockerSettings { image: Some(image.clone()), tls: Some(tls) };
    let parts = |tls| to_hcl(&docker_in_docker_runner(&settings(tls)), &RUNNER);
    let paths = ["/environment", "/kubernetes/image", "/kubernetes/privileged", "/kubernetes/volumes/empty_dir"];
    let is_all = |tls: &bool| {
        let parts = parts(*tls);
        let found = &*config;
        paths.iter().all(|path| parts.pointer(path).is_none_or(|part| found.pointer(path) == Some(part)))
    };
    let tls = [true, false].into_iter().find(is_all)?;
    for path in paths.iter().filter(|path| parts(tls).pointer(path).is_some()) {
        let (parent, name) = path.rsplit_once('/')?;
        let _ = config.pointer_mut(parent)?.as_object_mut()?.shift_remove(name);
    }
    let kubernetes = config["kubernetes"].as_object_mut()?;
    if kubernetes.get("volumes").is_some_and(|volumes| *volumes == json!({})) {
        let _ = kubernetes.shift_remove("volumes");
    }
    if kubernetes.is_empty() {
        let _ = config.as_object_mut()?.shift_remove("kubernetes");
    }
    Some(json!({ "image": image, "tls": tls }))
}

fn in_order(mut given: Map<String, Json>) -> Map<String, Json> {
    let known = ATTRIBUTES.iter().filter_map(|attribute| given.remove_entry(attribute.name.as_ref()));
    known.collect()
}

#[cfg(test)]
mod tests;
