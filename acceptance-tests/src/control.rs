//! Client of the control API of a stub in the local cloud: JSON over plain HTTP on loopback.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// The control API of one stub.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    agent: ureq::Agent,
    base: String,
}

impl Control {
    pub(crate) fn new(base: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(60)))
            // The body of an error response has the reason.
            .http_status_as_error(false)
            // `ureq` uses the proxy of the environment, and the stubs are on loopback.
            .proxy(None)
            .build()
            .into();
        Self { agent, base: base.to_owned() }
    }

    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> T {
        let answer = self.agent.post(format!("{}{path}", self.base)).send_json(body);
        self.read(path, answer).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> T {
        self.try_get(path, query).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Returns an error where [`Self::get`] panics.
    pub(crate) fn try_get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, String> {
        let request = self.agent.get(format!("{}{path}", self.base)).query_pairs(query.iter().copied());
        self.read(path, request.call())
    }

    fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<T, String> {
        let mut answer = answer.map_err(|error| format!("the local cloud, {}{path}: {error}", self.base))?;
        // The default limit is 10 MB, and the log of a test can be larger.
        let text = answer.body_mut().with_config().limit(256 << 20).read_to_string();
        let text = text.map_err(|error| format!("the local cloud, {}{path}: {error}", self.base))?;
        if !answer.status().is_success() {
            return Err(format!("the local cloud refuses {path}: {} {text}", answer.status()));
        }
        serde_json::from_str(&text).map_err(|error| format!("the local cloud, {path}: {error} in {text}"))
    }
}
