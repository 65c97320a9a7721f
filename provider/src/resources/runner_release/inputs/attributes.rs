//! The typed attributes as inputs.

use gitlabspot_runner_config::catalogue::AFFINITY;
use gitlabspot_runner_config::config_toml::{affinity_from_raw, to_hcl};
use secrecy::SecretString;
use serde_json::{Map, Value as Json, json};
use tfplugin::framework::value::known_list;
use tfplugin::framework::{Diagnostic, Diagnostics, Object, Raw, Value};

use super::super::dynamic;
use super::super::schema::RunnerRelease;
use super::super::spec::{Given, Resolved, TokenKind, resolve};
use super::{ReleaseInputs, to_api};

/// Attributes that are not about what is made, but about how, and what came of it.
const NOT_INPUTS: [&str; 17] = [
    "id",
    "create_namespace",
    "cluster_name",
    "runner_token_wo",
    "runner_token_wo_version",
    "registration_token_wo",
    "registration_token_wo_version",
    "values",
    "wait",
    "timeouts",
    "status",
    "manifest",
    "config_toml_rendered",
    "objects",
    "job_pod",
    "container_lifecycle",
    "extra_env_from",
];

/// Attributes whose content Kubernetes defines.
const OF_KUBERNETES: [&str; 22] = [
    "affinity",
    "extra_containers",
    "extra_env_from_refs",
    "host_aliases",
    "hpa/behavior",
    "hpa/metrics",
    "pod_monitor/metric_relabelings",
    "pod_monitor/relabelings",
    "pod_monitor/tls_config",
    "pod_security_context",
    "resources",
    "security_context",
    "service/additional_ports",
    "service_monitor/metric_relabelings",
    "service_monitor/relabelings",
    "service_monitor/tls_config",
    "session_server/ingress/tls",
    "strategy",
    "tolerations",
    "topology_spread_constraints",
    "volume_mounts",
    "volumes",
];

/// A number or a percentage; HCL has one type for both.
const NUMBERS_OR_TEXTS: [&str; 4] = [
    "strategy/rollingUpdate/maxSurge",
    "strategy/rollingUpdate/maxUnavailable",
    "pod_disruption_budget/min_available",
    "pod_disruption_budget/max_unavailable",
];

/// The token that the configuration gives beside the values files.
#[derive(Clone, Debug)]
pub(in super::super) struct WriteOnlyToken {
    pub(in super::super) kind: TokenKind,
    /// `None` while it is unknown.
    pub(in super::super) token: Option<SecretString>,
}

/// The token of a configuration, if it has one. `None` while it is not known which of the two it will be.
pub(in super::super) fn token(config: &RunnerRelease) -> Option<Option<WriteOnlyToken>> {
    use TokenKind::{Authentication, Registration};
    use Value::{Known, Null, Unknown};
    let given = |kind, token: &String| WriteOnlyToken { kind, token: Some(SecretString::from(token.as_str())) };
    Some(match (&config.runner_token_wo, &config.registration_token_wo) {
        (Known(token), _) => Some(given(Authentication, token)),
        (_, Known(token)) => Some(given(Registration, token)),
        (Unknown, Null) => Some(WriteOnlyToken { kind: Authentication, token: None }),
        (Null, Unknown) => Some(WriteOnlyToken { kind: Registration, token: None }),
        (Null, Null) => None,
        (Unknown, Unknown) => return None,
    })
}

/// The release that the attributes describe; `None` while something of it is unknown.
///
/// # Errors
/// All that is wrong with it, at the attributes.
pub(in super::super) fn expand(
    model: &RunnerRelease,
    token: Option<TokenKind>,
    existing_secret: Option<TokenKind>,
) -> Option<Result<Resolved, Diagnostics>> {
    let values = known_list(&model.values)?;
    let typed = match inputs(model)? {
        Ok(inputs) => inputs,
        Err(found) => return Some(Err(found)),
    };
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let resolved = resolve(Given { typed, values: &values, token, existing_secret });
    Some(resolved.map_err(|findings| findings.into_iter().collect()))
}

fn inputs(model: &RunnerRelease) -> Option<Result<ReleaseInputs, Diagnostics>> {
    let mut attributes = model.clone().into_raw_object();
    let lifecycle = attributes.get("container_lifecycle").cloned().unwrap_or_default();
    let env_from = attributes.get("extra_env_from").cloned().unwrap_or_default();
    attributes.retain(|name, _| !NOT_INPUTS.contains(&name.as_str()));
    let known = attributes.values().all(Raw::is_wholly_known);
    if !known || !lifecycle.is_wholly_known() || !env_from.is_wholly_known() {
        return None;
    }
    let wrong = dynamic::shapes(model);
    if !wrong.is_empty() {
        return Some(Err(wrong.into_iter().collect()));
    }
    let affinity = match attributes.get("affinity").filter(|value| !value.is_null()).map(affinity_from_raw) {
        Some(Err(found)) => return Some(Err(found.into_iter().collect())),
        affinity => affinity.and_then(Result::ok).map(|table| to_hcl(&table, &AFFINITY)),
    };
    let mut inputs = json(&Raw::Map(attributes));
    if let Some(affinity) = affinity {
        inputs["affinity"] = affinity;
    }
    for path in OF_KUBERNETES {
        if let Some(value) = inputs.pointer_mut(&format!("/{path}")) {
            *value = to_api(value.take());
        }
    }
    for path in NUMBERS_OR_TEXTS {
        if let Some(value) = inputs.pointer_mut(&format!("/{path}")) {
            number_or_text(value);
        }
    }
    if let Some(ports) = inputs.pointer_mut("/service/additional_ports").and_then(Json::as_array_mut) {
        ports.iter_mut().filter_map(|port| port.get_mut("targetPort")).for_each(number_or_text);
    }
    if let Json::Object(inputs) = &mut inputs {
        if !lifecycle.is_null() {
            inputs.insert("lifecycle".to_owned(), to_api(json(&lifecycle)));
        }
        if let Json::Object(sources) = json(&env_from) {
            // The names are the user's own.
            let sources: Map<_, _> = sources.into_iter().map(|(name, source)| (name, to_api(source))).collect();
            inputs.insert("extra_env_from".to_owned(), sources.into());
        }
    }
    Some(serde_json::from_value(inputs).map_err(|error| shapeless(&error)))
}

fn number_or_text(value: &mut Json) {
    if let Some(number) = value.as_str().and_then(|text| text.parse::<i64>().ok()) {
        *value = json!(number);
    }
}

/// What a value says, without its types; null attributes are left out.
pub fn json(raw: &Raw) -> Json {
    match raw {
        Raw::Null | Raw::Unknown(_) => Json::Null,
        Raw::Bool(value) => json!(value),
        Raw::Number(number) => number.as_i64().map_or_else(|| json!(number.as_f64()), Json::from),
        Raw::String(text) => json!(text),
        Raw::Secret(secret) => json!(secret.expose()),
        Raw::List(elements) => Json::Array(elements.iter().map(json).collect()),
        Raw::Map(elements) => {
            let given = elements.iter().filter(|(_, value)| !value.is_null());
            Json::Object(given.map(|(name, value)| (name.clone(), json(value))).collect())
        }
        Raw::Dynamic(dynamic) => json(&dynamic.value),
    }
}

fn shapeless(error: &serde_json::Error) -> Diagnostics {
    Diagnostic::error(
        "Invalid attribute value",
        format!("An attribute does not have the shape that Kubernetes defines for it: {error}."),
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::runner_release::schema::{
        ContainerLifecycle, DisruptionBudget, EnvSource, Exec, Hook, KeyRef, RollingUpdate, Strategy,
    };
    use tfplugin::framework::Type;
    use tfplugin::framework::value::DynamicRaw;

    fn raw(json: Json) -> Raw {
        Raw::from(&json)
    }

    #[test]
    fn attributes_become_inputs() {
        let exec = Exec { command: Value::Known(vec!["true".into()]) };
        let model = RunnerRelease {
            gitlab_url: "https://gitlab.com/".into(),
            config: Value::Known(raw(json!({ "limit": 3, "kubernetes": { "image": null, "cpu_request": "2" } }))),
            strategy: Value::Known(Strategy {
                rolling_update: Value::Known(RollingUpdate { max_surge: "1".into(), max_unavailable: "25%".into() }),
                ..Strategy::default()
            }),
            pod_disruption_budget: Value::Known(DisruptionBudget { min_available: "1".into(), ..Default::default() }),
            container_lifecycle: Value::Known(ContainerLifecycle {
                pre_stop: Value::Known(Hook { exec: Value::Known(exec), ..Hook::default() }),
                ..ContainerLifecycle::default()
            }),
            extra_env_from: Value::Known(
                [(
                    "MY_TOKEN".to_owned(),
                    Value::Known(EnvSource {
                        secret_key_ref: Value::Known(KeyRef {
                            name: "s".into(),
                            key: "k".into(),
                            optional: Value::Null,
                        }),
                        ..EnvSource::default()
                    }),
                )]
                .into(),
            ),
            volumes: Value::Known(Raw::Dynamic(Box::new(DynamicRaw {
                ty: Type::Dynamic,
                value: raw(json!([{ "name": "a", "empty_dir": {} }])),
            }))),
            affinity: Value::Known(raw(json!({ "pod_affinity": {
                "preferred_during_scheduling_ignored_during_execution": [
                    { "weight": "1", "pod_affinity_term": { "topology_key": "x", "namespaces": null } },
                ],
            } }))),
            runner_token_wo: "glrt-secret".into(),
            manifest: Value::Unknown,
            ..RunnerRelease::default()
        };
        let found = serde_json::to_value(inputs(&model).unwrap().unwrap()).unwrap();
        let given = found.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
        let given: Map<String, Json> = given.map(|(name, value)| (name.clone(), value.clone())).collect();
        assert_eq!(
            Json::Object(given),
            json!({
                "gitlab_url": "https://gitlab.com/",
                "config": { "limit": 3, "kubernetes": { "cpu_request": "2" } },
                "strategy": { "rollingUpdate": { "maxSurge": 1, "maxUnavailable": "25%" } },
                "pod_disruption_budget": { "min_available": 1, "max_unavailable": null },
                "lifecycle": { "preStop": { "exec": { "command": ["true"] } } },
                "extra_env_from": { "MY_TOKEN": { "secretKeyRef": { "name": "s", "key": "k" } } },
                "volumes": [{ "name": "a", "emptyDir": {} }],
                "affinity": { "podAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [
                    { "weight": 1, "podAffinityTerm": { "topologyKey": "x" } },
                ] } },
            })
        );
    }

    #[test]
    fn every_input_is_an_attribute() {
        let inputs = serde_json::to_value(ReleaseInputs::default()).unwrap();
        let attributes = RunnerRelease::default().into_raw_object();
        let missing = inputs.as_object().unwrap().keys().filter(|name| !attributes.contains_key(*name));
        // Parts of an image and a list of variables are the chart's way; `lifecycle` is Terraform's own word.
        assert_eq!(missing.collect::<Vec<_>>(), ["image_parts", "lifecycle", "env"]);
    }

    #[test]
    fn a_token_tells_its_kind() {
        let kind = |runner: Value<String>, registration: Value<String>| {
            let config = RunnerRelease {
                runner_token_wo: runner,
                registration_token_wo: registration,
                ..RunnerRelease::default()
            };
            token(&config).map(|token| token.map(|token| (token.kind, token.token.is_some())))
        };
        let (authentication, registration) = (TokenKind::Authentication, TokenKind::Registration);
        assert_eq!(kind("a".into(), Value::Unknown), Some(Some((authentication, true))));
        assert_eq!(kind(Value::Unknown, "b".into()), Some(Some((registration, true))));
        assert_eq!(kind(Value::Null, Value::Unknown), Some(Some((registration, false))));
        assert_eq!(kind(Value::Null, Value::Null), Some(None));
        assert_eq!(kind(Value::Unknown, Value::Unknown), None);
    }

    #[test]
    fn nothing_is_decided_while_something_is_unknown() {
        let model = RunnerRelease { cache_secret_name: Value::Unknown, ..RunnerRelease::default() };
        assert!(expand(&model, None, None).is_none());
        let model = RunnerRelease { values: Value::Unknown, ..RunnerRelease::default() };
        assert!(expand(&model, None, None).is_none());
    }
}
