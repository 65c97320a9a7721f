//! The settings of the attributes of a configuration, if all of them are known.
//!
//! Values files have the same settings (`values/`), over which those of the attributes take precedence.

mod api_names;
mod attributes;

use std::collections::BTreeMap;

use gitlabspot_runner_config::catalogue::AFFINITY;
use gitlabspot_runner_config::config_toml::{affinity_from_raw, to_hcl};
use serde_json::{Map, Value as Json};
use tfplugin::framework::{Attribute, Diagnostic, Diagnostics, Kind, Nesting, Object, Raw};

pub use self::api_names::to_api;
pub use self::attributes::{Attributes, attributes};
use super::dynamic;
use super::schema::{ATTRIBUTES, RunnerRelease, RunnerReleaseSettings};

/// Why a configuration cannot be resolved to a release.
#[derive(Clone, Debug, PartialEq)]
pub enum Unresolved {
    /// A value is known after apply.
    Unknown,
    /// The configuration is invalid.
    Invalid(Diagnostics),
}

impl From<Diagnostics> for Unresolved {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Invalid(diagnostics)
    }
}

/// Returns the settings of the attributes.
///
/// # Errors
/// [`Unresolved::Unknown`] if a value is unknown, otherwise the faults with their attribute paths.
pub(super) fn of(model: &RunnerRelease) -> Result<RunnerReleaseSettings, Unresolved> {
    let schema = || ATTRIBUTES.iter().filter(|attribute| attribute.setting);
    let object = model.clone().into_raw_object();
    let given = |attribute: &Attribute| object.get(attribute.name.as_ref()).filter(|raw| !raw.is_null());
    if !schema().filter_map(given).all(Raw::is_wholly_known) {
        return Err(Unresolved::Unknown);
    }
    let wrong = dynamic::shapes(model);
    if !wrong.is_empty() {
        return Err(Unresolved::Invalid(wrong.into_iter().collect()));
    }
    let mut settings = fields(schema(), &object);
    if let Some(affinity) = object.get("affinity").filter(|value| !value.is_null()) {
        let table = affinity_from_raw(affinity).map_err(|found| found.into_iter().collect::<Diagnostics>())?;
        settings.insert("affinity".to_owned(), to_api(to_hcl(&table, &AFFINITY)));
    }
    serde_json::from_value(Json::Object(settings)).map_err(|error| Unresolved::Invalid(shapeless(&error)))
}

fn fields<'a>(schema: impl IntoIterator<Item = &'a Attribute>, object: &BTreeMap<String, Raw>) -> Map<String, Json> {
    let given = schema.into_iter().filter_map(|attribute| Some((attribute, object.get(attribute.name.as_ref())?)));
    let given = given.filter(|(_, raw)| !raw.is_null());
    given.map(|(attribute, raw)| (attribute.name.to_string(), setting(attribute, raw))).collect()
}

fn setting(attribute: &Attribute, raw: &Raw) -> Json {
    let mut value = match &attribute.kind {
        Kind::Nested(nesting, below) => nested(*nesting, below, raw),
        Kind::Plain(_) => match raw {
            // The struct of the settings makes it a secret again.
            Raw::Secret(secret) => secret.expose().into(),
            raw => Json::from(raw),
        },
    };
    // The API distinguishes numbers from strings such as percentages.
    if attribute.is_marked("int_or_string")
        && let Some(number) = value.as_str().and_then(|text| text.parse::<i64>().ok())
    {
        value = number.into();
    }
    match (value, &attribute.kind) {
        (value, _) if !attribute.is_marked("kubernetes") => value,
        // The keys are names of the user.
        (Json::Object(entries), Kind::Nested(Nesting::Map, _)) => {
            entries.into_iter().map(|(name, value)| (name, to_api(value))).collect()
        }
        (value, _) => to_api(value),
    }
}

fn nested(nesting: Nesting, schema: &[Attribute], raw: &Raw) -> Json {
    let object = |raw: &Raw| match raw {
        Raw::Map(object) => Json::Object(fields(schema, object)),
        other => Json::from(other),
    };
    match (nesting, raw) {
        (Nesting::List | Nesting::Set, Raw::List(items)) => items.iter().map(object).collect(),
        (Nesting::Map, Raw::Map(entries)) => {
            let given = entries.iter().filter(|(_, value)| !value.is_null());
            given.map(|(name, value)| (name.clone(), object(value))).collect()
        }
        (_, raw) => object(raw),
    }
}

fn shapeless(error: &serde_json::Error) -> Diagnostics {
    Diagnostic::error(
        "Invalid attribute value",
        format!("An attribute does not have the shape that Kubernetes defines for it: {error}."),
    )
    .into()
}

impl RunnerReleaseSettings {
    /// Merges `self` over `below`. Objects and maps are merged key by key.
    ///
    /// # Errors
    /// None in practice: both sides have the same type.
    pub fn over(self, below: Self) -> Result<Self, serde_json::Error> {
        let mut merged = below.expose()?;
        overlay(&mut merged, self.expose()?);
        serde_json::from_value(Json::Object(merged))
    }

    /// Returns the settings by the names of their attributes, with secrets as plain text.
    ///
    /// # Errors
    /// None in practice: all keys are strings.
    pub fn expose(&self) -> Result<Map<String, Json>, serde_json::Error> {
        let mut settings: Map<String, Json> = serde_json::from_value(serde_json::to_value(self)?)?;
        settings.extend(self.secrets().map(|(name, secret)| (name.to_owned(), secret.expose().into())));
        Ok(settings)
    }
}

/// Merges one map over another like Helm: maps are merged, null removes a key, and other values are replaced.
pub(super) fn overlay(below: &mut Map<String, Json>, above: Map<String, Json>) {
    for (name, value) in above {
        match (below.get_mut(&name), value) {
            (_, Json::Null) => {
                below.remove(&name);
            }
            (Some(Json::Object(below)), Json::Object(above)) => overlay(below, above),
            (_, Json::Object(above)) => {
                let mut fresh = Map::new();
                overlay(&mut fresh, above);
                below.insert(name, Json::Object(fresh));
            }
            (_, value) => {
                below.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::runner_release::schema::{
        ContainerLifecycle, DisruptionBudget, EnvSource, Exec, Hook, KeyRef, RollingUpdate, Strategy,
    };
    use serde_json::json;
    use tfplugin::framework::value::DynamicRaw;
    use tfplugin::framework::{Type, Value};

    fn raw(json: Json) -> Raw {
        Raw::from(&json)
    }

    #[test]
    fn attributes_become_settings() {
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
        assert_eq!(
            serde_json::to_value(of(&model).unwrap()).unwrap(),
            json!({
                "gitlab_url": "https://gitlab.com/",
                "config": { "limit": 3, "kubernetes": { "cpu_request": "2" } },
                "strategy": { "rollingUpdate": { "maxSurge": 1, "maxUnavailable": "25%" } },
                "pod_disruption_budget": { "min_available": 1 },
                "container_lifecycle": { "preStop": { "exec": { "command": ["true"] } } },
                "extra_env_from": { "MY_TOKEN": { "secretKeyRef": { "name": "s", "key": "k" } } },
                "volumes": [{ "name": "a", "emptyDir": {} }],
                "affinity": { "podAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [
                    { "weight": 1, "podAffinityTerm": { "topologyKey": "x" } },
                ] } },
            })
        );
    }

    #[test]
    fn unknown_inputs_leave_the_result_unknown() {
        let model = RunnerRelease { cache_secret_name: Value::Unknown, ..RunnerRelease::default() };
        assert_eq!(of(&model), Err(Unresolved::Unknown));
        let model = RunnerRelease { wait: Value::Unknown, ..RunnerRelease::default() };
        assert_eq!(of(&model), Ok(RunnerReleaseSettings::default()));
    }

    #[test]
    fn the_upper_settings_win_key_by_key() {
        let below: RunnerReleaseSettings = serde_json::from_value(json!({
            "name": "a", "replicas": 2, "pod_labels": { "x": "1", "y": "1" },
            "metrics": { "enabled": true, "port": 1 }, "image_pull_secrets": ["a", "b"],
        }))
        .unwrap();
        let above: RunnerReleaseSettings = serde_json::from_value(json!({
            "name": "b", "pod_labels": { "y": "2" }, "metrics": { "port": 2 }, "image_pull_secrets": ["c"],
        }))
        .unwrap();
        let expected: RunnerReleaseSettings = serde_json::from_value(json!({
            "name": "b", "replicas": 2, "pod_labels": { "x": "1", "y": "2" },
            "metrics": { "enabled": true, "port": 2 }, "image_pull_secrets": ["c"],
        }))
        .unwrap();
        assert_eq!(above.over(below).unwrap(), expected);
    }
}
