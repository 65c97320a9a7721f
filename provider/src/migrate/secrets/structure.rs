//! Secrets in YAML and JSON that a text contains, such as a patch or a configuration file.

use serde_json::{Map, Value as Json};

use super::{is_entry, is_name, is_named, is_text};
use crate::yaml;

/// Whether a text is YAML or JSON with a secret.
pub(super) fn has_secret(text: &str) -> bool {
    // Most texts are single values, and are not parsed.
    let may_be = text.contains(':') && (text.contains('\n') || text.trim_start().starts_with(['{', '[', '-']));
    may_be
        && match yaml::first_document(text) {
            Ok((value @ (Json::Object(_) | Json::Array(_)), ..)) => is_secret(&value),
            _ => false,
        }
}

fn is_secret(value: &Json) -> bool {
    match value {
        Json::String(text) => is_text(text),
        Json::Array(items) => items.iter().any(is_secret),
        Json::Object(fields) => is_pair(fields) || fields.iter().any(|(name, value)| is_field(name, value)),
        _ => false,
    }
}

fn is_field(name: &str, value: &Json) -> bool {
    match value {
        Json::String(text) => is_entry(name, text),
        // A password of digits alone.
        Json::Number(number) => is_name(name) && number.to_string().len() > 3,
        value => is_secret(value),
    }
}

/// Whether an object has a secret as `value`: that of the variable `name`, or of the path of a JSON Patch.
fn is_pair(fields: &Map<String, Json>) -> bool {
    let text = |name: &str| fields.get(name).and_then(Json::as_str);
    let name = text("name").or_else(|| text("path")?.rsplit(['/', '~']).next());
    name.zip(text("value")).is_some_and(|(name, value)| is_named(name.trim_start_matches('1'), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_json_and_yaml_are_recognised() {
        for text in [
            r#"{"spec":{"containers":[{"name":"build","env":[{"name":"DB_PASSWORD","value":"hunter2"}]}]}}"#,
            "containers:\n- name: build\n  env:\n  - name: DB_PASSWORD\n    value: hunter2\n",
            r#"{"password":"hunter2"}"#,
            r#"{"auths":{"registry.example.com":{"auth":"YTpi"}}}"#,
            r#"[{"op":"add","path":"/metadata/annotations/example.com~1token","value":"hunter2"}]"#,
            "users:\n- name: ci\n  user:\n    client-key-data: LS0tLS1CRUdJTg==\n",
            "db:\n  password: 12345\n",
        ] {
            assert!(has_secret(text), "{text}");
        }
    }

    #[test]
    fn references_in_json_and_yaml_are_no_secrets() {
        for text in [
            r#"{"env":[{"name":"DB_PASSWORD","valueFrom":{"secretKeyRef":{"name":"db","key":"password"}}}]}"#,
            "volumes:\n- name: token\n  secret:\n    secretName: ci\n",
            r#"{"topologySpreadConstraints":[{"topologyKey":"kubernetes.io/hostname"}]}"#,
            r#"{"password":"$DB_PASSWORD","auth":""}"#,
            "[auth]\nuser: x\n",
            "echo 'a: b'\n",
            "tolerations:\n- key: ci\n  value: 'true'\n",
        ] {
            assert!(!has_secret(text), "{text}");
        }
    }
}
