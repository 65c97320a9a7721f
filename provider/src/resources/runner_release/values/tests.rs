use secrecy::ExposeSecret;
use serde_json::json;

use super::super::finding::Severity;
use super::*;

const CONTEXT: Context<'_> = Context { release: "gitlab-runner", namespace: "ci", version: None };

/// With what the chart itself fills in.
fn inputs(more: Value) -> ReleaseInputs {
    let chart = json!({ "security_context": security_context(), "pod_security_context": pod_security_context() });
    let chart: ReleaseInputs = serde_json::from_value(chart).unwrap();
    serde_json::from_value::<ReleaseInputs>(more).unwrap().over(chart).unwrap()
}

fn details(file: &str) -> Vec<String> {
    let found = read(&[file], CONTEXT).map(|_| Vec::new()).unwrap_or_else(|found| found);
    let mut details: Vec<String> = found.into_iter().map(|finding| finding.detail).collect();
    details.sort();
    details
}

#[test]
fn the_guides_file_is_understood() {
    let read = read(&[include_str!("../testdata/guide-values.yaml")], CONTEXT).unwrap();
    let expected = inputs(json!({
        "image_pull_secrets": ["your-pull-secrets"],
        "gitlab_url": "https://gitlab.com/",
        "unregister_on_destroy": true,
        "metrics": { "enabled": true },
        "service_monitor": { "enabled": true },
        "service": { "enabled": true },
        "runner_name": "gitlab-k8s-runner",
        "pod_annotations": { "downscaler/exclude": "true" },
        "cache_secret_name": "gitlab-runner-s3-access",
        "rbac": { "create": true },
        "service_account": { "create": true },
    }));
    assert_eq!(read.inputs, expected);
    assert_eq!(read.registration_token.unwrap().expose_secret(), "XXXXX");
    assert!(read.runner_token.is_none());
    let summaries: Vec<_> = read.warnings.iter().map(|f| (f.severity, f.summary)).collect();
    assert_eq!(summaries, [(Severity::Warning, "Token in a values file")]);
    assert_eq!(read.config[0].runner, toml::toml! { kubernetes = { privileged = true } });
    assert_eq!(read.config[1].runner["kubernetes"]["namespace"].as_str(), Some("ci"));
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_name() {
    assert_eq!(
        details("gitlabURL: x\nmetrics: {enable: true}\nrunners: {cache: {secretname: x}}\nfoo: 1\n"),
        [
            "The gitlab-runner chart knows no key foo, and Helm would ignore it without a word.",
            "The gitlab-runner chart knows no key gitlabURL, and Helm would ignore it without a word. Did you mean \"gitlabUrl\"?",
            "The gitlab-runner chart knows no key metrics.enable, and Helm would ignore it without a word. Did you mean \"enabled\"?",
            "The gitlab-runner chart knows no key runners.cache.secretname, and Helm would ignore it without a word. Did you mean \"secretName\"?",
        ]
    );
}

#[test]
fn refusals_have_a_reason_and_no_value() {
    let found = details(
        "runnerToken: [glrt-secret]\nconcurrent: glrt-secret\nnamespace: glrt-secret\nextraObjects: [glrt-secret]\nrunners: {builds: {cpuLimit: 1}, executor: shell, configPath: /x}\nrbac: {podSecurityPolicy: {enabled: true}}\nmetrics: 3\n",
    );
    assert_eq!(found.len(), 9, "{found:#?}");
    assert!(found.iter().all(|detail| !detail.contains("secret")), "{found:#?}");
}

#[test]
fn empty_and_null_say_nothing() {
    let read = read(
        &["sessionServer: null\nhpa: {}\nextraObjects: []\nrunners: {configPath: ''}\ntopologySpreadConstraints: {}\nserviceAccount: {name: ''}\nimage: {registry: ''}\n"],
        CONTEXT,
    )
    .unwrap();
    let expected = inputs(json!({
        "image_parts": { "registry": "" },
        "rbac": { "create": false },
        "service_account": { "create": false },
    }));
    assert_eq!(read.inputs, expected);
}

#[test]
fn older_spellings_are_carried_over() {
    let read = read(
        &["rbac: {create: true, serviceAccountAnnotations: {a: '1', b: '1'}, imagePullSecrets: [{name: x}], rules: [{resources: [pods]}]}\nserviceAccount: {annotations: {a: '2 {{ .Release.Name }}'}}\nrunners: {tags: 'a, b', protected: true, locked: false, name: n, jobNamespace: jobs}\nname: m\nenvVars: [{name: A, value: 1}]\nextraEnv: {B: true}\nlogLevel: debug\n"],
        CONTEXT,
    )
    .unwrap();
    let expected = inputs(json!({
        "rbac": { "create": true, "rules": [{ "api_groups": [""], "resources": ["pods"], "verbs": ["*"] }] },
        "service_account": { "create": true, "annotations": { "a": "2 gitlab-runner", "b": "1" }, "image_pull_secrets": ["x"] },
        "registration": { "tag_list": ["a", "b"], "access_level": "ref_protected", "locked": false },
        "runner_name": "n",
        "job_namespace": "jobs",
        "extra_env": { "A": "1", "B": "true" },
    }));
    assert_eq!(read.inputs, expected);
    assert_eq!(read.config[0].global, toml::toml! { log_level = "debug" });
}

#[test]
fn every_key_of_the_table_is_listed_once_and_lands_somewhere() {
    let mut paths: Vec<_> = KEYS.iter().map(|key| key.path).collect();
    paths.sort_unstable();
    let listed = paths.len();
    paths.dedup();
    assert_eq!(paths.len(), listed);
    let all = serde_json::to_value(ReleaseInputs::default()).unwrap();
    for key in KEYS {
        if let Becomes::Attribute(to) = key.becomes {
            let first = to.split('.').next().unwrap();
            assert!(all.get(first).is_some(), "{} -> {to}", key.path);
        }
    }
}
