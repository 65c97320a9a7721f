//! Names of variables, keys and options with secrets.

/// Parts of names with secrets, also within a word: `PGPASSWORD`.
const PARTS: [&str; 14] = [
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "CREDENTIAL",
    "PRIVATE_KEY",
    "PRIVATEKEY",
    "ACCESS_KEY",
    "ACCESSKEY",
    "API_KEY",
    "APIKEY",
    "AUTH_CONFIG",
    "SENTRY_DSN",
];

/// Words of names with secrets, at any position.
const WORDS: [&str; 12] = [
    "BEARER",
    "CREDS",
    "DOCKERCONFIGJSON",
    "JWT",
    "KEYPASS",
    "KEYSTORE",
    "KUBECONFIG",
    "NETRC",
    "PGPASS",
    "STOREPASS",
    "WEBHOOK",
    "WEBHOOKS",
];

/// Words of names with secrets, if they are the last ones.
const LAST_WORDS: [&str; 6] = ["AUTH", "AUTHORIZATION", "DSN", "PASS", "PASSCODE", "PW"];

/// The same for words that are a name of something else when they stand alone: `PWD` is the working directory.
const LAST_OF_SEVERAL: [&str; 5] = ["COOKIE", "KEY", "KEYS", "PAT", "PWD"];

/// Words before `KEY` for keys that are not secret.
const OPEN_KEYS: [&str; 26] = [
    "AUTHORIZED",
    "BUCKET",
    "CACHE",
    "COMPOSITE",
    "CONFIG",
    "FOREIGN",
    "GROUP",
    "HOST",
    "INDEX",
    "ISSUE",
    "KMS",
    "LABEL",
    "LOOKUP",
    "MATCH",
    "OBJECT",
    "PARTITION",
    "PRIMARY",
    "PROJECT",
    "PUB",
    "PUBLIC",
    "REDIS",
    "SORT",
    "TAG",
    "TAINT",
    "TOPOLOGY",
    "UNIQUE",
];

/// Last words of names that say how a secret is written, or where it is used.
const CARRIERS: [&str; 25] = [
    "B64",
    "BASE64",
    "CI",
    "CONTENT",
    "CONTENTS",
    "DATA",
    "DEV",
    "ENC",
    "ENCODED",
    "HEADER",
    "JSON",
    "LIVE",
    "MAIN",
    "NEW",
    "OLD",
    "PLAIN",
    "PROD",
    "PRODUCTION",
    "QA",
    "RAW",
    "STAGING",
    "STRING",
    "TEST",
    "TEXT",
    "VALUE",
];

/// Last words of names of settings about a secret, or of references to one.
const ABOUT: [&str; 87] = [
    "ADDR",
    "ADDRESS",
    "AGE",
    "ALG",
    "ALGORITHM",
    "ALIAS",
    "ALLOWED",
    "ARN",
    "AUDIENCE",
    "BACKEND",
    "BUCKET",
    "CHECK",
    "COUNT",
    "DAYS",
    "DIR",
    "DIRECTORY",
    "DIRS",
    "DISABLED",
    "DOMAIN",
    "DURATION",
    "EMAIL",
    "ENABLED",
    "ENDPOINT",
    "ENGINE",
    "EXPIRATION",
    "EXPIRY",
    "FD",
    "FIELD",
    "FILE",
    "FILENAME",
    "FILES",
    "FINGERPRINT",
    "FOLDER",
    "FORMAT",
    "HELPER",
    "HOST",
    "HOSTS",
    "ID",
    "IDS",
    "INTERVAL",
    "ISSUER",
    "KIND",
    "LENGTH",
    "LIFETIME",
    "LIMIT",
    "LOCATION",
    "MANAGER",
    "METHOD",
    "MODE",
    "NAME",
    "NAMES",
    "NAMESPACE",
    "PATH",
    "PATHS",
    "PATTERN",
    "POLICY",
    "PORT",
    "PREFIX",
    "PROVIDER",
    "REALM",
    "REF",
    "REGION",
    "REQUIRED",
    "ROLE",
    "ROTATION",
    "SCOPE",
    "SCOPES",
    "SECONDS",
    "SERVER",
    "SERVICE",
    "SIZE",
    "STDIN",
    "STORE",
    "STRATEGY",
    "SUFFIX",
    "TIMEOUT",
    "TTL",
    "TYPE",
    "TYPES",
    "URI",
    "URL",
    "URLS",
    "USER",
    "USERNAME",
    "USERS",
    "VAULT",
    "VERSION",
];

/// Beginnings of annotations that only refer to secrets or describe them.
const REFERRING: [&str; 2] = ["vault.hashicorp.com/", "checksum/"];

/// Words before `SECRET` in names whose value is the name of a Secret of Kubernetes.
const NAMED_SECRETS: [&str; 8] = ["CA", "CERT", "CERTS", "EXISTING", "IMAGE", "PULL", "SSL", "TLS"];

/// Whether a variable, a key or an option with this name contains a secret.
pub(in super::super) fn is_name(name: &str) -> bool {
    // A toleration of `node_tolerations` is written as `key=value`.
    if name.contains(['=', ' ']) || REFERRING.iter().any(|beginning| name.starts_with(beginning)) {
        return false;
    }
    let words = words(name);
    let words = without_carriers(&words);
    let Some((last, before)) = words.split_last() else { return false };
    let joined = words.join("_");
    if is_about(last, &joined) {
        return false;
    }
    let is_open_key = || before.iter().any(|word| OPEN_KEYS.contains(&word.as_str()));
    PARTS.iter().any(|part| joined.replace("TOKENIZ", "").contains(part))
        || words.iter().any(|word| WORDS.contains(&word.as_str()))
        || LAST_WORDS.contains(&last.as_str())
        || LAST_OF_SEVERAL.contains(&last.as_str()) && !before.is_empty() && !is_open_key()
}

/// Whether a value is the name of a Secret, to which keys such as `tlsSecret` and annotations such as
/// `nginx.ingress.kubernetes.io/auth-secret` refer.
pub(super) fn is_reference(name: &str, value: &str) -> bool {
    let words = words(name);
    let [.., before, last] = words.as_slice() else { return false };
    let is_named = NAMED_SECRETS.contains(&before.as_str()) || before == "AUTH" && name.contains('/');
    let is_object = |value: &str| {
        value.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-./".contains(letter))
    };
    (last == "SECRET" || last == "SECRETS") && is_named && is_object(value)
}

/// Whether the last word says that the value is about a secret, and is none.
fn is_about(last: &str, joined: &str) -> bool {
    match last {
        // The ID of an AppRole of Vault, and that of an access key, are parts of a secret.
        "ID" => !joined.ends_with("SECRET_ID") && !joined.ends_with("ACCESS_KEY_ID"),
        // Who knows the URL of a webhook can call it.
        "URL" | "URLS" | "URI" | "ENDPOINT" => !joined.contains("WEBHOOK"),
        last => ABOUT.contains(&last),
    }
}

fn without_carriers(words: &[String]) -> &[String] {
    let is_carrier =
        |word: &String| CARRIERS.contains(&word.as_str()) || word.chars().all(|letter| letter.is_ascii_digit());
    let count = words.iter().rposition(|word| !is_carrier(word)).map_or(0, |index| index + 1);
    words.get(..count).unwrap_or_default()
}

/// The words of a name in upper case: those of `dbPassword`, `DB_PASSWORD` and `example.com/db-password` are DB and
/// PASSWORD.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.rsplit('/').next().unwrap_or(name).chars().collect();
    let (mut words, mut word) = (Vec::new(), String::new());
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| letters.get(index));
        let after = letters.get(index + 1);
        let is_lower = |letter: Option<&char>| letter.is_some_and(char::is_ascii_lowercase);
        let is_capital = letter.is_ascii_uppercase()
            && (is_lower(before) || before.is_some_and(char::is_ascii_uppercase) && is_lower(after));
        if (is_capital || !letter.is_ascii_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_ascii_alphanumeric() {
            word.push(letter.to_ascii_uppercase());
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_recognised() {
        for name in [
            "VAULT_TOKEN",
            "db_password",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_ACCESS_KEY_ID",
            "DOCKER_AUTH_CONFIG",
            "my-api-key",
            "DB_PASS",
            "DB_PASS_PROD",
            "MYSQL_PWD",
            "SSH_KEY",
            "SIGNING_KEY",
            "ENCRYPTION_KEY",
            "GOOGLE_KEY",
            "SSH_KEY_B64",
            "DEPLOY_KEY_2",
            "NPM_AUTH",
            "AUTH",
            "AUTH_HEADER",
            "KUBECONFIG",
            "KUBECONFIG_B64",
            "JWT",
            "JWT_SIGNING",
            "SLACK_WEBHOOK_URL",
            "SLACK_WEBHOOK",
            "dbPassword",
            "secretKey",
            "client-key-data",
            "vault/token",
            "example.com/api-token",
            "PGPASSWORD",
            "_authToken",
            "--password",
            "Authorization",
            "PRIVATE-TOKEN",
            "GITHUB_PAT",
            "ROLE_SECRET_ID",
        ] {
            assert!(is_name(name), "{name}");
        }
    }

    #[test]
    fn other_names_are_not_those_of_secrets() {
        for name in [
            "DOCKER_HOST",
            "TOKEN_FILE",
            "SECRET_NAME",
            "secretName",
            "DOCKER_TLS_CERTDIR",
            "KEY",
            "key",
            "PWD",
            "OLDPWD",
            "SSH_KEY_PATH",
            "AUTHOR",
            "AUTHORS",
            "GIT_AUTHOR_NAME",
            "KEYBOARD",
            "KEYBOARD_LAYOUT",
            "PASSIVE",
            "BYPASS",
            "COMPASS",
            "MONKEY",
            "TURKEY",
            "SSH_PUBLIC_KEY",
            "GPG_PUBLIC_KEY_B64",
            "CACHE_KEY_PREFIX",
            "CACHE_KEY",
            "CACHE_FALLBACK_KEY",
            "SONAR_PROJECT_KEY",
            "GIT_CONFIG_KEY_0",
            "topologyKey",
            "topology_key",
            "TOKENIZERS_PARALLELISM",
            "SECRET_DETECTION_EXCLUDED_PATHS",
            "GPG_KEY_FINGERPRINT",
            "TOKEN_USER",
            "AUTH_METHOD",
            "POSTGRES_HOST_AUTH_METHOD",
            "AUTH_URL",
            "JWT_ISSUER",
            "WEBHOOK_PORT",
            "PASSWORD_LENGTH",
            "--password-stdin",
            "credsStore",
            "KMS_KEY_ID",
            "secretKeyRef",
            "AZURE_KEY_VAULT",
            "buildInstance",
            "vault.hashicorp.com/agent-inject-secret-db",
            "checksum/secret",
            "secrets.example.com/reload",
            "token=true",
            "",
        ] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn names_of_secret_objects_are_references() {
        assert!(is_reference("nginx.ingress.kubernetes.io/auth-secret", "basic-auth"));
        assert!(is_reference("tlsSecret", "my-tls") && !is_reference("AUTH_SECRET", "hunter2"));
        assert!(!is_reference("tlsSecret", "Hunter2!") && !is_reference("SECRET", "a"));
    }
}
