//! An HCL object in snake case to TOML, by the catalogue.

use serde_json::Value as Json;
use toml::Value as Toml;

use super::super::catalogue::{Key, Kind, Table};
use super::super::finding::{Finding, PathStep};
use super::super::suggest::did_you_mean;
use super::super::version::RunnerVersion;
use super::read::{mismatch, newer};

/// Turns the object at `path` into a table; null attributes are left out.
///
/// Numbers, booleans and their texts are converted into each other as Terraform does.
///
/// # Errors
///
/// Unknown names, wrong values and keys newer than the runner, each at its own path.
pub fn from_hcl(
    object: &Json,
    catalogue: &'static Table,
    version: RunnerVersion,
    path: Vec<PathStep>,
) -> Result<toml::Table, Vec<Finding>> {
    let mut reader = Reader { version, path, findings: Vec::new() };
    let table = reader.table(object, catalogue);
    match reader.findings.is_empty() {
        true => Ok(table),
        false => Err(reader.findings),
    }
}

struct Reader {
    version: RunnerVersion,
    path: Vec<PathStep>,
    findings: Vec<Finding>,
}

impl Reader {
    fn at<T>(&mut self, step: PathStep, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let value = read(self);
        self.path.pop();
        value
    }

    fn error(&mut self, summary: &'static str, detail: String) {
        self.findings.push(Finding::error(self.path.clone(), summary, detail));
    }

    fn table(&mut self, object: &Json, catalogue: &'static Table) -> toml::Table {
        let mut table = toml::Table::new();
        let Json::Object(attributes) = object else {
            self.error("Wrong value in the runner's configuration", "An object is needed here.".into());
            return table;
        };
        for (name, value) in attributes {
            if value.is_null() {
                continue;
            }
            let converted =
                self.at(PathStep::Attribute(name.clone()), |reader| reader.attribute(name, value, catalogue));
            if let Some((key, value)) = converted {
                table.insert(key.toml.to_owned(), value);
            }
        }
        table
    }

    fn attribute(&mut self, name: &str, value: &Json, catalogue: &'static Table) -> Option<(&'static Key, Toml)> {
        let Some(key) = catalogue.by_hcl(name) else {
            let hint = did_you_mean(name, catalogue.keys().map(|key| key.hcl));
            self.error(
                "Unknown key in the runner's configuration",
                format!("GitLab Runner's configuration has no {name} here.{hint}"),
            );
            return None;
        };
        if key.since > self.version {
            let detail = newer(name, key, self.version);
            self.error("Key is newer than the runner", detail);
            return None;
        }
        self.value(value, key).map(|value| (key, value))
    }

    fn value(&mut self, value: &Json, key: &'static Key) -> Option<Toml> {
        match (key.kind, value) {
            (Kind::Table(of), _) => Some(Toml::Table(self.table(value, of))),
            (Kind::Tables(of), Json::Array(items)) => {
                let tables = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.at(PathStep::Index(index), |reader| Toml::Table(reader.table(item, of))));
                Some(Toml::Array(tables.collect()))
            }
            (kind, value) => {
                let converted = scalar_or_collection(kind, value);
                let wanted = match &converted {
                    Some(converted) => mismatch(kind, converted),
                    None => Some(kind.article_and_name().to_owned()),
                };
                match wanted {
                    None => converted,
                    Some(wanted) => {
                        let detail = format!("{} must be {wanted}. {}", key.hcl, key.about);
                        self.error("Wrong value in the runner's configuration", detail);
                        None
                    }
                }
            }
        }
    }
}

fn scalar_or_collection(kind: Kind, value: &Json) -> Option<Toml> {
    let list = |of: fn(&Json) -> Option<Toml>| {
        let items = value.as_array()?.iter().map(of);
        items.collect::<Option<Vec<_>>>().map(Toml::Array)
    };
    let map = |of: fn(&Json) -> Option<Toml>| {
        let entries = value.as_object()?.iter().filter(|(_, value)| !value.is_null());
        let entries = entries.map(|(name, value)| Some((name.clone(), of(value)?)));
        entries.collect::<Option<toml::Table>>().map(Toml::Table)
    };
    match kind {
        Kind::Text | Kind::Choice(_) | Kind::Duration | Kind::Timestamp => text(value),
        Kind::Integer => integer(value),
        Kind::Float => float(value),
        Kind::Flag => flag(value),
        Kind::TextOrTexts if !value.is_array() => text(value),
        Kind::Texts | Kind::TextOrTexts => list(text),
        Kind::Integers => list(integer),
        Kind::Floats => list(float),
        Kind::TextMap => map(text),
        Kind::FlagMap => map(flag),
        Kind::IntegerMap => map(integer),
        Kind::Table(_) | Kind::Tables(_) => None,
    }
}

fn text(value: &Json) -> Option<Toml> {
    match value {
        Json::String(text) => Some(Toml::String(text.clone())),
        Json::Number(number) => Some(Toml::String(number.to_string())),
        Json::Bool(flag) => Some(Toml::String(flag.to_string())),
        _ => None,
    }
}

fn integer(value: &Json) -> Option<Toml> {
    let whole = match value {
        Json::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            // Beyond 2^53 a float no longer tells one whole number from the next.
            (float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0).then_some(float as i64)
        })?,
        Json::String(text) => text.parse().ok()?,
        _ => return None,
    };
    Some(Toml::Integer(whole))
}

fn float(value: &Json) -> Option<Toml> {
    let float = match value {
        Json::Number(number) => number.as_f64()?,
        Json::String(text) => text.parse().ok()?,
        _ => return None,
    };
    Some(Toml::Float(float))
}

fn flag(value: &Json) -> Option<Toml> {
    match value {
        Json::Bool(flag) => Some(Toml::Boolean(*flag)),
        Json::String(text) => text.parse().ok().map(Toml::Boolean),
        _ => None,
    }
}
