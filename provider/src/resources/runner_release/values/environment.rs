//! Variables with which `gitlab-runner register` is configured.
//!
//! A manager that does not register ignores these variables, so they become part of its configuration. Their names are
//! derived from the runner's options: `KUBERNETES_POLL_TIMEOUT` is `poll_timeout` of `[runners.kubernetes]`.

use gitlabspot_runner_config::catalogue::{Kind, RUNNER, Table};
use gitlabspot_runner_config::config_toml::{Config, from_hcl};
use serde_json::{Map, Value, json};
use tfplugin::framework::AttributePath;

use super::translate::{ValuesTranslator, put};

/// Variables with names that are not derived from the option.
const NAMED: &[(&str, &str)] = &[
    ("CLONE_URL", "clone_url"),
    ("FEATURE_FLAGS", "feature_flags"),
    ("STEP_RUNNER_IMAGE", "step_runner_image"),
    ("CUSTOM_BUILD_DIR_ENABLED", "custom_build_dir.enabled"),
    ("CI_SERVER_TLS_CA_FILE", "tls_ca_file"),
    ("CI_SERVER_TLS_CERT_FILE", "tls_cert_file"),
    ("CI_SERVER_TLS_KEY_FILE", "tls_key_file"),
    ("RUNNER_ENV", "environment"),
    ("RUNNER_PRE_CLONE_SCRIPT", "pre_get_sources_script"),
    ("RUNNER_POST_CLONE_SCRIPT", "post_get_sources_script"),
    ("KUBECTL_CONTEXT", "kubernetes.context"),
    ("KUBERNETES_REQUEST_RETRY_LIMIT", "kubernetes.retry_limit"),
    ("KUBERNETES_REQUEST_RETRY_BACKOFF_MAX", "kubernetes.retry_backoff_max"),
    ("CACHE_MAXIMUM_UPLOADED_ARCHIVE_SIZE", "cache.max_uploaded_archive_size"),
    ("GOOGLE_APPLICATION_CREDENTIALS", "cache.gcs.credentials_file"),
];

/// Prefixes of variables, each with the table of the keys, the longest prefix first.
const PREFIXES: &[(&str, &str)] = &[
    ("CACHE_AZURE_", "cache.azure"),
    ("CACHE_GCS_", "cache.gcs"),
    ("CACHE_S3_", "cache.s3"),
    ("CACHE_", "cache"),
    ("KUBERNETES_POD_SECURITY_CONTEXT_", "kubernetes.pod_security_context"),
    ("KUBERNETES_", "kubernetes"),
    ("RUNNER_", ""),
];

/// Options of a registration, which GitLab stores with an authentication token.
const OF_REGISTRATION: [&str; 8] = [
    "REGISTER_LOCKED",
    "REGISTER_RUN_UNTAGGED",
    "REGISTER_ACCESS_LEVEL",
    "REGISTER_MAXIMUM_TIMEOUT",
    "REGISTER_PAUSED",
    "REGISTER_MAINTENANCE_NOTE",
    "REGISTER_NON_INTERACTIVE",
    "RUNNER_TAG_LIST",
];

/// Whether a variable only has an effect in a registration.
pub fn is_of_registration(name: &str) -> bool {
    OF_REGISTRATION.contains(&name)
}

/// Returns the option of `[[runners]]` that a variable sets in a registration, as a dotted path of HCL names.
pub fn option(name: &str) -> Option<String> {
    if matches!(name, "RUNNER_EXECUTOR" | "RUNNER_TAG_LIST" | "RUNNER_NAME") {
        return None;
    }
    if let Some((_, path)) = NAMED.iter().find(|(variable, _)| *variable == name) {
        return Some((*path).to_owned());
    }
    PREFIXES.iter().find_map(|(prefix, table)| {
        let option = name.strip_prefix(prefix)?.to_ascii_lowercase();
        let path = if table.is_empty() { option } else { format!("{table}.{option}") };
        match kind(&path)? {
            Kind::Table(_) | Kind::Tables(_) => None,
            _ => Some(path),
        }
    })
}

fn kind(path: &str) -> Option<Kind> {
    let mut table: &'static Table = &RUNNER;
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        let kind = table.by_hcl(part)?.kind;
        match (kind, parts.peek()) {
            (kind, None) => return Some(kind),
            (Kind::Table(of), Some(_)) => table = of,
            _ => return None,
        }
    }
    None
}

/// Converts the text of a variable to the value of an option. Lists are separated by commas; maps are JSON or
/// `key:value`.
pub(super) fn value(text: &str, kind: Kind) -> Value {
    let parts = || text.split(',').map(str::trim).filter(|part| !part.is_empty());
    match kind {
        Kind::Texts | Kind::Choices(_) | Kind::ChoiceOrChoices(_) | Kind::Integers | Kind::Floats => {
            parts().map(Value::from).collect()
        }
        Kind::TextMap | Kind::FlagMap | Kind::IntegerMap => serde_json::from_str(text).unwrap_or_else(|_| {
            // The key may contain "=", as in the toleration key=value:NoSchedule.
            let pairs = parts().map(|part| part.rsplit_once(':').or(part.split_once('=')).unwrap_or((part, "")));
            Value::Object(pairs.map(|(key, value)| (key.to_owned(), value.into())).collect())
        }),
        _ => Value::from(text),
    }
}

/// What the runner uses instead of a text, if it ignores the text.
fn replaced(text: &str, kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Choice(choice) if choice.spelling(text).is_none() => choice.fallback(),
        _ => None,
    }
}

impl ValuesTranslator<'_> {
    /// Converts `envVars` and `extraEnv` to a layer of configuration, and lists variables with values in other objects.
    pub(super) fn environment(&mut self) {
        let mut options = Map::new();
        for (path, name, text) in self.variables() {
            match (name.as_str(), text) {
                ("RUNNER_EXECUTOR", Some(executor)) if executor != "kubernetes" => self.error(
                    &path,
                    "Executor is not supported",
                    &format!(
                        "RUNNER_EXECUTOR is {executor:?}, but this resource only supports the Kubernetes executor. \
                         Remove it."
                    ),
                ),
                ("CI_SERVER_URL", Some(url)) if !self.settings.contains_key("gitlab_url") => {
                    put(&mut self.settings, "gitlab_url", Value::from(url));
                }
                ("RUNNER_NAME", Some(text)) => {
                    self.settings.entry("runner_name").or_insert(Value::from(text));
                }
                (name, text) => {
                    let Some(option) = option(name) else { continue };
                    match text {
                        Some(text) if !text.is_empty() => {
                            let Some(kind) = kind(&option) else { continue };
                            if let Some(used) = replaced(&text, kind) {
                                self.note(
                                    &path,
                                    format!("{name} is {text:?}, which GitLab Runner ignores: it uses {used}."),
                                );
                                continue;
                            }
                            put(&mut options, &option, value(&text, kind));
                        }
                        Some(_) => {}
                        None => self.translated.variables_from_elsewhere.push((path, option)),
                    }
                }
            }
        }
        let layer = from_hcl(&json!(options), &RUNNER, self.version, AttributePath::root());
        match layer {
            Ok(runner) => self.translated.environment = Config { runner, ..Config::default() },
            Err(findings) => {
                for finding in findings {
                    self.error("extraEnv", "Wrong value of a variable", &format!("a variable: {}", finding.detail));
                }
            }
        }
    }

    /// Returns path, name and text of each variable; without a text if another object contains it.
    fn variables(&self) -> Vec<(String, String, Option<String>)> {
        let mut found = Vec::new();
        for (index, variable) in self.translated.env.iter().enumerate() {
            let name = variable["name"].as_str().unwrap_or_default().to_owned();
            found.push((format!("envVars.{index}"), name, variable["value"].as_str().map(str::to_owned)));
        }
        let map = |name: &str| self.settings.get(name).and_then(Value::as_object).into_iter().flatten();
        for (name, value) in map("extra_env") {
            found.push((format!("extraEnv.{name}"), name.clone(), value.as_str().map(str::to_owned)));
        }
        for (name, _) in map("extra_env_from") {
            found.push((format!("extraEnvFrom.{name}"), name.clone(), None));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_those_of_the_runners_options() {
        for (name, expected) in [
            ("KUBERNETES_PRIVILEGED", "kubernetes.privileged"),
            ("KUBERNETES_POLL_TIMEOUT", "kubernetes.poll_timeout"),
            ("KUBERNETES_POD_SECURITY_CONTEXT_FS_GROUP", "kubernetes.pod_security_context.fs_group"),
            ("CACHE_TYPE", "cache.type"),
            ("CACHE_SHARED", "cache.shared"),
            ("CACHE_S3_SERVER_ADDRESS", "cache.s3.server_address"),
            ("CACHE_S3_BUCKET_NAME", "cache.s3.bucket_name"),
            ("CACHE_GCS_BUCKET_NAME", "cache.gcs.bucket_name"),
            ("CACHE_AZURE_ACCOUNT_NAME", "cache.azure.account_name"),
            ("RUNNER_OUTPUT_LIMIT", "output_limit"),
            ("RUNNER_REQUEST_CONCURRENCY", "request_concurrency"),
            ("CLONE_URL", "clone_url"),
        ] {
            assert_eq!(option(name).as_deref(), Some(expected), "{name}");
        }
        for name in [
            "HTTP_PROXY",
            "RUNNER_EXECUTOR",
            "RUNNER_KUBERNETES",
            "KUBERNETES_SERVICE_HOST",
            "CACHE_S3",
            "DOCKER_IMAGE",
        ] {
            assert_eq!(option(name), None, "{name}");
        }
        for (_, path) in NAMED {
            assert!(kind(path).is_some(), "{path}");
        }
    }

    #[test]
    fn texts_become_values_of_their_kind() {
        assert_eq!(value("a, b", Kind::Texts), json!(["a", "b"]));
        assert_eq!(value("a=b:NoSchedule", Kind::TextMap), json!({ "a=b": "NoSchedule" }));
        assert_eq!(value("{\"a\": \"b\"}", Kind::TextMap), json!({ "a": "b" }));
        assert_eq!(value("true", Kind::Flag), json!("true"));
    }
}
