use serde_json::json;
use tfplugin::framework::{Diagnostic, Value};

use super::super::schema::RunnerReleaseSettings;
use super::*;

const GUIDE: &str = include_str!("../testdata/guide-values.yaml");

/// Returns `[[runners]]` of the guide in its original form.
fn guides_runner() -> toml::Table {
    let values: serde_json::Value =
        serde_json::Value::Object(crate::resources::runner_release::values::parse(GUIDE).unwrap());
    let text = values["runners"]["config"].as_str().unwrap().replace("{{.Release.Namespace}}", "gitlab-runner");
    let whole: toml::Table = text.parse().unwrap();
    whole["runners"].as_array().unwrap()[0].as_table().unwrap().clone()
}

fn typed(settings: serde_json::Value) -> RunnerReleaseSettings {
    serde_json::from_value(settings).unwrap()
}

fn given(settings: serde_json::Value, token: TokenKind) -> Given<'static> {
    Given { typed: typed(settings), values: &[], token: Some(token), ..Given::default() }
}

fn errors(settings: serde_json::Value, token: TokenKind) -> Vec<Diagnostic> {
    resolve(given(settings, token)).map(|_| Vec::new()).unwrap_or_else(|findings| findings)
}

fn guide_as_attributes() -> serde_json::Value {
    json!({
        "gitlab_url": "https://gitlab.com/",
        "config": { "kubernetes": {
            "cpu_request": "2", "poll_timeout": 300, "poll_interval": 10,
            "pod_annotations": { "downscaler/exclude": "true" },
        } },
        "cache": { "type": "s3", "shared": true, "s3": {
            "server_address": "s3.amazonaws.com", "bucket_name": "your-cache-bucket", "bucket_location": "eu-west-1",
            "insecure": false, "authentication_type": "access-key",
        } },
        "cache_secret_name": "gitlab-runner-s3-access",
        "build_nodes": {
            "node_selector": { "intent": "build" },
            "tolerations": [{ "key": "buildInstance", "value": "true", "effect": "NoSchedule" }],
            "capacity_type": "SPOT",
        },
        "docker_in_docker": { "image": "docker:19.03.12", "tls": true },
    })
}

#[test]
fn the_guides_values_file_gives_the_guides_configuration() {
    let given = Given { values: &[GUIDE], ..Given::default() };
    let resolved = resolve(given).unwrap();
    assert_eq!(resolved.spec.config.runner, guides_runner());
    assert_eq!(
        resolved.spec.config.global,
        toml::toml! { concurrent = 10 check_interval = 3 log_level = "info" shutdown_timeout = 0 listen_address = ":9252" }
    );
    let registration = Registration {
        name: Some("gitlab-k8s-runner".into()),
        locked: true,
        unregister_on_destroy: true,
        ..Registration::default()
    };
    assert_eq!(resolved.spec.start, Start::Register(registration));
    assert!(resolved.token.is_some());
}

#[test]
fn attributes_give_the_very_same_configuration() {
    let spec = resolve(given(guide_as_attributes(), TokenKind::Registration)).unwrap().spec;
    assert_eq!(spec.config.runner, guides_runner());
}

#[test]
fn text_gives_the_very_same_configuration() {
    let values: serde_json::Value =
        serde_json::Value::Object(crate::resources::runner_release::values::parse(GUIDE).unwrap());
    let settings = json!({ "gitlab_url": "https://gitlab.com/", "config_toml": values["runners"]["config"] });
    let spec = resolve(given(settings, TokenKind::Registration)).unwrap().spec;
    assert_eq!(spec.config.runner, guides_runner());
}

#[test]
fn an_authentication_token_needs_no_registration() {
    let spec = resolve(given(guide_as_attributes(), TokenKind::Authentication)).unwrap().spec;
    let mut expected = guides_runner();
    expected.insert("url".into(), "https://gitlab.com/".into());
    expected.insert("token".into(), "$CI_SERVER_TOKEN".into());
    expected.insert("executor".into(), "kubernetes".into());
    assert_eq!(spec.config.runner, expected);
    assert_eq!(spec.start, Start::WholeConfig);
    assert_eq!(spec.token, TokenSecret { name: "gitlab-runner".into(), kind: TokenKind::Authentication, owned: true });
}

#[test]
fn runners_before_18_10_register_with_either_token() {
    let mut settings = guide_as_attributes();
    settings["runner_version"] = json!("18.9.0");
    let spec = resolve(given(settings, TokenKind::Authentication)).unwrap().spec;
    assert!(matches!(&spec.start, Start::Register(registration) if !registration.unregister_on_destroy));
    assert_eq!(spec.pod.image, "registry.gitlab.com/gitlab-org/gitlab-runner:alpine-v18.9.0");
}

#[test]
fn the_job_pod_is_computed() {
    let spec = resolve(given(guide_as_attributes(), TokenKind::Authentication)).unwrap().spec;
    assert_eq!(spec.job_pod.cpu.as_str(), Some("2"));
    assert_eq!(spec.job_pod.node_selector, Value::Known([("intent".to_owned(), "build".into())].into()));
    assert_eq!(spec.job_pod.tolerations.known().map(Vec::len), Some(1));
}

#[test]
fn attributes_win_over_values() {
    let typed = typed(json!({
        "runner_name": "mine", "concurrent": 4, "metrics": { "port": 9300 }, "replicas": 2,
        "config": { "kubernetes": { "cpu_request": "4" } },
    }));
    let spec = resolve(Given { typed, values: &[GUIDE], ..Given::default() }).unwrap().spec;
    let mut expected = guides_runner();
    expected["kubernetes"]["cpu_request"] = "4".into();
    assert_eq!(spec.config.runner, expected);
    assert_eq!(spec.config.global["concurrent"].as_integer(), Some(4));
    assert_eq!(spec.metrics, Metrics { enabled: true, port: 9300, port_name: "metrics".into() });
    assert!(matches!(&spec.start, Start::Register(registration) if registration.name.as_deref() == Some("mine")));
    assert_eq!(spec.pod.replicas, Some(2));
}

#[test]
fn a_key_given_twice_names_both_places() {
    let mut settings = guide_as_attributes();
    settings["config"]["kubernetes"]["privileged"] = json!(false);
    settings["config_toml"] = json!("concurrent = 3\n[[runners]]\nurl = \"https://other/\"\n");
    settings["concurrent"] = json!(4);
    let details: Vec<String> = errors(settings, TokenKind::Authentication).into_iter().map(|f| f.detail).collect();
    assert_eq!(
        details,
        [
            "concurrent is set by `config_toml` and by `concurrent`, with different values. Keep one of them.",
            "runners.kubernetes.privileged is set by `config` and by `docker_in_docker`, with different values. Keep one of them.",
            "runners.url is set by `config_toml` and by `gitlab_url`, with different values. Keep one of them.",
        ]
    );
}

#[test]
fn the_address_of_gitlab_is_that_of_the_configuration_or_one_error() {
    let details = |gitlab_url: serde_json::Value, url: &str| -> Vec<String> {
        let config_toml = format!("[[runners]]\nurl = {url:?}\n");
        let settings = json!({ "gitlab_url": gitlab_url, "config_toml": config_toml });
        errors(settings, TokenKind::Authentication).into_iter().map(|finding| finding.detail).collect()
    };
    assert_eq!(details(json!(null), "https://gitlab.com/"), [""; 0]);
    assert_eq!(
        details(json!(null), "gitlab.com"),
        ["\"gitlab.com\" must start with https:// or http://. Write for instance \"https://gitlab.com\"."]
    );
    assert_eq!(
        details(json!("gitlab.com"), "https://gitlab.com/"),
        ["\"gitlab.com\" must start with https:// or http://. Write for instance \"https://gitlab.com\"."]
    );
    assert_eq!(details(json!("https://gitlab.com"), "https://gitlab.com/"), [""; 0]);
    assert_eq!(details(json!("https://gitlab.com"), "https://other/").len(), 1);
}

mod values_files;

#[test]
fn token_kinds_in_values_are_distinguished() {
    let of = |token: &str| {
        let values = format!("gitlabUrl: https://gitlab.com/\n{token}\n");
        let given = Given { typed: typed(json!({})), values: &[values.as_str()], ..Given::default() };
        let findings = resolve(given).map(|resolved| resolved.warnings).unwrap_or_else(|errors| errors);
        findings.into_iter().map(|finding| finding.detail).collect::<String>()
    };
    assert!(of("runnerToken: GR1348941-x").contains("set `registration_token_wo`"));
    assert!(of("runnerToken: glrt-x").contains("set `runner_token_wo`"));
    assert!(of("runnerRegistrationToken: glrt-x").contains("set `runner_token_wo`"));
    assert!(of("runnerRegistrationToken: GR1348941-x").contains("set `registration_token_wo`"));
}

#[test]
fn impossible_settings_are_refused() {
    let summaries = |settings, token| -> Vec<String> {
        errors(settings, token).into_iter().map(|finding| finding.summary.into_owned()).collect()
    };
    assert_eq!(summaries(json!({}), TokenKind::Authentication), ["Missing or invalid GitLab URL"]);
    let settings = json!({
        "gitlab_url": "https://gitlab.com/",
        "token_secret_name": "x",
        "service": { "enabled": true },
        "service_monitor": { "enabled": true },
        "hpa": { "min_replicas": 3, "max_replicas": 2 },
        "pod_disruption_budget": {},
        "session_server": { "enabled": true },
        "config": { "token": "glrt-x", "cache": { "s3": { "access_key": "a", "secret_key": "b" } } },
    });
    assert_eq!(
        summaries(settings, TokenKind::Authentication),
        [
            "Nothing to scrape",
            "Nothing to scrape",
            "Missing autoscaler metrics",
            "Invalid autoscaler bounds",
            "Invalid disruption budget",
            "A runner needs one token",
            "Session server requires a single manager pod",
            "Token in the runner's configuration",
            "Cache credentials would be ignored",
        ]
    );
    let settings = json!({ "gitlab_url": "https://x/", "registration": { "tag_list": ["a"], "maximum_timeout": 1 } });
    assert_eq!(
        summaries(settings.clone(), TokenKind::Authentication),
        ["Option is reserved with an authentication token"]
    );
    assert!(summaries(settings, TokenKind::Registration).is_empty());
}

#[test]
fn short_poll_timeout_is_warned_about() {
    let mut settings = guide_as_attributes();
    settings["config"]["kubernetes"]["poll_timeout"] = json!(200);
    let warnings = resolve(given(settings, TokenKind::Authentication)).unwrap().warnings;
    let summaries: Vec<_> = warnings.iter().map(|finding| finding.summary.as_ref()).collect();
    assert_eq!(summaries, ["Jobs may time out before a node is ready"]);
}

#[test]
fn accounts_and_roles() {
    let base = |more: serde_json::Value| {
        let mut settings = json!({ "gitlab_url": "https://x/" });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        resolve(given(settings, TokenKind::Authentication)).unwrap().spec
    };
    let spec = base(json!({}));
    assert_eq!(spec.service_account.name, "gitlab-runner");
    assert!(spec.roles.is_some_and(|roles| roles.namespace == "gitlab-runner" && !roles.cluster_wide));
    assert_eq!(spec.config.runner["kubernetes"]["image"].as_str(), Some("alpine"));
    let spec = base(
        json!({ "job_namespace": "jobs", "service_account": { "create": false }, "rbac": { "rules": [{ "resources": ["pods"], "verbs": ["get"] }] } }),
    );
    assert_eq!(spec.service_account.name, "");
    let roles = spec.roles.unwrap();
    assert_eq!((roles.namespace.as_str(), roles.rules.len()), ("jobs", 1));
    assert!(base(json!({ "rbac": { "create": false } })).roles.is_none());
}
