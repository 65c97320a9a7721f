//! Validates a configuration without access to AWS or Kubernetes.

use tfplugin::framework::{AttributePath, Diagnostic, Diagnostics, Severity, Timeouts, Value};

use super::dynamic;
use super::model::Desired;
use super::schema::RunnerRelease;
use super::settings::Unresolved;
use super::values::is_registration_token;

pub(super) fn validate(config: &RunnerRelease, diagnostics: &mut Diagnostics) {
    Timeouts::validate(&config.timeouts, diagnostics);
    names(config, diagnostics);
    tokens(config, diagnostics);
    numbers(config, diagnostics);
    if diagnostics.has_errors() {
        return;
    }
    // The plan returns the warnings.
    let found = match Desired::of(config, config, None) {
        Err(Unresolved::Unknown) => dynamic::check(config),
        Err(Unresolved::Invalid(found)) => found,
        Ok(_) => return,
    };
    diagnostics.extend(found.into_iter().filter(|diagnostic| diagnostic.severity == Severity::Error));
}

fn names(config: &RunnerRelease, diagnostics: &mut Diagnostics) {
    let is_label = |name: &str, longest: usize| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !name.is_empty()
            && name.len() <= longest
            && name.chars().all(fits)
            && !name.starts_with('-')
            && !name.ends_with('-')
    };
    // Helm limits names of releases to 53 characters, and Kubernetes limits names of namespaces to 63.
    for (attribute, value, longest) in [("name", &config.name, 53), ("namespace", &config.namespace, 63)] {
        if let Some(name) = value.as_str()
            && !is_label(name, longest)
        {
            diagnostics.error(
                attribute,
                "Invalid name",
                format!(
                    "{name:?} is not a valid name. Use 1 to {longest} lowercase letters, digits and hyphens, without a \
                     hyphen at either end."
                ),
            );
        }
    }
}

/// Rejects numbers that Kubernetes rejects. The dry run of a plan does so only if the namespace exists.
fn numbers(config: &RunnerRelease, diagnostics: &mut Diagnostics) {
    let mut least = |path: AttributePath, value: &Value<i64>, least: i64| {
        if let Some(number) = value.known().filter(|number| **number < least) {
            let text = format!("{path} is {number}. It must be {least} or more.");
            diagnostics.push(Diagnostic::error("Invalid number", text).at(path));
        }
    };
    for (name, value) in [
        ("replicas", &config.replicas),
        ("revision_history_limit", &config.revision_history_limit),
        ("termination_grace_period_seconds", &config.termination_grace_period_seconds),
    ] {
        least(AttributePath::of(name), value, 0);
    }
    if let Some(hpa) = config.hpa.known() {
        let path = AttributePath::of("hpa");
        least(path.attribute("min_replicas"), &hpa.min_replicas, 1);
        least(path.attribute("max_replicas"), &hpa.max_replicas, hpa.min_replicas.known().copied().unwrap_or(1).max(1));
    }
}

fn tokens(config: &RunnerRelease, diagnostics: &mut Diagnostics) {
    if config.runner_token_wo.known().is_some() && config.registration_token_wo.known().is_some() {
        diagnostics.error(
            "registration_token_wo",
            "A runner needs one token",
            "Both runner_token_wo and registration_token_wo are set. Keep runner_token_wo.",
        );
    }
    if config.registration_token_wo.expose().is_some_and(|token| token.trim().starts_with("glrt-")) {
        diagnostics.error(
            "registration_token_wo",
            "Not a registration token",
            "This is an authentication token (glrt-...). Set it as runner_token_wo.",
        );
    }
    if config.runner_token_wo.expose().is_some_and(is_registration_token) {
        diagnostics.error(
            "runner_token_wo",
            "Invalid authentication token",
            "This is a registration token (GR1348941...). Set it as registration_token_wo.",
        );
    }
    for (attribute, token) in
        [("runner_token_wo", &config.runner_token_wo), ("registration_token_wo", &config.registration_token_wo)]
    {
        if token.expose().is_some_and(|token| token.trim().is_empty()) {
            diagnostics.error(attribute, "Empty token", "The token is empty. Specify a token, or omit the attribute.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::Hpa;
    use super::*;

    fn problems(config: &RunnerRelease) -> Vec<(String, String)> {
        let mut diagnostics = Diagnostics::new();
        validate(config, &mut diagnostics);
        diagnostics.iter().map(|found| (found.path.to_string(), found.summary.to_string())).collect()
    }

    fn release() -> RunnerRelease {
        RunnerRelease {
            gitlab_url: "https://gitlab.com/".into(),
            runner_token_wo: "glrt-x".into(),
            ..RunnerRelease::default()
        }
    }

    #[test]
    fn good_ones_pass() {
        assert_eq!(problems(&release()), []);
        let unknown = RunnerRelease { runner_token_wo: Value::Unknown, gitlab_url: Value::Unknown, ..release() };
        assert_eq!(problems(&unknown), []);
        let either = RunnerRelease { registration_token_wo: Value::Unknown, ..unknown };
        assert_eq!(problems(&either), []);
    }

    #[test]
    fn token_kinds_are_distinguished() {
        let found = |path: &str, summary: &str| vec![(path.to_owned(), summary.to_owned())];
        let both = RunnerRelease { registration_token_wo: "x".into(), ..release() };
        assert_eq!(problems(&both), found("registration_token_wo", "A runner needs one token"));
        let wrong = RunnerRelease { runner_token_wo: Value::Null, registration_token_wo: "glrt-x".into(), ..release() };
        assert_eq!(problems(&wrong), found("registration_token_wo", "Not a registration token"));
        let wrong = RunnerRelease { runner_token_wo: "GR1348941-x".into(), ..release() };
        assert_eq!(problems(&wrong), found("runner_token_wo", "Invalid authentication token"));
        let none = RunnerRelease { runner_token_wo: Value::Null, ..release() };
        assert_eq!(problems(&none), found("runner_token_wo", "A runner needs one token"));
        let name = RunnerRelease { name: "Runner_".into(), ..release() };
        assert_eq!(problems(&name), found("name", "Invalid name"));
    }

    #[test]
    fn unknown_values_do_not_hide_errors() {
        use tfplugin::framework::Raw;
        let kubernetes = Raw::Map([("cpu_requets".to_owned(), Raw::unknown())].into());
        let config = Raw::Map([("kubernetes".to_owned(), kubernetes)].into());
        let wrong = RunnerRelease { config: Value::Known(config), gitlab_url: Value::Unknown, ..release() };
        let summary = "Unknown key in the runner's configuration".to_owned();
        assert_eq!(problems(&wrong), [("config.kubernetes.cpu_requets".to_owned(), summary)]);
    }

    #[test]
    fn numbers_have_a_least_value() {
        let found = |path: &str| vec![(path.to_owned(), "Invalid number".to_owned())];
        assert_eq!(problems(&RunnerRelease { replicas: (-1).into(), ..release() }), found("replicas"));
        let hpa = Hpa { min_replicas: 3.into(), max_replicas: 2.into(), ..Hpa::default() };
        assert_eq!(problems(&RunnerRelease { hpa: Value::Known(hpa), ..release() }), found("hpa.max_replicas"));
        assert_eq!(problems(&RunnerRelease { replicas: 0.into(), ..release() }), []);
    }

    #[test]
    fn errors_stand_at_their_attribute() {
        use tfplugin::framework::Raw;
        let kubernetes = Raw::Map([("poll_timeout".to_owned(), Raw::from("soon"))].into());
        let config = Raw::Map([("kubernetes".to_owned(), kubernetes)].into());
        let wrong = RunnerRelease { config: Value::Known(config), ..release() };
        assert_eq!(problems(&wrong)[0].0, "config.kubernetes.poll_timeout");
    }
}
