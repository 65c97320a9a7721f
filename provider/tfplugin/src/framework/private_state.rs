//! What a resource keeps for itself beside its state.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

/// Keys and values that travel with the state but are never shown. Not a place for secrets: the state file has them in
/// plain text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrivateState(BTreeMap<String, Json>);

/// Set by an import for the read that follows it.
const IMPORTED: &str = ".imported";

impl PrivateState {
    /// Reads the bytes that core kept. Bytes that are not ours count as none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(serde_json::from_slice(bytes).unwrap_or_default())
    }

    /// The bytes for core to keep.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        serde_json::to_vec(&self.0).unwrap_or_default()
    }

    /// A value, if it is there and has this type.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_value(self.0.get(key)?.clone()).ok()
    }

    /// Keeps a value.
    pub fn set<T: Serialize>(&mut self, key: &str, value: &T) {
        if let Ok(json) = serde_json::to_value(value) {
            self.0.insert(key.to_owned(), json);
        }
    }

    /// Forgets a value.
    pub fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    pub(crate) fn mark_imported(&mut self) {
        self.set(IMPORTED, &true);
    }

    pub(crate) fn take_imported(&mut self) -> bool {
        self.0.remove(IMPORTED).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_the_trip() {
        let mut private = PrivateState::default();
        assert_eq!(private.to_bytes(), Vec::<u8>::new());
        private.set("nonce", &"abc");
        private.mark_imported();
        let mut back = PrivateState::from_bytes(&private.to_bytes());
        assert_eq!(back.get::<String>("nonce"), Some("abc".to_owned()));
        assert!(back.take_imported());
        assert!(!back.take_imported());
        assert_eq!(PrivateState::from_bytes(b"not json"), PrivateState::default());
    }
}
