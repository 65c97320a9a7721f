//! TOML text to [`Config`].

use toml::Value;

use super::super::catalogue::{GLOBAL, OTHER_EXECUTORS, RUNNER, Table};
use super::super::finding::{Finding, Severity};
use super::Config;
use super::read::{Place, Reader};
use super::template::Release;

/// Whether the text may have a global section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GlobalKeys {
    /// `config_toml` is a whole config.toml.
    Allowed,
    /// The chart's `runners.config` is a template for registration, where the runner itself
    /// refuses them.
    Refused,
}

/// Reads TOML text with exactly one `[[runners]]`.
///
/// # Errors
///
/// All findings of severity error; the text is never quoted, because it may hold secrets.
pub fn from_text(text: &str, release: Release<'_>, globals: GlobalKeys, place: &Place) -> Result<Config, Vec<Finding>> {
    let text = release.expand(text, &place.path)?;
    let mut table: toml::Table = text.parse().map_err(|error| vec![not_toml(&text, &error, place)])?;
    let mut reader = Reader { place, findings: Vec::new() };
    let runner = runner(table.remove("runners"), &mut reader);
    if globals == GlobalKeys::Refused {
        for name in table.keys() {
            reader.error(
                "Global option in a runner's template",
                format!(
                    "{name} stands outside of [[runners]]. {} The runner accepts one [[runners]] \
                     section and nothing else in this text.",
                    where_it_belongs(name)
                ),
            );
        }
        table.clear();
    }
    let config = Config { global: reader.table(table, &GLOBAL, ""), runner: reader.table(runner, &RUNNER, "runners.") };
    if reader.findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(reader.findings);
    }
    Ok(config)
}

fn runner(section: Option<Value>, reader: &mut Reader<'_>) -> toml::Table {
    let mut sections = match section {
        Some(Value::Array(sections)) => sections,
        Some(Value::Table(table)) => {
            reader.error(
                "Wrong section in the runner's configuration",
                "[runners] must be written [[runners]], because it is an array of tables.".into(),
            );
            vec![Value::Table(table)]
        }
        Some(_) | None => {
            reader.error(
                "No [[runners]] section",
                "The text has no [[runners]] section, so there is no runner to configure.".into(),
            );
            Vec::new()
        }
    };
    if sections.len() > 1 {
        reader.error(
            "More than one [[runners]] section",
            format!(
                "The text has {} [[runners]] sections. A release runs one; write a \
                 gitlabspot_runner_release for each.",
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
    let in_runner = |table: &'static Table| table.by_toml(name).is_some();
    if in_runner(&GLOBAL) {
        format!("Set it with the attribute `{name}` (in a values file with its own key).")
    } else if in_runner(&RUNNER) || OTHER_EXECUTORS.contains(&name) {
        "Move it below [[runners]].".to_owned()
    } else {
        "GitLab Runner knows no such key.".to_owned()
    }
}

fn not_toml(text: &str, error: &toml::de::Error, place: &Place) -> Finding {
    let line = error
        .span()
        .and_then(|span| text.get(..span.start))
        .map(|before| format!("line {}: ", before.matches('\n').count() + 1))
        .unwrap_or_default();
    Finding::error(place.path.clone(), "Not valid TOML", format!("{line}{}", error.message()))
}
