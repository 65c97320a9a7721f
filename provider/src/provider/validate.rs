//! What can be wrong with the provider block. Unknown values are right until they are known.

use super::schema::Config;
use crate::framework::timeouts;
use crate::framework::{AttributePath, Diagnostics, Value};

pub(super) fn check(config: &Config, diagnostics: &mut Diagnostics) {
    let both = |a: &Value<String>, b: &Value<String>| a.is_null() == b.is_null();
    if !both(&config.access_key, &config.secret_key) {
        let (given, missing) =
            if config.access_key.is_null() { ("secret_key", "access_key") } else { ("access_key", "secret_key") };
        diagnostics.error(
            given,
            "Incomplete static credentials",
            format!("{given} is set, {missing} is not. Set both, or neither to use the standard credential chain."),
        );
    }
    if let Some(mode) = config.retry_mode.as_str()
        && !["standard", "adaptive"].contains(&mode)
    {
        diagnostics.error(
            "retry_mode",
            "Invalid retry mode",
            format!("{mode:?} is neither \"standard\" nor \"adaptive\"."),
        );
    }
    if config.max_retries.known().is_some_and(|retries| !(0..=100).contains(retries)) {
        diagnostics.error("max_retries", "Invalid number of retries", "Give a number from 0 to 100.");
    }
    if !config.allowed_account_ids.is_null() && !config.forbidden_account_ids.is_null() {
        diagnostics.error(
            "forbidden_account_ids",
            "Conflicting account lists",
            "Set allowed_account_ids or forbidden_account_ids, not both.",
        );
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
                format!("{text:?} is not a duration. Write it as a number with a unit, for instance \"1h\"."),
            );
        }
    }
    kubernetes(config, diagnostics);
}

fn kubernetes(config: &Config, diagnostics: &mut Diagnostics) {
    let Value::Known(kubernetes) = &config.kubernetes else { return };
    let path = AttributePath::of("kubernetes");
    let ways: Vec<&str> = [
        ("cluster_name", kubernetes.cluster_name.is_null()),
        ("config_path", kubernetes.config_path.is_null()),
        ("config_paths", kubernetes.config_paths.is_null()),
        ("host", kubernetes.host.is_null()),
    ]
    .into_iter()
    .filter(|(_, absent)| !absent)
    .map(|(name, _)| name)
    .collect();
    if let [first, second, ..] = ways.as_slice() {
        diagnostics.error(
            path.attribute(*second),
            "Conflicting cluster addresses",
            format!("{first} and {second} both say which cluster to use. Keep one of them."),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::{AssumeRole, Kubernetes};
    use super::*;

    fn errors(config: &Config) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        check(config, &mut diagnostics);
        diagnostics.iter().map(|diagnostic| diagnostic.path.to_string()).collect()
    }

    #[test]
    fn each_mistake_is_named() {
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

    #[test]
    fn unknown_is_no_mistake() {
        let config = Config {
            access_key: Value::Unknown,
            secret_key: Value::Unknown,
            retry_mode: Value::Unknown,
            kubernetes: Value::Known(Kubernetes { host: Value::Unknown, ..Kubernetes::default() }),
            ..Config::default()
        };
        assert_eq!(errors(&config), [""; 0]);
    }
}
