//! Parameters in forms and query strings, and lists in XML.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde_json::Value as Json;

/// The parameters of a request.
#[derive(Clone, Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn parse(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// All values of a repeated parameter.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The value; empty if the parameter is missing.
    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// The values of a numbered list. `field` selects a field of each element, such as `.Key`; empty for plain values.
    pub(super) fn list(&self, list: &str, field: &str) -> Vec<String> {
        (1..).map_while(|number| self.get(&format!("{list}.{number}{field}"))).map(str::to_owned).collect()
    }

    /// Keys and values of a list of tags.
    pub(super) fn tags(&self, list: &str) -> impl Iterator<Item = (String, String)> {
        let keys = self.list(list, ".Key").into_iter().zip(1..);
        keys.map(move |(key, number)| (key, self.text(&format!("{list}.{number}.Value"))))
    }

    /// The parameters under a prefix, without it.
    pub(super) fn under(&self, prefix: &str) -> BTreeMap<String, String> {
        self.0.iter().filter_map(|(key, value)| Some((key.strip_prefix(prefix)?.to_owned(), value.clone()))).collect()
    }

    pub(super) fn json(&self) -> Json {
        self.0.iter().map(|(key, value)| (key.clone(), Json::from(value.as_str()))).collect()
    }
}

/// One element of this name for each content.
pub(super) fn elements<T: Display>(name: &str, content: impl IntoIterator<Item = T>) -> String {
    content.into_iter().map(|content| format!("<{name}>{content}</{name}>")).collect()
}
