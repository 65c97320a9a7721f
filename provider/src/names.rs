//! Generated names.

use sha2::{Digest, Sha256};
use tfplugin::framework::{Diagnostics, Value};

const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The prefix followed by this number of random lowercase letters and digits.
///
/// The random numbers are those of the operating system. If it returns none, the suffix is constant, so that AWS
/// rejects the second object with this name.
pub(crate) fn generated(prefix: &str, characters: usize) -> String {
    let mut random = vec![0; characters];
    if getrandom::fill(&mut random).is_err() {
        tracing::warn!("the operating system returned no random numbers");
    }
    suffixed(prefix, &random)
}

/// The prefix followed by up to 32 lowercase letters and digits, which are a hash of `parts`.
pub(crate) fn derived(prefix: &str, characters: usize, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length of each part distinguishes ["ab", "c"] from ["a", "bc"].
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    suffixed(prefix, hash.get(..characters).unwrap_or(&hash))
}

/// Whether a changed prefix requires a new name. It does not if the prefix is removed, or if the name begins with it.
pub(crate) fn needs_another_name(name: &Value<String>, before: &Value<String>, after: &Value<String>) -> bool {
    match after {
        same if same == before => false,
        Value::Null => false,
        Value::Unknown => true,
        Value::Known(prefix) => !name.as_str().is_some_and(|name| name.starts_with(prefix.as_str())),
    }
}

/// Adds an error if both the name and the prefix are set. An unknown value is accepted, because it may become null.
pub(crate) fn check_one(
    (name, value): (&str, &Value<String>),
    (prefix, value_of_prefix): (&'static str, &Value<String>),
    diagnostics: &mut Diagnostics,
) {
    if value.known().is_some() && value_of_prefix.known().is_some() {
        let detail = format!(
            "Only one of {name} and {prefix} can be set: {prefix} creates a name with this prefix and random \
             characters."
        );
        diagnostics.error(prefix, "Conflicting arguments", detail);
    }
}

fn suffixed(prefix: &str, bytes: &[u8]) -> String {
    // The alphabet has 32 characters, so that all of them are equally likely (256 is a multiple of 32). It lacks l, o,
    // 0 and 1, which are easily confused with each other.
    let suffix = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    prefix.chars().chain(suffix).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names_are_unique() {
        let name = generated("ci-", 12);
        assert_eq!(name.len(), 15);
        assert!(name.starts_with("ci-"));
        assert_ne!(name, generated("ci-", 12));
    }

    #[test]
    fn matching_prefix_keeps_the_name() {
        let needs = |before: Value<String>, after: Value<String>| needs_another_name(&"ci-abc".into(), &before, &after);
        assert!(!needs(Value::Null, "ci-".into()) && !needs("ci".into(), "ci-".into()));
        assert!(!needs("other-".into(), Value::Null) && !needs(Value::Unknown, Value::Unknown));
        assert!(needs(Value::Null, "other-".into()) && needs("ci-".into(), Value::Unknown));
    }

    #[test]
    fn derived_names_are_deterministic() {
        let name = derived("ci-", 12, &["a", "b"]);
        assert_eq!(name.len(), 15);
        assert!(name.starts_with("ci-"));
        assert_eq!(name, derived("ci-", 12, &["a", "b"]));
        assert_ne!(name, derived("ci-", 12, &["ab"]));
        assert_ne!(name, derived("ci-", 12, &["a", "c"]));
    }
}
