//! Configurations without secrets, for the plan, the state and logs.

use toml::{Table as Toml, Value};

use super::Config;
use crate::catalogue::{GLOBAL, Key, Kind, RUNNER, Table};

/// The placeholder of a hidden value.
pub const REDACTED: &str = "(sensitive)";

/// The configuration with every sensitive value replaced by [`REDACTED`].
///
/// References such as `$CI_SERVER_TOKEN` are kept: they are not secret.
pub fn redact(config: &Config) -> Config {
    let whole = |key: &Key, value: &Value| if key.sensitive { Value::from(REDACTED) } else { value.clone() };
    Config { global: table(&config.global, &GLOBAL, whole), runner: table(&config.runner, &RUNNER, whole) }
}

/// The configuration for the plan and the state: also without scripts and values of variables, which may contain
/// sensitive values of the user. The provider does not receive whether a value is sensitive.
pub fn hide(config: &Config) -> Config {
    let whole = |key: &Key, value: &Value| match value {
        _ if key.sensitive => Value::from(REDACTED),
        Value::Array(variables) if key.hidden => Value::Array(variables.iter().map(variable).collect()),
        _ if key.hidden => Value::from(REDACTED),
        value => value.clone(),
    };
    Config { global: table(&config.global, &GLOBAL, whole), runner: table(&config.runner, &RUNNER, whole) }
}

/// Replaces the value of `NAME=value`.
fn variable(variable: &Value) -> Value {
    match variable.as_str().and_then(|text| text.split_once('=')) {
        // An empty value contains no secret.
        Some((_, "")) => variable.clone(),
        Some((name, _)) => Value::from(format!("{name}={REDACTED}")),
        None => Value::from(REDACTED),
    }
}

fn table(given: &Toml, catalogue: &'static Table, shown: fn(&Key, &Value) -> Value) -> Toml {
    let entries = given.iter().map(|(name, value)| {
        let key = catalogue.by_toml(name);
        let value = match (key.map(|key| key.kind), value) {
            (Some(Kind::Table(of)), Value::Table(given)) => Value::Table(table(given, of, shown)),
            (Some(Kind::Tables(of)), Value::Array(items)) => {
                let tables = items.iter().filter_map(Value::as_table).map(|item| Value::Table(table(item, of, shown)));
                Value::Array(tables.collect())
            }
            // A reference to a variable of the pod contains no secret, and shows the origin of the value.
            (_, Value::String(text)) if text.starts_with('$') => Value::String(text.clone()),
            (_, value) => key.map_or_else(|| Value::from(REDACTED), |key| shown(key, value)),
        };
        (name.clone(), value)
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secrets_are_redacted() {
        let config = Config {
            global: toml::toml! { concurrent = 3 sentry_dsn = "https://key@host/1" },
            runner: toml::toml! {
                token = "$CI_SERVER_TOKEN"
                name = "r"
                cache = { Type = "s3", s3 = { AccessKey = "AKIA", SecretKey = "x", BucketName = "b" } }
                kubernetes = { bearer_token = "x", services = [{ name = "docker:dind" }] }
            },
        };
        let expected = Config {
            global: toml::toml! { concurrent = 3 sentry_dsn = "(sensitive)" },
            runner: toml::toml! {
                token = "$CI_SERVER_TOKEN"
                name = "r"
                cache = { Type = "s3", s3 = { AccessKey = "(sensitive)", SecretKey = "(sensitive)", BucketName = "b" } }
                kubernetes = { bearer_token = "(sensitive)", services = [{ name = "docker:dind" }] }
            },
        };
        assert_eq!(redact(&config), expected);
    }

    #[test]
    fn environment_and_scripts_are_hidden() {
        let config = Config {
            runner: toml::toml! {
                environment = ["DOCKER_AUTH_CONFIG={\"auths\":{}}", "EMPTY=", "odd"]
                pre_build_script = "echo secret"
                kubernetes = { image = "alpine", services = [{ name = "db", environment = ["POSTGRES_PASSWORD=x"] }] }
            },
            ..Config::default()
        };
        let expected = toml::toml! {
            environment = ["DOCKER_AUTH_CONFIG=(sensitive)", "EMPTY=", "(sensitive)"]
            pre_build_script = "(sensitive)"
            kubernetes = {
                image = "alpine", services = [{ name = "db", environment = ["POSTGRES_PASSWORD=(sensitive)"] }]
            }
        };
        assert_eq!(hide(&config).runner, expected);
        assert_eq!(redact(&config), config);
    }
}
