//! Identifies tokens, passwords and keys, which must not be written: by their names, by their formats, and in texts such
//! as scripts, patches and files.

mod name;
mod script;
mod structure;
mod token;
mod value;

pub(super) use self::name::is_name;
pub(super) use self::value::is_literal;

/// Whether a text looks like a secret or contains one.
pub(super) fn is_text(text: &str) -> bool {
    token::has(text) || script::has_secret(text) || structure::has_secret(text)
}

/// Whether an entry of a map, such as a variable or an annotation, has a secret as its value.
pub(super) fn is_entry(name: &str, value: &str) -> bool {
    is_named(name, value) || is_text(value)
}

/// Whether a text is a variable `NAME=value` with a secret, or contains one otherwise.
pub(super) fn is_variable(text: &str) -> bool {
    match variable(text) {
        Some((name, value)) => is_literal(value) && is_entry(name, value),
        None => is_text(text),
    }
}

/// The name and the value of a variable `NAME=value`.
pub(super) fn variable(text: &str) -> Option<(&str, &str)> {
    text.split_once('=').filter(|(name, _)| {
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    })
}

/// Whether an argument is an option whose secret is the next argument: `--password`.
pub(super) fn is_option(argument: &str) -> bool {
    argument.starts_with('-') && !argument.contains(['=', ':', ' ']) && is_name(argument)
}

/// Whether the name is one of a secret, and the value can be one.
fn is_named(name: &str, value: &str) -> bool {
    is_name(name) && value::can_be_secret(value) && !name::is_reference(name, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_recognised_by_content() {
        for text in [
            "glrt-abcdefgh12345",
            "echo glpat-0123456789abcdef",
            "git clone https://me:hunter22@example.com/x.git",
            "export DB_PASSWORD=hunter2; run",
            "curl --token=abc",
            r#"[{"name": "DB_PASSWORD", "value": "hunter2"}]"#,
        ] {
            assert!(is_text(text), "{text}");
        }
        for text in [
            "docker:19.03.12",
            "tcp://docker:2376",
            "https://gitlab.com/",
            "export TOKEN=$VAULT_TOKEN",
            "https://$USER:$PASS@example.com",
            "registry.example.com/glrt-x",
            "",
        ] {
            assert!(!is_text(text), "{text}");
        }
    }

    #[test]
    fn secrets_are_recognised_in_variables() {
        for variable in [
            "PASSWORD=x",
            "URL=https://a:b@c/",
            "X=glrt-abcdefgh1234",
            "AUTH=Basic YTpi",
            "KUBECONFIG_B64=YXBpVmVyc2lvbjogdjE=",
            "SLACK_WEBHOOK_URL=https://example.com/hook",
            "curl -u admin:hunter2 https://example.com/?page=1",
        ] {
            assert!(is_variable(variable), "{variable}");
        }
        for variable in [
            "PASSWORD=$OTHER",
            "DOCKER_HOST=tcp://docker:2376",
            "A=",
            "DB_PASS=",
            "SSH_KEY_PATH=/root/.ssh/id_rsa",
            "KUBECONFIG=/root/.kube/config",
            "GOOGLE_APPLICATION_CREDENTIALS=/secrets/key.json",
            "SSH_KEY=${DEPLOY_KEY}",
            "AUTHOR=Ann",
            "FF_PASSWORD_CHECK=false",
        ] {
            assert!(!is_variable(variable), "{variable}");
        }
    }

    #[test]
    fn options_with_secrets_are_recognised() {
        assert!(is_option("--password") && is_option("-token") && !is_option("--password=x") && !is_option("password"));
    }
}
