//! Tags of AWS resources: those that the user sets, that the provider adds, and that others manage.

use std::collections::BTreeMap;

use tfplugin::framework::value::Map;
use tfplugin::framework::{Diagnostics, Value};

use crate::provider_tags::ProviderTags;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// Tag of an object whose create has begun and not completed. A create that finds an object of its name with this tag
/// continues it; an object without it belongs to another resource or user. The value is the time at which the create
/// began.
pub(crate) const UNFINISHED: &str = "gitlabspot/unfinished";

/// Whether a tag is not shown in the state: tags that AWS reserves, and marks of this provider.
pub(crate) fn is_hidden(key: &str) -> bool {
    key.starts_with("aws:") || key.starts_with("gitlabspot/")
}

/// The observed values of the tags in `before`. Other tags are managed by others: they are neither shown nor removed.
///
/// A tag with the value null (`owner = null`) is not desired, and stays null as in the configuration.
pub(crate) fn owned(found: &Tags, before: &Value<Map<String>>) -> Value<Map<String>> {
    let Value::Known(before) = before else { return before.clone() };
    let kept = before.iter().filter_map(|(key, value)| {
        let value = if value.is_null() { Value::Null } else { found.get(key)?.as_str().into() };
        Some((key.clone(), value))
    });
    Value::Known(kept.collect())
}

/// Returns two keys that differ only in case, such as `Team` of `default_tags` and `team` of a resource.
///
/// For IAM they are the same key: it rejects both together, and removing one removes the other.
pub(crate) fn alike(tags: &Value<Map<String>>) -> Option<(&str, &str)> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut given = tags.known()?.iter().filter(|(_, value)| !value.is_null());
    given.find_map(|(key, _)| Some((seen.insert(key.to_lowercase(), key)?, key.as_str())))
}

/// `tags` and `tags_all` of an import. `tags` do not contain those that `default_tags` sets anyway.
fn imported(found: &Tags, provider: &ProviderTags) -> (Value<Map<String>>, Value<Map<String>>) {
    let mut all = provider.of_concern(found.clone(), &[]);
    all.retain(|key, _| !is_hidden(key));
    let own = provider.own(&all, &Value::Null);
    (own, Value::Known(all.into_iter().map(|(key, value)| (key, value.into())).collect()))
}

/// Sets `tags` and `tags_all` of a state to the observed values. `importing` contains the tags of the provider in an
/// import.
pub(crate) fn flatten(
    found: &Tags,
    (own, all): (&mut Value<Map<String>>, &mut Value<Map<String>>),
    importing: Option<&ProviderTags>,
) {
    (*own, *all) = match importing {
        Some(provider) => imported(found, provider),
        None => (owned(found, own), owned(found, all)),
    };
}

/// Difference between two sets of tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// Tags to set: new ones, and those with a different value.
    pub(crate) set: Tags,
    /// Keys of the tags to remove.
    pub(crate) remove: Vec<String>,
}

impl Change {
    pub(crate) fn between(before: &Tags, after: &Tags) -> Self {
        Self {
            set: after.iter().filter(|(k, v)| before.get(*k) != Some(v)).map(|(k, v)| (k.clone(), v.clone())).collect(),
            remove: before.keys().filter(|key| !after.contains_key(*key)).cloned().collect(),
        }
    }
}

/// Checks the tags of a resource against the rules that all AWS services have in common.
pub(crate) fn validate(tags: &Value<Map<String>>, diagnostics: &mut Diagnostics) {
    let Value::Known(tags) = tags else { return };
    let path = tfplugin::framework::AttributePath::of("tags");
    // AWS allows 50 tags, and a create adds `UNFINISHED`.
    if tags.len() > 49 {
        diagnostics.error(
            "tags",
            "Too many tags",
            format!(
                "{} tags are set. AWS allows 50, and the provider needs one of them while it creates the resource. \
                 Remove some of the tags.",
                tags.len()
            ),
        );
    }
    for (key, value) in tags {
        let value = value.as_str().unwrap_or_default();
        let problem = if is_hidden(key) || key.to_ascii_lowercase().starts_with("aws:") {
            "Keys that begin with \"aws:\" are reserved by AWS, and keys that begin with \"gitlabspot/\" by this \
             provider. Choose another key."
        } else if key.is_empty() || key.chars().count() > 128 {
            "A tag key must have 1 to 128 characters."
        } else if value.chars().count() > 256 {
            "A tag value must have at most 256 characters."
        } else {
            continue;
        };
        diagnostics.error(path.key(key), "Invalid tag", problem);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(tags: &[(&str, &str)]) -> Tags {
        tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn known(tags: &[(&str, &str)]) -> Value<Map<String>> {
        Value::Known(tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect())
    }

    #[test]
    fn tags_of_others_are_excluded() {
        let found = plain(&[("team", "other"), ("cost", "1"), ("aws:x", "y"), (UNFINISHED, "now")]);
        assert_eq!(owned(&found, &known(&[("team", "ci"), ("gone", "x")])), known(&[("team", "other")]));
        assert_eq!(owned(&found, &Value::Null), Value::Null);
        let unset = Value::Known(Map::from([("cost".to_owned(), Value::Null), ("owner".to_owned(), Value::Null)]));
        assert_eq!(owned(&found, &unset), unset);
    }

    #[test]
    fn keys_differing_only_in_case_are_found() {
        assert_eq!(alike(&known(&[("Team", "a"), ("cost", "1"), ("team", "b")])), Some(("Team", "team")));
        assert_eq!(alike(&known(&[("team", "a"), ("teams", "b")])), None);
        let unset = Value::Known(Map::from([("Team".to_owned(), Value::Null), ("team".to_owned(), "ci".into())]));
        assert_eq!(alike(&unset), None);
        assert_eq!(alike(&Value::Unknown), None);
    }

    #[test]
    fn import_omits_default_tags() {
        let found = plain(&[("team", "ci"), ("cost", "1"), ("aws:x", "y"), (UNFINISHED, "now")]);
        let provider = ProviderTags { default: Some(plain(&[("team", "ci")])), ..ProviderTags::default() };
        let (own, all) = imported(&found, &provider);
        assert_eq!(own, known(&[("cost", "1")]));
        assert_eq!(all, known(&[("cost", "1"), ("team", "ci")]));
    }

    #[test]
    fn only_differences_are_sent() {
        let change = Change::between(
            &plain(&[("a", "1"), ("b", "1"), ("c", "1")]),
            &plain(&[("a", "1"), ("b", "2"), ("d", "1")]),
        );
        assert_eq!(change, Change { set: plain(&[("b", "2"), ("d", "1")]), remove: vec!["c".to_owned()] });
    }

    #[test]
    fn invalid_tags_are_named() {
        let mut diagnostics = Diagnostics::new();
        validate(&known(&[("aws:x", ""), ("ok", ""), ("", "x"), ("gitlabspot/unfinished", "")]), &mut diagnostics);
        let paths: Vec<String> = diagnostics.iter().map(|d| d.path.to_string()).collect();
        assert_eq!(paths, ["tags[\"\"]", "tags[\"aws:x\"]", "tags[\"gitlabspot/unfinished\"]"]);
    }
}
