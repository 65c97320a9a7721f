//! Tags: what the user gives, what the provider adds, and what belongs to others.

use std::collections::BTreeMap;

use tfplugin::framework::value::Map;
use tfplugin::framework::{Diagnostics, Value};

use crate::provider_tags::ProviderTags;

/// Plain tags.
pub(crate) type Tags = BTreeMap<String, String>;

/// On whatever a create has begun and not finished. A create that finds something of its name with this tag continues
/// it; without the tag it belongs to someone. The value is the time of the beginning.
pub(crate) const UNFINISHED: &str = "gitlabspot/unfinished";

/// Tags that users do not see in their state: those of AWS itself, and our own marks.
pub(crate) fn is_hidden(key: &str) -> bool {
    key.starts_with("aws:") || key.starts_with("gitlabspot/")
}

/// Of the tags that were found, those that the state already counts as its own: tags of others are not ours to show
/// or to remove.
///
/// A tag without a value (`owner = null`) is one that was not asked for, and stays as the configuration has it.
pub(crate) fn owned(found: &Tags, before: &Value<Map<String>>) -> Value<Map<String>> {
    let Value::Known(before) = before else { return before.clone() };
    let kept = before.iter().filter_map(|(key, value)| {
        let value = if value.is_null() { Value::Null } else { found.get(key)?.as_str().into() };
        Some((key.clone(), value))
    });
    Value::Known(kept.collect())
}

/// Two keys that differ only in upper and lower case, as `Team` of `default_tags` and `team` of a resource may.
///
/// For IAM they are one key: it refuses both together, and to remove one is to remove the other.
pub(crate) fn alike(tags: &Value<Map<String>>) -> Option<(&str, &str)> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut given = tags.known()?.iter().filter(|(_, value)| !value.is_null());
    given.find_map(|(key, _)| Some((seen.insert(key.to_lowercase(), key)?, key.as_str())))
}

/// What an import takes for the user's own tags: `tags` without those that the provider's defaults give anyway, and
/// `tags_all`.
fn imported(found: &Tags, provider: &ProviderTags) -> (Value<Map<String>>, Value<Map<String>>) {
    let mut all = provider.of_concern(found.clone(), &[]);
    all.retain(|key, _| !is_hidden(key));
    let own = provider.own(&all, &Value::Null);
    (own, Value::Known(all.into_iter().map(|(key, value)| (key, value.into())).collect()))
}

/// Puts observed tags into `tags` and `tags_all` of a state. `importing` are the provider's tags in an import.
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

/// What has to be done to get from one set of tags of ours to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// To be set, because it is new or has another value.
    pub(crate) set: Tags,
    /// To be removed.
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

/// Checks the tags of a resource against the rules that all of AWS shares.
pub(crate) fn validate(tags: &Value<Map<String>>, diagnostics: &mut Diagnostics) {
    let Value::Known(tags) = tags else { return };
    let path = tfplugin::framework::AttributePath::of("tags");
    // `UNFINISHED` is the fiftieth.
    if tags.len() > 49 {
        diagnostics.error(
            "tags",
            "Too many tags",
            format!(
                "{} tags are set. AWS allows 50, and the provider needs one of them while it creates the resource.",
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
