use std::collections::BTreeSet;

use secrecy::ExposeSecret;
use serde_json::json;

use super::super::finding::Severity;
use super::keys::Shape;
use super::*;

const CONTEXT: Context<'_> = Context { release: "gitlab-runner", namespace: "ci", version: None };

/// With what the chart itself fills in.
fn inputs(more: Value) -> ReleaseInputs {
    let pod = json!({ "runAsUser": 100, "fsGroup": 65533 });
    let chart = json!({ "security_context": security_context(), "pod_security_context": pod });
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

/// The chart's own keys, and those that files have besides.
fn listed() -> [BTreeSet<&'static str>; 2] {
    let parts = include_str!("../testdata/chart-values-keys.txt").split("\n\n").map(|part| {
        let keys: Vec<&str> = part.lines().filter(|line| !line.starts_with('#')).collect();
        let set: BTreeSet<&str> = keys.iter().copied().collect();
        assert_eq!(set.len(), keys.len(), "a key is listed twice");
        set
    });
    parts.collect::<Vec<_>>().try_into().unwrap()
}

#[test]
fn the_table_has_every_key_of_the_chart_and_says_why_some_have_no_effect() {
    let [charts, others] = listed();
    assert_eq!(charts.len(), 145);
    let table: BTreeSet<&str> = KEYS.iter().map(|key| key.path).collect();
    assert_eq!(table.len(), KEYS.len(), "a key is there twice");
    assert_eq!(table, charts.union(&others).copied().collect());
    let reason = |key: &&ValuesKey| matches!(key.becomes, Becomes::Nothing(_) | Becomes::Refused(_));
    let without: Vec<_> = KEYS.iter().filter(reason).map(|key| key.path).filter(|path| charts.contains(path)).collect();
    assert_eq!(without, ["rbac.podSecurityPolicy.resourceNames"], "of the chart's own, all others are carried");
}

/// A value of the right shape that differs from the chart's default.
fn sample(key: &ValuesKey) -> Value {
    match (key.path, key.shape) {
        ("affinity", _) => json!({ "nodeAffinity": {} }),
        ("strategy", _) => json!({ "type": "Recreate" }),
        ("resources", _) => json!({ "limits": { "cpu": "1" } }),
        ("securityContext" | "podSecurityContext", _) => json!({ "runAsGroup": 7 }),
        ("deploymentLifecycle", _) => json!({ "preStop": { "exec": { "command": ["x"] } } }),
        ("tolerations", _) => json!([{ "operator": "Exists" }]),
        ("topologySpreadConstraints", _) => {
            json!([{ "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule" }])
        }
        ("extraEnvFrom", _) => json!({ "A": { "secretKeyRef": { "name": "s", "key": "k" } } }),
        ("envVars", _) => json!([{ "name": "A", "value": "1" }]),
        ("hostAliases", _) => json!([{ "ip": "192.0.2.1", "hostnames": ["a"] }]),
        ("service.additionalPorts", _) => json!([{ "name": "a", "port": 1 }]),
        ("volumeMounts", _) => json!([{ "name": "a", "mountPath": "/a" }]),
        ("extraContainers", _) => json!([{ "name": "a", "image": "a" }]),
        ("runners.config", _) => json!("[[runners]]\n  limit = 3\n"),
        ("runners.executor", _) => json!("shell"),
        ("logLevel", _) => json!("debug"),
        ("logFormat", _) => json!("json"),
        ("connectionMaxAge", _) => json!("10m"),
        (_, Shape::Text | Shape::Template) => json!("x"),
        // Of both values one is the default.
        ("rbac.create" | "serviceAccount.create" | "runners.protected" | "rbac.podSecurityPolicy.enabled", _) => {
            json!(true)
        }
        (_, Shape::Flag) => json!(false),
        (_, Shape::Integer) => json!(7),
        (_, Shape::Texts | Shape::Names) => json!(["x"]),
        (_, Shape::TextMap | Shape::TemplateMap) => json!({ "x": "y" }),
        (_, Shape::List) => json!([{ "name": "x" }]),
        (_, Shape::Object) => json!({ "x": "y" }),
        (_, Shape::Any) => json!(["x"]),
    }
}

/// A file with this key alone.
fn file(key: &ValuesKey) -> String {
    key.path.rsplit('.').fold(sample(key), |value, name| json!({ name: value })).to_string()
}

/// What is at a dotted path.
fn at<'a>(tree: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(tree, |tree, name| tree.get(name))
}

#[test]
fn every_key_does_what_the_table_says() {
    let told = |read: &ChartValues| {
        let config: Vec<Value> =
            read.config.iter().map(|layer| json!({ "global": layer.global, "runner": layer.runner })).collect();
        let tokens = [&read.runner_token, &read.registration_token].map(Option::is_some);
        json!({ "inputs": read.inputs, "config": config, "tokens": tokens })
    };
    for key in KEYS {
        // The name of an account that is made counts where one is made.
        let base = if key.path.contains("generated") { "rbac: {create: true}" } else { "{}" };
        let nothing = told(&read(&[base], CONTEXT).unwrap());
        let read = read(&[base, &file(key)], CONTEXT);
        let found = read.as_ref().map(told);
        let lands = |path: &str| {
            let found = found.as_ref().unwrap_or_else(|found| panic!("{}: {found:?}", key.path));
            let value = at(found, path).filter(|value| !value.is_null());
            assert!(value.is_some() && value != at(&nothing, path), "{} does not land in {path}: {found}", key.path);
        };
        match key.becomes {
            Becomes::Attribute(to) => lands(&format!("inputs.{to}")),
            Becomes::Global(_) | Becomes::Runner(_) => {
                let config = read.as_ref().unwrap_or_else(|found| panic!("{}: {found:?}", key.path)).config[0].clone();
                let (tree, to) = match key.becomes {
                    Becomes::Runner(to) => (config.runner, to),
                    Becomes::Global(to) | Becomes::Attribute(to) => (config.global, to),
                    _ => unreachable!(),
                };
                assert!(at(&json!(tree), to).is_some(), "{} does not land in {to}: {tree:?}", key.path);
            }
            // What is read together with others has an effect of its own, or says why it cannot.
            Becomes::Special(_) => assert_ne!(found.ok(), Some(nothing.clone()), "{}", key.path),
            Becomes::Nothing(_) => assert_eq!(found.ok(), Some(nothing.clone()), "{}", key.path),
            Becomes::Refused(reason) => {
                let said = &found.unwrap_err()[0].detail;
                assert!(said.contains(key.path) && said.contains(reason), "{said}");
            }
        }
    }
}
