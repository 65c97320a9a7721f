//! Hashes that replace the pods when content changes that they were started with.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A keyed hash of a Secret: it shows a change, but not the content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(pub String);

/// Returns HMAC-SHA-256 of the keys and values of a Secret, in hex.
///
/// The key must not leave the private state of the provider: with it, a short secret could be guessed from its hash.
pub fn fingerprint<'a>(key: &[u8], data: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Fingerprint {
    let sorted: BTreeMap<&str, &[u8]> = data.into_iter().collect();
    let mut mac = match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes a key of any length"),
    };
    for (name, value) in sorted {
        // The lengths distinguish entries with the same concatenation of name and value.
        for part in [name.as_bytes(), value] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
    }
    Fingerprint(hex::encode(mac.finalize().into_bytes()))
}

/// Returns SHA-256 of a value as JSON, in hex. The order of keys has no effect.
pub(super) fn of_value(value: &Value) -> String {
    let mut text = String::new();
    write_sorted(value, &mut text);
    hex::encode(Sha256::digest(text))
}

/// Writes JSON with sorted keys. `serde_json` keeps or sorts them, depending on features that other crates of a build
/// enable, and a checksum must not depend on that.
fn write_sorted(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<&String, &Value> = fields.iter().collect();
            text.push('{');
            for (name, value) in sorted {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write_sorted(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write_sorted(item, text);
                text.push(',');
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

/// Returns one checksum for all Secrets.
pub(super) fn of_fingerprints(fingerprints: &BTreeMap<String, Fingerprint>) -> Option<String> {
    if fingerprints.is_empty() {
        return None;
    }
    let mut digest = Sha256::new();
    for (name, fingerprint) in fingerprints {
        digest.update(format!("{name}={}\n", fingerprint.0));
    }
    Some(hex::encode(digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_depends_on_key_name_and_value() {
        let of = |key: &[u8], name: &'static str, value: &'static [u8]| fingerprint(key, [(name, value)]);
        let base = of(b"key", "token", b"secret");
        assert_eq!(base, of(b"key", "token", b"secret"));
        assert_ne!(base, of(b"other", "token", b"secret"));
        assert_ne!(base, of(b"key", "tokens", b"ecret"));
        assert_eq!(base.0.len(), 64);
    }

    #[test]
    fn a_checksum_does_not_depend_on_the_order_of_keys() {
        let of = |text: &str| of_value(&serde_json::from_str(text).unwrap());
        assert_eq!(of(r#"{"a":1,"b":{"c":[1],"d":2}}"#), of(r#"{"b":{"d":2,"c":[1]},"a":1}"#));
        assert_ne!(of(r#"{"a":[1,2]}"#), of(r#"{"a":[2,1]}"#));
    }

    #[test]
    fn the_order_of_entries_does_not_count() {
        let entries: [(&str, &[u8]); 2] = [("a", b"1"), ("b", b"2")];
        let turned: [(&str, &[u8]); 2] = [("b", b"2"), ("a", b"1")];
        assert_eq!(fingerprint(b"k", entries), fingerprint(b"k", turned));
    }
}
