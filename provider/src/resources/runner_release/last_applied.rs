//! The attributes of a release, stored with its objects so that an import can restore them.
//!
//! Objects do not show whether they were created from typed attributes, from TOML or from values files. So an
//! annotation of the ConfigMap, which is not mounted into pods, contains the last applied attributes without secrets.

use std::collections::BTreeMap;

use gitlabspot_runner_config::config_toml::redact;
use serde_json::{Map, Value as Json, json};
use tfplugin::framework::schema::Schema;
use tfplugin::framework::{Attribute, Kind, Nesting, Object, Raw, Type, Value, state_upgrade};

use super::dynamic;
use super::model::Desired;
use super::schema::{ATTRIBUTES, RunnerRelease};
use super::spec::TokenKind;

/// Annotation of the ConfigMap.
pub(super) const ANNOTATION: &str = "gitlabspot.io/last-applied";

/// Kubernetes limits all annotations of an object together to 256 KiB.
const LONGEST: usize = 200 * 1024;

/// Key for the kind of the token, which is stored instead of the token.
const TOKEN: &str = "token";

/// Returns the value of the annotation; `None` if it would be too long.
pub(super) fn write(model: &RunnerRelease, desired: &Desired) -> Option<String> {
    let mut attributes = without_secrets(&ATTRIBUTES, model.clone().into_raw_object());
    if desired.has_token_in_values || redact(&desired.spec.config) != desired.spec.config {
        // These texts may contain the secrets that are omitted from typed attributes.
        attributes.remove("values");
        attributes.remove("config_toml");
    }
    let mut fields: Map<String, Json> = attributes
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name, state_upgrade::to_json(&value)))
        .collect();
    if desired.spec.token.owned && !desired.has_token_in_values {
        let kind = match desired.spec.token.kind {
            TokenKind::Authentication => "authentication",
            TokenKind::Registration => "registration",
        };
        fields.insert(TOKEN.to_owned(), json!(kind));
    }
    let text = Json::Object(fields).to_string();
    (text.len() <= LONGEST).then_some(text)
}

/// Returns the attributes, and a configuration with an unknown token if there was one.
pub(super) fn read(text: &str) -> Option<(RunnerRelease, RunnerRelease)> {
    let json: Json = serde_json::from_str(text).ok()?;
    // The annotation may be from schema version 0, with typed attributes.
    let upgraded = dynamic::upgrade(json.clone());
    let raw = state_upgrade::from_json(&Schema::of::<RunnerRelease>(0, ""), &upgraded).ok()?;
    let model = RunnerRelease::from_raw(raw).ok()??;
    let mut config = model.clone();
    match json[TOKEN].as_str() {
        Some("authentication") => config.runner_token_wo = Value::Unknown,
        Some("registration") => config.registration_token_wo = Value::Unknown,
        _ => {}
    }
    Some((model, config))
}

/// Removes computed, sensitive and write-only attributes.
fn without_secrets(attributes: &[Attribute], mut object: BTreeMap<String, Raw>) -> BTreeMap<String, Raw> {
    for attribute in attributes {
        let name = attribute.name.as_ref();
        let is_only_computed = matches!(attribute.mode, tfplugin::framework::schema::Mode::Computed(_));
        if let Some(value) = object.get_mut(name)
            && attribute.kind == Kind::Plain(Type::Dynamic)
            && !value.is_null()
        {
            *value = dynamic::without_secrets(name, std::mem::take(value));
        } else if attribute.sensitive || attribute.write_only || is_only_computed {
            object.remove(name);
        } else if let (Kind::Nested(nesting, nested), Some(value)) = (&attribute.kind, object.get_mut(name)) {
            let within = |value: Raw| match value {
                Raw::Map(object) => Raw::Map(without_secrets(nested, object)),
                other => other,
            };
            *value = match (nesting, std::mem::take(value)) {
                (Nesting::Single, value) => within(value),
                (Nesting::List | Nesting::Set, Raw::List(items)) => Raw::List(items.into_iter().map(within).collect()),
                (Nesting::Map, Raw::Map(items)) => {
                    Raw::Map(items.into_iter().map(|(key, item)| (key, within(item))).collect())
                }
                (_, value) => value,
            };
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use tfplugin::framework::value::DynamicRaw;

    fn map<const N: usize>(fields: [(&str, Raw); N]) -> Raw {
        Raw::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn written(planned: &RunnerRelease) -> Option<String> {
        let config = RunnerRelease { runner_token_wo: "glrt-very-secret".into(), ..planned.clone() };
        write(planned, &Desired::of(planned, &config, None).unwrap())
    }

    #[test]
    fn attributes_are_read_back() {
        let volume = Type::Object([("name".to_owned(), Type::String)].into());
        let volumes = DynamicRaw { ty: Type::Tuple(vec![volume]), value: Raw::List(vec![map([("name", "x".into())])]) };
        let release = RunnerRelease {
            name: "gitlab-runner".into(),
            gitlab_url: "https://gitlab.com/".into(),
            runner_token_wo_version: 3.into(),
            wait: true.into(),
            volumes: Value::Known(Raw::Dynamic(Box::new(volumes))),
            ..RunnerRelease::default()
        };
        let (model, config) = read(&written(&release).unwrap()).unwrap();
        assert_eq!(model, release);
        assert_eq!(config, RunnerRelease { runner_token_wo: Value::Unknown, ..release });
    }

    #[test]
    fn secrets_are_left_out() {
        let s3 =
            map([("access_key", "AKIA".into()), ("secret_key", "very-secret".into()), ("server_address", "x".into())]);
        let cache = map([("type", "s3".into()), ("s3", s3)]);
        let release = RunnerRelease {
            gitlab_url: "https://gitlab.com/".into(),
            sentry_dsn: "https://very-secret@x/1".into(),
            cache: Value::Known(cache),
            values: Value::Known(vec!["runners: { config: '[[runners]]' }".into()]),
            ..RunnerRelease::default()
        };
        let text = written(&release).unwrap();
        assert!(!text.contains("secret_key") && !text.contains("very-secret") && !text.contains("values"), "{text}");
        assert!(text.contains("server_address"));
    }

    #[test]
    fn dynamic_attributes_are_read() {
        let text = json!({ "name": "x", "cache": { "type": "s3" }, "config": { "limit": 2 } }).to_string();
        let (model, _) = read(&text).unwrap();
        assert_eq!(model.config.known().map(Json::from), Some(json!({ "limit": 2 })));
        assert_eq!(model.cache.known().map(Json::from), Some(json!({ "type": "s3" })));
    }

    #[test]
    fn overlong_configuration_is_not_recorded() {
        let script = "#".repeat(LONGEST);
        let release = RunnerRelease {
            gitlab_url: "https://gitlab.com/".into(),
            pre_entrypoint_script: script.into(),
            ..RunnerRelease::default()
        };
        assert_eq!(written(&release), None);
    }
}
