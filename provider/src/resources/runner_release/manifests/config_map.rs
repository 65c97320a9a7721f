//! The ConfigMap with the configuration and the scripts that start the manager.

use gitlabspot_runner_config::config_toml::{Config, render};
use serde_json::{Map, Value, json};

use super::super::spec::{Advertise, ReleaseSpec, Start};
use super::{metadata, settings};

pub(super) fn object(spec: &ReleaseSpec) -> Result<Value, toml::ser::Error> {
    let mut data = Map::new();
    let mut file = |name: &str, text: &str| data.insert(name.to_owned(), json!(text));
    file("entrypoint", include_str!("scripts/entrypoint.sh"));
    file("export-secrets", include_str!("scripts/export-secrets.sh"));
    file("check-live", include_str!("scripts/check-live.sh"));
    file("check-registration", include_str!("scripts/check-registration.sh"));
    file("check-started", include_str!("scripts/check-started.sh"));
    file("settings", &settings::file(spec));
    file("pre-entrypoint-script", spec.pre_entrypoint_script.as_deref().unwrap_or_default());
    match &spec.start {
        Start::WholeConfig => {
            file("config.toml", &render(&with_cache_table(spec))?);
        }
        Start::Register(_) => {
            let around = Config { global: spec.config.global.clone(), ..Config::default() };
            let template = Config { runner: spec.config.runner.clone(), ..Config::default() };
            file("config.toml", &render(&around)?);
            file("config.template.toml", &render(&template)?);
            file("register-the-runner", include_str!("scripts/register-the-runner.sh"));
        }
    }
    if let Some(Advertise::LoadBalancer(_)) = spec.session_server.as_ref().map(|server| &server.advertise) {
        file("find-session-server", include_str!("scripts/find-session-server.sh"));
    }
    for (name, text) in &spec.config_maps {
        file(name, text);
    }
    let mut object = metadata::object(spec, "v1", "ConfigMap", &spec.names.full);
    object.insert("data".to_owned(), Value::Object(data));
    Ok(Value::Object(object))
}

/// Adds the table of the cache type: the start script writes the credentials of the cache below its header.
fn with_cache_table(spec: &ReleaseSpec) -> Config {
    let mut config = spec.config.clone();
    let cache = config.runner.get_mut("cache").and_then(toml::Value::as_table_mut);
    if let (Some(cache), Some(_)) = (cache, &spec.cache_secret_name)
        && let Some(kind) = cache.get("Type").and_then(toml::Value::as_str).map(str::to_lowercase)
    {
        cache.entry(kind).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    }
    config
}
