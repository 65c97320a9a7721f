//! A file, and values of a type in it.

use serde_json::{Map, Value as Json};

use super::super::report::Place;
use super::EksctlError;
use crate::yaml::{self, Lines};

/// A configuration file.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) file: String,
    pub(super) top: Map<String, Json>,
    /// Whether further documents follow.
    pub(super) has_more: bool,
    lines: Lines,
}

impl Document {
    pub(super) fn read(file: &str, text: &str) -> Result<Self, EksctlError> {
        let (value, lines, has_more) = yaml::first_document(text)
            .map_err(|error| EksctlError::NotYaml { file: file.to_owned(), detail: error.detail })?;
        let other = |why: &str| EksctlError::NotOfEksctl { file: file.to_owned(), why: why.to_owned() };
        let Json::Object(top) = value else {
            return Err(other(if value.is_null() { "it is empty" } else { "it is not a map" }));
        };
        match top.get("kind").and_then(Json::as_str) {
            None | Some("ClusterConfig") => {}
            Some(kind) => return Err(other(&format!("its kind is {kind:?}, and not ClusterConfig"))),
        }
        if !["managedNodeGroups", "nodeGroups"].iter().any(|key| top.contains_key(*key)) {
            return Err(match top.contains_key("gitlabUrl") || top.contains_key("runners") {
                true => other("it is a values file. Give it with --values"),
                false if top.contains_key("kind") => EksctlError::NoGroups { file: file.to_owned() },
                false => other("it has neither managedNodeGroups nor nodeGroups"),
            });
        }
        Ok(Self { file: file.to_owned(), top, has_more, lines })
    }

    /// The groups of a list.
    pub(super) fn groups(&self, key: &str) -> Result<Vec<&Map<String, Json>>, EksctlError> {
        let groups = match self.top.get(key) {
            None | Some(Json::Null) => return Ok(Vec::new()),
            Some(Json::Array(groups)) => groups,
            Some(_) => return Err(self.invalid(key, "it must be a list of node groups")),
        };
        let group = |(index, group): (usize, &'_ Json)| match group {
            Json::Object(_) => Ok(()),
            _ => Err(self.invalid(&format!("{key}.{index}"), "it must be a map")),
        };
        groups.iter().enumerate().try_for_each(group)?;
        Ok(groups.iter().filter_map(Json::as_object).collect())
    }

    /// Where a key stands, and its path without what it shares with its neighbours.
    pub(super) fn place(&self, path: &str) -> Place {
        Place { file: self.file.clone(), line: self.lines.of(path), key: shown(path) }
    }

    pub(super) fn invalid(&self, path: &str, why: &str) -> EksctlError {
        EksctlError::Invalid {
            file: self.file.clone(),
            line: self.lines.of(path),
            key: shown(path),
            why: why.to_owned(),
        }
    }

    /// The text of a scalar that is no placeholder.
    pub(super) fn text(&self, path: &str, value: &Json) -> Result<String, EksctlError> {
        match value {
            Json::String(text) if is_placeholder(text) => Err(self.placeholder(path, text)),
            value => self.any_text(path, value),
        }
    }

    /// The text of a scalar. Values of tags and labels are not checked for placeholders: `${x}` is a valid tag.
    pub(super) fn any_text(&self, path: &str, value: &Json) -> Result<String, EksctlError> {
        match value {
            Json::String(text) => Ok(text.clone()),
            Json::Number(number) => Ok(number.to_string()),
            Json::Bool(flag) => Ok(flag.to_string()),
            _ => Err(self.invalid(path, "it must be a text")),
        }
    }

    pub(super) fn texts(&self, path: &str, value: &Json) -> Result<Vec<String>, EksctlError> {
        match value {
            Json::Null => Ok(Vec::new()),
            Json::Array(items) => {
                items.iter().enumerate().map(|(index, item)| self.text(&format!("{path}.{index}"), item)).collect()
            }
            _ => Err(self.invalid(path, "it must be a list of texts")),
        }
    }

    /// Texts by name.
    pub(super) fn text_map(&self, path: &str, value: &Json) -> Result<Map<String, Json>, EksctlError> {
        match value {
            Json::Null => Ok(Map::new()),
            Json::Object(fields) => {
                let text = |(name, value): (&String, &Json)| {
                    let text = match value {
                        Json::Null => String::new(),
                        value => self.any_text(&format!("{path}.{name}"), value)?,
                    };
                    Ok((name.clone(), text.into()))
                };
                fields.iter().map(text).collect()
            }
            _ => Err(self.invalid(path, "it must be a map of texts")),
        }
    }

    pub(super) fn integer(&self, path: &str, value: &Json) -> Result<i64, EksctlError> {
        let number = value.as_i64().filter(|number| *number >= 0);
        number.ok_or_else(|| self.wrong_type(path, value, "it must be a whole number of at least 0"))
    }

    pub(super) fn flag(&self, path: &str, value: &Json) -> Result<bool, EksctlError> {
        value.as_bool().ok_or_else(|| self.wrong_type(path, value, "it must be true or false"))
    }

    fn wrong_type(&self, path: &str, value: &Json, why: &str) -> EksctlError {
        match value {
            Json::String(text) if is_placeholder(text) => self.placeholder(path, text),
            _ => self.invalid(path, why),
        }
    }

    fn placeholder(&self, path: &str, text: &str) -> EksctlError {
        let why = format!("{text:?} is a placeholder. Replace it with its value first, for example with envsubst");
        self.invalid(path, &why)
    }
}

/// Whether a text contains `${NAME}` or `{{ ... }}`, or is `$NAME`: files of eksctl are often templates of other programs.
pub(super) fn is_placeholder(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.starts_with(|letter: char| letter.is_ascii_digit())
            && !name.is_empty()
            && name.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
    };
    let in_braces = text.split("${").skip(1).any(|rest| rest.split_once('}').is_some_and(|(name, _)| is_name(name)));
    in_braces || text.contains("{{") || text.strip_prefix('$').is_some_and(is_name)
}

/// `managedNodeGroups.0.ssh` as people write it.
fn shown(path: &str) -> String {
    let mut shown = String::new();
    for part in path.split('.') {
        if !part.is_empty() && part.bytes().all(|letter| letter.is_ascii_digit()) {
            shown.push_str(&format!("[{part}]"));
        } else {
            if !shown.is_empty() {
                shown.push('.');
            }
            shown.push_str(part);
        }
    }
    shown
}

/// The value at a dotted path below a map, unless it is null.
pub(super) fn get<'a>(map: &'a Map<String, Json>, path: &str) -> Option<&'a Json> {
    let mut parts = path.split('.');
    let first = map.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part)).filter(|value| !value.is_null())
}
