//! Brings a value into the shape that its key has.

use gitlabspot_runner_config::config_toml::{Release, Unsupported};
use serde_json::{Map, Value};

use super::keys::Shape;

/// A value in the shape of its key.
pub(super) struct Shaped {
    pub(super) value: Value,
    /// Whether Helm reads it otherwise.
    pub(super) is_surprising: bool,
}

/// The value in its shape, or what it should have been.
pub(super) fn shaped(value: &Value, shape: Shape, release: Release<'_>) -> Result<Shaped, Misshapen> {
    let is_surprising = shape == Shape::Flag && value == "false";
    let right = match shape {
        Shape::Text => text(value).map(Value::String),
        Shape::Template => Some(template(text(value), release)?),
        Shape::Flag => flag(value).map(Value::Bool),
        Shape::Integer => integer(value).map(Value::from),
        Shape::Texts => list(value, text),
        Shape::Names => list(value, |item| text(item.get("name").unwrap_or(item))),
        Shape::TextMap => map(value),
        Shape::TemplateMap => {
            let mut expanded = Map::new();
            for (name, value) in value.as_object().ok_or(Misshapen::Wanted(wanted(shape)))? {
                expanded.insert(name.clone(), template(text(value), release)?);
            }
            Some(Value::Object(expanded))
        }
        Shape::Object => value.is_object().then(|| value.clone()),
        Shape::List => value.is_array().then(|| value.clone()),
        Shape::Any => Some(value.clone()),
    };
    right.map(|value| Shaped { value, is_surprising }).ok_or(Misshapen::Wanted(wanted(shape)))
}

#[derive(Debug)]
pub(super) enum Misshapen {
    Wanted(&'static str),
    Unsupported(Vec<Unsupported>),
}

fn wanted(shape: Shape) -> &'static str {
    match shape {
        Shape::Text | Shape::Template => "a string",
        Shape::Flag => "true or false",
        Shape::Integer => "a whole number",
        Shape::Texts => "a list of strings",
        Shape::Names => "a list of names",
        Shape::TextMap | Shape::TemplateMap => "a map of strings",
        Shape::Object => "a map",
        Shape::List => "a list",
        Shape::Any => "anything",
    }
}

/// The chart takes it for one that is not there.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether there is nothing but empty values in it.
pub(super) fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().all(says_nothing),
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

fn template(text: Option<String>, release: Release<'_>) -> Result<Value, Misshapen> {
    let text = text.ok_or(Misshapen::Wanted("a string"))?;
    release.expand(&text).map(Value::String).map_err(Misshapen::Unsupported)
}

fn list(value: &Value, item: fn(&Value) -> Option<String>) -> Option<Value> {
    value.as_array()?.iter().map(|one| item(one).map(Value::String)).collect::<Option<Vec<_>>>().map(Value::Array)
}

fn map(value: &Value) -> Option<Value> {
    let entries = value.as_object()?.iter().map(|(name, value)| Some((name.clone(), Value::String(text(value)?))));
    entries.collect::<Option<Map<_, _>>>().map(Value::Object)
}
