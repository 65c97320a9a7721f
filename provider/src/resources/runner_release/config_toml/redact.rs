//! A configuration for plan, state and logs.

use toml::{Table as Toml, Value};

use super::super::catalogue::{GLOBAL, Kind, RUNNER, Table};
use super::Config;

const REDACTED: &str = "(sensitive)";

/// The same configuration with every sensitive value replaced by `(sensitive)`.
///
/// The reference `$CI_SERVER_TOKEN` stays: it is what is written, and no secret.
pub fn redact(config: &Config) -> Config {
    Config { global: table(&config.global, &GLOBAL), runner: table(&config.runner, &RUNNER) }
}

fn table(given: &Toml, catalogue: &'static Table) -> Toml {
    let entries = given.iter().map(|(name, value)| {
        let key = catalogue.by_toml(name);
        let value = match (key.map(|key| key.kind), value) {
            (Some(Kind::Table(of)), Value::Table(given)) => Value::Table(table(given, of)),
            (Some(Kind::Tables(of)), Value::Array(items)) => {
                let tables = items.iter().filter_map(Value::as_table).map(|item| Value::Table(table(item, of)));
                Value::Array(tables.collect())
            }
            (_, Value::String(text)) if text.starts_with('$') => Value::String(text.clone()),
            _ if key.is_none_or(|key| key.sensitive) => Value::from(REDACTED),
            (_, value) => value.clone(),
        };
        (name.clone(), value)
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secrets_are_taken_out() {
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
}
