//! Named templates of the chart, which `include` inserts.

use super::Release;
use super::evaluate::{is_true, printed};

/// The value of a named template; `None` without values, and for templates that are not supported.
pub(super) fn template(name: &str, release: &Release<'_>) -> Option<String> {
    let values = release.values?;
    let field = |path: &str| values.pointer(path).filter(|value| is_true(value));
    let text = |path: &str| field(path).and_then(printed);
    let quoted = |text: Option<String>| format!("{:?}", text.unwrap_or_default());
    let fullname =
        || shortened(&fullname(release.name, text("/nameOverride").as_deref(), text("/fullnameOverride").as_deref()));
    Some(match name {
        "gitlab-runner.name" => shortened(&text("/nameOverride").unwrap_or_else(|| CHART.to_owned())),
        "gitlab-runner.fullname" => fullname(),
        "gitlab-runner.chart" => shortened(&format!("{CHART}-{}", release.chart_version.replace('+', "_"))),
        "gitlab-runner.gitlabUrl" => quoted(text("/gitlabUrl")),
        "gitlab-runner.secret" => match text("/runners/secret") {
            Some(secret) => quoted(Some(release.expand(&secret).ok()?)),
            None => fullname(),
        },
        "gitlab-runner.cache.secret" => match values.pointer("/runners/cache/secretName") {
            Some(secret) => quoted(printed(secret)),
            None => String::new(),
        },
        "gitlab-runner.serviceAccountName" => {
            let own = text("/serviceAccount/name");
            quoted(if own.is_some() || field("/serviceAccount/create").is_some() {
                own.or_else(|| Some(fullname()))
            } else if field("/rbac/create").is_some() {
                text("/rbac/generatedServiceAccountName").or_else(|| Some(fullname()))
            } else {
                text("/rbac/serviceAccountName")
            })
        }
        _ => return None,
    })
}

/// The chart's name.
const CHART: &str = "gitlab-runner";

/// The full name of a release, before it is shortened: the name of the release if it starts with the name of the chart,
/// otherwise both of them joined. `name` and `fullname` are the overrides of the values.
#[must_use]
pub fn fullname(release: &str, name: Option<&str>, fullname: Option<&str>) -> String {
    let chart = name.unwrap_or(CHART);
    match fullname {
        Some(fullname) => fullname.to_owned(),
        None if release.starts_with(chart) => release.to_owned(),
        None => format!("{release}-{chart}"),
    }
}

/// The first 63 letters, without a hyphen at their end.
fn shortened(name: &str) -> String {
    let cut: String = name.chars().take(63).collect();
    cut.strip_suffix('-').unwrap_or(&cut).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn included(name: &str, release: &str, values: Value) -> Option<String> {
        let release = Release {
            name: release,
            namespace: "ns",
            values: Some(&values),
            app_version: "19.3.0",
            chart_version: "0.86.0",
        };
        template(&format!("gitlab-runner.{name}"), &release)
    }

    #[test]
    fn names_are_those_of_the_chart() {
        let name = |release: &str, values| included("fullname", release, values).unwrap();
        assert_eq!(name("gitlab-runner-spot", json!({})), "gitlab-runner-spot");
        assert_eq!(name("spot", json!({})), "spot-gitlab-runner");
        assert_eq!(name("spot", json!({ "nameOverride": "r" })), "spot-r");
        assert_eq!(name("spot", json!({ "nameOverride": "r", "fullnameOverride": "x" })), "x");
        assert_eq!(name(&"a".repeat(62), json!({})).len(), 62);
        assert_eq!(included("name", "r", json!({})).as_deref(), Some("gitlab-runner"));
        assert_eq!(included("chart", "r", json!({})).as_deref(), Some("gitlab-runner-0.86.0"));
    }

    #[test]
    fn the_account_is_that_of_the_chart() {
        let account = |values| included("serviceAccountName", "spot", values).unwrap();
        assert_eq!(account(json!({})), "\"\"");
        assert_eq!(account(json!({ "rbac": { "create": true } })), "\"spot-gitlab-runner\"");
        assert_eq!(account(json!({ "rbac": { "serviceAccountName": "a" } })), "\"a\"");
        let rbac = json!({ "create": true, "generatedServiceAccountName": "g" });
        assert_eq!(account(json!({ "rbac": rbac })), "\"g\"");
        assert_eq!(account(json!({ "rbac": rbac, "serviceAccount": { "create": true } })), "\"spot-gitlab-runner\"");
        assert_eq!(account(json!({ "serviceAccount": { "name": "s" } })), "\"s\"");
    }

    #[test]
    fn secrets_and_the_address_are_quoted() {
        let values = json!({ "gitlabUrl": "https://x", "runners": { "secret": "{{ .Release.Name }}-s", "cache": {} } });
        assert_eq!(included("gitlabUrl", "r", values.clone()).as_deref(), Some("\"https://x\""));
        assert_eq!(included("secret", "r", values.clone()).as_deref(), Some("\"r-s\""));
        assert_eq!(included("cache.secret", "r", values.clone()).as_deref(), Some(""));
        assert_eq!(included("secret", "r", json!({})).as_deref(), Some("r-gitlab-runner"));
        assert_eq!(included("image", "r", values), None);
    }
}
