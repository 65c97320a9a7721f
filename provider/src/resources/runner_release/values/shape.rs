//! Brings a value into the shape that its key has.

use serde_json::{Map, Value};

use super::super::config_toml::Release;
use super::super::finding::{Finding, attribute};
use super::keys::Shape;

/// The value in its shape, or what it should have been.
pub(super) fn shaped(value: &Value, shape: Shape, release: Release<'_>) -> Result<Value, Misshapen> {
    let right = match shape {
        Shape::Text => text(value).map(Value::String),
        Shape::Template => return template(text(value), release),
        Shape::Flag => value.as_bool().map(Value::Bool),
        Shape::Integer => value.as_i64().map(Value::from),
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
    right.ok_or(Misshapen::Wanted(wanted(shape)))
}

pub(super) enum Misshapen {
    Wanted(&'static str),
    Findings(Vec<Finding>),
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

pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn template(text: Option<String>, release: Release<'_>) -> Result<Value, Misshapen> {
    let text = text.ok_or(Misshapen::Wanted("a string"))?;
    release.expand(&text, &attribute("values")).map(Value::String).map_err(Misshapen::Findings)
}

fn list(value: &Value, item: fn(&Value) -> Option<String>) -> Option<Value> {
    value.as_array()?.iter().map(|one| item(one).map(Value::String)).collect::<Option<Vec<_>>>().map(Value::Array)
}

fn map(value: &Value) -> Option<Value> {
    let entries = value.as_object()?.iter().map(|(name, value)| Some((name.clone(), Value::String(text(value)?))));
    entries.collect::<Option<Map<_, _>>>().map(Value::Object)
}
