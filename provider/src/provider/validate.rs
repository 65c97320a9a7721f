//! Validation of the provider block. Unknown values are accepted until they are known.

use gitlabspot_clients::kubernetes::{EXEC_VERSIONS, not_pem};
use tfplugin::framework::timeouts;
use tfplugin::framework::{AttributePath, Diagnostics, Set, Value};

use super::schema::{Config, Kubernetes};
use crate::errors::sentence;

pub(super) fn check(config: &Config, diagnostics: &mut Diagnostics) {
    // An unknown value may become null, as that of a variable without a value, so that only known values are checked.
    let lonely = match (&config.access_key, &config.secret_key) {
        (Value::Known(_), Value::Null) => Some(("access_key", "secret_key")),
        (Value::Null, Value::Known(_)) => Some(("secret_key", "access_key")),
        _ => None,
    };
    if let Some((given, missing)) = lonely {
        diagnostics.error(
            given,
            "Incomplete static credentials",
            format!("{given} is set, but {missing} is not. Set both, or neither to use the standard credential chain."),
        );
    }
    if let Some(mode) = config.retry_mode.as_str()
        && !["standard", "adaptive"].contains(&mode)
    {
        diagnostics.error(
            "retry_mode",
            "Invalid retry mode",
            format!("{mode:?} is not a retry mode. Use \"standard\" or \"adaptive\"."),
        );
    }
    // 100 retries with pauses of up to 20 seconds take about half an hour.
    if config.max_retries.known().is_some_and(|retries| !(0..=100).contains(retries)) {
        diagnostics.error(
            "max_retries",
            "Invalid number of retries",
            "The number of retries must be between 0 and \
            100.",
        );
    }
    if config.allowed_account_ids.known().is_some() && config.forbidden_account_ids.known().is_some() {
        diagnostics.error(
            "forbidden_account_ids",
            "Conflicting arguments",
            "Only one of allowed_account_ids and forbidden_account_ids can be set.",
        );
    }
    accounts("allowed_account_ids", &config.allowed_account_ids, diagnostics);
    // An empty set explicitly forbids no account. A set of null values was meant to forbid some.
    if config.forbidden_account_ids.known().is_some_and(|list| !list.is_empty()) {
        accounts("forbidden_account_ids", &config.forbidden_account_ids, diagnostics);
    }
    let durations = [
        ("assume_role", config.assume_role.known().map(|role| &role.duration)),
        ("assume_role_with_web_identity", config.assume_role_with_web_identity.known().map(|role| &role.duration)),
    ];
    for (attribute, duration) in durations {
        if let Some(text) = duration.and_then(Value::as_str)
            && timeouts::parse(text).is_none()
        {
            diagnostics.error(
                AttributePath::of(attribute).attribute("duration"),
                "Invalid duration",
                format!("{text:?} is not a duration. Write a number with a unit, for example \"1h\"."),
            );
        }
    }
    kubernetes(config, diagnostics);
}

/// Adds an error for a set without an account ID, such as that of a variable without a value, which would protect
/// nothing.
fn accounts(attribute: &'static str, list: &Value<Set<String>>, diagnostics: &mut Diagnostics) {
    if list.known().is_some_and(|list| list.iter().all(Value::is_null)) {
        diagnostics.error(
            attribute,
            "Empty set",
            format!("{attribute} is set, but does not contain an account ID. Specify at least one, or omit it."),
        );
    }
}

fn kubernetes(config: &Config, diagnostics: &mut Diagnostics) {
    let Value::Known(kubernetes) = &config.kubernetes else { return };
    let Kubernetes { cluster_name, config_path, config_paths, host, token, exec, .. } = kubernetes;
    let path = |name: &str| AttributePath::of("kubernetes").attribute(name);
    let has_token = is_set(token.expose());
    let files = config_paths.known().is_some_and(|paths| !paths.is_empty());
    if given(config_path) && files {
        diagnostics.error(
            path("config_paths"),
            "Conflicting arguments",
            "Only one of config_path and config_paths can be set. Specify all kubeconfig files in config_paths, or \
             keep one of them.",
        );
    }
    if given(cluster_name) {
        let others = [("config_path", given(config_path)), ("config_paths", files), ("host", given(host))];
        for (other, _) in others.into_iter().filter(|(_, given)| *given) {
            diagnostics.error(
                path(other),
                "Conflicting arguments",
                format!("cluster_name and {other} both select a cluster. Keep one of them."),
            );
        }
        let idle = [
            ("config_context", given(&kubernetes.config_context)),
            ("config_context_auth_info", given(&kubernetes.config_context_auth_info)),
            ("config_context_cluster", given(&kubernetes.config_context_cluster)),
            ("token", has_token),
            ("client_certificate", given(&kubernetes.client_certificate)),
            ("client_key", is_set(kubernetes.client_key.expose())),
            ("exec", exec.known().is_some()),
        ];
        for (other, _) in idle.into_iter().filter(|(_, given)| *given) {
            diagnostics.error(
                path(other),
                "Conflicting arguments",
                format!(
                    "With cluster_name, the address comes from EKS and tokens are created from the AWS credentials, so \
                     that {other} would have no effect. Remove it, or use host instead of cluster_name."
                ),
            );
        }
    } else if has_token && exec.known().is_some() {
        diagnostics.error(
            path("exec"),
            "Conflicting arguments",
            "token and exec both select credentials. Keep one of them.",
        );
    }
    let version = exec.known().and_then(|exec| exec.api_version.as_str());
    if let Some(version) = version.filter(|version| !EXEC_VERSIONS.contains(version)) {
        diagnostics.error(
            path("exec").attribute("api_version"),
            "Invalid version",
            format!("{version:?} is not supported. Use one of: {}.", EXEC_VERSIONS.join(", ")),
        );
    }
    let certificates = [
        ("cluster_ca_certificate", &kubernetes.cluster_ca_certificate),
        ("client_certificate", &kubernetes.client_certificate),
    ];
    for (name, pem) in certificates {
        if let Some(problem) = pem.as_str().filter(|pem| !pem.is_empty()).and_then(not_pem) {
            diagnostics.error(path(name), "Invalid certificate", sentence(problem));
        }
    }
}

/// Whether a text is set. An empty string is not, so that a variable can disable an attribute, and neither is an
/// unknown value, because it may become null.
fn given(text: &Value<String>) -> bool {
    is_set(text.as_str())
}

fn is_set(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::schema::{AssumeRole, Exec};
    use super::*;

    fn errors(config: &Config) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        check(config, &mut diagnostics);
        diagnostics.iter().map(|diagnostic| diagnostic.path.to_string()).collect()
    }

    #[test]
    fn each_invalid_setting_is_named() {
        let config = Config {
            access_key: "AKIA".into(),
            retry_mode: "fast".into(),
            max_retries: 1000.into(),
            assume_role: Value::Known(AssumeRole { duration: "long".into(), ..AssumeRole::default() }),
            kubernetes: Value::Known(Kubernetes {
                cluster_name: "a".into(),
                host: "b".into(),
                ..Kubernetes::default()
            }),
            ..Config::default()
        };
        assert_eq!(
            errors(&config),
            ["access_key", "retry_mode", "max_retries", "assume_role.duration", "kubernetes.host"]
        );
    }

    fn errors_of(kubernetes: Kubernetes) -> Vec<String> {
        errors(&Config { kubernetes: Value::Known(kubernetes), ..Config::default() })
    }

    #[test]
    fn conflicting_connection_settings_are_refused() {
        let exec =
            || Value::Known(Exec { api_version: EXEC_VERSIONS[0].into(), command: "aws".into(), ..Exec::default() });
        let pem = || Value::from("-----BEGIN CERTIFICATE-----");
        let eks = Kubernetes {
            cluster_name: "prod".into(),
            config_path: "~/.kube/config".into(),
            config_context: "ci".into(),
            token: "t".into(),
            exec: exec(),
            proxy_url: "http://proxy:3128".into(),
            tls_server_name: "kubernetes".into(),
            cluster_ca_certificate: pem(),
            insecure: false.into(),
            ..Kubernetes::default()
        };
        assert_eq!(
            errors_of(eks),
            ["kubernetes.config_path", "kubernetes.config_context", "kubernetes.token", "kubernetes.exec"]
        );
        let two = Kubernetes { host: "https://x".into(), token: "t".into(), exec: exec(), ..Kubernetes::default() };
        assert_eq!(errors_of(two), ["kubernetes.exec"]);
        let files = Value::Known(vec!["a".into()]);
        let files = Kubernetes { config_path: "b".into(), config_paths: files, ..Kubernetes::default() };
        assert_eq!(errors_of(files), ["kubernetes.config_paths"]);
    }

    #[test]
    fn compatible_settings_are_accepted() {
        let over_a_file = Kubernetes {
            config_path: "~/.kube/config".into(),
            host: "https://localhost:8443".into(),
            token: "t".into(),
            ..Kubernetes::default()
        };
        assert_eq!(errors_of(over_a_file), [""; 0]);
        let switched_off = Kubernetes {
            cluster_name: "prod".into(),
            config_path: "".into(),
            config_paths: Value::Known(vec![]),
            token: "".into(),
            ..Kubernetes::default()
        };
        assert_eq!(errors_of(switched_off), [""; 0]);
    }

    #[test]
    fn formats_of_connection_settings_are_checked() {
        let wrong = Kubernetes {
            cluster_ca_certificate: "LS0tLS1CRUdJTg==".into(),
            client_certificate: "/etc/kubernetes/client.crt".into(),
            exec: Value::Known(Exec { api_version: "client.authentication.k8s.io/v1alpha1".into(), ..Exec::default() }),
            ..Kubernetes::default()
        };
        assert_eq!(
            errors_of(wrong),
            ["kubernetes.exec.api_version", "kubernetes.cluster_ca_certificate", "kubernetes.client_certificate"]
        );
    }

    #[test]
    fn account_list_without_an_account_is_refused() {
        let set = |elements: Vec<Value<String>>| Value::Known(elements.into_iter().collect::<Set<String>>());
        let allowed = |elements| errors(&Config { allowed_account_ids: set(elements), ..Config::default() });
        let forbidden = |elements| errors(&Config { forbidden_account_ids: set(elements), ..Config::default() });
        assert_eq!(allowed(vec![Value::Null]), ["allowed_account_ids"]);
        assert_eq!(allowed(vec![]), ["allowed_account_ids"]);
        assert_eq!(allowed(vec![Value::Null, "111111111111".into()]), [""; 0]);
        assert_eq!(allowed(vec![Value::Unknown]), [""; 0]);
        assert_eq!(forbidden(vec![Value::Null]), ["forbidden_account_ids"]);
        assert_eq!(forbidden(vec![]), [""; 0]);
    }

    #[test]
    fn unknown_settings_are_accepted() {
        let config = Config {
            access_key: Value::Unknown,
            retry_mode: Value::Unknown,
            allowed_account_ids: Value::Unknown,
            forbidden_account_ids: Value::Unknown,
            kubernetes: Value::Known(Kubernetes {
                host: Value::Unknown,
                cluster_name: Value::Unknown,
                config_path: "~/.kube/config".into(),
                token: "t".into(),
                exec: Value::Unknown,
                ..Kubernetes::default()
            }),
            ..Config::default()
        };
        assert_eq!(errors(&config), [""; 0]);
    }
}
