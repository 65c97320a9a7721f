//! Tables for the page of `gitlabspot_runner_release`: keys of config.toml and of the chart's values.

use std::fmt::Write as _;

use gitlabspot::provider::Gitlabspot;
use gitlabspot::resources::runner_release::values::{KEYS, MapsTo};
use gitlabspot_runner_config::catalogue::{GLOBAL, Kind, RUNNER, Table, entries};
use gitlabspot_runner_config::version::RunnerVersion;
use tfplugin::framework::Provider;
use tfplugin::framework::schema::Kind as AttributeKind;

/// All keys of config.toml: HCL path, TOML path, type, first version, description.
pub(super) fn config_keys() -> String {
    let mut text = String::new();
    for (title, prefix, table) in [("Global section", "", &GLOBAL), ("`config`: `[[runners]]`", "runners.", &RUNNER)] {
        section(&mut text, title, prefix, table);
    }
    text
}

fn section(text: &mut String, title: &str, prefix: &str, table: &'static Table) {
    let _ = writeln!(
        text,
        "### {title}\n\n| attribute | in config.toml | type | since | description |\n|---|---|---|---|---|"
    );
    for entry in entries(table) {
        let since = match entry.key.until {
            Some((last, _)) => format!("to {last}"),
            None if entry.since == RunnerVersion::ANY => String::new(),
            None => entry.since.to_string(),
        };
        let secret = if entry.key.sensitive { " Sensitive." } else { "" };
        let _ = writeln!(
            text,
            "| `{}` | `{prefix}{}` | {} | {since} | {}{secret} |",
            entry.hcl_path,
            entry.toml_path,
            hcl_type(entry.key.kind),
            entry.key.about
        );
    }
    text.push('\n');
}

fn hcl_type(kind: Kind) -> String {
    match kind {
        Kind::Text => "string".to_owned(),
        Kind::Choice(choice) => format!("string: {}", choice.of.join(", ")),
        Kind::Integer | Kind::Float => "number".to_owned(),
        Kind::Flag => "bool".to_owned(),
        Kind::Duration => "duration".to_owned(),
        Kind::Timestamp => "RFC 3339 time".to_owned(),
        Kind::Texts => "list of string".to_owned(),
        Kind::Choices(choice) | Kind::ChoiceOrChoices(choice) => format!("list of string: {}", choice.of.join(", ")),
        Kind::Integers | Kind::Floats => "list of number".to_owned(),
        Kind::TextMap => "map of string".to_owned(),
        Kind::FlagMap => "map of bool".to_owned(),
        Kind::IntegerMap => "map of number".to_owned(),
        Kind::Table(_) => "object".to_owned(),
        Kind::Tables(_) => "list of object".to_owned(),
    }
}

/// All keys of the chart's values: the attribute that replaces a key, or why there is none.
pub(super) fn values_keys() -> String {
    let mut text = "| key of the chart | attribute or effect |\n|---|---|\n".to_owned();
    for key in KEYS {
        let here = match key.maps_to {
            MapsTo::Attribute(to) | MapsTo::Global(to) => format!("`{to}`"),
            MapsTo::Special(what) => what.to_owned(),
            MapsTo::Nothing(why) => format!("no effect: {why}"),
            MapsTo::Older(to) => {
                format!("no effect: only older charts read it. Use `{to}` of `[[runners]]` in `runners.config`")
            }
        };
        let _ = writeln!(text, "| `{}` | {here} |", key.path);
    }
    text
}

#[test]
fn every_key_has_a_row() {
    let config = config_keys();
    assert!(
        config
            .contains("| `cache.s3.bucket_name` | `runners.cache.s3.BucketName` | string |  | Name of the bucket. |\n")
    );
    assert!(
        config
            .contains("| `kubernetes.volumes.nfs.server` | `runners.kubernetes.volumes.nfs.server` | string | 19.0 |")
    );
    let keys = entries(&GLOBAL).len() + entries(&RUNNER).len();
    assert_eq!(config.lines().filter(|line| line.starts_with("| `")).count(), keys);
    assert_eq!(values_keys().lines().count(), KEYS.len() + 2);
}

/// The attribute in the first backticks of the second column, if any.
fn attribute(line: &str) -> Option<&str> {
    let here = line.split(" | ").nth(1)?;
    ["`", "part of `"].iter().find_map(|begin| here.strip_prefix(begin)?.split('`').next())
}

#[test]
fn values_keys_map_to_existing_attributes() {
    let table = values_keys();
    let registry = Gitlabspot::default().registry();
    let release = registry.resources.iter().find(|resource| resource.type_name() == "gitlabspot_runner_release");
    let schema = release.unwrap().schema().attributes;
    let mut count = 0;
    for line in table.lines().skip(2) {
        let Some(path) = attribute(line) else { continue };
        count += 1;
        if let Some(key) = path.strip_prefix("config.") {
            assert!(entries(&RUNNER).iter().any(|entry| entry.hcl_path == key), "{line}: there is no {key}");
            continue;
        }
        let mut attributes = Some(&schema);
        for name in path.split('.') {
            let among = attributes.unwrap_or_else(|| panic!("{line}: nothing is below"));
            let found = among.iter().find(|attribute| attribute.name == name);
            attributes = match &found.unwrap_or_else(|| panic!("{line}: there is no {name}")).kind {
                AttributeKind::Nested(_, below) => Some(below),
                AttributeKind::Plain(_) => None,
            };
        }
    }
    assert!(count > 130, "{count}");
}

#[test]
fn cells_do_not_break_the_table() {
    for line in config_keys().lines().filter(|line| line.starts_with("| `")) {
        assert_eq!(line.matches(" | ").count(), 4, "{line}");
    }
    for line in values_keys().lines() {
        assert!(line.matches('|').count() == 3, "{line}");
    }
}
