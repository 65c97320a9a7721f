//! Values that can be secrets: neither references, nor paths, nor switches.

/// Values of settings that only enable or describe something.
const SWITCHES: [&str; 21] = [
    "0", "1", "always", "auto", "basic", "disabled", "enabled", "false", "ldap", "md5", "never", "no", "none", "null",
    "off", "oidc", "on", "optional", "true", "trust", "yes",
];

/// Endings of names of files.
const FILES: [&str; 14] = [
    ".cfg", ".conf", ".crt", ".env", ".ini", ".jks", ".json", ".key", ".p12", ".pem", ".toml", ".txt", ".yaml", ".yml",
];

/// Beginnings of references to secrets in other systems.
const ELSEWHERE: [&str; 6] = ["arn:aws", "awssm:", "op://", "ref+", "ssm:", "vault:"];

/// Whether a value is literal and not a reference to a variable.
pub(in super::super) fn is_literal(value: &str) -> bool {
    let value = unquoted(value);
    !value.is_empty() && !is_reference(value)
}

/// Whether a value can be a secret, if its name is one of a secret.
pub(super) fn can_be_secret(value: &str) -> bool {
    let value = unquoted(value);
    is_literal(value)
        && value.chars().any(char::is_alphanumeric)
        && !SWITCHES.contains(&value.to_ascii_lowercase().as_str())
        && !ELSEWHERE.iter().any(|beginning| value.starts_with(beginning))
        && !is_path(value)
}

fn unquoted(value: &str) -> &str {
    value.trim().trim_matches(['"', '\'']).trim()
}

fn is_reference(value: &str) -> bool {
    let Some(rest) = value.strip_prefix('$') else { return value.starts_with('`') };
    match rest.strip_prefix('{') {
        Some(braces) => !default(braces).is_some_and(can_be_secret),
        None => !is_hash(rest),
    }
}

/// Whether a text after `$` is the rest of a hash of crypt(3): `$2y$10$...`, `$apr1$...`.
fn is_hash(rest: &str) -> bool {
    let parts: Vec<&str> = rest.split('$').collect();
    let is_scheme = parts.first().is_some_and(|scheme| scheme.len() <= 8);
    parts.len() >= 3 && is_scheme && parts.last().is_some_and(|hash| hash.len() >= 16)
}

/// The default in `${NAME:-default}`.
fn default(braces: &str) -> Option<&str> {
    let inner = braces.split('}').next()?;
    inner.split_once(":-").or_else(|| inner.split_once(":=")).map(|(_, default)| default)
}

fn is_path(value: &str) -> bool {
    let value = value.strip_prefix("file://").unwrap_or(value);
    if value.contains(char::is_whitespace) || value.contains("://") {
        return false;
    }
    let begins = ["./", "../", "~/"].iter().any(|beginning| value.starts_with(beginning));
    // Base64 can begin with a slash as well.
    let is_absolute = value
        .strip_prefix('/')
        .is_some_and(|rest| !rest.contains(['+', '=']) && (rest.contains(['/', '.', '-', '_']) || rest.len() < 20));
    let is_drive = value.get(1..3) == Some(":\\");
    let lower = value.to_ascii_lowercase();
    begins || is_absolute || is_drive || FILES.iter().any(|ending| lower.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_can_be_secrets() {
        for value in [
            "hunter2",
            "12345",
            "Basic YTpi",
            "$2y$10$abcdefghijklmnopqrstuv",
            "$apr1$abc$0123456789abcdefghijkl",
            "${TOKEN:-hunter2}",
            "'hunter2'",
            "/0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ] {
            assert!(can_be_secret(value), "{value}");
        }
    }

    #[test]
    fn references_paths_and_switches_are_no_secrets() {
        for value in [
            "",
            "\"\"",
            "$TOKEN",
            "${TOKEN}",
            "${TOKEN:-}",
            "${TOKEN:-$OTHER}",
            "$(cat /run/token)",
            "`cat token`",
            "$A$B",
            "$1",
            "true",
            "None",
            "/root/.ssh/id_rsa",
            "/builds",
            "./key",
            "~/.kube/config",
            "certs/server.pem",
            "kubeconfig.yaml",
            "C:\\keys\\a",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x",
            "vault:secret/data/x#token",
            "*",
        ] {
            assert!(!can_be_secret(value), "{value}");
        }
    }
}
