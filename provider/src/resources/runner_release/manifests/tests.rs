use secrecy::SecretString;
use serde_json::{Value, json};

use super::super::schema::RunnerReleaseSettings;
use super::super::spec::{Given, ReleaseSpec, TokenKind, resolve};
use super::*;

mod chart;
mod scripts;

const GUIDE: &str = include_str!("../testdata/guide-values.yaml");

fn guide() -> ReleaseSpec {
    let given = Given { values: &[GUIDE], ..Given::default() };
    resolve(given).unwrap().spec
}

fn spec(inputs: Value, token: TokenKind) -> ReleaseSpec {
    let mut typed: RunnerReleaseSettings = serde_json::from_value(inputs).unwrap();
    typed.gitlab_url.get_or_insert_with(|| "https://gitlab.example.com".to_owned());
    resolve(Given { typed, values: &[], token: Some(token), ..Given::default() }).unwrap().spec
}

fn fingerprints() -> Fingerprints {
    [("gitlab-runner".to_owned(), Fingerprint("abc".to_owned()))].into()
}

fn made(spec: &ReleaseSpec) -> Vec<Value> {
    objects(spec, &fingerprints()).unwrap()
}

fn find(objects: &[Value], kind: &str) -> Value {
    objects.iter().find(|object| object["kind"] == kind).cloned().unwrap_or(Value::Null)
}

fn kinds(objects: &[Value]) -> Vec<String> {
    let names = objects.iter().map(|object| {
        let metadata = &object["metadata"];
        let place = metadata["namespace"].as_str().unwrap_or("-");
        format!("{} {}/{}", object["kind"].as_str().unwrap(), place, metadata["name"].as_str().unwrap())
    });
    names.collect()
}

#[test]
fn the_guides_objects() {
    let mut objects = made(&guide());
    for object in &mut objects {
        if let Some(Value::Object(data)) = object.get_mut("data") {
            let scripts = ["check-live", "check-registration", "check-started", "entrypoint", "export-secrets"];
            for script in scripts.into_iter().chain(["register-the-runner"]) {
                data.insert(script.to_owned(), json!("(a script)"));
            }
        }
    }
    // The checksum of the scripts would change this file with every comment in them.
    objects
        .iter_mut()
        .filter_map(|object| object.pointer_mut("/spec/template/metadata/annotations/checksum~1configmap"))
        .for_each(|checksum| *checksum = json!("(a checksum)"));
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, sort_maps => true }, {
        insta::assert_json_snapshot!("guide_objects", objects);
    });
}

#[test]
fn a_plain_release_is_five_objects_and_a_secret() {
    let spec = spec(json!({ "name": "ci", "namespace": "runners" }), TokenKind::Authentication);
    assert_eq!(
        kinds(&made(&spec)),
        [
            "ServiceAccount runners/ci-gitlab-runner",
            "Role runners/ci-gitlab-runner",
            "RoleBinding runners/ci-gitlab-runner",
            "ConfigMap runners/ci-gitlab-runner",
            "Deployment runners/ci-gitlab-runner",
        ]
    );
    assert_eq!(used_secrets(&spec), ["ci-gitlab-runner"]);
}

#[test]
fn everything_at_once() {
    let inputs = json!({
        "metrics": { "enabled": true, "port": 9300, "port_name": "m" },
        "service": { "enabled": true, "type": "NodePort", "node_port": 30000, "additional_ports": [{ "name": "x", "port": 1 }] },
        "service_monitor": { "enabled": true, "namespace": "monitoring", "labels": { "a": "b" }, "interval": "15s" },
        "pod_monitor": { "enabled": true },
        "pod_disruption_budget": { "max_unavailable": 0 },
        "session_server": { "enabled": true, "ingress": { "enabled": true, "class_name": "nginx" }, "public_ip": "1.2.3.4" },
        "job_namespace": "jobs",
        "config": { "kubernetes": { "autoscaler": { "max_pause_pods": 1 } } },
    });
    let objects = made(&spec(inputs, TokenKind::Authentication));
    let namespace = "gitlab-runner";
    assert_eq!(
        kinds(&objects),
        [
            format!("ServiceAccount {namespace}/gitlab-runner"),
            "Role jobs/gitlab-runner".to_owned(),
            "ClusterRole -/gitlab-runner-gitlab-runner-priority-classes".to_owned(),
            "RoleBinding jobs/gitlab-runner".to_owned(),
            "ClusterRoleBinding -/gitlab-runner-gitlab-runner-priority-classes".to_owned(),
            format!("ConfigMap {namespace}/gitlab-runner"),
            format!("Service {namespace}/gitlab-runner"),
            format!("Service {namespace}/gitlab-runner-session-server"),
            format!("Ingress {namespace}/gitlab-runner-session-server-ingress"),
            format!("Deployment {namespace}/gitlab-runner"),
            format!("PodDisruptionBudget {namespace}/gitlab-runner"),
            "ServiceMonitor monitoring/gitlab-runner".to_owned(),
            format!("PodMonitor {namespace}/gitlab-runner"),
        ]
    );
    assert_eq!(
        find(&objects, "Service")["spec"],
        json!({
            "type": "NodePort",
            "ports": [{ "name": "m", "port": 9300, "targetPort": "m", "protocol": "TCP", "nodePort": 30000 }, { "name": "x", "port": 1 }],
            "selector": { "app": "gitlab-runner", "release": "gitlab-runner" },
        })
    );
    assert_eq!(
        find(&objects, "ServiceMonitor")["spec"],
        json!({
            "endpoints": [{ "port": "m", "interval": "15s" }],
            "namespaceSelector": { "matchNames": ["gitlab-runner"] },
            "selector": { "matchLabels": { "app": "gitlab-runner", "release": "gitlab-runner" } },
        })
    );
    assert_eq!(
        find(&objects, "PodDisruptionBudget")["spec"],
        json!({ "maxUnavailable": 0, "selector": { "matchLabels": { "app": "gitlab-runner" } } })
    );
    assert_eq!(
        find(&objects, "Ingress")["spec"],
        json!({
            "ingressClassName": "nginx",
            "rules": [{ "host": "1.2.3.4", "http": { "paths": [{
                "path": "/", "pathType": "Prefix",
                "backend": { "service": { "name": "gitlab-runner-session-server", "port": { "number": 9000 } } },
            }] } }],
            "tls": [{ "secretName": "gitlab-runner-session-server", "hosts": ["1.2.3.4"] }],
        })
    );
}

#[test]
fn an_autoscaler_decides_about_replicas() {
    let metrics = json!([{ "type": "Pods" }]);
    let inputs = json!({ "replicas": 3, "hpa": { "min_replicas": 2, "max_replicas": 5, "metrics": metrics } });
    let objects = made(&spec(inputs, TokenKind::Authentication));
    assert_eq!(find(&objects, "Deployment")["spec"].get("replicas"), None);
    assert_eq!(
        find(&objects, "HorizontalPodAutoscaler")["spec"],
        json!({
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "gitlab-runner" },
            "minReplicas": 2, "maxReplicas": 5, "metrics": metrics,
        })
    );
}

/// Returns the annotations that determine whether pods are replaced.
fn checksums(inputs: Value, fingerprints: &Fingerprints) -> Value {
    let objects = objects(&spec(inputs, TokenKind::Registration), fingerprints).unwrap();
    find(&objects, "Deployment")["spec"]["template"]["metadata"]["annotations"].clone()
}

#[test]
fn every_change_of_the_startup_inputs_restarts_pods() {
    let base = checksums(json!({}), &fingerprints());
    assert_eq!(base, checksums(json!({}), &fingerprints()));
    assert_ne!(base, checksums(json!({ "concurrent": 3 }), &fingerprints()));
    assert_ne!(base, checksums(json!({ "restart_on": { "a": "b" } }), &fingerprints()));
    let rotated = [("gitlab-runner".to_owned(), Fingerprint("def".to_owned()))].into();
    assert_ne!(base, checksums(json!({}), &rotated));
    assert_eq!(base["checksum/configmap"], checksums(json!({}), &rotated)["checksum/configmap"]);
}

#[test]
fn every_secret_in_use_is_listed() {
    let inputs = json!({
        "cache_secret_name": "cache", "certs_secret_name": "certs", "secrets": [{ "name": "more" }, { "name": "cache" }],
    });
    let spec = spec(inputs, TokenKind::Authentication);
    assert_eq!(used_secrets(&spec), ["cache", "certs", "gitlab-runner", "more"]);
}

#[test]
fn the_token_is_in_its_secret_only() {
    for kind in [TokenKind::Authentication, TokenKind::Registration] {
        let spec = spec(json!({}), kind);
        let token = SecretString::from("glrt-very-secret\n");
        let secret = token_secret(&spec, &token).unwrap();
        assert_eq!(
            secret.redacted()["data"],
            json!({ "runner-registration-token": "(sensitive)", "runner-token": "(sensitive)" })
        );
        let (mine, other) = match kind {
            TokenKind::Authentication => ("runner-token", "runner-registration-token"),
            TokenKind::Registration => ("runner-registration-token", "runner-token"),
        };
        assert!(!format!("{secret:?}").contains("very-secret"));
        let written = secret.expose();
        assert_eq!(written["data"][mine], "Z2xydC12ZXJ5LXNlY3JldA==");
        assert_eq!(written["data"][other], "");
        let rest = serde_json::to_string(&made(&spec)).unwrap();
        assert!(!rest.contains("very-secret"));
    }
}

#[test]
fn plan_and_state_see_no_secret_of_the_configuration() {
    let s3 = json!({ "access_key": "AKIA", "secret_key": "very-secret", "server_address": "s3.amazonaws.com" });
    let spec = spec(json!({ "config": { "cache": { "type": "s3", "s3": s3 } } }), TokenKind::Authentication);
    let shown = shown(&spec, &fingerprints()).unwrap();
    assert!(!serde_json::to_string(&shown).unwrap().contains("very-secret"));
    assert!(config_toml_rendered(&spec).unwrap().contains("SecretKey = \"(sensitive)\""));
    let applied = made(&spec);
    assert!(serde_json::to_string(&applied).unwrap().contains("very-secret"));
    assert_eq!(find(&applied, "Deployment"), find(&shown, "Deployment"));
}

#[test]
fn somebody_elses_secret_is_only_mounted() {
    let mut typed: RunnerReleaseSettings = serde_json::from_value(json!({ "token_secret_name": "theirs" })).unwrap();
    typed.gitlab_url = Some("https://x/".to_owned());
    let given = Given { typed, values: &[], ..Given::default() };
    let spec = resolve(given).unwrap().spec;
    assert!(token_secret(&spec, &SecretString::from("x")).is_none());
    let deployment = find(&made(&spec), "Deployment");
    let sources = deployment.pointer("/spec/template/spec/volumes/1/projected/sources").cloned();
    assert_eq!(
        sources,
        Some(json!([{ "secret": { "name": "theirs", "optional": true, "items": [
            { "key": "runner-registration-token", "path": "runner-registration-token" },
            { "key": "runner-token", "path": "runner-token" },
        ] } }]))
    );
}

#[test]
fn the_configuration_of_an_authentication_token_is_whole() {
    let config_map = find(&made(&spec(json!({ "runner_name": "r" }), TokenKind::Authentication)), "ConfigMap");
    let text = config_map["data"]["config.toml"].as_str().unwrap();
    assert_eq!(
        text,
        r#"check_interval = 3
concurrent = 10
log_level = "info"
shutdown_timeout = 0

[[runners]]
executor = "kubernetes"
name = "r"
token = "$CI_SERVER_TOKEN"
url = "https://gitlab.example.com"

[runners.kubernetes]
image = "alpine"
namespace = "gitlab-runner"
"#
    );
    let mut files: Vec<&String> = config_map["data"].as_object().unwrap().keys().collect();
    files.sort();
    assert_eq!(
        files,
        [
            "check-live",
            "check-registration",
            "check-started",
            "config.toml",
            "entrypoint",
            "export-secrets",
            "pre-entrypoint-script",
            "settings",
        ]
    );
}

/// Returns the manager's pod of this configuration.
fn pod_of(spec: &ReleaseSpec) -> Value {
    find(&made(spec), "Deployment")["spec"]["template"]["spec"].clone()
}

#[test]
fn a_manager_is_ready_soon_after_its_start() {
    let container = &pod_of(&spec(json!({}), TokenKind::Registration))["containers"][0];
    let exec = |command: &[&str]| json!({ "command": command });
    assert_eq!(
        container["startupProbe"],
        json!({
            "exec": exec(&["/bin/bash", "/configmaps/check-started"]), "initialDelaySeconds": 0, "timeoutSeconds": 4,
            "periodSeconds": 2, "successThreshold": 1, "failureThreshold": 300,
        })
    );
    assert_eq!(
        container["readinessProbe"],
        json!({
            "exec": exec(&["/usr/bin/pgrep", "gitlab.*runner"]), "initialDelaySeconds": 0, "timeoutSeconds": 4,
            "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
        })
    );
}

#[test]
fn a_restricted_namespace_takes_the_default_pod() {
    let default = json!({ "runAsUser": 100, "fsGroup": 65533, "seccompProfile": { "type": "RuntimeDefault" } });
    let context = |inputs: Value| pod_of(&spec(inputs, TokenKind::Authentication))["securityContext"].clone();
    assert_eq!(context(json!({})), default);
    assert_eq!(context(json!({ "pod_security_context": { "runAsUser": 7 } })), json!({ "runAsUser": 7 }));
    assert_eq!(pod_of(&guide())["securityContext"], default);
    let of_values = |values: &str| {
        let typed = serde_json::from_value(json!({ "gitlab_url": "https://gitlab.example.com" })).unwrap();
        let token = Some(TokenKind::Authentication);
        let resolved = resolve(Given { typed, values: &[values], token, ..Given::default() });
        pod_of(&resolved.unwrap().spec)["securityContext"].clone()
    };
    assert_eq!(of_values("podSecurityContext: {}"), default);
    // An explicit value is merged over the defaults of the chart.
    assert_eq!(of_values("podSecurityContext: {runAsUser: 7}"), json!({ "runAsUser": 7, "fsGroup": 65533 }));
}

#[test]
fn another_role_of_the_account_replaces_the_pods() {
    let checksum = |account: Value| {
        let deployment =
            find(&made(&spec(json!({ "service_account": account }), TokenKind::Authentication)), "Deployment");
        deployment["spec"]["template"]["metadata"]["annotations"]["checksum/service-account"].clone()
    };
    let role = |arn: &str| json!({ "annotations": { "eks.amazonaws.com/role-arn": arn } });
    assert!(checksum(role("a")).is_string());
    assert_ne!(checksum(role("a")), checksum(role("b")));
    assert_eq!(checksum(json!({ "name": "x" })), Value::Null);
    assert_eq!(checksum(json!({ "create": false, "name": "x" })), Value::Null);
}

#[test]
fn roles_of_the_cluster_have_their_namespace_in_the_name() {
    let name = |namespace: &str| {
        let inputs = json!({ "namespace": namespace, "rbac": { "cluster_wide": true } });
        let objects = made(&spec(inputs, TokenKind::Authentication));
        let binding = find(&objects, "ClusterRoleBinding");
        assert_eq!(binding["roleRef"]["name"], find(&objects, "ClusterRole")["metadata"]["name"]);
        binding["metadata"]["name"].clone()
    };
    assert_eq!((name("a"), name("b")), (json!("a-gitlab-runner"), json!("b-gitlab-runner")));
}

#[test]
fn jobs_of_old_runners_need_config_maps() {
    let has_config_maps = |version: &str| {
        let role = find(&made(&spec(json!({ "runner_version": version }), TokenKind::Registration)), "Role");
        role["rules"].as_array().unwrap().iter().any(|rule| rule["resources"][0] == "configmaps")
    };
    assert!(has_config_maps("15.0.0") && has_config_maps("15.7.4"));
    assert!(!has_config_maps("15.8.0") && !has_config_maps("19.3.0"));
}

#[test]
fn start_script_gets_the_unregister_setting() {
    let unregister = |inputs: Value, kind: TokenKind| {
        let config_map = find(&made(&spec(inputs, kind)), "ConfigMap");
        let settings = config_map["data"]["settings"].as_str().unwrap().to_owned();
        settings.lines().find_map(|line| line.strip_prefix("UNREGISTER=").map(str::to_owned))
    };
    let of = |text: &str| Some(text.to_owned());
    assert_eq!(unregister(json!({}), TokenKind::Registration), of("'true'"));
    assert_eq!(unregister(json!({ "unregister_on_destroy": false }), TokenKind::Registration), of("'false'"));
    assert_eq!(unregister(json!({ "runner_version": "18.9.0" }), TokenKind::Authentication), of("'false'"));
    assert_eq!(unregister(json!({}), TokenKind::Authentication), None);
}
