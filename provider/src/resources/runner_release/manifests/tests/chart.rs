//! Compares the objects of the guide with those of the official chart 0.86.0.
//!
//! `testdata/guide-chart-objects.json` contains the objects of that chart for the guide's values file, derived from its
//! templates: names, labels, conditions and defaults. Scripts and checksums are listed by name only.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::*;

const CHART: &str = include_str!("../../testdata/guide-chart-objects.json");

/// The list on the docs page.
const DIFFERENCES: &str = include_str!("../../testdata/differences.md");

/// Paths that differ, each with words of the list on the docs page.
const LISTED: &[(&str, &str)] = &[
    ("*.metadata.labels.app.kubernetes.io/managed-by", "`app.kubernetes.io/managed-by: gitlabspot`"),
    ("ConfigMap.data.check-registration", "The scripts are those of this provider"),
    ("ConfigMap.data.check-started", "The scripts are those of this provider"),
    ("ConfigMap.data.export-secrets", "The scripts are those of this provider"),
    ("ConfigMap.data.settings", "The scripts are those of this provider"),
    ("Deployment.spec.template.spec.containers.gitlab-runner.env.SESSION_SERVER_ADDRESS", "`SESSION_SERVER_ADDRESS`"),
    ("Deployment.spec.template.spec.containers.gitlab-runner.image", "the image is that of `runner_version`"),
    ("Deployment.spec.template.spec.containers.gitlab-runner.lifecycle", "The preStop hook of the chart"),
    (
        "Deployment.spec.template.spec.containers.gitlab-runner.readinessProbe.initialDelaySeconds",
        "The readiness probe",
    ),
    ("Deployment.spec.template.spec.containers.gitlab-runner.readinessProbe.periodSeconds", "The readiness probe"),
    ("Deployment.spec.template.spec.containers.gitlab-runner.startupProbe", "A startup probe"),
    ("Deployment.spec.template.spec.securityContext.seccompProfile", "`RuntimeDefault`"),
    ("Deployment.spec.template.spec.volumes.runner-secrets", "The unused volume `runner-secrets`"),
    ("ServiceMonitor.spec.selector.matchLabels.chart", "not by the version of the chart"),
    ("ServiceMonitor.spec.selector.matchLabels.heritage", "not by the version of the chart"),
    ("Role.rules", "The Role contains the permissions that the configuration requires"),
];

/// Converts lists of named elements to maps, TOML to its content, and scripts and checksums to placeholders.
fn comparable(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), field(name, value))).collect(),
        Value::Array(items) if !items.is_empty() && items.iter().all(|item| item["name"].is_string()) => {
            let named = items.iter().map(|item| (item["name"].as_str().unwrap().to_owned(), comparable(item)));
            Value::Object(named.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(comparable).collect(),
        plain => plain.clone(),
    }
}

fn field(name: &str, value: &Value) -> Value {
    match (name, value.as_str()) {
        ("entrypoint" | "check-live" | "register-the-runner", Some(_)) => json!("(a script)"),
        ("config.toml" | "config.template.toml", Some(text)) => json!(text.parse::<toml::Table>().unwrap()),
        (name, Some(_)) if name.starts_with("checksum/") => json!("(a checksum)"),
        _ => comparable(value),
    }
}

fn differ(one: &Value, other: &Value, at: &str, found: &mut BTreeSet<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            for name in one.keys().chain(other.keys()) {
                let at = format!("{at}.{name}");
                match (one.get(name), other.get(name)) {
                    (Some(one), Some(other)) => differ(one, other, &at, found),
                    _ => drop(found.insert(at)),
                }
            }
        }
        (one, other) if one == other => {}
        _ => drop(found.insert(at.to_owned())),
    }
}

#[test]
fn objects_of_the_guide_equal_the_chart_except_for_documented_differences() {
    let chart: Vec<Value> = serde_json::from_str(CHART).unwrap();
    let mut ours = made(&guide());
    let token = SecretString::from("GR1348941");
    let mut secret = token_secret(&guide(), &token).unwrap().redacted();
    secret["data"] = secret["data"].as_object().unwrap().keys().cloned().map(Value::String).collect();
    ours.push(secret);
    let kinds = |objects: &[Value]| {
        objects.iter().map(|object| object["kind"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(kinds(&ours), kinds(&chart));

    let mut found = BTreeSet::new();
    for theirs in &chart {
        let kind = theirs["kind"].as_str().unwrap();
        let (one, other) = (comparable(theirs), comparable(&find(&ours, kind)));
        let (Value::Object(one), Value::Object(other)) = (one, other) else { unreachable!("objects are objects") };
        differ(&Value::Object(one), &Value::Object(other), kind, &mut found);
    }
    let label = ".metadata.labels.app.kubernetes.io/managed-by";
    let found: BTreeSet<String> =
        found.into_iter().map(|path| if path.ends_with(label) { format!("*{label}") } else { path }).collect();
    let listed: BTreeSet<String> = LISTED.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(found, listed);
    for (path, words) in LISTED {
        assert!(DIFFERENCES.lines().any(|difference| difference.contains(words)), "{path}: {words} is not listed");
    }
}
