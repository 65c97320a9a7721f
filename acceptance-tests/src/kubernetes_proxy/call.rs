//! What is written down of a request.

use serde::Serialize;

/// One request that reached the API server, or was kept from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KubernetesCall {
    /// When it came: milliseconds since the proxy was there.
    pub at: u128,
    /// `GET`, `PATCH`, ...
    pub method: String,
    /// Without the query.
    pub path: String,
    /// As it was sent, without `?`.
    pub query: String,
    /// The status that was answered; none when the connection was reset, or when there is no answer yet.
    pub status: Option<u16>,
    /// What the caller calls itself.
    pub user_agent: String,
    /// Which of the tokens that were ever seen here it came with, counted from 1; 0 without any.
    pub token: usize,
    /// What was done to it, if anything.
    pub fault: Option<String>,
}

impl KubernetesCall {
    /// Whether the provider made it.
    #[must_use]
    pub fn is_from_provider(&self) -> bool {
        self.user_agent.contains("terraform-provider-gitlabspot")
    }

    /// Whether it changed something, and the caller may know: not with a dry run, not when it was turned away, not when
    /// the answer was lost.
    #[must_use]
    pub fn is_change(&self) -> bool {
        let is_dry = self.query.contains("dryRun");
        self.method != "GET" && !is_dry && self.status.is_some_and(|status| status < 300)
    }

    /// `PATCH deployments/gitlab-runner`.
    #[must_use]
    pub fn short(&self) -> String {
        let mut parts: Vec<&str> = self.path.rsplit('/').take(2).collect();
        parts.reverse();
        format!("{} {}", self.method, parts.join("/"))
    }
}
