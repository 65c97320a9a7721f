//! Converts values to the types of their keys.

use gitlabspot_runner_config::config_toml::{Release, Unsupported};
use serde_json::{Map, Value};

use super::keys::ValueType;

/// A value with the type of its key.
pub(super) struct Converted {
    pub(super) value: Value,
    /// Whether Helm interprets the value differently.
    pub(super) is_surprising: bool,
}

/// Converts a value to a type. The error contains the expected type.
pub(super) fn convert(value: &Value, ty: ValueType, release: Release<'_>) -> Result<Converted, TypeError> {
    let is_surprising = ty == ValueType::Flag && value == "false";
    let right = match ty {
        ValueType::Text => text(value).map(Value::String),
        ValueType::Template => Some(template(text(value), release)?),
        ValueType::Flag => flag(value).map(Value::Bool),
        ValueType::Integer => integer(value).map(Value::from),
        ValueType::Texts => list(value, text),
        ValueType::Names => list(value, |item| text(item.get("name").unwrap_or(item))),
        ValueType::TextMap => map(value),
        ValueType::TemplateMap => {
            let mut expanded = Map::new();
            for (name, value) in value.as_object().ok_or(TypeError::Expected(expected(ty)))? {
                expanded.insert(name.clone(), template(text(value), release)?);
            }
            Some(Value::Object(expanded))
        }
        ValueType::Object => value.is_object().then(|| value.clone()),
        ValueType::List => value.is_array().then(|| value.clone()),
        ValueType::Any => Some(value.clone()),
    };
    right.map(|value| Converted { value, is_surprising }).ok_or(TypeError::Expected(expected(ty)))
}

#[derive(Debug)]
pub(super) enum TypeError {
    Expected(&'static str),
    Unsupported(Vec<Unsupported>),
}

fn expected(ty: ValueType) -> &'static str {
    match ty {
        ValueType::Text | ValueType::Template => "a string",
        ValueType::Flag => "true or false",
        ValueType::Integer => "a whole number",
        ValueType::Texts => "a list of strings",
        ValueType::Names => "a list of names",
        ValueType::TextMap | ValueType::TemplateMap => "a map of strings",
        ValueType::Object => "a map",
        ValueType::List => "a list",
        ValueType::Any => "anything",
    }
}

/// Whether the chart treats a value as missing.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether a value contains only empty values.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().all(is_blank),
        value => is_empty(value),
    }
}

pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        },
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn template(text: Option<String>, release: Release<'_>) -> Result<Value, TypeError> {
    let text = text.ok_or(TypeError::Expected("a string"))?;
    release.expand(&text).map(Value::String).map_err(TypeError::Unsupported)
}

fn list(value: &Value, item: fn(&Value) -> Option<String>) -> Option<Value> {
    value.as_array()?.iter().map(|one| item(one).map(Value::String)).collect::<Option<Vec<_>>>().map(Value::Array)
}

fn map(value: &Value) -> Option<Value> {
    let entries = value.as_object()?.iter().map(|(name, value)| Some((name.clone(), Value::String(text(value)?))));
    entries.collect::<Option<Map<_, _>>>().map(Value::Object)
}
