//! Names of objects, by the rules of the official chart.

use gitlabspot_runner_config::config_toml::fullname;
use serde_json::{Map, Value, json};

/// The chart in the `chart` label of the objects.
const CHART: &str = "gitlab-runner-0.86.0";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    pub release: String,
    pub namespace: String,
    /// Name of most objects and value of the `app` label.
    pub full: String,
}

impl Names {
    /// `full` is the full name of the chart, which a label can contain.
    pub fn new(release: &str, namespace: &str, name_override: Option<&str>, fullname_override: Option<&str>) -> Self {
        let full = shorten(&fullname(release, name_override, fullname_override));
        Self { release: release.to_owned(), namespace: namespace.to_owned(), full }
    }

    /// Returns the name of another object, which is short enough for a label.
    pub fn with(&self, suffix: &str) -> String {
        let room = LONGEST.saturating_sub(suffix.len() + 1);
        format!("{}-{suffix}", shorten_to(&self.full, room))
    }

    /// Returns the name of a cluster-scoped object, which no release in another namespace has.
    pub fn in_cluster(&self, suffix: &str) -> String {
        format!("{}-{}{suffix}", self.namespace, self.full)
    }

    /// Returns the labels of the chart for its pods and objects.
    pub fn labels(&self) -> Map<String, Value> {
        let labels =
            [("app", self.full.as_str()), ("chart", CHART), ("heritage", "Helm"), ("release", self.release.as_str())];
        labels.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
    }

    /// The selector of a Deployment is immutable, so that this is always the selector of the chart.
    pub fn deployment_selector(&self) -> Value {
        json!({ "matchLabels": { "app": self.full } })
    }

    pub fn service_selector(&self) -> Value {
        json!({ "app": self.full, "release": self.release })
    }
}

/// Maximum length of a label, and of the name of a Service.
const LONGEST: usize = 63;

/// Truncates a name to 63 characters, without a hyphen at its end.
fn shorten(name: &str) -> String {
    shorten_to(name, LONGEST)
}

fn shorten_to(name: &str, length: usize) -> String {
    name.chars().take(length).collect::<String>().trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_chart() {
        let full = |release, name, fullname| Names::new(release, "ns", name, fullname).full;
        assert_eq!(full("gitlab-runner", None, None), "gitlab-runner");
        assert_eq!(full("gitlab-runner-arm", None, None), "gitlab-runner-arm");
        assert_eq!(full("foo", None, None), "foo-gitlab-runner");
        assert_eq!(full("foo", Some("bar"), None), "foo-bar");
        assert_eq!(full("foo", Some("bar"), Some("baz")), "baz");
        let long = "a".repeat(62);
        assert_eq!(full(&long, None, None), long);
    }

    #[test]
    fn further_names_are_no_longer_than_a_service_may_be() {
        let with = |release: &str| Names::new(release, "ns", None, Some(release)).with("session-server");
        assert_eq!(with("ci"), "ci-session-server");
        assert_eq!(with(&"a".repeat(48)), format!("{}-session-server", "a".repeat(48)));
        assert_eq!(with(&"a".repeat(63)), format!("{}-session-server", "a".repeat(48)));
        assert_eq!(
            with(&format!("{}-{}", "a".repeat(47), "b".repeat(9))),
            format!("{}-session-server", "a".repeat(47))
        );
    }
}
