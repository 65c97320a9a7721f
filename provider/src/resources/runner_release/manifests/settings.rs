//! Variables for the scripts in the ConfigMap.

use super::super::spec::{Advertise, Registration, ReleaseSpec, Start};

/// Returns a file that bash can source. It contains no secrets.
pub(super) fn file(spec: &ReleaseSpec) -> String {
    let start = match &spec.start {
        Start::WholeConfig => "whole-config",
        Start::Register(_) => "register",
    };
    let mut lines = vec![
        assign("START", start),
        assign("RUNNER", "/entrypoint"),
        assign("CONFIG_DIR", spec.pod.config_dir()),
        assign("SECRETS_DIR", "/secrets"),
        assign("WORKING_DIR", "/home/gitlab-runner"),
        assign("ATTEMPTS", "30"),
        assign("ATTEMPT_INTERVAL", "5"),
    ];
    if let Some(Advertise::LoadBalancer(_)) = spec.session_server.as_ref().map(|server| &server.advertise) {
        let path =
            format!("/api/v1/namespaces/{}/services/{}", spec.names.namespace, spec.names.with("session-server"));
        lines.push(assign("SESSION_SERVER_SERVICE", &path));
    }
    if let Start::Register(registration) = &spec.start {
        lines.push(assign("UNREGISTER", if registration.unregister_on_destroy { "true" } else { "false" }));
        let arguments: Vec<String> = arguments(registration).iter().map(|argument| quote(argument)).collect();
        lines.push(format!("register_arguments=({})", arguments.join(" ")));
    }
    lines.join("\n") + "\n"
}

/// Returns the arguments of `register` that are not in its environment.
fn arguments(registration: &Registration) -> Vec<String> {
    let mut arguments = Vec::new();
    if let Some(name) = &registration.name {
        arguments.extend(["--name".to_owned(), name.clone()]);
    }
    if let Some(seconds) = registration.maximum_timeout {
        arguments.push(format!("--maximum-timeout={seconds}"));
    }
    if registration.run_untagged {
        arguments.push("--run-untagged=true".to_owned());
    }
    if let Some(level) = &registration.access_level {
        arguments.push(format!("--access-level={level}"));
    }
    arguments
}

fn assign(name: &str, value: &str) -> String {
    format!("{name}={}", quote(value))
}

/// Single quotes preserve all characters except themselves.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_for_the_shell() {
        assert_eq!(assign("A", "it's $HOME"), r"A='it'\''s $HOME'");
    }

    #[test]
    fn arguments_of_the_older_registration() {
        let registration = Registration {
            name: Some("my runner".into()),
            run_untagged: true,
            access_level: Some("ref_protected".into()),
            maximum_timeout: Some(600),
            ..Registration::default()
        };
        assert_eq!(
            arguments(&registration),
            ["--name", "my runner", "--maximum-timeout=600", "--run-untagged=true", "--access-level=ref_protected"]
        );
    }
}
