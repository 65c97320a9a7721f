//! The Secret with the runner's token.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::super::spec::{ReleaseSpec, TokenKind};
use super::metadata;

/// An object that is only written to the API server. [`SecretObject::expose`] and [`SecretObject::data`] return its
/// content, and nothing else does.
pub struct SecretObject {
    object: Value,
    token: SecretString,
    key: &'static str,
}

/// Both keys are written, as in the chart, because the pod mounts both of them.
const KEYS: [&str; 2] = ["runner-registration-token", "runner-token"];

pub(super) fn object(spec: &ReleaseSpec, token: &SecretString) -> SecretObject {
    let mut object = metadata::object(spec, "v1", "Secret", &spec.token.name);
    object.insert("type".to_owned(), json!("Opaque"));
    let key = match spec.token.kind {
        TokenKind::Authentication => "runner-token",
        TokenKind::Registration => "runner-registration-token",
    };
    SecretObject { object: Value::Object(object), token: token.clone(), key }
}

impl fmt::Debug for SecretObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.redacted())
    }
}

impl SecretObject {
    /// Returns the object for plan and state, with `(sensitive)` as its content.
    pub fn redacted(&self) -> Value {
        self.with(|_| json!("(sensitive)"), "data")
    }

    /// Returns the content of the Secret, for its fingerprint.
    pub fn data(&self) -> [(&'static str, &[u8]); 2] {
        KEYS.map(|key| (key, self.content(key).as_bytes()))
    }

    /// Returns the object with the token, for the request that writes it.
    pub fn expose(&self) -> Value {
        let encode = |key: &str| json!(STANDARD.encode(self.content(key)));
        self.with(encode, "data")
    }

    fn content(&self, key: &str) -> &str {
        // A newline at the end of a token is invalid in an HTTP header.
        if key == self.key { self.token.expose_secret().trim() } else { "" }
    }

    fn with(&self, content: impl Fn(&str) -> Value, field: &str) -> Value {
        let data = KEYS.map(|key| (key.to_owned(), content(key)));
        let mut object = self.object.clone();
        if let Value::Object(fields) = &mut object {
            fields.insert(field.to_owned(), Value::Object(data.into_iter().collect()));
        }
        object
    }
}
