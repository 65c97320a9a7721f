//! Converts values files of the chart to releases with typed attributes, one for each `[[runners]]`.

mod cache;
mod secret_values;
mod split;
#[cfg(test)]
mod tests;

use gitlabspot_runner_config::catalogue::RUNNER;
use serde_json::{Map, Value as Json};
use tfplugin::framework::Diagnostic;

pub(super) use self::cache::Cache;
use self::secret_values::SecretValues;
use super::hcl::{Block, Value};
use super::project::{Project, Variable};
use super::report::{Place, Topic};
use crate::resources::runner_release::from_values::{self, Release};
use crate::resources::runner_release::spec::TokenKind;
use crate::yaml;

const RESOURCE: &str = "gitlabspot_runner_release";

/// Default name of a release and of its namespace.
pub(super) const NAME: &str = "gitlab-runner";

/// A values file.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// Name in the report.
    pub(super) name: String,
    pub(super) text: String,
}

/// A Helm release.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) files: Vec<File>,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) runner_version: Option<String>,
}

/// A parsed release, before it is written.
#[derive(Clone, Debug)]
pub(super) struct Parsed {
    input: Input,
    /// One release for each `[[runners]]`, with the name in that section.
    runners: Vec<(Option<String>, Release)>,
}

/// Other resources that a release refers to.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    /// Name of the bucket, and the address of its resource.
    pub(super) bucket: Option<(String, String)>,
    /// Name of the Secret with the credentials, and the address of their resource.
    pub(super) credentials: Option<(String, String)>,
}

/// Error of values that cannot be migrated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", listed(.files, .findings))]
pub(super) struct ValuesError {
    files: Vec<String>,
    findings: Vec<Diagnostic>,
}

/// All findings, each with its file.
fn listed(files: &[String], findings: &[Diagnostic]) -> String {
    let line = |finding: &Diagnostic| {
        let file = file_of(files, finding);
        format!("{file}: {}: {}", finding.summary, finding.detail)
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The file of a finding, or all files if the finding does not identify one.
fn file_of(files: &[String], finding: &Diagnostic) -> String {
    let path = finding.path.to_string();
    let index = path.strip_prefix("values[").and_then(|rest| rest.strip_suffix(']')?.parse::<usize>().ok());
    index.and_then(|index| files.get(index).cloned()).unwrap_or_else(|| files.join(", "))
}

/// Parses the files of a release.
///
/// # Errors
///
/// All findings of invalid files.
pub(super) fn parse(input: Input) -> Result<Parsed, ValuesError> {
    let texts: Vec<&str> = input.files.iter().map(|file| file.text.as_str()).collect();
    let place = from_values::Place {
        name: &input.name,
        namespace: &input.namespace,
        runner_version: input.runner_version.as_deref(),
    };
    let mut runners = Vec::new();
    for (name, texts) in split::runners(&texts) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let release = from_values::release(&texts, place).map_err(|findings| ValuesError {
            files: input.files.iter().map(|file| file.name.clone()).collect(),
            findings,
        })?;
        runners.push((name, release));
    }
    Ok(Parsed { input, runners })
}

impl Parsed {
    /// The cache settings of the runners; for each setting, the first value.
    pub(super) fn cache(&self) -> Cache {
        let found = self.runners.iter().map(|(_, release)| Cache::of(&release.attributes));
        found.reduce(Cache::or).unwrap_or_default()
    }

    pub(super) fn namespace(&self) -> &str {
        &self.input.namespace
    }

    /// Adds the releases to the project.
    pub(super) fn write(self, links: &Links, project: &mut Project) {
        // Only for its effect: it adds the cluster to the provider block.
        let _ = project.cluster();
        let Self { input, runners } = self;
        let count = runners.len();
        for (index, (name, release)) in runners.into_iter().enumerate() {
            let is_first = index == 0;
            let release_name = match (&name, is_first) {
                (_, true) => input.name.clone(),
                (Some(name), false) => format!("{}-{}", input.name, dns(name)),
                (None, false) => format!("{}-{}", input.name, index + 1),
            };
            let label = project.name(RESOURCE, &release_name);
            let address = format!("{RESOURCE}.{label}");
            let writer = Writer { input: &input, links, label: &label, name: &release_name };
            let block = writer.block(&release, is_first, project);
            writer.remarks(&release, project);
            // Only one release exists, and the resource of the first [[runners]] adopts it.
            let import = is_first.then(|| Value::from(format!("{}/{release_name}", input.namespace)));
            project.resource(block, import);
            announce(&address, is_first, &release, project);
            if count > 1 && !is_first {
                let text = format!(
                    "`{address}` is created: a release has one [[runners]], and the values have {count}. Register a runner of its \
                     own for it in GitLab and set its token."
                );
                project.report.add(Topic::Change, None, text);
            }
        }
    }
}

/// Converts a text to a part of a Kubernetes name.
fn dns(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    name.chars().map(letter).collect::<String>().trim_matches('-').to_owned()
}

struct Writer<'a> {
    input: &'a Input,
    links: &'a Links,
    label: &'a str,
    name: &'a str,
}

impl Writer<'_> {
    fn block(&self, release: &Release, is_import: bool, project: &mut Project) -> Block {
        let mut block = Block::new("resource", [RESOURCE, self.label]);
        block.set("name", self.name);
        block.set("namespace", self.input.namespace.as_str());
        self.token(release, project, &mut block);
        let has_version = ["runner_version", "image"].iter().any(|name| release.attributes.contains_key(*name));
        if is_import && !has_version {
            let comment = "The import keeps the version of GitLab Runner that runs. Set runner_version to update it.";
            block.comment = Some(comment.to_owned());
        }
        for (name, value) in &release.attributes {
            let value = self.value(name, value, project);
            block.set(name, value);
        }
        if let Some((_, address)) = &self.links.credentials {
            let hash = Value::expression(format!("{address}.secret_hash"));
            block.set("restart_on", Value::Object(vec![("credentials".to_owned(), hash)]));
        }
        block
    }

    fn token(&self, release: &Release, project: &mut Project, block: &mut Block) {
        let (name, what) = match release.token {
            None => return,
            Some(TokenKind::Authentication) => ("runner_token", "Authentication token (glrt-...)"),
            Some(TokenKind::Registration) => ("registration_token", "Registration token"),
        };
        let wish = if self.name == self.input.name { name.to_owned() } else { format!("{name}_{}", self.label) };
        let about = format!("{what} of the runner. The Secret of the release {} has it.", self.name);
        let variable = project.variable(&wish, &about, Variable::Token);
        let Value::Expression(expression) = &variable else { return };
        let text = format!(
            "set the variable {} to the token that the release has: with another one the manager pods are replaced.",
            expression.trim_start_matches("var.")
        );
        project.report.add(Topic::Task, None, text);
        if let Some(key) = release.token_key {
            let text = format!("left out. `{name}_wo` reads it from the variable, which is in no state and no plan.");
            project.report.add(Topic::Secret, self.place(key), text);
        }
        block.set(&format!("{name}_wo"), variable);
        // Hosts do not store write-only values and cannot compare them. The provider applies a new one when the version
        // changes.
        block.set(&format!("{name}_wo_version"), 1);
    }

    fn value(&self, name: &str, value: &Json, project: &mut Project) -> Value {
        if let (Some((secret, address)), "cache_secret_name") = (&self.links.credentials, name)
            && value.as_str() == Some(secret)
        {
            return Value::expression(format!("{address}.secret_name"));
        }
        let mut values = SecretValues { prefix: self.label, project, found: Vec::new() };
        let mut written = match (name, value) {
            ("config", Json::Object(config)) => values.table(config, &RUNNER, "config"),
            ("extra_env", Json::Object(variables)) => values.variables(variables, name),
            ("sentry_dsn", _) => values.secret(name),
            _ => values.plain(value, name),
        };
        let found = values.found;
        for secret in found {
            let address = format!("{RESOURCE}.{}.{}", self.label, secret.path);
            let text =
                format!("left out. `{address}` reads it from the variable {}; it is in the state.", secret.variable);
            project.report.add(Topic::Secret, self.place(&secret.name), text);
        }
        if let Some((bucket, address)) = &self.links.bucket {
            self.link_bucket(&mut written, bucket, address);
        }
        written
    }

    /// Replaces the name of the bucket by a reference to the resource.
    fn link_bucket(&self, value: &mut Value, bucket: &str, address: &str) {
        let Value::Object(fields) = value else { return };
        for (name, value) in fields {
            match value {
                Value::Text(text) if name == "bucket_name" && text == bucket => {
                    *value = Value::expression(format!("{address}.bucket"));
                }
                Value::Object(_) if name == "cache" || name == "s3" => self.link_bucket(value, bucket, address),
                _ => {}
            }
        }
    }

    /// The place of a key in the files. If no line of the key is known, that of its last part is used.
    fn place(&self, key: &str) -> Place {
        let word = key.rsplit('.').next().unwrap_or(key);
        // In Helm, the last file with a key takes precedence.
        for file in self.input.files.iter().rev() {
            let lines = yaml::first_document(&file.text).ok().map(|(_, lines, _)| lines);
            let of_key = lines.filter(|lines| lines.has(key)).and_then(|lines| lines.of(key));
            let of_word = || file.text.lines().position(|line| line.contains(word)).map(|index| index + 1);
            if let Some(line) = of_key.or_else(of_word) {
                return Place { file: file.name.clone(), line: Some(line), key: key.to_owned() };
            }
        }
        let file = self.input.files.first().map(|file| file.name.clone()).unwrap_or_default();
        Place { file, line: None, key: key.to_owned() }
    }

    /// Reports keys without an effect, and keys for which there is no attribute.
    fn remarks(&self, release: &Release, project: &mut Project) {
        let files: Vec<String> = self.input.files.iter().map(|file| file.name.clone()).collect();
        for warning in &release.warnings {
            let file = file_of(&files, warning);
            let (listed, others): (Vec<&str>, Vec<&str>) =
                warning.detail.lines().partition(|line| line.starts_with("- "));
            for line in listed.iter().map(|line| line.trim_start_matches("- ")).filter(|line| !is_of_token(line)) {
                let place = Place { file: file.clone(), line: None, key: String::new() };
                let (place, text) = match line.strip_prefix("line ").and_then(|rest| rest.split_once(", ")) {
                    Some((number, text)) => (Place { line: number.parse().ok(), ..place }, text),
                    None => (place, line),
                };
                project.report.add(Topic::NoCounterpart, place, text);
            }
            if listed.is_empty() && !is_of_token(&warning.detail) {
                let place = Place { file: file.clone(), line: None, key: String::new() };
                project.report.add(Topic::NoCounterpart, place, format!("{}: {}", warning.summary, others.join(" ")));
            }
        }
        for (key, text) in &release.tasks {
            project.report.add(Topic::Task, self.place(key), text);
        }
        for key in &release.lost {
            let text = "no attribute gives it, so that it is left out. The chart's field is one that Kubernetes ignores, or \
                        that this provider does not have.";
            project.report.add(Topic::NoCounterpart, self.place(key), text);
        }
    }
}

/// Whether a warning is about tokens in values, which the migrated configuration does not contain.
fn is_of_token(line: &str) -> bool {
    line.contains("`values` are stored in the plan and the state")
        || line.contains("is stored in the plan and the state with the values")
}

fn announce(address: &str, is_import: bool, release: &Release, project: &mut Project) {
    if !is_import {
        return;
    }
    let pods = match release.token {
        Some(_) => {
            "The manager pods stay, if the token and the version are those that run; the plan says so, or why not."
        }
        None => "The manager pods stay, if the version is the one that runs; the plan says so, or why not.",
    };
    let text = format!(
        "`{address}`: the objects of the release get the labels and fields of this provider, and lose Helm's annotations and \
         records; `helm` no longer manages it. {pods}"
    );
    project.report.add(Topic::Change, None, text);
    let has = |name: &str| {
        release.attributes.get(name).and_then(Json::as_object).is_some_and(|it: &Map<_, _>| !it.is_empty())
    };
    if has("config") {
        let text = "Later, `build_nodes = gitlabspot_node_group.NAME.build_nodes` can replace affinity and tolerations in \
                    `config`, and `cache = gitlabspot_cache_bucket.NAME.runner_cache` the section of the cache. Each replaces the \
                    manager pods once.";
        project.report.add(Topic::Task, None, text);
    }
}
