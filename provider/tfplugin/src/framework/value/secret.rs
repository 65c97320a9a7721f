//! Text that must not be shown.

use std::cmp::Ordering;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

/// The value of a sensitive attribute. `Debug` does not show the text, nothing serialises it, and it is overwritten on
/// drop. Only [`Secret::expose`] and [`Secret::into_inner`] give access to it.
#[derive(Clone, Debug, Default)]
pub struct Secret(SecretString);

impl Secret {
    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The text in the type that clients expect.
    #[must_use]
    pub fn into_inner(self) -> SecretString {
        self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

// Plans compare the values of configuration and state. The time of the comparison is not observable, so that it need
// not be constant.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}
impl Eq for Secret {}
impl Ord for Secret {
    fn cmp(&self, other: &Self) -> Ordering {
        self.expose().cmp(other.expose())
    }
}
impl PartialOrd for Secret {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::value::{List, Map, Raw, Value};

    #[test]
    fn debug_redacts_the_text() {
        let secret = Secret::from("very-secret");
        for shown in
            [format!("{secret:?}"), format!("{:?}", Raw::Secret(secret.clone())), format!("{:?}", Value::Known(secret))]
        {
            assert!(!shown.contains("very-secret") && shown.contains("REDACTED"), "{shown}");
        }
    }

    /// `#[derive(Object)]` compares this with `sensitive` at compile time.
    #[test]
    fn types_with_secrets_are_recognised() {
        const { assert!(Value::<Secret>::IS_SECRET && Value::<List<Secret>>::IS_SECRET && Value::<Map<Secret>>::IS_SECRET) }
        const { assert!(!Value::<String>::IS_SECRET && !Value::<List<String>>::IS_SECRET && !Value::<bool>::IS_SECRET) }
    }

    #[test]
    fn secrets_are_compared_by_their_text() {
        assert_eq!(Secret::from("a"), Secret::from("a".to_owned()));
        assert!(Secret::from("a") < Secret::from("b"));
    }
}
