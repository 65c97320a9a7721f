//! Parses and compares policy documents of IAM and S3.

use serde_json::Value as Json;

/// Whether two documents are equivalent. Whitespace and the order of keys and lists are ignored, and a list with one
/// element equals the element itself.
pub(crate) fn equivalent(one: &Json, other: &Json) -> bool {
    normalized(one) == normalized(other)
}

/// Parses a document: JSON, or percent-encoded JSON.
pub(crate) fn parse(text: &str) -> Option<Json> {
    // S3 returns plain JSON, IAM percent-encoded JSON.
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&percent_decoded(text)?).ok())
}

/// The compact text of a document with sorted keys, so that equal documents have equal texts.
pub(crate) fn text(document: &Json) -> String {
    sorted(document).to_string()
}

/// The statements of a document. A single statement does not have to be in a list.
pub(crate) fn statements(document: &Json) -> Vec<Json> {
    match document.get("Statement") {
        Some(Json::Array(statements)) => statements.clone(),
        Some(Json::Null) | None => Vec::new(),
        // IAM returns a document as it was sent, and both forms are valid.
        Some(one) => vec![one.clone()],
    }
}

fn sorted(value: &Json) -> Json {
    match value {
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            Json::Object(members.into_iter().collect())
        }
        Json::Array(elements) => Json::Array(elements.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

fn normalized(value: &Json) -> Json {
    match value {
        Json::Object(members) => {
            Json::Object(members.iter().map(|(key, value)| (key.clone(), normalized(value))).collect())
        }
        Json::Array(elements) => {
            let mut elements: Vec<Json> = elements.iter().map(normalized).collect();
            if elements.len() == 1 {
                return elements.swap_remove(0);
            }
            elements.sort_by_key(text);
            elements.dedup();
            Json::Array(elements)
        }
        // AWS returns the string "true" for the boolean true.
        Json::Bool(value) => Json::String(value.to_string()),
        other => other.clone(),
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
            }
            // In form encoding, `+` is a space.
            b'+' => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equivalent_documents_are_equal() {
        let one =
            json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["b", "a"], "Resource": "*"}]});
        let other =
            json!({"Statement": {"Resource": ["*"], "Action": ["a", "b"], "Effect": "Allow"}, "Version": "2012-10-17"});
        assert!(equivalent(&one, &other));
        assert!(!equivalent(&one, &json!({"Version": "2012-10-17", "Statement": []})));
        assert!(equivalent(
            &json!({"Bool": {"aws:SecureTransport": false}}),
            &json!({"Bool": {"aws:SecureTransport": "false"}})
        ));
    }

    #[test]
    fn encoded_and_plain_documents_are_read() {
        let document = json!({"Sid": "a b", "Version": "2012-10-17"});
        assert_eq!(parse("%7B%22Version%22%3A%222012-10-17%22%2C+%22Sid%22%3A%22a%20b%22%7D"), Some(document.clone()));
        assert_eq!(parse(r#"{"Version": "2012-10-17", "Sid": "a b"}"#), Some(document.clone()));
        assert_eq!(parse("nonsense"), None);
        assert_eq!(text(&document), r#"{"Sid":"a b","Version":"2012-10-17"}"#);
    }
}
