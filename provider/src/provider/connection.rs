//! Converts the provider block to the settings of the clients.
//!
//! In a plan, a value may be unknown because it depends on a resource of the same run. The names of unknown attributes
//! are passed on, so that a client that needs one fails with an error instead of using a default.

use std::collections::BTreeMap;
use std::time::Duration;

use gitlabspot_clients::aws::{AssumeRole, AssumeRoleWithWebIdentity, AwsSettings, Endpoints};
use gitlabspot_clients::kubernetes::{Exec, KubernetesSettings};
use secrecy::SecretString;
use tfplugin::framework::timeouts;
use tfplugin::framework::value::{List, Map, Secret, Value, known_list, known_map};
use tfplugin::framework::{Object, Raw, Set};

use super::schema::{Config, Kubernetes};

pub(super) fn aws(config: &Config, clock_speed: u32) -> AwsSettings {
    let mut unknown = unknown_names(config.clone());
    // These attributes do not affect the connection to AWS.
    unknown.retain(|name| !["kubernetes", "default_tags", "ignore_tags"].contains(&name.as_str()));
    AwsSettings {
        region: text(&config.region),
        profile: text(&config.profile),
        access_key: text(&config.access_key),
        secret_key: secret(&config.secret_key),
        token: secret(&config.token),
        shared_config_files: list(&config.shared_config_files),
        shared_credentials_files: list(&config.shared_credentials_files),
        assume_role: config.assume_role.known().map(|role| AssumeRole {
            role_arn: text(&role.role_arn).unwrap_or_default(),
            session_name: text(&role.session_name),
            external_id: text(&role.external_id),
            duration: role.duration.as_str().and_then(timeouts::parse),
            policy: text(&role.policy),
            policy_arns: set(&role.policy_arns).unwrap_or_default(),
            tags: map(&role.tags),
            source_identity: text(&role.source_identity),
        }),
        assume_role_with_web_identity: config.assume_role_with_web_identity.known().map(|role| {
            AssumeRoleWithWebIdentity {
                role_arn: text(&role.role_arn),
                session_name: text(&role.session_name),
                web_identity_token: secret(&role.web_identity_token),
                web_identity_token_file: text(&role.web_identity_token_file),
                duration: role.duration.as_str().and_then(timeouts::parse),
            }
        }),
        endpoints: config.endpoints.known().map_or_else(Endpoints::default, |endpoints| Endpoints {
            autoscaling: text(&endpoints.autoscaling),
            ec2: text(&endpoints.ec2),
            eks: text(&endpoints.eks),
            iam: text(&endpoints.iam),
            s3: text(&endpoints.s3),
            sts: text(&endpoints.sts),
        }),
        s3_use_path_style: config.s3_use_path_style.known().copied(),
        use_fips_endpoint: config.use_fips_endpoint.known().copied(),
        use_dualstack_endpoint: config.use_dualstack_endpoint.known().copied(),
        max_retries: config.max_retries.known().and_then(|retries| u32::try_from(*retries).ok()),
        retry_mode: text(&config.retry_mode),
        http_proxy: text(&config.http_proxy),
        https_proxy: text(&config.https_proxy),
        no_proxy: text(&config.no_proxy),
        custom_ca_bundle: text(&config.custom_ca_bundle),
        allowed_account_ids: set(&config.allowed_account_ids),
        forbidden_account_ids: set(&config.forbidden_account_ids),
        not_yet_known: unknown,
        http_client: None,
        // The SDK has its own clock. Its pauses are scaled instead.
        initial_backoff: (clock_speed > 1).then(|| Duration::from_secs(1) / clock_speed),
    }
}

pub(super) fn kubernetes(config: &Config) -> KubernetesSettings {
    let kubernetes = match &config.kubernetes {
        Value::Known(kubernetes) => kubernetes,
        Value::Null => return KubernetesSettings::default(),
        Value::Unknown => {
            return KubernetesSettings {
                not_yet_known: vec!["kubernetes".to_owned()],
                ..KubernetesSettings::default()
            };
        }
    };
    let not_yet_known =
        unknown_names(kubernetes.clone()).into_iter().map(|name| format!("kubernetes.{name}")).collect();
    settings(kubernetes, not_yet_known)
}

fn settings(kubernetes: &Kubernetes, not_yet_known: Vec<String>) -> KubernetesSettings {
    KubernetesSettings {
        cluster_name: text(&kubernetes.cluster_name),
        config_path: text(&kubernetes.config_path),
        config_paths: list(&kubernetes.config_paths),
        config_context: text(&kubernetes.config_context),
        config_context_auth_info: text(&kubernetes.config_context_auth_info),
        config_context_cluster: text(&kubernetes.config_context_cluster),
        host: text(&kubernetes.host),
        token: secret(&kubernetes.token),
        token_from: None,
        cluster_ca_certificate: text(&kubernetes.cluster_ca_certificate),
        client_certificate: text(&kubernetes.client_certificate),
        client_key: secret(&kubernetes.client_key),
        insecure: kubernetes.insecure.known().copied(),
        tls_server_name: text(&kubernetes.tls_server_name),
        proxy_url: text(&kubernetes.proxy_url),
        exec: kubernetes.exec.known().map(|exec| Exec {
            api_version: text(&exec.api_version).unwrap_or_default(),
            command: text(&exec.command).unwrap_or_default(),
            args: list(&exec.args).unwrap_or_default(),
            env: map(&exec.env),
            install_hint: None,
        }),
        not_yet_known,
    }
}

/// Names of the attributes that are not wholly known.
fn unknown_names(object: impl Object) -> Vec<String> {
    let wholly_known = |value: &Raw| value.is_wholly_known();
    object.into_raw_object().into_iter().filter(|(_, value)| !wholly_known(value)).map(|(name, _)| name).collect()
}

fn text(value: &Value<String>) -> Option<String> {
    // An empty string, which variables often have as "no value", selects the default.
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn secret(value: &Value<Secret>) -> Option<SecretString> {
    value.known().filter(|secret| !secret.expose().is_empty()).cloned().map(Secret::into_inner)
}

fn list(value: &Value<List<String>>) -> Option<Vec<String>> {
    value.known()?;
    known_list(value)
}

fn set(value: &Value<Set<String>>) -> Option<Vec<String>> {
    Some(value.known()?.iter().filter_map(|element| element.known().cloned()).collect())
}

fn map(value: &Value<Map<String>>) -> BTreeMap<String, String> {
    known_map(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_settings_are_named() {
        let config = Config {
            region: Value::Unknown,
            default_tags: Value::Unknown,
            kubernetes: Value::Known(Kubernetes {
                host: Value::Unknown,
                token: "secret".into(),
                ..Kubernetes::default()
            }),
            ..Config::default()
        };
        assert_eq!(aws(&config, 1).not_yet_known, ["region"]);
        assert_eq!(kubernetes(&config).not_yet_known, ["kubernetes.host"]);
        let config = Config { kubernetes: Value::Unknown, ..Config::default() };
        assert_eq!(kubernetes(&config).not_yet_known, ["kubernetes"]);
    }

    #[test]
    fn empty_text_counts_as_unset() {
        let config = Config { region: "".into(), ..Config::default() };
        assert_eq!(aws(&config, 1).region, None);
    }
}
