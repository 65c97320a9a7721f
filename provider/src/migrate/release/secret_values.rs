//! Converts values to HCL, with a variable in place of each secret.

use gitlabspot_runner_config::catalogue::{Kind, Table};
use secrecy::SecretString;
use serde_json::{Map, Value as Json};

use super::super::hcl::{Value, interpolated};
use super::super::project::{Project, Variable};
use super::super::secrets;

/// A secret that was left out.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Path of the attribute, separated by dots.
    pub(super) path: String,
    pub(super) variable: String,
    /// Name in the values file.
    pub(super) name: String,
    /// The text that was left out, with which its line is found.
    pub(super) text: SecretString,
}

pub(super) struct SecretValues<'a> {
    /// Prefix of the names of variables.
    pub(super) prefix: &'a str,
    pub(super) project: &'a mut Project,
    pub(super) found: Vec<Found>,
}

impl SecretValues<'_> {
    /// Converts a table of config.toml.
    pub(super) fn table(&mut self, fields: &Map<String, Json>, catalogue: &'static Table, path: &str) -> Value {
        let field = |(name, value): (&String, &Json)| {
            let key = catalogue.by_hcl(name);
            let path = format!("{path}.{name}");
            let is_literal = value.as_str().is_none_or(secrets::is_literal);
            let value = match (key.map(|key| key.kind), value) {
                (Some(Kind::Table(of)), Json::Object(fields)) => self.table(fields, of, &path),
                (Some(Kind::Tables(of)), Json::Array(items)) => {
                    let item = |(index, item): (usize, &Json)| match item {
                        Json::Object(fields) => self.table(fields, of, &format!("{path}.{index}")),
                        other => other.into(),
                    };
                    Value::List(items.iter().enumerate().map(item).collect())
                }
                (Some(_), _) if key.is_some_and(|key| key.sensitive) && is_literal => {
                    self.left_out(&path, key.map_or(name.as_str(), |key| key.toml), value)
                }
                (_, Json::Array(items)) => self.texts(items, &path, key.map_or(name.as_str(), |key| key.toml)),
                _ => match (key, fields.get("name").and_then(Json::as_str)) {
                    // Headers of HTTP probes are tables with `name` and `value`.
                    (Some(_), Some(of)) if name == "value" => self.entry(of, value, &path),
                    (Some(key), _) => self.named(value, &path, key.toml),
                    (None, _) => self.entry(name, value, &path),
                },
            };
            (name.clone(), value)
        };
        Value::Object(fields.iter().map(field).collect())
    }

    /// Converts environment variables by name.
    pub(super) fn variables(&mut self, fields: &Map<String, Json>, path: &str) -> Value {
        let field =
            |(name, value): (&String, &Json)| (name.clone(), self.entry(name, value, &format!("{path}.{name}")));
        Value::Object(fields.iter().map(field).collect())
    }

    /// Replaces a value that is always secret.
    pub(super) fn secret(&mut self, value: &Json, path: &str) -> Value {
        self.left_out(path, path, value)
    }

    /// Converts any other value. Texts that look like secrets or contain them are replaced, as are the values of entries
    /// with the name of a secret.
    pub(super) fn plain(&mut self, value: &Json, path: &str) -> Value {
        self.named(value, path, path)
    }

    /// Converts an entry of a map, such as a variable or an annotation.
    fn entry(&mut self, name: &str, value: &Json, path: &str) -> Value {
        match value {
            Json::String(text) if secrets::is_entry(name, text) => self.left_out(path, name, value),
            value => self.named(value, path, name),
        }
    }

    fn named(&mut self, value: &Json, path: &str, name: &str) -> Value {
        match value {
            Json::String(text) if secrets::is_text(text) => self.left_out(path, name, value),
            Json::Array(items) => self.list(items, path, name),
            Json::Object(fields) => {
                let variable = fields.get("name").and_then(Json::as_str);
                let field = |(name, value): (&String, &Json)| {
                    let path = format!("{path}.{name}");
                    // Kubernetes has variables as objects with `name` and `value`.
                    let of = variable.filter(|_| name == "value").unwrap_or(name);
                    (name.clone(), self.entry(of, value, &path))
                };
                Value::Object(fields.iter().map(field).collect())
            }
            plain => plain.into(),
        }
    }

    fn list(&mut self, items: &[Json], path: &str, name: &str) -> Value {
        let mut values = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{path}.{index}");
            let option = index.checked_sub(1).and_then(|before| items.get(before)?.as_str());
            let value = match (option.filter(|option| secrets::is_option(option)), item) {
                (Some(option), Json::String(_)) => self.entry(option.trim_start_matches('-'), item, &path),
                _ => self.named(item, &path, name),
            };
            values.push(value);
        }
        Value::List(values)
    }

    /// Converts a list of `NAME=value`, or of the words of a command.
    fn texts(&mut self, items: &[Json], path: &str, name: &str) -> Value {
        let is_variable = |item: &Json| item.as_str().is_some_and(|text| secrets::variable(text).is_some());
        if !items.iter().any(is_variable) {
            return self.list(items, path, name);
        }
        Value::List(items.iter().map(|item| self.variable(item, path, name)).collect())
    }

    /// Converts an element of a list of `NAME=value`.
    fn variable(&mut self, item: &Json, path: &str, list: &str) -> Value {
        let Some(text) = item.as_str().filter(|text| secrets::is_variable(text)) else {
            return self.named(item, path, list);
        };
        let Some((name, value)) = secrets::variable(text).filter(|(name, _)| !secrets::is_text(name)) else {
            return self.left_out(path, list, item);
        };
        let variable = self.variable_for(&format!("{path}.{name}"), name, &value.into());
        Value::Expression(interpolated(&format!("{name}="), &format!("var.{variable}"), ""))
    }

    fn left_out(&mut self, path: &str, name: &str, value: &Json) -> Value {
        Value::variable(&self.variable_for(path, name, value))
    }

    /// Adds a variable for a value that is left out. Returns its name.
    fn variable_for(&mut self, path: &str, name: &str, value: &Json) -> String {
        let wish = format!("{}_{}", self.prefix, path.to_ascii_lowercase());
        let about = format!("Value of {name}, which was left out of the migrated configuration.");
        let variable = self.project.variable(&wish, &about, Variable::Secret);
        let text = SecretString::from(value.as_str().unwrap_or_default());
        self.found.push(Found { path: path.to_owned(), variable: variable.clone(), name: name.to_owned(), text });
        variable
    }
}
