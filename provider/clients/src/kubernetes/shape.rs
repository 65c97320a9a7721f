//! Objects that do not match the schema of the API server.
//!
//! For a server-side apply with an unknown field, a wrong type, a duplicate key or an invalid quantity, the API server
//! returns status 500 without a reason, as for a failure of its own. A retry returns the same error.

use http::StatusCode;
use serde_json::Value;

use super::error::InvalidField;

/// The beginnings of its messages for such objects.
const REFUSALS: [&str; 2] = ["failed to create typed patch object", "failed to convert new object"];

const QUANTITY: &str = "quantities must match the regular expression";

/// Whether the response rejects an object for its schema.
pub(super) fn is_refused(status: StatusCode, body: &[u8]) -> bool {
    let message = || serde_json::from_slice::<Value>(body).ok()?["message"].as_str().map(str::to_owned);
    status == StatusCode::INTERNAL_SERVER_ERROR && message().is_some_and(|message| is_refusal(&message))
}

pub(super) fn is_refusal(message: &str) -> bool {
    REFUSALS.iter().any(|refusal| message.starts_with(refusal))
}

/// The fields in such a message.
pub(super) fn fields(message: &str) -> Vec<InvalidField> {
    let (_, text) = message.split_once("): ").unwrap_or(("", message));
    // Each of several fields has its own line.
    let lines: Vec<InvalidField> =
        text.lines().map(str::trim).filter(|line| line.starts_with('.')).map(field).collect();
    if !lines.is_empty() {
        return lines;
    }
    // ... to proper version: unable to convert unstructured object to apps/v1, Kind=Deployment: ...
    let reason = message.split_once(", Kind=").and_then(|(_, rest)| rest.split_once(" to proper version: "));
    let reason = reason.map_or(message, |(_, rest)| rest.split_once(", Kind=").map_or(rest, |(_, rest)| rest));
    let reason = reason.split_once(": ").map_or(reason, |(_, rest)| rest);
    vec![InvalidField { field: String::new(), reason: in_words(reason) }]
}

/// `.spec.replicas: expected numeric (int or float), got string`
fn field(line: &str) -> InvalidField {
    let (field, reason) = line.split_once(": ").unwrap_or((line, ""));
    InvalidField { field: field.trim_start_matches('.').to_owned(), reason: in_words(reason) }
}

fn in_words(reason: &str) -> String {
    if reason == "field not declared in schema" {
        return "this field does not exist".to_owned();
    }
    if reason.starts_with(QUANTITY) {
        return NO_QUANTITY.to_owned();
    }
    // Values are formatted by Go.
    let Some((expected, got)) = reason.split_once(", got &") else { return reason.to_owned() };
    let value = got.strip_prefix("value.valueUnstructured{Value:").or_else(|| got.strip_prefix('{'));
    let value = value.and_then(|value| value.strip_suffix('}')).unwrap_or(got);
    format!("{expected}, got {value}")
}

const NO_QUANTITY: &str = "not a quantity, such as \"500m\", \"2\" or \"1Gi\"";

/// Adds the path of the field with an invalid quantity, which is not in the response of the API server.
pub(super) fn locate(fields: Vec<InvalidField>, object: &Value) -> Vec<InvalidField> {
    let is_of_quantity = |field: &InvalidField| field.field.is_empty() && field.reason == NO_QUANTITY;
    if !fields.iter().any(is_of_quantity) {
        return fields;
    }
    let mut found = Vec::new();
    quantities(object, "", false, &mut found);
    if found.is_empty() { fields } else { found }
}

/// Collects the invalid strings in fields for quantities.
fn quantities(value: &Value, path: &str, is_quantity: bool, found: &mut Vec<InvalidField>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let is_quantity = is_quantity || matches!(name.as_str(), "sizeLimit" | "divisor");
                let of_resources = matches!(name.as_str(), "limits" | "requests" | "capacity" | "overhead");
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                quantities(value, &path, is_quantity || of_resources, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                quantities(item, &format!("{path}[{index}]"), false, found);
            }
        }
        Value::String(text) if is_quantity && !could_be_quantity(text) => {
            found.push(InvalidField { field: path.to_owned(), reason: format!("{text:?} is {NO_QUANTITY}") });
        }
        _ => {}
    }
}

/// The API server's `^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$`.
fn could_be_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let rest = unsigned.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let suffix = rest.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    let exponent = suffix.strip_prefix(['+', '-']).unwrap_or(suffix);
    rest.len() < unsigned.len() && exponent.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The messages of kube-apiserver 1.36.
    const TYPED: &str = "failed to create typed patch object (ci/r; apps/v1, Kind=Deployment): ";
    const CONVERTED: &str = "failed to convert new object (ci/r; apps/v1, Kind=Deployment) to proper version: unable to \
                             convert unstructured object to apps/v1, Kind=Deployment: ";

    fn texts(prefix: &str, rest: &str) -> Vec<String> {
        fields(&format!("{prefix}{rest}")).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn invalid_fields_are_named_with_the_reason() {
        let container = ".spec.template.spec.containers[name=\"c\"]";
        assert_eq!(
            texts(TYPED, &format!("{container}.securityContext.fsGroup: field not declared in schema")),
            ["spec.template.spec.containers[name=\"c\"].securityContext.fsGroup: this field does not exist"]
        );
        assert_eq!(
            texts(
                TYPED,
                &format!("{container}.env[name=\"A\"].value: expected string, got &value.valueUnstructured{{Value:1}}")
            ),
            ["spec.template.spec.containers[name=\"c\"].env[name=\"A\"].value: expected string, got 1"]
        );
        assert_eq!(
            texts(TYPED, ".spec.template.spec.hostNetwork: expected boolean, got &{yes}"),
            ["spec.template.spec.hostNetwork: expected boolean, got yes"]
        );
        assert_eq!(
            texts(TYPED, &format!("{container}.env: duplicate entries for key [name=\"A\"]")),
            ["spec.template.spec.containers[name=\"c\"].env: duplicate entries for key [name=\"A\"]"]
        );
        assert_eq!(
            texts(TYPED, "errors:\n  .spec.a: field not declared in schema\n  .spec.b: field not declared in schema"),
            ["spec.a: this field does not exist", "spec.b: this field does not exist"]
        );
        assert_eq!(texts(CONVERTED, "cannot convert float64 to int64"), ["cannot convert float64 to int64"]);
        let quantity = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
        assert_eq!(texts(CONVERTED, quantity), [NO_QUANTITY]);
    }

    #[test]
    fn other_server_errors_are_not_shape_errors() {
        let body = |message: &str| json!({ "kind": "Status", "message": message }).to_string();
        let refused =
            |status: u16, message: &str| is_refused(StatusCode::from_u16(status).unwrap(), body(message).as_bytes());
        assert!(refused(500, &format!("{TYPED}.spec.x: field not declared in schema")));
        assert!(!refused(500, "etcdserver: request timed out") && !refused(503, TYPED));
        assert!(!is_refused(StatusCode::INTERNAL_SERVER_ERROR, b"<html>"));
    }

    #[test]
    fn invalid_quantities_are_found() {
        let object = json!({ "spec": {
            "containers": [{ "resources": { "limits": { "cpu": "lots", "memory": "1Gi" }, "requests": { "cpu": 1 } } }],
            "volumes": [{ "name": "a", "emptyDir": { "sizeLimit": "big", "medium": "Memory" } }],
        } });
        let found = locate(fields(&format!("{CONVERTED}{QUANTITY} 'x'")), &object);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                format!("spec.containers[0].resources.limits.cpu: \"lots\" is {NO_QUANTITY}"),
                format!("spec.volumes[0].emptyDir.sizeLimit: \"big\" is {NO_QUANTITY}"),
            ]
        );
        for text in ["1", "1.5Gi", "100m", "1e3", "-2", "12E+2", ".5"] {
            assert!(could_be_quantity(text), "{text}");
        }
        for text in ["", "lots", "1 Gi", "Gi", "1GB!"] {
            assert!(!could_be_quantity(text), "{text}");
        }
    }
}
