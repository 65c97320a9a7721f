//! Settings that a running manager was started with and that are not in its pod template: configuration, options of its
//! registration, scripts and token.
//!
//! The chart uses other files than this provider. So they are collected key by key, and only hashes are stored.

use std::collections::BTreeMap;

use gitlabspot_runner_config::config_toml::{Place, Release, Rules, from_text};
use gitlabspot_runner_config::version::RunnerVersion;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;
use tfplugin::framework::AttributePath;

use super::merge::Difference;
use crate::resources::runner_release::model::Desired;
use crate::resources::runner_release::secret_hashes::SecretHashes;
use crate::resources::runner_release::spec::{Start, TokenKind};

/// Keyed hashes of settings by their names.
pub(super) type Settings = BTreeMap<String, String>;

/// Files of the chart; all other files are from the user.
const FILES: [&str; 8] = [
    "check-live",
    "config.template.toml",
    "config.toml",
    "entrypoint",
    "pre-entrypoint-script",
    "register-the-runner",
    "set-session-server-address",
    "set-session-server-port",
];

/// Options of `register` in the script of the chart, with their names in this provider.
const OPTIONS: [(&str, &str); 4] = [
    ("--name", RUNNER_NAME),
    ("--run-untagged", "registration.run_untagged"),
    ("--access-level", "registration.access_level"),
    ("--maximum-timeout", "registration.maximum_timeout"),
];

const RUNNER_NAME: &str = "runner_name";
const TOKEN: &str = "the runner's token";

/// Prefix of the settings that GitLab stores with an authentication token, so that `register` does not send them.
const OF_REGISTRATION: &str = "registration.";

/// Settings before they are hashed.
#[derive(Default)]
struct Collected(BTreeMap<String, String>);

impl Collected {
    fn put(&mut self, name: impl Into<String>, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.0.insert(name.into(), text);
        }
    }

    fn table(&mut self, table: &toml::Table, at: &str) {
        for (name, value) in table {
            self.value(value, &format!("{at}{name}"));
        }
    }

    fn value(&mut self, value: &toml::Value, at: &str) {
        match value {
            toml::Value::Table(table) => self.table(table, &format!("{at}.")),
            toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
                items.iter().enumerate().for_each(|(index, item)| self.value(item, &format!("{at}[{index}]")));
            }
            plain => self.put(at, plain.to_string()),
        }
    }

    /// Adds `[[runners]]`, except the keys that `register` sets from its environment.
    fn runner(&mut self, mut runner: toml::Table) {
        for name in ["url", "executor", "token", "name"] {
            runner.remove(name);
        }
        self.table(&runner, "config.toml: runners.");
    }

    fn hashed(self, hashes: &SecretHashes) -> Settings {
        self.0.into_iter().map(|(name, text)| (name.clone(), hashes.of_text(&name, &text).0)).collect()
    }
}

/// Returns the settings in the objects of the chart.
pub(super) fn found(
    config_map: &Json,
    secret: Option<&Json>,
    namespace_variable: Option<&str>,
    hashes: &SecretHashes,
) -> Settings {
    let mut collected = Collected::default();
    let file = |name: &str| config_map["data"][name].as_str().unwrap_or_default();
    collected.table(&file("config.toml").parse().unwrap_or_default(), "config.toml: ");
    let mut runner = template(file("config.template.toml"));
    if let Some(namespace) = namespace_variable
        && let toml::Value::Table(kubernetes) =
            runner.entry("kubernetes").or_insert_with(|| toml::Value::Table(toml::Table::new()))
    {
        kubernetes.entry("namespace").or_insert_with(|| namespace.into());
    }
    collected.runner(runner);
    for (option, value) in options(file("register-the-runner")) {
        match OPTIONS.iter().find(|(name, _)| *name == option) {
            Some((_, name)) => collected.put(*name, value),
            None => collected
                .put(format!("option {option} of the registration"), if value.is_empty() { "-" } else { &value }),
        }
    }
    collected.put("pre_entrypoint_script", file("pre-entrypoint-script").trim());
    for (name, text) in config_map["data"].as_object().into_iter().flatten() {
        if !FILES.contains(&name.as_str()) {
            collected.put(format!("config_maps[{name:?}]"), text.as_str().unwrap_or_default().trim_end());
        }
    }
    if let Some((kind, token)) = secret.and_then(token_of) {
        collected.put(TOKEN, written_token(kind, &token));
    }
    collected.hashed(hashes)
}

/// Returns the settings with which this provider would start the manager.
fn desired(desired: &Desired, hashes: &SecretHashes) -> Settings {
    let spec = &desired.spec;
    let mut collected = Collected::default();
    collected.table(&spec.config.global, "config.toml: ");
    collected.runner(spec.config.runner.clone());
    match &spec.start {
        Start::WholeConfig => {
            let name = spec.config.runner.get("name").and_then(toml::Value::as_str);
            collected.put(RUNNER_NAME, name.unwrap_or_default());
        }
        Start::Register(registration) => {
            collected.put(RUNNER_NAME, registration.name.clone().unwrap_or_default());
            let setting = |name: &str| format!("{OF_REGISTRATION}{name}");
            collected.put(setting("run_untagged"), if registration.run_untagged { "true" } else { "" });
            collected.put(setting("access_level"), registration.access_level.clone().unwrap_or_default());
            let seconds = registration.maximum_timeout.map(|seconds| seconds.to_string());
            collected.put(setting("maximum_timeout"), seconds.unwrap_or_default());
        }
    }
    collected.put("pre_entrypoint_script", spec.pre_entrypoint_script.as_deref().unwrap_or_default().trim());
    for (name, text) in &spec.config_maps {
        collected.put(format!("config_maps[{name:?}]"), text.trim_end());
    }
    if let Some(token) = desired.token() {
        collected.put(TOKEN, written_token(spec.token.kind, token));
    }
    collected.hashed(hashes)
}

/// Returns the settings that differ, by their names only.
pub(super) fn differences(found: &Settings, wanted_release: &Desired, hashes: &SecretHashes) -> Vec<Difference> {
    let desired = desired(wanted_release, hashes);
    let mut names: Vec<&String> = found.keys().chain(desired.keys()).collect();
    names.sort();
    names.dedup();
    let is_new_token = wanted_release.spec.token.kind == TokenKind::Authentication;
    let counts = |name: &&&String| {
        (!is_new_token || !name.starts_with(OF_REGISTRATION))
            // Without a name the manager registered with that of its pod. It is only displayed: the next pod has the
            // new one.
            && (name.as_str() != RUNNER_NAME || found.contains_key(RUNNER_NAME))
            // An existing Secret is compared by its name in the pod template.
            && (wanted_release.spec.token.owned || name.as_str() != TOKEN)
    };
    let differ = |name: &&&String| found.get(**name) != desired.get(**name);
    names.iter().filter(counts).filter(differ).map(|name| Difference::at(name.as_str())).collect()
}

/// Returns `[[runners]]` of the template, with the spelling of the catalogue if it has all of the keys.
fn template(text: &str) -> toml::Table {
    let release = Release { name: "", namespace: "", values: None, app_version: "", chart_version: "" };
    let version = RunnerVersion::new(u16::MAX, 0);
    let place = Place { path: AttributePath::root(), version, rules: Rules::Template, first_line: None };
    if let Ok(read) = from_text(text, release, &place)
        && read.remarks.is_empty()
    {
        return read.config.runner;
    }
    let mut table: toml::Table = text.parse().unwrap_or_default();
    match table.remove("runners") {
        Some(toml::Value::Array(mut runners)) if runners.len() == 1 => match runners.remove(0) {
            toml::Value::Table(runner) => runner,
            _ => toml::Table::new(),
        },
        _ => toml::Table::new(),
    }
}

/// Returns the options in the script, of which each is on a line: `--name="my runner" \`, or in a variable.
fn options(script: &str) -> Vec<(String, String)> {
    let known = ["--template-config", "--non-interactive", "--config"];
    let option = |line: &str| {
        let from = line.find("--")?;
        let rest = &line[from..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        let (option, value) = rest.split_at(end);
        let value = value.trim_start_matches('=').trim().trim_end_matches('\\').trim().trim_matches(['"', '\'']);
        let is_one = option.len() > 2 && !known.contains(&option);
        is_one.then(|| (option.to_owned(), value.to_owned()))
    };
    script.lines().filter(|line| !line.trim_start().starts_with('#')).filter_map(option).collect()
}

fn token_of(secret: &Json) -> Option<(TokenKind, SecretString)> {
    use base64::Engine as _;
    let of = |key: &str| {
        let decoded = base64::engine::general_purpose::STANDARD.decode(secret["data"][key].as_str()?).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        (!text.trim().is_empty()).then(|| SecretString::from(text))
    };
    let newer = of("runner-token").map(|token| (TokenKind::Authentication, token));
    newer.or_else(|| of("runner-registration-token").map(|token| (TokenKind::Registration, token)))
}

fn written_token(kind: TokenKind, token: &SecretString) -> String {
    format!("{kind:?} {}", token.expose_secret().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_the_charts_script() {
        let script = "#!/bin/bash\n# --not-one\nRUN_UNTAGGED=\"--run-untagged=true\"\n/entrypoint register \\\n  \
                      --name=\"my runner\" \\\n  --maximum-timeout=600 \\\n  --template-config /configmaps/x \\\n  \
                      --kubernetes-image alpine \\\n  --non-interactive\n";
        let of = |option: &str, value: &str| (option.to_owned(), value.to_owned());
        assert_eq!(
            options(script),
            [
                of("--run-untagged", "true"),
                of("--name", "my runner"),
                of("--maximum-timeout", "600"),
                of("--kubernetes-image", "alpine"),
            ]
        );
    }

    #[test]
    fn a_template_is_read_in_any_spelling() {
        let of = |text: &str| template(text).to_string();
        assert_eq!(
            of("[[runners]]\n[runners.cache]\ntype = 's3'\n"),
            of("[[runners]]\n[runners.cache]\nType = \"s3\"\n")
        );
        assert_eq!(of("[[runners]]\nnobody_knows = 1\n"), "nobody_knows = 1\n");
    }
}
