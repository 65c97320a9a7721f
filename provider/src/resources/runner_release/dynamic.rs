//! Attributes of a dynamic type: `config`, `cache` and `affinity`, and those that only Kubernetes defines.
//!
//! Hosts drop unknown attributes of a typed object before the provider receives it, so a misspelled key would not be an
//! error. With a dynamic type every key arrives, and is validated against the catalogue.

use gitlabspot_runner_config::catalogue::{Kind, RUNNER, Table};
use gitlabspot_runner_config::config_toml::{affinity_from_raw, from_raw};
use gitlabspot_runner_config::version::RunnerVersion;
use serde_json::{Value as Json, json};
use tfplugin::framework::value::DynamicRaw;
use tfplugin::framework::{AttributePath, Diagnostic, Diagnostics, Object, Plan, Raw, Value};

use super::schema::RunnerRelease;

/// Attributes with keys of the catalogue.
const OF_CATALOGUE: [&str; 3] = ["config", "cache", "affinity"];

/// Validates the known parts of these attributes while the release as a whole is unknown.
pub(super) fn check(model: &RunnerRelease) -> Diagnostics {
    let version = model.runner_version.as_str().and_then(RunnerVersion::parse).unwrap_or(RunnerVersion::UNKNOWN);
    let mut findings = shapes(model);
    for (name, value) in [("config", &model.config), ("cache", &model.cache), ("affinity", &model.affinity)] {
        if let Some(Err(found)) = given(value).map(|raw| table(name, raw, version)) {
            findings.extend(found);
        }
    }
    findings.into_iter().collect()
}

/// Errors for attributes that are not lists of objects, although Kubernetes defines them as such.
pub(super) fn shapes(model: &RunnerRelease) -> Vec<Diagnostic> {
    let lists = [("volumes", &model.volumes), ("extra_containers", &model.extra_containers)];
    let is_wrong = |raw: &Raw| !matches!(raw, Raw::List(_) | Raw::Unknown(_) | Raw::Null);
    let wrong = lists.into_iter().filter(|(_, value)| given(value).is_some_and(is_wrong));
    wrong
        .map(|(name, _)| {
            let detail = format!("{name} must be a list of objects: {name} = [{{ name = \"...\" }}].");
            Diagnostic::error("Wrong type", detail).at(AttributePath::of(name))
        })
        .collect()
}

/// Keeps the value in the state if the configuration is equivalent: `2` and `"2"`, or null and an omitted key.
pub(super) fn settle<P>(plan: &mut Plan<RunnerRelease, P>) {
    let Some(prior) = plan.prior.clone() else { return };
    let planned = &mut plan.planned;
    let mut is_settled = false;
    for (name, before, after) in [
        ("config", &prior.config, &mut planned.config),
        ("cache", &prior.cache, &mut planned.cache),
        ("affinity", &prior.affinity, &mut planned.affinity),
        ("volumes", &prior.volumes, &mut planned.volumes),
        ("extra_containers", &prior.extra_containers, &mut planned.extra_containers),
    ] {
        if let (Some(old), Some(new)) = (given(before), given(after))
            && new.is_wholly_known()
            && is_same(name, old, new)
        {
            *after = before.clone();
            is_settled = true;
        }
    }
    if is_settled && plan.changed {
        plan.changed = differs(&prior, &plan.planned);
    }
}

fn is_same(name: &str, before: &Raw, after: &Raw) -> bool {
    if Json::from(before) == Json::from(after) {
        return true;
    }
    let read = |raw: &Raw| table(name, raw, RunnerVersion::UNKNOWN).ok();
    OF_CATALOGUE.contains(&name) && read(before).is_some_and(|before| Some(before) == read(after))
}

/// Whether an attribute that is not computed differs.
fn differs(prior: &RunnerRelease, planned: &RunnerRelease) -> bool {
    let (before, after) = (prior.clone().into_raw_object(), planned.clone().into_raw_object());
    let mut set = RunnerRelease::attributes().into_iter().filter(|attribute| attribute.mode.computed().is_none());
    set.any(|attribute| before.get(attribute.name.as_ref()) != after.get(attribute.name.as_ref()))
}

/// Upgrades a state of schema version 0, in which these attributes were typed objects: adds its type to each value.
pub(super) fn upgrade(mut state: Json) -> Json {
    for name in OF_CATALOGUE {
        if let Some(value) = state.get_mut(name)
            && value.is_object()
            && !is_with_type(value)
        {
            let dynamic = DynamicRaw::of(without_nulls(Raw::from(&*value)));
            *value = json!({ "type": dynamic.ty.to_json(), "value": Json::from(&dynamic.value) });
        }
    }
    state
}

fn is_with_type(value: &Json) -> bool {
    value
        .as_object()
        .is_some_and(|fields| fields.len() == 2 && fields.contains_key("type") && fields.contains_key("value"))
}

fn without_nulls(raw: Raw) -> Raw {
    match raw {
        Raw::Map(fields) => {
            let given = fields.into_iter().filter(|(_, value)| !value.is_null());
            Raw::Map(given.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Raw::List(items) => Raw::List(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

/// Returns the value without keys that are sensitive, null or not in the catalogue.
pub(super) fn without_secrets(name: &str, raw: Raw) -> Raw {
    let catalogue = match name {
        "config" => &RUNNER,
        "cache" => match RUNNER.by_hcl("cache").map(|key| key.kind) {
            Some(Kind::Table(of)) => of,
            _ => return raw,
        },
        _ => return raw,
    };
    Raw::Dynamic(Box::new(DynamicRaw::of(strip(raw, catalogue))))
}

fn strip(raw: Raw, catalogue: &'static Table) -> Raw {
    match raw {
        Raw::Dynamic(dynamic) => strip(dynamic.value, catalogue),
        Raw::List(items) => Raw::List(items.into_iter().map(|item| strip(item, catalogue)).collect()),
        Raw::Map(fields) => {
            let fields = fields.into_iter().filter_map(|(name, value)| {
                let key = catalogue.by_hcl(&name)?;
                match key.kind {
                    _ if key.sensitive || value.is_null() => None,
                    Kind::Table(of) | Kind::Tables(of) => Some((name, strip(value, of))),
                    _ => Some((name, value)),
                }
            });
            Raw::Map(fields.collect())
        }
        other => other,
    }
}

/// Validates the value against the catalogue, and returns it as TOML.
fn table(name: &str, raw: &Raw, version: RunnerVersion) -> Result<toml::Table, Vec<Diagnostic>> {
    match name {
        "affinity" => affinity_from_raw(raw),
        "cache" => {
            let runner = Raw::Map([("cache".to_owned(), raw.clone())].into());
            from_raw(&runner, &RUNNER, version, AttributePath::root())
        }
        _ => from_raw(raw, &RUNNER, version, AttributePath::of(name)),
    }
}

/// Returns the value without its type, if it is known.
fn given(value: &Value<Raw>) -> Option<&Raw> {
    match value {
        Value::Known(Raw::Dynamic(dynamic)) => Some(&dynamic.value),
        Value::Known(raw) => Some(raw),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::spec::{Given, resolve};
    use super::*;
    use tfplugin::framework::Type;

    fn dynamic(json: Json) -> Value<Raw> {
        Value::Known(Raw::Dynamic(Box::new(DynamicRaw::of(Raw::from(&json)))))
    }

    fn details(model: &RunnerRelease) -> Vec<String> {
        check(model).iter().map(|found| format!("{}: {}", found.path, found.detail)).collect()
    }

    #[test]
    fn known_values_are_checked_beside_unknown_ones() {
        let kubernetes =
            Raw::Map([("cpu_requets".to_owned(), Raw::unknown()), ("poll_timeout".to_owned(), Raw::unknown())].into());
        let environment = Raw::List(vec!["A=1".into(), Raw::unknown(), Raw::Map([].into())]);
        let config = Raw::Map([("kubernetes".to_owned(), kubernetes), ("environment".to_owned(), environment)].into());
        let model = RunnerRelease {
            gitlab_url: Value::Unknown,
            runner_version: "18.0.0".into(),
            config: Value::Known(Raw::Dynamic(Box::new(DynamicRaw::of(config)))),
            cache: dynamic(json!({ "s3": ["x"], "type": "s4" })),
            affinity: dynamic(json!({ "node_afinity": {} })),
            volumes: dynamic(json!({ "name": "x" })),
            ..RunnerRelease::default()
        };
        assert_eq!(
            details(&model),
            [
                "volumes: volumes must be a list of objects: volumes = [{ name = \"...\" }].",
                "config.environment[2]: config.environment[2] must be a string, not an object. Environment \
                 variables of all jobs, each as `NAME=value`.",
                "config.kubernetes.cpu_requets: GitLab Runner does not have the key config.kubernetes.cpu_requets, and would ignore it without an error. Did you mean \"cpu_request\"?",
                "cache.s3: cache.s3 is a list, but must be an object: { ... }.",
                "cache.type: cache.type is \"s4\". Use s3, gcs or azure.",
                "affinity.node_afinity: Kubernetes knows no affinity.node_afinity. Did you mean \"node_affinity\"?",
            ]
        );
        assert_eq!(details(&RunnerRelease { config: Value::Unknown, ..RunnerRelease::default() }), [""; 0]);
    }

    #[test]
    fn null_of_a_type_is_not_set() {
        let null = || Value::Known(Raw::Dynamic(Box::new(DynamicRaw { ty: Type::Dynamic, value: Raw::Null })));
        let config = Raw::Map([("cache".to_owned(), Raw::Dynamic(Box::new(DynamicRaw::of(Raw::Null))))].into());
        let model = RunnerRelease {
            gitlab_url: Value::Unknown,
            config: Value::Known(config),
            cache: null(),
            affinity: null(),
            volumes: null(),
            ..RunnerRelease::default()
        };
        assert_eq!(details(&model), [""; 0]);
        assert_eq!(details(&RunnerRelease { config: null(), ..model.clone() }), [""; 0]);
        let known = RunnerRelease { gitlab_url: "https://x".into(), token_secret_name: "s".into(), ..model };
        let typed = super::super::settings::of(&known).unwrap();
        let given = Given { typed, values: &[], ..Given::default() };
        assert_eq!(resolve(given).map(drop), Ok(()));
        let listed = dynamic(json!({ "kubernetes": { "services": [null, { "name": "x" }] } }));
        let listed = RunnerRelease { config: listed, ..RunnerRelease::default() };
        assert_eq!(
            details(&listed),
            ["config.kubernetes.services[0]: config.kubernetes.services[0] is null, but must be an object: { ... }."]
        );
    }

    #[test]
    fn equivalent_values_are_kept_as_in_the_state() {
        let with =
            |config: Json| RunnerRelease { config: dynamic(config), wait: true.into(), ..RunnerRelease::default() };
        let settled = |before: Json, after: Json| {
            let (before, after) = (with(before), with(after));
            let mut plan = Plan::new(Some(before), after.clone(), after, (), true);
            settle(&mut plan);
            (plan.planned.config, plan.changed)
        };
        let before = json!({ "limit": 2, "kubernetes": { "cpu_request": "2", "image": null } });
        let same = json!({ "limit": "2", "name": null, "kubernetes": { "cpu_request": 2 } });
        assert_eq!(settled(before.clone(), same), (dynamic(before.clone()), false));
        let other = json!({ "limit": 3 });
        assert_eq!(settled(before, other.clone()), (dynamic(other), true));
    }

    #[test]
    fn state_of_typed_objects_is_read() {
        let former = json!({
            "name": "a", "cache": null,
            "affinity": { "node_affinity": null },
            "config": { "limit": 2, "name": null, "environment": ["A=1"], "feature_flags": { "FF": true },
                "kubernetes": { "volumes": { "empty_dir": [{ "name": "a", "medium": null }] } } },
        });
        let upgraded = upgrade(former);
        assert_eq!(
            upgraded["config"],
            json!({
                "value": { "limit": 2, "environment": ["A=1"], "feature_flags": { "FF": true },
                    "kubernetes": { "volumes": { "empty_dir": [{ "name": "a" }] } } },
                "type": ["object", {
                    "limit": "number", "environment": ["tuple", ["string"]], "feature_flags": ["object", { "FF": "bool" }],
                    "kubernetes": ["object", { "volumes": ["object", {
                        "empty_dir": ["tuple", [["object", { "name": "string" }]]] }] }],
                }],
            })
        );
        assert_eq!((&upgraded["cache"], &upgraded["affinity"]["value"]), (&Json::Null, &json!({})));
        assert_eq!(upgrade(upgraded.clone()), upgraded);
    }
}
