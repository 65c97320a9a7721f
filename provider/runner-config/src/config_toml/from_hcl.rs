//! Conversion of an HCL object in snake case to TOML, with the catalogue.

use serde_json::Value as Json;
use tfplugin::framework::{AttributePath, Diagnostic, Step};
use tfplugin::framework::{Number, Raw};
use toml::Value as Toml;

use super::age::unfit;
use super::read::{WRONG_VALUE, mismatch};
use super::settle::settled;
use crate::catalogue::{AFFINITY, Key, Kind, OTHER_EXECUTORS, Table};
use crate::suggest::did_you_mean;
use crate::version::RunnerVersion;

/// Converts the object at `path` to a table; null attributes are omitted.
///
/// Numbers, booleans and strings are converted into each other as in Terraform.
///
/// # Errors
///
/// Unknown names, invalid values and unsupported keys, each at its own path.
pub fn from_hcl(
    object: &Json,
    catalogue: &'static Table,
    version: RunnerVersion,
    path: AttributePath,
) -> Result<toml::Table, Vec<Diagnostic>> {
    from_raw(&Raw::from(object), catalogue, version, path)
}

/// Converts a value that may be partly unknown: unknown parts are omitted, and the rest is validated.
///
/// # Errors
///
/// As [`from_hcl`].
pub fn from_raw(
    object: &Raw,
    catalogue: &'static Table,
    version: RunnerVersion,
    path: AttributePath,
) -> Result<toml::Table, Vec<Diagnostic>> {
    let mut reader = Reader::new(version, path);
    let table = reader.table(object, catalogue);
    reader.result(table)
}

/// Converts the affinity of the manager pod, which has the same structure as that of job pods.
///
/// # Errors
///
/// As [`from_hcl`].
pub fn affinity_from_raw(object: &Raw) -> Result<toml::Table, Vec<Diagnostic>> {
    let mut reader = Reader::new(RunnerVersion::UNKNOWN, AttributePath::of("affinity"));
    reader.is_of_runner = false;
    let table = reader.table(object, &AFFINITY);
    reader.result(table)
}

struct Reader {
    version: RunnerVersion,
    path: AttributePath,
    findings: Vec<Diagnostic>,
    is_of_runner: bool,
}

impl Reader {
    fn new(version: RunnerVersion, path: AttributePath) -> Self {
        Self { version, path, findings: Vec::new(), is_of_runner: true }
    }

    fn result(self, table: toml::Table) -> Result<toml::Table, Vec<Diagnostic>> {
        match self.findings.is_empty() {
            true => Ok(table),
            false => Err(self.findings),
        }
    }

    fn at<T>(&mut self, step: Step, read: impl FnOnce(&mut Self) -> T) -> T {
        let inner = self.path.with(step);
        let outer = std::mem::replace(&mut self.path, inner);
        let value = read(self);
        self.path = outer;
        value
    }

    fn error(&mut self, summary: &'static str, detail: String) {
        self.findings.push(Diagnostic::error(summary, detail).at(self.path.clone()));
    }

    /// The path in HCL, for details: hosts show only the attribute.
    fn place(&self) -> String {
        if self.path.is_root() { "The configuration".to_owned() } else { self.path.to_string() }
    }

    fn table(&mut self, object: &Raw, catalogue: &'static Table) -> toml::Table {
        let mut table = toml::Table::new();
        let attributes = match plain(object) {
            Raw::Map(attributes) => attributes,
            Raw::Unknown(_) => return table,
            // A null attribute is not set; below an attribute, null is invalid.
            Raw::Null if self.path.steps().len() < 2 => return table,
            other => {
                self.error(
                    WRONG_VALUE,
                    format!("{} is {}, but must be an object: {{ ... }}.", self.place(), type_name(other)),
                );
                return table;
            }
        };
        for (name, value) in attributes {
            let value = plain(value);
            if value.is_null() {
                continue;
            }
            let converted = self.at(Step::Attribute(name.clone()), |reader| reader.attribute(name, value, catalogue));
            if let Some((key, value)) = converted {
                table.insert(key.toml.to_owned(), value);
            }
        }
        table
    }

    fn attribute(&mut self, name: &str, value: &Raw, catalogue: &'static Table) -> Option<(&'static Key, Toml)> {
        let Some(key) = catalogue.by_hcl(name) else {
            self.unknown(name, catalogue);
            return None;
        };
        if let Some((summary, detail)) = unfit(&self.place(), key, self.version) {
            self.error(summary, detail);
            return None;
        }
        self.value(value, key).map(|value| (key, value))
    }

    fn unknown(&mut self, name: &str, catalogue: &'static Table) {
        let place = self.place();
        if OTHER_EXECUTORS.contains(&name) && catalogue.by_hcl("executor").is_some() {
            let detail =
                format!("{place} belongs to another executor. Only the Kubernetes executor is supported. Remove it.");
            self.error("Option of another executor", detail);
            return;
        }
        let hint = did_you_mean(name, catalogue.keys().map(|key| key.hcl));
        if !self.is_of_runner {
            self.error("Unknown key", format!("Kubernetes knows no {place}.{hint}"));
            return;
        }
        let detail =
            format!("GitLab Runner does not have the key {place}, and would ignore it without an error.{hint}");
        self.error("Unknown key in the runner's configuration", detail);
    }

    /// The converted value; `None` if it is unknown or invalid.
    fn value(&mut self, value: &Raw, key: &'static Key) -> Option<Toml> {
        let found = self.findings.len();
        let converted = match (key.kind, value) {
            (_, Raw::Unknown(_)) => return None,
            (Kind::Table(of), _) => return Some(Toml::Table(self.table(value, of))),
            (Kind::Tables(of), Raw::List(items)) => {
                let tables = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.at(Step::Index(index), |reader| Toml::Table(reader.table(item, of))));
                return Some(Toml::Array(tables.collect()));
            }
            (kind, Raw::List(items)) if let Some(element) = element_of_list(kind) => self.list(items, element, key),
            (kind, Raw::Map(fields)) if let Some(element) = element_of_map(kind) => self.map(fields, element, key),
            (kind, value) => convert(kind, value),
        };
        if self.findings.len() > found {
            return None;
        }
        let Some(converted) = converted else {
            self.wrong(value, key.kind, key.about);
            return None;
        };
        match settled(key.kind, converted, &self.place()) {
            Ok(None) => None,
            Ok(Some(value)) if mismatch(key.kind, &value).is_none() => Some(value),
            Ok(Some(_)) => {
                self.wrong(value, key.kind, key.about);
                None
            }
            Err(detail) => {
                self.error(WRONG_VALUE, detail);
                None
            }
        }
    }

    /// The converted elements. Unknown ones are omitted.
    fn list(&mut self, items: &[Raw], element: Kind, key: &Key) -> Option<Toml> {
        let items = items.iter().map(plain).enumerate();
        let items = items.filter_map(|(index, item)| {
            self.at(Step::Index(index), |reader| {
                if item.is_null() {
                    let place = reader.place();
                    let detail =
                        format!("{place} is null. Remove it, for example with compact() in a list of strings.");
                    reader.error(WRONG_VALUE, detail);
                    return None;
                }
                reader.element(item, element, key)
            })
        });
        Some(Toml::Array(items.collect()))
    }

    fn map(&mut self, fields: &std::collections::BTreeMap<String, Raw>, element: Kind, key: &Key) -> Option<Toml> {
        let given = fields.iter().map(|(name, value)| (name, plain(value))).filter(|(_, value)| !value.is_null());
        let given = given.filter_map(|(name, value)| {
            let value = self.at(Step::Key(name.clone()), |reader| reader.element(value, element, key))?;
            Some((name.clone(), value))
        });
        Some(Toml::Table(given.collect()))
    }

    fn element(&mut self, value: &Raw, kind: Kind, key: &Key) -> Option<Toml> {
        if value.is_unknown() {
            return None;
        }
        let converted = convert(kind, value);
        if converted.is_none() {
            self.wrong(value, kind, key.about);
        }
        converted
    }

    fn wrong(&mut self, value: &Raw, kind: Kind, about: &str) {
        let place = self.place();
        let not = match value {
            Raw::List(_) | Raw::Map(_) => format!(", not {}", type_name(value)),
            _ => String::new(),
        };
        self.error(WRONG_VALUE, format!("{place} must be {}{not}. {about}", in_hcl(kind)));
    }
}

/// The value without its dynamic type.
fn plain(value: &Raw) -> &Raw {
    match value {
        Raw::Dynamic(dynamic) => plain(&dynamic.value),
        value => value,
    }
}

fn type_name(value: &Raw) -> &'static str {
    match value {
        Raw::Bool(_) => "true or false",
        Raw::Number(_) => "a number",
        Raw::String(_) | Raw::Secret(_) => "a string",
        Raw::List(_) => "a list",
        Raw::Map(_) => "an object",
        Raw::Null | Raw::Unknown(_) | Raw::Dynamic(_) => "null",
    }
}

/// The name of the type in HCL, for messages such as "must be a string".
fn in_hcl(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Choice(_) => "a string",
        Kind::Texts | Kind::Choices(_) | Kind::ChoiceOrChoices(_) => "a list of strings",
        Kind::TextMap => "a map of strings: { name = \"value\" }",
        Kind::FlagMap => "a map of true and false: { name = true }",
        Kind::IntegerMap => "a map of whole numbers: { name = 1 }",
        Kind::Table(_) => "an object: { ... }",
        Kind::Tables(_) => "a list of objects: [{ ... }]",
        _ => kind.article_and_name(),
    }
}

fn element_of_list(kind: Kind) -> Option<Kind> {
    match kind {
        Kind::Texts | Kind::Choices(_) | Kind::ChoiceOrChoices(_) => Some(Kind::Text),
        Kind::Integers => Some(Kind::Integer),
        Kind::Floats => Some(Kind::Float),
        _ => None,
    }
}

fn element_of_map(kind: Kind) -> Option<Kind> {
    match kind {
        Kind::TextMap => Some(Kind::Text),
        Kind::FlagMap => Some(Kind::Flag),
        Kind::IntegerMap => Some(Kind::Integer),
        _ => None,
    }
}

/// Converts a value to another type as Terraform does.
fn convert(kind: Kind, value: &Raw) -> Option<Toml> {
    match kind {
        Kind::Text | Kind::Choice(_) | Kind::Duration | Kind::Timestamp | Kind::ChoiceOrChoices(_) => match value {
            Raw::String(text) => Some(Toml::String(text.clone())),
            // Terraform converts a number for an attribute of type string; the dynamic attributes of this object have
            // no type.
            Raw::Number(number) => Some(Toml::String(number.to_string())),
            Raw::Bool(flag) => Some(Toml::String(flag.to_string())),
            _ => None,
        },
        Kind::Integer => number(value)?.as_i64().map(Toml::Integer),
        Kind::Float => Some(Toml::Float(number(value)?.as_f64())),
        Kind::Flag => match value {
            Raw::Bool(flag) => Some(Toml::Boolean(*flag)),
            // The strings that Terraform converts to a boolean.
            Raw::String(text) => match text.as_str() {
                "true" | "1" => Some(Toml::Boolean(true)),
                "false" | "0" => Some(Toml::Boolean(false)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn number(value: &Raw) -> Option<Number> {
    match value {
        Raw::Number(number) => Some(number.clone()),
        Raw::String(text) => Number::parse(text),
        _ => None,
    }
}
