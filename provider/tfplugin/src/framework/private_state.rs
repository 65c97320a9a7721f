//! Private state: the data that a resource stores beside its state.
//!
//! A resource declares one type for it, [`Private`]. It is stored with the state, and no plan or output shows it. It
//! must not have secrets, because the state file has it in plain text.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::diagnostics::{Diagnostic, Diagnostics};

/// The content of a resource's private state.
///
/// A struct should have `#[serde(default, deny_unknown_fields)]`: fields can then be added without a new version, and
/// content with fields that this version of the provider does not know is an error instead of being dropped.
pub trait Private:
    Clone + fmt::Debug + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Version of the format of the content.
    const VERSION: u64 = 0;

    /// Upgrades content of an older version to the current format.
    ///
    /// # Errors
    /// If it cannot be read.
    fn upgrade(version: u64, content: Json) -> Result<Json, Diagnostics> {
        let _ = version;
        Ok(content)
    }
}

/// For resources without private state.
impl Private for () {}

/// Private state as core stores it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrivateState(Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    version: u64,
    /// Set by an import for the read that follows it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    imported: bool,
    content: Json,
}

impl PrivateState {
    /// Private state from the bytes that core has stored.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes for core to store; empty for default content.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The private state with this content.
    #[must_use]
    pub fn of<P: Private>(content: &P) -> Self {
        Self::new(content, false)
    }

    /// The private state of an import, for the read that follows it.
    pub(crate) fn imported<P: Private>() -> Self {
        Self::new(&P::default(), true)
    }

    fn new<P: Private>(content: &P, imported: bool) -> Self {
        // The private state of an import is stored even with default content, because the read after it needs the flag.
        if !imported && *content == P::default() {
            return Self::default();
        }
        let json = serde_json::to_value(content);
        let written = json.and_then(|content| serde_json::to_vec(&Envelope { version: P::VERSION, imported, content }));
        // Serialisation fails only for maps with keys other than strings, which the golden file of the type would show.
        Self(written.unwrap_or_default())
    }

    /// Reads the content.
    ///
    /// # Errors
    /// If the bytes have a newer version, or are not private state of this type.
    pub fn read<P: Private>(&self) -> Result<P, Diagnostics> {
        Ok(self.read_imported()?.0)
    }

    /// Reads the content, and whether an import wrote it.
    pub(crate) fn read_imported<P: Private>(&self) -> Result<(P, bool), Diagnostics> {
        if self.0.is_empty() {
            return Ok((P::default(), false));
        }
        let Envelope { version, imported, content } =
            serde_json::from_slice(&self.0).map_err(|error| unreadable(&error))?;
        if version > P::VERSION {
            return Err(newer(version, P::VERSION).into());
        }
        let content = if version < P::VERSION { P::upgrade(version, content)? } else { content };
        let content = serde_json::from_value(content).map_err(|error| unreadable(&error))?;
        Ok((content, imported))
    }
}

/// Whether a field has its default value, for `#[serde(skip_serializing_if)]`.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn newer(found: u64, known: u64) -> Diagnostic {
    Diagnostic::error(
        "State of a newer version of the provider",
        format!(
            "The private state of this resource has version {found}, but this version of the provider supports \
             versions up to {known}. Use the version of the provider that wrote the state, or a newer one. Nothing was \
             changed."
        ),
    )
}

fn unreadable(error: &serde_json::Error) -> Diagnostic {
    Diagnostic::error(
        "Private state cannot be read",
        format!(
            "The private state of this resource does not have the expected form: {error}. A newer version of the \
             provider wrote it, or the state file was edited. Use the newer version of the provider, or restore the \
             state from a backup. If neither is possible, remove the resource from the state with `tofu state rm` or \
             `terraform state rm`, and import it. Nothing was changed."
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Kept {
        nonce: Option<String>,
        begun: bool,
    }

    impl Private for Kept {
        const VERSION: u64 = 2;

        fn upgrade(version: u64, mut content: Json) -> Result<Json, Diagnostics> {
            // Version 1 had `random`.
            if version == 1
                && let Some(nonce) = content.as_object_mut().and_then(|object| object.remove("random"))
            {
                content["nonce"] = nonce;
            }
            Ok(content)
        }
    }

    fn kept(json: Json) -> PrivateState {
        PrivateState::from_bytes(json.to_string().into_bytes())
    }

    fn summary(private: &PrivateState) -> String {
        private.read::<Kept>().unwrap_err().iter().map(|error| error.summary.to_string()).collect()
    }

    #[test]
    fn content_survives_the_round_trip() {
        assert_eq!(PrivateState::of(&Kept::default()).into_bytes(), Vec::<u8>::new());
        assert_eq!(PrivateState::default().read::<Kept>(), Ok(Kept::default()));
        let content = Kept { nonce: Some("abc".to_owned()), begun: true };
        let back = PrivateState::from_bytes(PrivateState::of(&content).into_bytes());
        assert_eq!(back.read_imported::<Kept>(), Ok((content, false)));
        assert_eq!(PrivateState::imported::<Kept>().read_imported::<Kept>(), Ok((Kept::default(), true)));
        assert_eq!(PrivateState::imported::<()>().read_imported::<()>(), Ok(((), true)));
    }

    #[test]
    fn older_versions_are_upgraded() {
        let old = kept(json!({ "version": 1, "content": { "random": "abc" } }));
        assert_eq!(old.read::<Kept>(), Ok(Kept { nonce: Some("abc".to_owned()), begun: false }));
    }

    #[test]
    fn unreadable_content_is_an_error() {
        assert_eq!(summary(&kept(json!({ "version": 3, "content": {} }))), "State of a newer version of the provider");
        for content in [json!({ "begun": "yes" }), json!({ "begun": true, "later": 1 }), json!("x")] {
            assert_eq!(summary(&kept(json!({ "version": 2, "content": content }))), "Private state cannot be read");
        }
        for bytes in [&b"not json"[..], b"{}", b"null"] {
            assert_eq!(summary(&PrivateState::from_bytes(bytes.to_vec())), "Private state cannot be read");
        }
    }
}
