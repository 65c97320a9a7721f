//! Tags of the provider block, and their effect on the tags of a resource.

use std::collections::BTreeMap;

use tfplugin::framework::Set;
use tfplugin::framework::value::{Map, Value, known_map};

/// `default_tags` and `ignore_tags`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderTags {
    /// Tags of all resources; `None` while they are unknown.
    pub default: Option<BTreeMap<String, String>>,
    /// Tags that the provider neither shows nor removes.
    pub ignored: IgnoredTags,
}

/// Tags that others manage on resources of this provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoredTags {
    keys: Vec<String>,
    prefixes: Vec<String>,
    /// Whether some keys or prefixes are unknown.
    partly_unknown: bool,
}

impl IgnoredTags {
    /// Ignores tags with one of these keys, or with a key that begins with one of the prefixes.
    #[must_use]
    pub fn new(keys: &Value<Set<String>>, prefixes: &Value<Set<String>>) -> Self {
        let list = |set: &Value<Set<String>>| -> Vec<String> {
            set.known().map(|set| set.iter().filter_map(|key| key.known().cloned()).collect()).unwrap_or_default()
        };
        let partly_unknown = !(keys.is_wholly_known() && prefixes.is_wholly_known());
        Self { keys: list(keys), prefixes: list(prefixes), partly_unknown }
    }

    /// Ignored tags that are wholly unknown.
    #[must_use]
    pub fn unknown() -> Self {
        Self { partly_unknown: true, ..Self::default() }
    }

    /// Whether a key is ignored: by the provider block, or because AWS manages it.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        // AWS reserves this prefix, and rejects requests that set or remove such tags.
        key.starts_with("aws:")
            || self.keys.iter().any(|ignored| ignored == key)
            || self.prefixes.iter().any(|prefix| key.starts_with(prefix.as_str()))
    }
}

impl ProviderTags {
    /// `tags_all` of a resource with these `tags`. Unknown while a part of them is unknown, or while it is unknown
    /// which tags are ignored.
    #[must_use]
    pub fn all(&self, tags: &Value<Map<String>>) -> Value<Map<String>> {
        if self.ignored.partly_unknown {
            return Value::Unknown;
        }
        let (Some(default), Some(tags)) = (&self.default, known_map(tags)) else { return Value::Unknown };
        let mut all = default.clone();
        all.extend(tags);
        all.retain(|key, _| !self.ignored.contains(key));
        Value::Known(all.into_iter().map(|(key, value)| (key, Value::Known(value))).collect())
    }

    /// Removes ignored tags from the managed ones, so that a tag that is newly ignored stays on the resource.
    pub fn spare(&self, ours: &mut Value<Map<String>>) {
        if let Value::Known(tags) = ours {
            tags.retain(|key, _| !self.ignored.contains(key));
        }
    }

    /// The observed tags that the user manages: those that are neither ignored, nor reserved by AWS, nor in `internal`.
    #[must_use]
    pub fn of_concern(&self, found: BTreeMap<String, String>, internal: &[&str]) -> BTreeMap<String, String> {
        let mut found = found;
        found.retain(|key, _| !self.ignored.contains(key) && !internal.contains(&key.as_str()));
        found
    }

    /// `tags` of a resource with the observed `tags_all`: without those that only `default_tags` has set.
    #[must_use]
    pub fn own(&self, all: &BTreeMap<String, String>, prior: &Value<Map<String>>) -> Value<Map<String>> {
        let default = self.default.clone().unwrap_or_default();
        let before = known_map(prior).unwrap_or_default();
        // A tag that equals a default tag belongs to the resource only if its configuration had this key.
        let own: Map<String> = all
            .iter()
            .filter(|(key, value)| before.contains_key(*key) || default.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), Value::Known(value.clone())))
            .collect();
        if own.is_empty() && !matches!(prior, Value::Known(_)) { Value::Null } else { Value::Known(own) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn value(pairs: &[(&str, &str)]) -> Value<Map<String>> {
        Value::Known(map(pairs).into_iter().map(|(key, value)| (key, Value::Known(value))).collect())
    }

    fn tags() -> ProviderTags {
        let ignored =
            IgnoredTags { keys: vec!["cost".to_owned()], prefixes: vec!["corp/".to_owned()], ..IgnoredTags::default() };
        ProviderTags { default: Some(map(&[("team", "ci"), ("env", "dev")])), ignored }
    }

    #[test]
    fn tag_of_a_resource_overrides_the_default() {
        assert_eq!(tags().all(&value(&[("env", "prod")])), value(&[("env", "prod"), ("team", "ci")]));
        assert_eq!(tags().all(&Value::Unknown), Value::Unknown);
    }

    #[test]
    fn tags_are_unknown_while_ignored_tags_are() {
        let all = |ignored| {
            let default = Some(BTreeMap::new());
            ProviderTags { default, ignored }.all(&value(&[("env", "prod")]))
        };
        let keys = |keys: Value<Set<String>>| all(IgnoredTags::new(&keys, &Value::Null));
        let some = |keys: &[Value<String>]| Value::Known(keys.iter().cloned().collect());
        assert_eq!(all(IgnoredTags::unknown()), Value::Unknown);
        assert_eq!(keys(Value::Unknown), Value::Unknown);
        assert_eq!(keys(some(&["cost".into(), Value::Unknown])), Value::Unknown);
        assert_eq!(keys(some(&["cost".into()])), value(&[("env", "prod")]));
    }

    #[test]
    fn newly_ignored_tags_are_no_longer_managed() {
        let mut ours = value(&[("team", "ci"), ("cost", "1"), ("corp/x", "1")]);
        tags().spare(&mut ours);
        assert_eq!(ours, value(&[("team", "ci")]));
    }

    #[test]
    fn read_tags_are_split_by_owner() {
        let found =
            map(&[("team", "ci"), ("env", "prod"), ("cost", "1"), ("corp/x", "1"), ("aws:y", "1"), ("ours", "1")]);
        let all = tags().of_concern(found, &["ours"]);
        assert_eq!(all, map(&[("team", "ci"), ("env", "prod")]));
        assert_eq!(tags().own(&all, &Value::Null), value(&[("env", "prod")]));
        assert_eq!(tags().own(&map(&[("team", "ci")]), &Value::Null), Value::Null);
        assert_eq!(tags().own(&map(&[("team", "ci")]), &value(&[("team", "ci")])), value(&[("team", "ci")]));
    }
}
