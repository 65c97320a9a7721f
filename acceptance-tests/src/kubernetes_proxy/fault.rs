//! Faults that tests inject into requests to the API server.

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

/// A fault in some of the next requests with a method and a path: in the first one that matches, unless configured
/// otherwise.
#[derive(Clone, Debug)]
pub struct KubernetesFault {
    pub(crate) effect: Effect,
    method: String,
    with: Vec<String>,
    without: Vec<String>,
    skip: u32,
    /// Number of further requests to affect; `None` means all.
    times: Option<u32>,
}

#[derive(Clone)]
pub(crate) enum Effect {
    /// A response in place of that of the API server.
    Answer {
        status: u16,
        content_type: &'static str,
        body: String,
        retry_after: Option<u32>,
    },
    /// The response of the API server with a changed body.
    Change(Arc<dyn Fn(&mut Value) + Send + Sync>),
    /// The first half of the response of the API server.
    Cut,
    DropBefore,
    DropAfter,
    Delay(Duration),
}

impl KubernetesFault {
    /// An error response of the API server. In this and all other functions, `path` is a part of the request's path and
    /// query, and the method `*` matches all methods.
    #[must_use]
    pub fn error(method: &str, path: &str, status: u16, reason: &str, message: &str) -> Self {
        let body = json!({
            "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "code": status,
            "reason": reason, "message": message,
        });
        Self::answer(method, path, status, &body)
    }

    /// The response of an API server to invalid credentials. To reject credentials that were valid until now, see
    /// [`super::KubernetesProxy::expire_tokens`].
    #[must_use]
    pub fn unauthorized(method: &str, path: &str) -> Self {
        Self::error(method, path, 401, "Unauthorized", "Unauthorized")
    }

    /// The response of an overloaded API server.
    #[must_use]
    pub fn too_many(method: &str, path: &str, retry_after: u32) -> Self {
        Self::error(method, path, 429, "TooManyRequests", "too many requests, please try again later")
            .retry_after(retry_after)
    }

    /// A response with this status and body.
    #[must_use]
    pub fn answer(method: &str, path: &str, status: u16, body: &Value) -> Self {
        let (content_type, body) = ("application/json", body.to_string());
        Self::new(method, path, Effect::Answer { status, content_type, body, retry_after: None })
    }

    /// An HTML page, as from a load balancer.
    #[must_use]
    pub fn page(method: &str, path: &str, status: u16) -> Self {
        let body = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>");
        Self::new(method, path, Effect::Answer { status, content_type: "text/html", body, retry_after: None })
    }

    /// A changed response of the API server, for example with a status of an older generation.
    #[must_use]
    pub fn changed(method: &str, path: &str, change: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self::new(method, path, Effect::Change(Arc::new(change)))
    }

    /// Resets the connection in the middle of the response, after the request took effect.
    #[must_use]
    pub fn cut(method: &str, path: &str) -> Self {
        Self::new(method, path, Effect::Cut)
    }

    /// Resets the connection before the request takes effect.
    #[must_use]
    pub fn drop_before(method: &str, path: &str) -> Self {
        Self::new(method, path, Effect::DropBefore)
    }

    /// Resets the connection after the request took effect, without a response.
    #[must_use]
    pub fn drop_after(method: &str, path: &str) -> Self {
        Self::new(method, path, Effect::DropAfter)
    }

    /// Forwards the request later.
    #[must_use]
    pub fn delay(method: &str, path: &str, by: Duration) -> Self {
        Self::new(method, path, Effect::Delay(by))
    }

    /// Never forwards the request, and keeps the connection open.
    #[must_use]
    pub fn hang(method: &str, path: &str) -> Self {
        Self::delay(method, path, Duration::from_hours(24))
    }

    /// Adds a `Retry-After` header with this number of seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        if let Effect::Answer { retry_after, .. } = &mut self.effect {
            *retry_after = Some(seconds);
        }
        self
    }

    /// Affects only requests that also have this text in path or query.
    #[must_use]
    pub fn with(mut self, part: &str) -> Self {
        self.with.push(part.to_owned());
        self
    }

    /// Affects only requests that do not have this text in path or query, for example `dryRun`.
    #[must_use]
    pub fn without(mut self, part: &str) -> Self {
        self.without.push(part.to_owned());
        self
    }

    /// Skips this number of matching requests first.
    #[must_use]
    pub fn after(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }

    /// Affects this number of requests; 0 means all.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = (times > 0).then_some(times);
        self
    }

    fn new(method: &str, path: &str, effect: Effect) -> Self {
        let (method, with) = (method.to_owned(), vec![path.to_owned()]);
        Self { effect, method, with, without: Vec::new(), skip: 0, times: Some(1) }
    }

    /// Whether the fault affects this request. Counts matching requests.
    pub(crate) fn hits(&mut self, method: &str, path_and_query: &str) -> bool {
        let is_method = self.method == "*" || self.method == method;
        let has = |part: &String| path_and_query.contains(part.as_str());
        if !is_method || !self.with.iter().all(has) || self.without.iter().any(has) || self.times == Some(0) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.times = self.times.map(|times| times - 1);
        true
    }
}

impl Debug for Effect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Answer { status, .. } => return write!(formatter, "answer {status}"),
            Self::Delay(by) => return write!(formatter, "delay by {by:?}"),
            Self::Change(_) => "changed answer",
            Self::Cut => "half an answer",
            Self::DropBefore => "reset",
            Self::DropAfter => "reset instead of an answer",
        };
        formatter.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_matches_method_and_path() {
        let mut fault = KubernetesFault::unauthorized("PATCH", "/secrets/").without("dryRun").with("/ci/").after(1);
        let mut hits = |method, path| fault.hits(method, path);
        let path = "/api/v1/namespaces/ci/secrets/runner?fieldManager=gitlabspot";
        assert!(!hits("GET", path) && !hits("PATCH", "/api/v1/namespaces/ci/secrets/runner?dryRun=All"));
        assert!(!hits("PATCH", "/api/v1/namespaces/other/secrets/runner"));
        assert!(!hits("PATCH", path), "the first is let through");
        assert!(hits("PATCH", path));
        assert!(!hits("PATCH", path), "once is enough");
    }

    #[test]
    fn zero_times_means_always() {
        let mut fault = KubernetesFault::hang("*", "/").times(0);
        assert!((0..100).all(|_| fault.hits("DELETE", "/api")));
    }
}
