//! Faults that tests inject into AWS calls of their account.

use serde_json::{Map, Value, json};

/// A fault in some of the next calls of an operation: in the first one that matches, unless configured otherwise.
#[derive(Clone, Debug)]
pub struct Fault {
    rule: Map<String, Value>,
}

impl Fault {
    /// The throttling error of the service.
    #[must_use]
    pub fn throttle(service: &str, action: &str) -> Self {
        Self::new("throttle", service, action)
    }

    /// An error of the service.
    #[must_use]
    pub fn error(service: &str, action: &str, status: u16, code: &str, message: &str) -> Self {
        Self::new("error", service, action).with("status", status).with("code", code).with("message", message)
    }

    /// An HTML page instead of a response of the service, as from an intermediary.
    #[must_use]
    pub fn page(service: &str, action: &str, status: u16) -> Self {
        Self::new("html", service, action).with("status", status)
    }

    /// A response with this body, for example one that is outdated after a change.
    #[must_use]
    pub fn answer(service: &str, action: &str, body: &str) -> Self {
        Self::new("answer", service, action).with("status", 200).with("body", body)
    }

    /// A delayed response.
    #[must_use]
    pub fn latency(service: &str, action: &str, milliseconds: u64) -> Self {
        Self::new("latency", service, action).with("ms", milliseconds)
    }

    /// Closes the connection before the call takes effect.
    #[must_use]
    pub fn drop_before(service: &str, action: &str) -> Self {
        Self::new("drop_before", service, action)
    }

    /// Closes the connection after the call took effect, without a response.
    #[must_use]
    pub fn drop_after(service: &str, action: &str) -> Self {
        Self::new("drop_after", service, action)
    }

    /// Skips this number of matching calls first.
    #[must_use]
    pub fn after(self, calls: u32) -> Self {
        self.with("skip", calls)
    }

    /// Affects this number of calls; 0 means all.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        self.with("times", times)
    }

    /// Affects only calls with a parameter that matches this regular expression.
    #[must_use]
    pub fn matching(mut self, parameter: &str, pattern: &str) -> Self {
        let matching = self.rule.entry("match").or_insert_with(|| json!({}));
        matching[parameter] = pattern.into();
        self
    }

    fn new(kind: &str, service: &str, action: &str) -> Self {
        Self { rule: Map::new() }.with("kind", kind).with("service", service).with("action", action)
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.rule.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn into_rule(self, account: &str) -> Value {
        self.with("account", account).rule.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_becomes_a_rule_of_the_cloud() {
        let fault = Fault::error("iam", "Create.*", 503, "ServiceUnavailable", "later").after(1).times(2);
        assert_eq!(
            fault.matching("UserName", "runner-.*").into_rule("111111111111"),
            json!({
                "account": "111111111111", "kind": "error", "service": "iam", "action": "Create.*", "status": 503,
                "code": "ServiceUnavailable", "message": "later", "skip": 1, "times": 2,
                "match": { "UserName": "runner-.*" },
            })
        );
    }
}
