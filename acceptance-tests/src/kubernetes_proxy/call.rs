//! Record of a request to the API server.

use serde::Serialize;

/// A request that the proxy received, whether it was forwarded or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KubernetesCall {
    /// Time of arrival in milliseconds since the proxy started.
    pub at: u128,
    /// `GET`, `PATCH`, ...
    pub method: String,
    /// URL path without the query.
    pub path: String,
    /// Query without `?`.
    pub query: String,
    /// Status of the response; `None` after a reset, or while the request is in progress.
    pub status: Option<u16>,
    /// User agent of the caller.
    pub user_agent: String,
    /// Number of the request's token, in the order in which the proxy first received them, from 1; 0 without a token.
    pub token: usize,
    /// The fault that was injected, if any.
    pub fault: Option<String>,
}

impl KubernetesCall {
    /// Whether the provider sent it.
    #[must_use]
    pub fn is_from_provider(&self) -> bool {
        self.user_agent.contains("terraform-provider-gitlabspot")
    }

    /// Whether it changed something and the caller received the response: not for dry runs, errors and lost responses.
    #[must_use]
    pub fn is_change(&self) -> bool {
        let is_dry = self.query.contains("dryRun");
        self.method != "GET" && !is_dry && self.status.is_some_and(|status| status < 300)
    }

    /// Method, resource and name, such as `PATCH deployments/gitlab-runner`.
    #[must_use]
    pub fn short(&self) -> String {
        let mut parts: Vec<&str> = self.path.rsplit('/').take(2).collect();
        parts.reverse();
        format!("{} {}", self.method, parts.join("/"))
    }
}
