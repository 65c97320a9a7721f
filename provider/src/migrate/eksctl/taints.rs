//! Taints, in each form in which people write them.

use serde_json::Value as Json;

use super::EksctlError;
use super::document::Document;

/// A taint, its effect as Kubernetes writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taint {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) effect: &'static str,
}

const EFFECTS: [(&str, &str); 3] =
    [("NoSchedule", "NO_SCHEDULE"), ("PreferNoSchedule", "PREFER_NO_SCHEDULE"), ("NoExecute", "NO_EXECUTE")];

/// A list of `{key, value, effect}` or of `key=value:effect`, or a map of `key: value:effect`.
pub(super) fn read(document: &Document, path: &str, taints: &Json) -> Result<Vec<Taint>, EksctlError> {
    match taints {
        Json::Null => Ok(Vec::new()),
        Json::Object(taints) => {
            let taint = |(key, value): (&String, &Json)| {
                let path = format!("{path}.{key}");
                let text = document.text(&path, value)?;
                of_text(key, &text).ok_or_else(|| document.invalid(&path, NO_TAINT))
            };
            taints.iter().map(taint).collect()
        }
        Json::Array(items) => {
            let taint = |(index, item)| listed(document, &format!("{path}.{index}"), item);
            items.iter().enumerate().map(taint).collect()
        }
        _ => Err(document.invalid(path, "it must be a list of {key, value, effect}, or a map")),
    }
}

const NO_TAINT: &str = "it must end with :NoSchedule, :PreferNoSchedule or :NoExecute";

fn listed(document: &Document, path: &str, item: &Json) -> Result<Taint, EksctlError> {
    if let Json::String(text) = item {
        let (key, rest) = text.split_once('=').or_else(|| text.split_once(':')).unwrap_or((text, ""));
        return of_text(key, rest).ok_or_else(|| document.invalid(path, NO_TAINT));
    }
    let Json::Object(fields) = item else {
        return Err(document.invalid(path, "it must have key, value and effect"));
    };
    if let Some(name) = fields.keys().find(|name| !["key", "value", "effect"].contains(&name.as_str())) {
        return Err(document.invalid(&format!("{path}.{name}"), "a taint has key, value and effect"));
    }
    let text = |name: &str| match fields.get(name) {
        None | Some(Json::Null) => Ok(String::new()),
        Some(value) => document.text(&format!("{path}.{name}"), value),
    };
    let (key, value, effect) = (text("key")?, text("value")?, text("effect")?);
    if key.is_empty() {
        return Err(document.invalid(path, "the taint has no key"));
    }
    let why = format!("{effect:?} is no effect of a taint: NoSchedule, PreferNoSchedule or NoExecute");
    let effect = self::effect(&effect).ok_or_else(|| document.invalid(&format!("{path}.effect"), &why))?;
    Ok(Taint { key, value, effect })
}

/// `value:effect`, or the effect alone.
fn of_text(key: &str, text: &str) -> Option<Taint> {
    let (value, effect) = text.rsplit_once(':').unwrap_or(("", text));
    Some(Taint { key: key.to_owned(), value: value.to_owned(), effect: self::effect(effect)? })
}

fn effect(text: &str) -> Option<&'static str> {
    EFFECTS.iter().find(|(kubernetes, eks)| text == *kubernetes || text == *eks).map(|(kubernetes, _)| *kubernetes)
}
