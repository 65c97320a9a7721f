//! Requests for objects.

use http::request::Parts;
use serde_json::Value as Json;
use url::form_urlencoded;

use super::discovery::{Kind, kind_at};

#[derive(Debug)]
pub(super) struct Request {
    pub(super) verb: &'static str,
    pub(super) kind: &'static Kind,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    /// The object or list: `deployments ci/warm`, `jobs ci`.
    pub(super) object: String,
    query: String,
    pub(super) body: Json,
}

impl Request {
    /// Parses a request. `None` if its path does not exist.
    pub(super) fn of(head: &Parts, body: Json) -> Option<Self> {
        let parts: Vec<&str> = head.uri.path().trim_matches('/').split('/').collect();
        let (version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ((*version).to_owned(), rest),
            ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
            _ => return None,
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some((*namespace).to_owned()), rest),
            rest => (None, rest),
        };
        let kind = kind_at(&version, rest.first()?)?;
        let query = head.uri.query().unwrap_or_default().to_owned();
        let is_apply = head.headers.get("content-type").is_some_and(|it| it == "application/apply-patch+yaml");
        let verb = match (head.method.as_str(), &rest[1..]) {
            ("GET", []) => "LIST",
            ("GET", [_]) => "GET",
            ("GET", [_, "log"]) => "LOG",
            ("PATCH", [_]) if is_apply && query.contains("dryRun=All") => "DRY-RUN",
            ("PATCH", [_]) if is_apply => "APPLY",
            ("DELETE", [_]) => "DELETE",
            (method, _) => unreachable!("{method} {} is not served", head.uri),
        };
        let name = rest.get(1).map(|name| (*name).to_owned());
        let object = place(kind, namespace.as_deref(), name.as_deref());
        Some(Self { verb, kind, namespace, name, object, query, body })
    }

    /// A parameter of the query; empty if it is missing.
    pub(super) fn parameter(&self, name: &str) -> String {
        let mut all = form_urlencoded::parse(self.query.as_bytes());
        all.find(|(it, _)| it == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }

    pub(super) fn line(&self) -> String {
        format!("{} {}", self.verb, self.object)
    }

    /// Whether the request of a fault is this one, or its verb and resource.
    pub(super) fn is(&self, text: &str) -> bool {
        text == self.line() || text == format!("{} {}", self.verb, self.kind.resource)
    }

    pub(super) fn is_read(&self) -> bool {
        ["GET", "LIST"].contains(&self.verb)
    }
}

pub(super) fn is_write(line: &str) -> bool {
    line.starts_with("APPLY ") || line.starts_with("DELETE ")
}

pub(super) fn place(kind: &Kind, namespace: Option<&str>, name: Option<&str>) -> String {
    let place: Vec<&str> = namespace.into_iter().chain(name).collect();
    format!("{} {}", kind.resource, place.join("/")).trim_end().to_owned()
}
