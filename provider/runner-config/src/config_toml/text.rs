//! Conversion of TOML text to [`Config`].

use tfplugin::framework::{Diagnostic, Severity};
use toml::Value;

use super::Config;
use super::place::{Place, Remark, Rules, line};
use super::read::{OTHER_EXECUTOR, Reader};
use super::template::{Release, unsupported_detail};
use crate::catalogue::{GLOBAL, RUNNER, Table};

/// The result of reading a text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Text {
    pub config: Config,
    /// The keys that the runner ignores. Empty if they are errors.
    pub remarks: Vec<Remark>,
}

/// Reads TOML text with exactly one `[[runners]]`.
///
/// # Errors
///
/// All findings if one is an error. They do not quote the text, which may contain secrets.
pub fn from_text(text: &str, release: Release<'_>, place: &Place) -> Result<Text, Vec<Diagnostic>> {
    let text = release.expand_toml(text).map_err(|unsupported| {
        let first = unsupported.first().map(|one| one.line);
        vec![place.error(first, "Template expression not supported", &unsupported_detail(&unsupported))]
    })?;
    let mut table: toml::Table = text.parse().map_err(|error| vec![not_toml(&text, &error, place)])?;
    let mut reader = Reader::new(place, &text);
    let mut runner = runner(table.remove("runners"), &mut reader);
    if place.rules == Rules::Template {
        if runner.get("executor").is_some_and(|executor| executor.as_str() != Some("kubernetes")) {
            runner.remove("executor");
            let detail = "registration ignores the executor of the template, and this resource only supports the \
                Kubernetes executor.";
            reader.ignored(OTHER_EXECUTOR, "runners.executor", detail);
        }
        for name in table.keys() {
            reader.ignored("Global option in a runner's template", name, &where_it_belongs(name));
        }
        // Registration reads only `[[runners]]` of a template.
        table.clear();
    }
    // Determined before the table is read, because an invalid executor is omitted there.
    let is_of_another =
        runner.get("executor").and_then(Value::as_str).is_some_and(|it| !matches!(it, "" | "kubernetes"));
    let global = reader.table(table, &GLOBAL, "");
    let mut runner = reader.table(runner, &RUNNER, "runners.");
    if !place.is_strict() {
        given_elsewhere(&mut runner, &mut reader);
    }
    if reader.findings.iter().any(|finding| finding.severity == Severity::Error) {
        if is_of_another {
            // The tables of another executor are a consequence of `executor`, which alone is reported.
            reader.findings.retain(|finding| finding.summary != OTHER_EXECUTOR);
        }
        return Err(reader.findings);
    }
    Ok(Text { config: Config { global, runner }, remarks: reader.remarks })
}

/// Removes the token: registration ignores the one in the template.
fn given_elsewhere(runner: &mut toml::Table, reader: &mut Reader<'_>) {
    if runner.remove("token").is_some() {
        reader.ignored(
            "Token in the runner's configuration",
            "runners.token",
            "the token of the configuration is not used, and is stored in the plan and the state with the values. \
             Remove it. The token is runner_token_wo, or that of the Secret token_secret_name.",
        );
    }
}

fn runner(section: Option<Value>, reader: &mut Reader<'_>) -> toml::Table {
    let mut sections = match section {
        Some(Value::Array(sections)) => sections,
        Some(Value::Table(table)) => {
            reader.error(
                "Wrong section in the runner's configuration",
                "runners",
                "[runners] must be written [[runners]], because it is an array of tables.",
            );
            vec![Value::Table(table)]
        }
        Some(_) | None => {
            reader.error(
                "No [[runners]] section",
                "runners",
                "The text does not have a [[runners]] section. Add [[runners]] before the keys of the runner.",
            );
            Vec::new()
        }
    };
    if sections.len() > 1 {
        reader.error(
            "More than one [[runners]] section",
            "runners[1]",
            &format!(
                "The text has {} [[runners]] sections, but a release has one. Use a gitlabspot_runner_release for \
                 each, for example with for_each.",
                sections.len()
            ),
        );
        sections.truncate(1);
    }
    match sections.pop() {
        Some(Value::Table(table)) => table,
        _ => toml::Table::new(),
    }
}

fn where_it_belongs(name: &str) -> String {
    let is_in = |table: &'static Table| table.by_toml(name).is_some();
    match values_key(name) {
        Some(key) => {
            format!("registration ignores keys before [[runners]]. The key of the values file is {key}.")
        }
        None if is_in(&GLOBAL) => "registration ignores keys before [[runners]]. Set it in config_toml.".to_owned(),
        None if is_in(&RUNNER) => format!("registration ignores keys before [[runners]]. Move {name} after it."),
        None => format!("GitLab Runner does not have the key {name}, and ignores it."),
    }
}

/// The keys of the chart for the global section.
fn values_key(name: &str) -> Option<&'static str> {
    Some(match name {
        "concurrent" => "concurrent",
        "check_interval" => "checkInterval",
        "log_level" => "logLevel",
        "log_format" => "logFormat",
        "sentry_dsn" => "sentryDsn",
        "connection_max_age" => "connectionMaxAge",
        "shutdown_timeout" => "shutdown_timeout",
        "listen_address" => "metrics.enabled, with metrics.port",
        "session_server" => "sessionServer",
        _ => return None,
    })
}

fn not_toml(text: &str, error: &toml::de::Error, place: &Place) -> Diagnostic {
    let at = error.span().map(|span| line(text, span.start));
    let here = at.and_then(|at| text.lines().nth(at - 1)).unwrap_or_default();
    let is_directive = |line: &str| line.contains("%{");
    if is_directive(here) {
        let detail = "the text contains a template directive (%{ ... }). Render it with templatefile() first.";
        return place.error(at, "Not valid TOML", detail);
    }
    // Not its `Display`, which quotes the line, because the line may contain a secret.
    let message = error.message();
    let detail = if message.contains("duplicate key") {
        let name = here.split(['=', ']']).next().unwrap_or_default().trim().trim_matches('[').trim();
        format!("{name} is set twice. Keep one of them. A list and tables of the same name count as two.")
    } else {
        format!("the text is not valid TOML: {message}.")
    };
    place.error(at, "Not valid TOML", &detail)
}
