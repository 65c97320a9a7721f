//! Validates a TOML table with the catalogue and normalizes the spelling of its keys.

use tfplugin::framework::Diagnostic;
use toml::Value;

use super::age::unfit;
use super::duration::is_duration;
use super::place::{Lines, Place, Remark};
use super::settle::settled;
use crate::catalogue::{Key, Kind, OTHER_EXECUTORS, Table, home};
use crate::suggest::did_you_mean;

pub(super) const OTHER_EXECUTOR: &str = "Option of another executor";
pub(super) const WRONG_VALUE: &str = "Invalid value in the runner's configuration";

pub(super) struct Reader<'a> {
    pub(super) place: &'a Place,
    pub(super) lines: Lines,
    pub(super) findings: Vec<Diagnostic>,
    pub(super) remarks: Vec<Remark>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(place: &'a Place, text: &str) -> Self {
        Self { place, lines: Lines::of_text(text), findings: Vec::new(), remarks: Vec::new() }
    }

    /// Reads a table. Invalid keys are reported and omitted.
    pub(super) fn table(&mut self, given: toml::Table, catalogue: &'static Table, at: &str) -> toml::Table {
        let mut read = toml::Table::new();
        for (name, value) in given {
            let here = format!("{at}{name}");
            let Some(key) = find(catalogue, &name) else {
                self.unknown(&name, &here, catalogue);
                continue;
            };
            if let Some((summary, detail)) = unfit(&here, key, self.place.version) {
                self.ignored(summary, &here, &detail);
                continue;
            }
            if let Some(value) = self.value(value, key, &here)
                // The order in which Go reads two spellings decides which one applies.
                && read.insert(key.toml.to_owned(), value).is_some()
            {
                self.error(
                    "Duplicate key",
                    &here,
                    &format!("{here} is set in two spellings. The runner ignores case."),
                );
            }
        }
        read
    }

    fn value(&mut self, value: Value, key: &'static Key, at: &str) -> Option<Value> {
        let value = match settled(key.kind, value, at) {
            Ok(value) => value?,
            Err(detail) => {
                match fallback(key.kind) {
                    Some(used) => {
                        let detail = format!("{detail} GitLab Runner ignores any other string, and uses {used}.");
                        self.ignored(WRONG_VALUE, at, &detail);
                    }
                    None => self.error(WRONG_VALUE, at, &detail),
                }
                return None;
            }
        };
        match (key.kind, value) {
            (Kind::Table(of), Value::Table(table)) => Some(Value::Table(self.table(table, of, &format!("{at}.")))),
            (Kind::Tables(of), Value::Array(items)) => self.tables(items, of, key, at),
            (kind, value) => match mismatch(kind, &value) {
                None => Some(value),
                Some(wanted) => {
                    self.error(WRONG_VALUE, at, &wrong(&wanted, &value, key, at));
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
                    at,
                    &format!("{at} must be an array of tables, [[{at}]], not of {}s. {}", item.type_str(), key.about),
                );
                return None;
            };
            let is_given = !item.is_empty();
            let item = self.table(item, of, &format!("{at}[{index}]."));
            // A patch of which the runner ignores all keys changes nothing.
            if key.toml != "pod_spec" || !is_given || !item.is_empty() {
                read.push(Value::Table(item));
            }
        }
        (key.toml != "pod_spec" || !read.is_empty()).then_some(Value::Array(read))
    }

    fn unknown(&mut self, name: &str, at: &str, catalogue: &'static Table) {
        if OTHER_EXECUTORS.contains(&name) {
            self.ignored(
                OTHER_EXECUTOR,
                at,
                &format!("{at} belongs to another executor, but this resource only supports the Kubernetes executor."),
            );
            return;
        }
        let detail = match home(name, catalogue) {
            _ if OF_GITLAB.contains(&name) => {
                format!(
                    "{name} is set in GitLab, or with registration.tag_list and the like; the runner ignores it here."
                )
            }
            Some(home) => format!("{name} belongs to {home}; here the runner ignores it."),
            None => {
                let hint = did_you_mean(name, catalogue.keys().map(|key| key.toml));
                format!("GitLab Runner does not have the key {at}, and ignores it.{hint}")
            }
        };
        self.ignored("Unknown key in the runner's configuration", at, &detail);
    }

    /// Reports a key that the runner ignores: an error in `config_toml`, otherwise a remark.
    pub(super) fn ignored(&mut self, summary: &'static str, at: &str, detail: &str) {
        if self.place.is_strict() {
            return self.error(summary, at, detail);
        }
        let line = self.lines.of(at).filter(|_| self.place.first_line.is_some()).map(|line| self.place.line(line));
        self.remarks.push(Remark { line, key: at.to_owned(), text: detail.to_owned() });
    }

    pub(super) fn error(&mut self, summary: &'static str, at: &str, detail: &str) {
        self.findings.push(self.place.error(self.lines.of(at), summary, detail));
    }
}

/// What the runner uses instead of a string that is not in the list of the key, if it accepts such strings.
fn fallback(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Choice(choice) => choice.fallback(),
        _ => None,
    }
}

/// Settings of a runner that are stored in GitLab.
const OF_GITLAB: [&str; 6] = ["tags", "tag_list", "run_untagged", "locked", "access_level", "protected"];

/// Finds a key as the runner's TOML parser does: by the exact spelling, or else ignoring case.
fn find(catalogue: &'static Table, name: &str) -> Option<&'static Key> {
    catalogue.by_toml(name).or_else(|| catalogue.keys().find(|key| key.toml.eq_ignore_ascii_case(name)))
}

fn wrong(wanted: &str, value: &Value, key: &Key, at: &str) -> String {
    match (key.kind, value) {
        (Kind::TextMap | Kind::FlagMap | Kind::IntegerMap, Value::Table(map)) => {
            let is_wrong = |value: &Value| match key.kind {
                Kind::FlagMap => !value.is_bool(),
                Kind::IntegerMap => !value.is_integer(),
                _ => !value.is_str(),
            };
            let odd = map.iter().find(|(_, value)| is_wrong(value));
            let (name, kind) =
                odd.map_or((String::new(), "something else"), |(name, value)| (name.clone(), named(value)));
            format!(
                "{at}.{name} is {kind}, but {at} is {wanted}. In TOML every key after [{at}] belongs to that table. \
                 Move keys of other tables before it."
            )
        }
        _ => format!("{at} is {}, but must be {wanted}. {}", named(value), key.about),
    }
}

fn named(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a time",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

/// The name of the expected type; `None` if the value has it.
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
            // `token_obtained_at` and `token_expires_at` are Go times, which the runner also reads from strings.
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
