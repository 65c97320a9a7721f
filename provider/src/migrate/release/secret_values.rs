//! Converts values to HCL, with a variable in place of each secret.

use gitlabspot_runner_config::catalogue::{Kind, Table};
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
                    self.left_out(&path, key.map_or(name.as_str(), |key| key.toml))
                }
                (_, Json::Array(items)) => Value::List(items.iter().map(|item| self.variable(item, &path)).collect()),
                _ => self.named(value, &path, key.map_or(name.as_str(), |key| key.toml)),
            };
            (name.clone(), value)
        };
        Value::Object(fields.iter().map(field).collect())
    }

    /// Converts environment variables by name.
    pub(super) fn variables(&mut self, fields: &Map<String, Json>, path: &str) -> Value {
        let field = |(name, value): (&String, &Json)| {
            let text = value.as_str().unwrap_or_default();
            let is_secret = secrets::is_literal(text) && (secrets::is_name(name) || secrets::is_text(text));
            let path = format!("{path}.{name}");
            let value = if is_secret { self.left_out(&path, name) } else { value.into() };
            (name.clone(), value)
        };
        Value::Object(fields.iter().map(field).collect())
    }

    /// Replaces a value that is always secret.
    pub(super) fn secret(&mut self, path: &str) -> Value {
        self.left_out(path, path)
    }

    /// Converts any other value. Texts that look like secrets are replaced, as are values of objects with `name` and
    /// `value` if the name is one of a secret.
    pub(super) fn plain(&mut self, value: &Json, path: &str) -> Value {
        self.named(value, path, path.rsplit('.').next().unwrap_or(path))
    }

    fn named(&mut self, value: &Json, path: &str, name: &str) -> Value {
        match value {
            Json::String(text) if secrets::is_text(text) => self.left_out(path, name),
            Json::Array(items) => {
                let item = |(index, item): (usize, &Json)| self.named(item, &format!("{path}.{index}"), name);
                Value::List(items.iter().enumerate().map(item).collect())
            }
            Json::Object(fields) => {
                let variable = fields.get("name").and_then(Json::as_str).filter(|name| secrets::is_name(name));
                let field = |(name, value): (&String, &Json)| {
                    let path = format!("{path}.{name}");
                    let value = match (variable, value) {
                        (Some(variable), Json::String(text)) if name == "value" && secrets::is_literal(text) => {
                            self.left_out(&path, variable)
                        }
                        _ => self.named(value, &path, name),
                    };
                    (name.clone(), value)
                };
                Value::Object(fields.iter().map(field).collect())
            }
            plain => plain.into(),
        }
    }

    /// Converts an element of a list of `NAME=value`.
    fn variable(&mut self, item: &Json, path: &str) -> Value {
        let Some(text) = item.as_str().filter(|text| secrets::is_variable(text)) else { return self.plain(item, path) };
        let Some((name, _)) = text.split_once('=').filter(|(name, _)| !secrets::is_text(name)) else {
            return self.left_out(path, path);
        };
        let path = format!("{path}.{name}");
        match self.left_out(&path, name) {
            Value::Expression(expression) => Value::Expression(interpolated(&format!("{name}="), &expression, "")),
            other => other,
        }
    }

    fn left_out(&mut self, path: &str, name: &str) -> Value {
        let wish = format!("{}_{}", self.prefix, path.to_ascii_lowercase());
        let about = format!("Value of {name}, which was left out of the migrated configuration.");
        let variable = self.project.variable(&wish, &about, Variable::Secret);
        if let Value::Expression(expression) = &variable {
            let variable = expression.trim_start_matches("var.").to_owned();
            self.found.push(Found { path: path.to_owned(), variable, name: name.to_owned() });
        }
        variable
    }
}
