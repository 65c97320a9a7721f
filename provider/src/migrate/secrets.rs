//! Identifies tokens, passwords and keys, which must not be written, by their names and formats.

/// Parts of the names of variables with secrets.
const NAMES: [&str; 12] = [
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "SECRET",
    "CREDENTIAL",
    "PRIVATE_KEY",
    "ACCESS_KEY",
    "API_KEY",
    "APIKEY",
    "AUTH_CONFIG",
    "SENTRY_DSN",
    "PASSPHRASE",
];

/// Endings of names of variables that refer to a secret and do not contain it.
const PLACES: [&str; 6] = ["_FILE", "_PATH", "_NAME", "_DIR", "_SECRET_NAME", "_URL"];

/// Prefixes of secrets, and the minimum number of characters after them.
const BEGINNINGS: [(&str, usize); 12] = [
    // GitLab: runner authentication (two), personal access, deploy, job and runner registration tokens.
    ("glrt-", 8),
    ("glrtr-", 8),
    ("glpat-", 8),
    ("gldt-", 8),
    ("glcbt-", 8),
    ("GR1348941", 4),
    // AWS: access keys of users and of sessions.
    ("AKIA", 16),
    ("ASIA", 16),
    // GitHub, Slack, PEM files and Docker Hub.
    ("ghp_", 16),
    ("xoxb-", 10),
    ("-----BEGIN ", 1),
    ("dckr_pat_", 8),
];

/// Whether a variable with this name contains a secret.
pub(super) fn is_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace('-', "_");
    NAMES.iter().any(|part| name.contains(part)) && !PLACES.iter().any(|ending| name.ends_with(ending))
}

/// Whether a text looks like a secret or contains one.
pub(super) fn is_text(text: &str) -> bool {
    BEGINNINGS.iter().any(|(beginning, length)| begins(text, beginning, *length))
        || has_password(text)
        || text.split(|c: char| c.is_whitespace() || c == ';').any(is_assignment)
}

/// Whether a text is a variable `NAME=value` with a secret, or looks like a secret.
pub(super) fn is_variable(variable: &str) -> bool {
    match variable.split_once('=') {
        Some((name, value)) => is_literal(value) && (is_name(name) || is_text(value)),
        None => is_text(variable),
    }
}

/// Whether a value is literal and not a reference to a variable.
pub(super) fn is_literal(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    !value.is_empty() && !value.starts_with('$')
}

fn begins(text: &str, beginning: &str, length: usize) -> bool {
    text.match_indices(beginning).any(|(at, _)| {
        let is_start = text[..at].chars().next_back().is_none_or(|before| !before.is_ascii_alphanumeric());
        let rest = text[at + beginning.len()..].chars();
        let is_letter = |letter: &char| letter.is_ascii_alphanumeric() || "_-. /+=".contains(*letter);
        is_start && rest.take_while(is_letter).count() >= length
    })
}

/// Whether a text contains a URL with a password: `https://user:password@host`.
fn has_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(|c: char| c == '/' || c == '?' || c.is_whitespace() || c == '"').next();
        let user = authority.and_then(|authority| authority.rsplit_once('@')).map(|(user, _)| user);
        user.and_then(|user| user.split_once(':')).is_some_and(|(_, password)| is_literal(password))
    })
}

/// Whether a word of a script assigns a secret, such as `NAME=value` after `export`.
fn is_assignment(word: &str) -> bool {
    let Some((name, value)) = word.split_once('=') else { return false };
    let name = name.trim_start_matches('-');
    let is_variable = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    is_variable && is_name(name) && is_literal(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_recognised_by_name() {
        for name in ["VAULT_TOKEN", "db_password", "AWS_SECRET_ACCESS_KEY", "DOCKER_AUTH_CONFIG", "my-api-key"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["DOCKER_HOST", "TOKEN_FILE", "SECRET_NAME", "DOCKER_TLS_CERTDIR", "KEY"] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn secrets_are_recognised_by_content() {
        for text in [
            "glrt-abcdefgh12345",
            "echo glpat-0123456789abcdef",
            "GR1348941abcdef",
            "AKIAIOSFODNN7EXAMPLE",
            "-----BEGIN RSA PRIVATE KEY-----",
            "git clone https://me:hunter22@example.com/x.git",
            "export DB_PASSWORD=hunter2; run",
            "curl --token=abc",
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
        assert!(is_variable("PASSWORD=x") && is_variable("URL=https://a:b@c/") && is_variable("X=glrt-abcdefgh1234"));
        assert!(!is_variable("PASSWORD=$OTHER") && !is_variable("DOCKER_HOST=tcp://docker:2376") && !is_variable("A="));
    }
}
