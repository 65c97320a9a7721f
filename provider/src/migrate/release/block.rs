//! Writes the block of a release.

use gitlabspot_runner_config::catalogue::RUNNER;
use secrecy::ExposeSecret;
use serde_json::{Map, Value as Json};

use super::super::hcl::{Block, Value};
use super::super::project::{Project, Variable};
use super::super::report::{Place, Topic};
use super::secret_values::{Found, SecretValues};
use super::{Input, Links, RESOURCE, gitlab_url, place};
use crate::resources::runner_release::from_values::Release;
use crate::resources::runner_release::spec::TokenKind;

/// Writes one release.
pub(super) struct Writer<'a> {
    pub(super) input: &'a Input,
    pub(super) links: &'a Links,
    pub(super) label: &'a str,
    pub(super) name: &'a str,
    /// Whether the release exists.
    pub(super) is_import: bool,
    /// Number of releases from the same values.
    pub(super) count: usize,
    /// Whether lines in warnings are those of the files.
    pub(super) has_lines: bool,
    /// The expression for the URL of GitLab, if the values do not have it.
    pub(super) gitlab_url: Option<&'a str>,
}

impl Writer<'_> {
    pub(super) fn write(&self, release: &Release, project: &mut Project) {
        let block = self.block(release, project);
        self.remarks(release, project);
        let import = self.is_import.then(|| Value::from(format!("{}/{}", self.input.namespace, self.name)));
        project.resource(block, import);
        match self.is_import {
            true => self.announce_import(release, project),
            false => self.announce_new(project),
        }
    }

    pub(super) fn address(&self) -> String {
        format!("{RESOURCE}.{}", self.label)
    }

    fn block(&self, release: &Release, project: &mut Project) -> Block {
        let mut block = Block::new("resource", [RESOURCE, self.label]);
        block.set("name", self.name);
        block.set("namespace", self.input.namespace.as_str());
        self.token(release, project, &mut block);
        let has_version = ["runner_version", "image"].iter().any(|name| release.attributes.contains_key(*name));
        if self.is_import && !has_version {
            let comment = "The import keeps the version of GitLab Runner that runs. Set runner_version to update it.";
            block.comment = Some(comment.to_owned());
        }
        // The Secret has the token of the release that exists.
        let is_of_import = |name: &str| name == "token_secret_name" && !self.is_import;
        for (name, value) in release.attributes.iter().filter(|(name, _)| !is_of_import(name)) {
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
        let new = Some(TokenKind::Authentication).filter(|_| !self.is_import);
        let Some(kind) = release.token.or(new) else {
            if let Some(key) = release.token_key {
                let text = "left out: the release reads its token from the Secret of `runners.secret`.";
                project.report.add(Topic::Secret, self.token_place(key), text);
            }
            return;
        };
        let (name, what) = match kind {
            TokenKind::Authentication => ("runner_token", "Authentication token (glrt-...)"),
            TokenKind::Registration => ("registration_token", "Registration token"),
        };
        let (wish, about) = match self.is_import {
            true => (name.to_owned(), format!("{what} of the runner. The Secret of the release {} has it.", self.name)),
            false => (format!("{name}_{}", self.label), format!("{what} for the new release {}.", self.name)),
        };
        let variable = project.variable(&wish, &about, Variable::Token);
        project.report.add(Topic::Task, None, self.token_task(kind, &variable));
        if let Some(key) = release.token_key.filter(|_| self.is_import) {
            let text = format!("left out. `{name}_wo` reads it from the variable, which is in no state and no plan.");
            project.report.add(Topic::Secret, self.token_place(key), text);
        }
        block.set(&format!("{name}_wo"), Value::variable(&variable));
        // Hosts do not store write-only values and cannot compare them. The provider applies a new one when the version
        // changes.
        block.set(&format!("{name}_wo_version"), 1);
    }

    fn token_task(&self, kind: TokenKind, variable: &str) -> String {
        let address = self.address();
        match (self.is_import, kind) {
            (true, _) => format!(
                "set the variable {variable} to the token of the release. A different token replaces the manager pods."
            ),
            (false, TokenKind::Authentication) => format!(
                "create a runner in GitLab for `{address}`, and set the variable {variable} to its authentication token."
            ),
            (false, TokenKind::Registration) => format!(
                "set the variable {variable} to a registration token: `{address}` registers a runner of its own with it."
            ),
        }
    }

    /// The place of the key with the token. An authentication token can be that of the key for registration tokens.
    fn token_place(&self, key: &str) -> Place {
        let keys = [key, "runnerRegistrationToken", "runnerToken"];
        let found = keys.into_iter().find(|key| place::has(&self.input.files, key)).unwrap_or(key);
        place::of(&self.input.files, found, None)
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
            ("sentry_dsn", value) => values.secret(value, name),
            _ => values.plain(value, name),
        };
        let found = values.found;
        self.secrets(&found, project);
        if let Some((bucket, address)) = &self.links.bucket {
            link_bucket(&mut written, bucket, address);
        }
        match self.gitlab_url {
            Some(variable) => gitlab_url::with_variable(written, variable),
            None => written,
        }
    }

    fn secrets(&self, found: &[Found], project: &mut Project) {
        for secret in found {
            let address = format!("{}.{}", self.address(), secret.path);
            let text =
                format!("left out. `{address}` reads it from the variable {}; it is in the state.", secret.variable);
            let place = place::of(&self.input.files, &secret.name, Some(secret.text.expose_secret()));
            project.report.add(Topic::Secret, place, text);
        }
    }

    fn announce_new(&self, project: &mut Project) {
        let text = format!(
            "`{}` is created: a release has one [[runners]], and the values have {}.",
            self.address(),
            self.count
        );
        project.report.add(Topic::Change, None, text);
    }

    fn announce_import(&self, release: &Release, project: &mut Project) {
        let pods = match release.token {
            Some(_) => {
                "The manager pods are kept if their token and version are unchanged; the plan shows whether they are."
            }
            None => "The manager pods are kept if their version is unchanged; the plan shows whether it is.",
        };
        let text = format!(
            "`{}`: labels and fields of the provider are added to the objects of the release. Helm's annotations and release \
             records are removed, so that Helm no longer manages it. {pods}",
            self.address()
        );
        project.report.add(Topic::Change, None, text);
        if let Some(text) = later(&release.attributes) {
            project.report.add(Topic::Task, None, text);
        }
    }
}

/// Replaces the name of the bucket by a reference to the resource.
fn link_bucket(value: &mut Value, bucket: &str, address: &str) {
    let Value::Object(fields) = value else { return };
    for (name, value) in fields {
        match value {
            Value::Text(text) if name == "bucket_name" && text == bucket => {
                *value = Value::expression(format!("{address}.bucket"));
            }
            Value::Object(_) if name == "cache" || name == "s3" => link_bucket(value, bucket, address),
            _ => {}
        }
    }
}

/// Which parts of `config` attributes can replace after the migration.
fn later(attributes: &Map<String, Json>) -> Option<String> {
    let config = attributes.get("config")?;
    let of_nodes: Vec<&str> =
        [("affinity", "affinity"), ("node_selector", "node_selector"), ("node_tolerations", "tolerations")]
            .into_iter()
            .filter_map(|(key, name)| config["kubernetes"].get(key).map(|_| name))
            .collect();
    let nodes = (!of_nodes.is_empty()).then(|| {
        format!("`build_nodes = gitlabspot_node_group.NAME.build_nodes` can replace {} in `config`", listed(&of_nodes))
    });
    let cache = config["cache"].get("s3").map(|_| {
        "`cache = gitlabspot_cache_bucket.NAME.runner_cache` can replace the section of the cache in `config`"
            .to_owned()
    });
    let parts: Vec<String> = nodes.into_iter().chain(cache).collect();
    let each = if parts.len() == 1 { "This" } else { "Each" };
    (!parts.is_empty()).then(|| format!("Later, {}. {each} replaces the manager pods once.", parts.join(", and ")))
}

/// The names with commas and `and`.
fn listed(names: &[&str]) -> String {
    match names {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        names => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_that_can_be_replaced_are_named() {
        for (config, expected) in [
            (json!({ "kubernetes": { "image": "x" } }), None),
            (json!({ "cache": { "s3": {} } }), Some("Later, `cache = gitlabspot_cache_bucket.NAME")),
            (
                json!({ "kubernetes": { "affinity": {}, "node_tolerations": {} } }),
                Some("replace affinity and tolerations in `config`. This"),
            ),
            (json!({ "kubernetes": { "affinity": {} }, "cache": { "s3": {} } }), Some("Each replaces")),
        ] {
            let attributes = json!({ "config": config });
            let text = later(attributes.as_object().unwrap());
            assert_eq!(text.is_some(), expected.is_some(), "{attributes}");
            assert!(text.unwrap_or_default().contains(expected.unwrap_or_default()), "{attributes}");
        }
        assert_eq!(later(&Map::new()), None);
        assert_eq!((listed(&["a"]), listed(&["a", "b", "c"])), ("a".to_owned(), "a, b and c".to_owned()));
    }
}
