mod misspellings;

use std::collections::BTreeSet;

use gitlabspot_runner_config::catalogue::{RUNNER, entries};
use secrecy::ExposeSecret;
use serde_json::json;
use tfplugin::framework::{AttributePath, Severity};

use super::keys::ValueType;
use super::*;

const CONTEXT: Context<'_> =
    Context { release: "gitlab-runner", namespace: "ci", version: None, app_version: None, is_migration: false };

/// Settings with the defaults of the chart.
fn settings(more: Value) -> RunnerReleaseSettings {
    let pod = json!({ "runAsUser": 100, "fsGroup": 65533 });
    let chart = json!({ "security_context": security_context(), "pod_security_context": pod });
    let chart: RunnerReleaseSettings = serde_json::from_value(chart).unwrap();
    serde_json::from_value::<RunnerReleaseSettings>(more).unwrap().over(chart).unwrap()
}

fn errors(file: &str) -> Vec<String> {
    let mut details: Vec<String> = read(&[file], CONTEXT).errors.into_iter().map(|finding| finding.detail).collect();
    details.sort();
    details
}

/// Returns the lines of the only warning about the file.
fn notes(file: &str) -> Vec<String> {
    let read = read(&[file], CONTEXT);
    assert_eq!(read.errors, [], "{file}");
    let warnings = read.notes.into_findings();
    assert!(warnings.len() <= 1, "{warnings:?}");
    let lines = warnings.iter().flat_map(|warning| warning.detail.lines().skip(1));
    lines.map(|line| line.trim_start_matches("- ").to_owned()).collect()
}

#[test]
fn the_guides_file_is_understood() {
    let mut read = read(&[include_str!("../testdata/guide-values.yaml")], CONTEXT);
    let expected = settings(json!({
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
    assert_eq!(read.errors, []);
    assert_eq!(read.settings, expected);
    assert_eq!(read.registration_token.as_ref().unwrap().expose_secret(), "XXXXX");
    assert!(read.runner_token.is_none());
    read.token_is_used();
    let warnings: Vec<_> = read.warnings.iter().map(|f| (f.severity, f.summary.as_ref())).collect();
    assert_eq!(warnings, [(Severity::Warning, "Token in a values file")]);
    assert!(read.warnings[0].detail.starts_with("line 6: runnerRegistrationToken is used"), "{:?}", read.warnings);
    assert_eq!(read.config[1].runner["kubernetes"]["namespace"].as_str(), Some("ci"));
    assert_eq!(read.notes.into_findings(), [], "what the configuration says as well is no news");
}

#[test]
fn keys_that_the_chart_ignores_are_remarked_on_with_their_line_and_place() {
    assert_eq!(
        notes(
            "gitlabURL: x\nmetrics:\n  enable: true\nrunners:\n  cache:\n    secretname: x\n  pollTimeouts: 3\n  tolerations: [x]\nfoo: 1\nfoos: {}\nconfig: x\ntags: a\nlogging: {level: info}\nextraVolumeMounts: [x]\nx-anchor: 1\n"
        ),
        [
            "line 1, gitlabURL: the chart (0.86.0) does not have this key and ignores it. Did you mean gitlabUrl?",
            "line 3, metrics.enable: the chart (0.86.0) does not have this key and ignores it. Did you mean metrics.enabled?",
            "line 6, runners.cache.secretname: the chart (0.86.0) does not have this key and ignores it. Did you mean runners.cache.secretName?",
            "line 7, runners.pollTimeouts: the chart (0.86.0) does not have this key and ignores it. Did you mean runners.pollTimeout?",
            "line 8, runners.tolerations: the chart (0.86.0) does not have this key and ignores it. It belongs to tolerations.",
            "line 9, foo: the chart (0.86.0) does not have this key and ignores it.",
            "line 11, config: the chart (0.86.0) does not have this key and ignores it. It belongs to runners.config.",
            "line 12, tags: the chart (0.86.0) does not have this key and ignores it. It belongs to runners.tags.",
            "line 13, logging: the chart (0.86.0) does not have this key and ignores it. Write logLevel and logFormat.",
            "line 14, extraVolumeMounts: the chart (0.86.0) does not have this key and ignores it. Write volumeMounts.",
        ]
    );
}

#[test]
fn hints_are_keys_of_the_same_purpose() {
    let notes = notes("init: [x]\nrunnerTags: a\nserviceAccountName: b\ncacheSecretName: c\n");
    let hints: Vec<&str> = notes.iter().map(|note| note.split("ignores it.").nth(1).unwrap()).collect();
    let expected = ["runners.tags", "serviceAccount.name", "runners.cache.secretName"];
    let expected = expected.map(|key| format!(" Did you mean {key}?"));
    assert_eq!((hints[0], &hints[1..]), ("", &expected.each_ref().map(String::as_str)[..]));
}

#[test]
fn keys_that_expressions_read_are_no_news() {
    let file = "own: bash\nnested: {a: x}\nrunners:\n  config: |\n    [[runners]]\n    shell = '{{ .Values.own }}'\n    name = '{{ .Values.nested.a }}'\n";
    assert_eq!(notes(file), [""; 0]);
    assert_eq!(notes("own: 1\nrunners: {config: '[[runners]]'}\n").len(), 1);
}

#[test]
fn keys_of_older_charts_give_a_warning_unless_configured() {
    assert_eq!(
        notes(
            "runners:\n  privileged: true\n  image: alpine\n  builds: {cpuRequests: 500m, cpuLimit: ''}\n  cache: {cacheType: s3}\n  config: |\n    [[runners]]\n      [runners.kubernetes]\n        image = 'alpine'\n        cpu_request = '1'\n"
        ),
        [
            "line 2, runners.privileged: charts before 0.53 read it; later ones and this resource do not, so that jobs are not privileged. In runners.config it is privileged in [runners.kubernetes].",
            "line 4, runners.builds.cpuRequests: charts before 0.53 read it; later ones and this resource do not. In runners.config it is cpu_request in [runners.kubernetes].",
            "line 5, runners.cache.cacheType: charts before 0.53 read it; later ones and this resource do not. In runners.config it is Type in [runners.cache].",
        ]
    );
}

#[test]
fn each_file_has_a_warning_of_its_own() {
    let found = read(&["foo: 1\n---\nbar: 1\n", "# x\nbaz: 1\nconcurrent: 3\n"], CONTEXT).notes.into_findings();
    let lines: Vec<_> = found.iter().map(|f| (f.path.clone(), f.detail.lines().count())).collect();
    assert_eq!(lines, [(AttributePath::of("values").index(0), 3), (AttributePath::of("values").index(1), 2)]);
    assert!(found[1].detail.contains("- line 2, baz:"), "{found:?}");
}

#[test]
fn errors_have_a_line_a_reason_and_no_value() {
    let found = errors(
        "runnerToken: [glrt-secret]\nconcurrent: glrt-secret\nrunners: {executor: shell, configPath: /x}\nmetrics: 3\nlogLevel: glrt\nenvVars: [glrt-secret]\nimage: {tag: '{{ .Files.Get \"x\" }}'}\n",
    );
    assert_eq!(found.len(), 8, "{found:#?}");
    assert!(found.iter().all(|detail| !detail.contains("secret") && detail.starts_with("line ")), "{found:#?}");
    assert_eq!(found[0], "line 1: runnerToken must be a string.");
    assert!(found.iter().any(|detail| detail.starts_with("line 5: logLevel")), "{found:#?}");
}

#[test]
fn strings_are_converted_to_flags_and_numbers_as_by_helm() {
    let read = read(
        &[
            "concurrent: '10'\ncheckInterval: '5'\nrbac: {create: yes, clusterWideAccess: 'false'}\nunregisterRunners: 'true'\nvolumes: [{name: a, secret: {defaultMode: 0400}}]\n",
        ],
        CONTEXT,
    );
    assert_eq!(read.errors, []);
    assert_eq!(read.config[0].global, toml::toml! { concurrent = 10 check_interval = 5 });
    assert_eq!(read.settings.rbac.as_ref().unwrap().create, Some(true));
    assert_eq!(read.settings.rbac.as_ref().unwrap().cluster_wide, Some(false));
    assert_eq!(read.settings.unregister_on_destroy, Some(true));
    assert_eq!(read.settings.volumes.as_ref().unwrap()[0]["secret"]["defaultMode"], 256);
    let findings = read.notes.into_findings();
    assert!(findings[0].detail.contains("- line 3, rbac.clusterWideAccess: the string \"false\""), "{findings:?}");
}

#[test]
fn a_security_context_is_sorted_between_pod_and_container() {
    let file = "securityContext: {fsGroup: 1, runAsUser: 5, supplementalGroups: [1]}\npodSecurityContext: {privileged: true}\n";
    let read = read(&[file], CONTEXT);
    let pod = read.settings.pod_security_context.unwrap();
    assert_eq!(Value::Object(pod), json!({ "runAsUser": 100, "fsGroup": 1, "supplementalGroups": [1] }));
    let container = read.settings.security_context.unwrap();
    assert_eq!((container.get("fsGroup"), container["runAsUser"].as_i64()), (None, Some(5)));
    assert!(read.has_pod_security_context);
    assert_eq!(notes(file).len(), 3);
}

#[test]
fn variables_keep_their_order_and_configure_the_runner() {
    let read = read(
        &[
            "envVars: [{name: B, value: 1}, {name: A, value: $(B)}, {name: CACHE_TYPE, value: s3}, {name: S, valueFrom: {secretKeyRef: {name: s, key: k}}}]\nextraEnv: {KUBERNETES_PRIVILEGED: 'true', KUBERNETES_POLL_TIMEOUT: 300, KUBERNETES_ALLOWED_IMAGES: 'a,b'}\nextraEnvFrom: {CACHE_S3_ACCESS_KEY: {secretKeyRef: {name: s, key: k}}}\nrunners: {config: '[[runners]]'}\n",
        ],
        CONTEXT,
    );
    assert_eq!(read.errors, []);
    let names: Vec<_> = read.env.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["B", "A", "CACHE_TYPE", "S"]);
    assert_eq!(
        read.environment.runner,
        toml::toml! {
            cache = { Type = "s3" }
            kubernetes = { allowed_images = ["a", "b"], poll_timeout = 300, privileged = true }
        }
    );
    assert_eq!(
        read.variables_from_elsewhere,
        [("extraEnvFrom.CACHE_S3_ACCESS_KEY".to_owned(), "cache.s3.access_key".to_owned())]
    );
    assert!(errors("extraEnv: {RUNNER_EXECUTOR: docker}")[0].contains("only supports the Kubernetes executor"));
}

#[test]
fn variables_that_the_runner_ignores_are_no_errors() {
    let file = "extraEnv:\n  KUBERNETES_DNS_POLICY: None\n";
    assert_eq!(
        notes(file),
        [
            "line 2, extraEnv.KUBERNETES_DNS_POLICY: KUBERNETES_DNS_POLICY is \"None\", which GitLab Runner ignores: it uses cluster-first."
        ]
    );
    assert_eq!(read(&[file], CONTEXT).environment, Config::default());
}

#[test]
fn empty_and_null_are_no_values() {
    let read = read(
        &[
            "sessionServer: null\nhpa: {}\nextraObjects: []\nrunners: {configPath: '', builds: {}, image: ''}\ntopologySpreadConstraints: {}\nserviceAccount: {name: ''}\nimage: {registry: ''}\nmetrics: []\nfoo: {bar: ''}\n",
        ],
        CONTEXT,
    );
    let expected = settings(json!({
        "rbac": { "create": false },
        "service_account": { "create": false },
    }));
    assert_eq!((read.errors, read.settings), (Vec::new(), expected));
    assert_eq!(read.image, ImageParts { registry: Some(String::new()), ..ImageParts::default() });
    assert_eq!(read.notes.into_findings(), []);
}

#[test]
fn older_spellings_are_carried_over() {
    let read = read(
        &[
            "rbac: {create: true, serviceAccountAnnotations: {a: '1', b: '1'}, imagePullSecrets: [{name: x}], resources: [pods], verbs: [get]}\nserviceAccount: {annotations: {a: '2 {{ .Release.Name }}'}}\nrunners: {tags: 'a, b', protected: true, locked: false, name: z, jobNamespace: jobs}\nname: m\nenvVars: [{name: A, value: 1}]\nextraEnv: {B: true}\nlogLevel: debug\nimage: 'a/b:{{ .Chart.AppVersion }}'\n",
        ],
        CONTEXT,
    );
    let expected = settings(json!({
        "rbac": { "create": true, "rules": [{ "api_groups": [""], "resources": ["pods"], "verbs": ["get"] }] },
        "service_account": { "create": true, "annotations": { "a": "2 gitlab-runner", "b": "1" }, "image_pull_secrets": ["x"] },
        "registration": { "tag_list": ["a", "b"], "access_level": "ref_protected", "locked": false },
        "runner_name": "z",
        "job_namespace": "jobs",
        "extra_env": { "B": "true" },
        "image": "a/b:19.3.0",
    }));
    assert_eq!((read.errors, read.settings), (Vec::new(), expected));
    assert_eq!(read.env, [json!({ "name": "A", "value": "1" })]);
    assert_eq!(read.config[0].global, toml::toml! { log_level = "debug" });
}

/// Returns the keys of the chart, and other keys that files contain.
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
fn table_covers_every_chart_key() {
    let [charts, others] = listed();
    assert_eq!(charts.len(), 145);
    let table: BTreeSet<&str> = KEYS.iter().map(|key| key.path).collect();
    assert_eq!(table.len(), KEYS.len(), "a key is there twice");
    assert_eq!(table, charts.union(&others).copied().collect());
    let reason = |key: &&ValuesKey| matches!(key.maps_to, MapsTo::Nothing(_) | MapsTo::Older(_));
    let without: Vec<_> = KEYS.iter().filter(reason).map(|key| key.path).filter(|path| charts.contains(path)).collect();
    let expected =
        ["rbac.podSecurityPolicy.enabled", "rbac.podSecurityPolicy.resourceNames", "runners.namespace", "extraObjects"];
    assert_eq!(without, expected, "of the chart's own, all others are carried");
}

/// A value of the right shape that differs from the chart's default.
fn sample(key: &ValuesKey) -> Value {
    match (key.path, key.ty) {
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
        ("runners.config" | "runners.configOverride", _) => json!("[[runners]]\n  limit = 3\n"),
        ("runners.executor", _) => json!("shell"),
        ("logLevel", _) => json!("debug"),
        ("logFormat", _) => json!("json"),
        ("connectionMaxAge", _) => json!("10m"),
        (_, ValueType::Text | ValueType::Template) => json!("x"),
        // One of the two values is the default.
        ("rbac.create" | "serviceAccount.create" | "runners.protected" | "rbac.podSecurityPolicy.enabled", _) => {
            json!(true)
        }
        (_, ValueType::Flag) => json!(false),
        (_, ValueType::Integer) => json!(7),
        (_, ValueType::Texts | ValueType::Names) => json!(["x"]),
        (_, ValueType::TextMap | ValueType::TemplateMap) => json!({ "x": "y" }),
        (_, ValueType::List) => json!([{ "name": "x" }]),
        (_, ValueType::Object) => json!({ "x": "y" }),
        (_, ValueType::Any) => json!(["x"]),
    }
}

/// Returns a file with only this key.
fn file(key: &ValuesKey) -> String {
    key.path.rsplit('.').fold(sample(key), |value, name| json!({ name: value })).to_string()
}

/// Returns the value at a dotted path.
fn at<'a>(tree: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(tree, |tree, name| tree.get(name))
}

#[test]
fn every_key_has_the_effect_of_the_table() {
    let outcome = |read: ChartValues| {
        let config: Vec<Value> =
            read.config.iter().map(|layer| json!({ "global": layer.global, "runner": layer.runner })).collect();
        let tokens = [&read.runner_token, &read.registration_token].map(Option::is_some);
        let notes: Vec<String> = read.notes.into_findings().into_iter().map(|finding| finding.detail).collect();
        let errors: Vec<String> = read.errors.into_iter().map(|finding| finding.detail).collect();
        let image = format!("{:?}", read.image);
        let found = json!({
            "settings": read.settings, "image": image, "env": read.env, "config": config, "tokens": tokens,
        });
        (found, notes, errors)
    };
    for key in KEYS {
        // The name of a generated service account only has an effect if one is created.
        let base = if key.path.contains("generated") { "rbac: {create: true}" } else { "{}" };
        let (nothing, ..) = outcome(read(&[base], CONTEXT));
        let (found, notes, errors) = outcome(read(&[base, &file(key)], CONTEXT));
        let lands = |path: &str| {
            let value = at(&found, path).filter(|value| !value.is_null());
            assert!(value.is_some() && value != at(&nothing, path), "{} does not land in {path}: {found}", key.path);
        };
        match key.maps_to {
            MapsTo::Attribute(to) => lands(&format!("settings.{to}")),
            MapsTo::Global(to) => {
                assert!(at(&found["config"][0]["global"], to).is_some(), "{} does not land in {to}: {found}", key.path);
            }
            // A key that is read together with others has an effect, or causes a note or an error.
            MapsTo::Special(_) => {
                assert!(found != nothing || !notes.is_empty() || !errors.is_empty(), "{}", key.path);
            }
            MapsTo::Nothing(reason) => {
                assert_eq!(found, nothing, "{}", key.path);
                // Without other keys, it has no effect.
                let is_quiet = ["global", "rbac.podSecurityPolicy.resourceNames"].contains(&key.path);
                assert!(is_quiet || notes[0].contains(&format!("{}: {reason}.", key.path)), "{notes:?}");
            }
            MapsTo::Older(to) => {
                assert_eq!(found, nothing, "{}", key.path);
                assert!(notes[0].contains(key.path) && errors.is_empty(), "{notes:?}");
                let in_catalogue = entries(&RUNNER).into_iter().any(|entry| entry.toml_path == to);
                assert!(in_catalogue, "{to}");
            }
        }
    }
}
