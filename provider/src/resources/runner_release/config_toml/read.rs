//! Checks a TOML table against the catalogue and brings its keys into their exact spelling.

use toml::Value;

use super::super::catalogue::{Key, Kind, OTHER_EXECUTORS, Table};
use super::super::finding::{Finding, PathStep};
use super::super::suggest::did_you_mean;
use super::super::version::RunnerVersion;
use super::age::unfit;
use super::duration::is_duration;
use super::settle::settled;

pub(super) const WRONG_VALUE: &str = "Wrong value in the runner's configuration";

/// Where a table comes from, and how findings about it are told.
#[derive(Debug, Clone)]
pub struct Place {
    /// The attribute that holds the text.
    pub path: Vec<PathStep>,
    pub version: RunnerVersion,
}

pub(super) struct Reader<'a> {
    pub(super) place: &'a Place,
    pub(super) findings: Vec<Finding>,
}

impl Reader<'_> {
    /// Keys that are wrong are reported and left out.
    pub(super) fn table(&mut self, given: toml::Table, catalogue: &'static Table, at: &str) -> toml::Table {
        let mut read = toml::Table::new();
        for (name, value) in given {
            let here = format!("{at}{name}");
            let Some(key) = find(catalogue, &name) else {
                self.unknown(&name, &here, catalogue);
                continue;
            };
            if let Some((summary, detail)) = unfit(&here, key, self.place.version) {
                self.error(summary, detail);
                continue;
            }
            if let Some(value) = self.value(value, key, &here)
                && read.insert(key.toml.to_owned(), value).is_some()
            {
                self.error(
                    "Key given twice",
                    format!("{here} stands there in two spellings; the runner does not tell letter case apart."),
                );
            }
        }
        read
    }

    fn value(&mut self, value: Value, key: &'static Key, at: &str) -> Option<Value> {
        let value = match settled(key.kind, value, at) {
            Ok(value) => value?,
            Err(detail) => {
                self.error(WRONG_VALUE, detail);
                return None;
            }
        };
        match (key.kind, value) {
            (Kind::Table(of), Value::Table(table)) => Some(Value::Table(self.table(table, of, &format!("{at}.")))),
            (Kind::Tables(of), Value::Array(items)) => self.tables(items, of, key, at),
            (kind, value) => match mismatch(kind, &value) {
                None => Some(value),
                Some(wanted) => {
                    self.error(WRONG_VALUE, format!("{at} must be {wanted}, not {}. {}", value.type_str(), key.about));
                    None
                }
            },
        }
    }

    fn tables(&mut self, items: Vec<Value>, of: &'static Table, key: &Key, at: &str) -> Option<Value> {
        let mut read = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let Value::Table(item) = item else {
                self.error(
                    WRONG_VALUE,
                    format!("{at} must be an array of tables, not of {}. {}", item.type_str(), key.about),
                );
                return None;
            };
            read.push(Value::Table(self.table(item, of, &format!("{at}[{index}]."))));
        }
        Some(Value::Array(read))
    }

    fn unknown(&mut self, name: &str, at: &str, catalogue: &'static Table) {
        if OTHER_EXECUTORS.contains(&name) {
            self.error(
                "Option of another executor",
                format!("{at} belongs to another executor. This resource runs jobs with the Kubernetes executor only; remove it."),
            );
            return;
        }
        let hint = did_you_mean(name, catalogue.keys().map(|key| key.toml));
        self.error(
            "Unknown key in the runner's configuration",
            format!("GitLab Runner knows no key {at}, and would ignore it without a word.{hint}"),
        );
    }

    pub(super) fn error(&mut self, summary: &'static str, detail: String) {
        self.findings.push(Finding::error(self.place.path.clone(), summary, detail));
    }
}

/// The runner's TOML reader prefers the exact spelling, then ignores letter case.
fn find(catalogue: &'static Table, name: &str) -> Option<&'static Key> {
    catalogue.by_toml(name).or_else(|| catalogue.keys().find(|key| key.toml.eq_ignore_ascii_case(name)))
}

/// What the value should have been, or nothing when it is right.
pub(super) fn mismatch(kind: Kind, value: &Value) -> Option<String> {
    let all = |items: &[Value], is: fn(&Value) -> bool| items.iter().all(is);
    let right = match (kind, value) {
        (Kind::Text | Kind::Choice(_) | Kind::ChoiceOrChoices(_), Value::String(_))
        | (Kind::Integer | Kind::Float, Value::Integer(_))
        | (Kind::Float, Value::Float(_))
        | (Kind::Flag, Value::Boolean(_))
        | (Kind::Duration, Value::Integer(_))
        | (Kind::Timestamp, Value::Datetime(_)) => true,
        (Kind::Duration, Value::String(text)) => is_duration(text),
        (Kind::Timestamp, Value::String(text)) => {
            text.parse::<toml::value::Datetime>().is_ok_and(|time| time.date.is_some() && time.time.is_some())
        }
        (Kind::Texts | Kind::Choices(_) | Kind::ChoiceOrChoices(_), Value::Array(items)) => all(items, Value::is_str),
        (Kind::Integers, Value::Array(items)) => all(items, Value::is_integer),
        (Kind::Floats, Value::Array(items)) => all(items, |item| item.is_float() || item.is_integer()),
        (Kind::TextMap, Value::Table(map)) => map.values().all(Value::is_str),
        (Kind::FlagMap, Value::Table(map)) => map.values().all(Value::is_bool),
        (Kind::IntegerMap, Value::Table(map)) => map.values().all(Value::is_integer),
        _ => false,
    };
    (!right).then(|| kind.article_and_name().to_owned())
}
