//! Validates tags: their limits, and keys that are reserved.

use tfplugin::framework::value::known_map;
use tfplugin::framework::{AttributePath, Diagnostic, Diagnostics, Value};

use super::super::autoscaler_tags::{MAX_TAGS, TAGS_OF_EKS, is_reserved};
use super::super::model::{derived_asg_tags, desired_asg_tags};
use super::super::schema::NodeGroup;
use crate::tags;

/// Maximum number of tags of a node group or a role.
const MOST: usize = 50;

/// Maximum number of tags that the provider adds: those of a node group while it is being created.
const MARKS: usize = 2;

pub(super) fn check(config: &NodeGroup, diagnostics: &mut Diagnostics) {
    tags::validate(&config.tags, diagnostics);
    on_the_asg(config, diagnostics);
}

/// Problems of the tags together with the `default_tags` of the provider.
pub(in super::super) fn of_all(planned: &NodeGroup) -> Vec<Diagnostic> {
    let Some(all) = known_map(&planned.tags_all) else { return Vec::new() };
    let mut found = Vec::new();
    if all.len() + MARKS > MOST {
        let text = format!(
            "{} tags are set, including those of default_tags. EKS and IAM allow {MOST}, and this provider needs \
             {MARKS} of them. Remove some of the tags.",
            all.len()
        );
        found.push(Diagnostic::error("Too many tags", text).at("tags"));
    }
    if planned.node_role.known().is_some()
        && let Some((one, other)) = tags::alike(&planned.tags_all)
    {
        let text = format!(
            "The role of the nodes gets these tags, and IAM does not distinguish the keys {one:?} and {other:?}, which \
             only differ in case. Remove one of them, here or from default_tags."
        );
        found.push(Diagnostic::error("Duplicate tag", text).at("tags"));
    }
    found
}

fn on_the_asg(config: &NodeGroup, diagnostics: &mut Diagnostics) {
    let path = AttributePath::of("asg_tags");
    let derived = derived_asg_tags(config).unwrap_or_default();
    for (key, value) in config.asg_tags.known().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        let problem = if is_reserved(key) {
            "Tags with this key are reserved by AWS, EKS or the cluster. Choose another key.".to_owned()
        } else if let Some(ours) = derived.get(key).filter(|ours| *ours != value) {
            format!("This resource derives the value {ours:?} for this tag. Omit it here.")
        } else {
            continue;
        };
        diagnostics.error(path.key(key), "Reserved tag", problem);
    }
    let Some(wanted) = desired_asg_tags(config) else { return };
    for (key, value) in &wanted {
        if key.chars().count() > 128 || value.chars().count() > 256 || key.is_empty() {
            let text =
                format!("The tag {key:?} is too long for EC2: a key has 1 to 128 characters, a value at most 256.");
            diagnostics.error(attribute_of(config, key), "Invalid tag", text);
        }
    }
    let most = MAX_TAGS - TAGS_OF_EKS;
    if wanted.len() > most {
        let text = format!(
            "An Auto Scaling Group can have at most {MAX_TAGS} tags, and EKS needs {TAGS_OF_EKS} of them. The \
             configuration has {} from labels, taints, autoscaler and asg_tags, which is {} too many.",
            wanted.len(),
            wanted.len() - most
        );
        diagnostics.error(AttributePath::root(), "Too many tags", text);
    }
}

/// The attribute that a tag is derived from.
fn attribute_of(config: &NodeGroup, key: &str) -> AttributePath {
    match &config.asg_tags {
        Value::Known(tags) if tags.contains_key(key) => AttributePath::of("asg_tags").key(key),
        _ if key.contains("/node-template/taint/") => AttributePath::of("taints"),
        _ if key.contains("/node-template/label/") => AttributePath::of("labels"),
        _ => AttributePath::of("autoscaler"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::schema::Autoscaler;
    use super::super::tests::{minimal, one, problems};
    use super::*;
    use tfplugin::framework::value::Map;

    fn map(pairs: &[(&str, &str)]) -> Value<Map<String>> {
        Value::Known(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect())
    }

    #[test]
    fn foreign_tags_are_refused() {
        let intent = "k8s.io/cluster-autoscaler/node-template/label/intent";
        let config = NodeGroup {
            labels: map(&[("intent", "build")]),
            asg_tags: map(&[
                ("k8s.io/cluster-autoscaler/enabled", "true"),
                (intent, "test"),
                ("AWS:x", "y"),
                ("team", "ci"),
            ]),
            ..minimal()
        };
        let wrong = |key: &str| one(&format!("asg_tags[{key:?}]"), "Reserved tag");
        assert_eq!(
            problems(&config),
            [wrong("AWS:x"), wrong("k8s.io/cluster-autoscaler/enabled"), wrong(intent)].concat()
        );
    }

    #[test]
    fn tags_of_the_group_are_looked_at() {
        let config = NodeGroup { tags: map(&[("Aws:x", "y"), ("team", "ci")]), ..minimal() };
        assert_eq!(problems(&config), one("tags[\"Aws:x\"]", "Invalid tag"));
        let summaries = |tags_all: Value<Map<String>>, config: NodeGroup| -> Vec<String> {
            let found = of_all(&NodeGroup { tags_all, ..config });
            found.iter().map(|diagnostic| diagnostic.summary.to_string()).collect()
        };
        let pair = || map(&[("Team", "ci"), ("team", "ci")]);
        assert_eq!(summaries(pair(), minimal()), ["Duplicate tag"]);
        assert_eq!(summaries(pair(), NodeGroup { node_role: Value::Null, ..minimal() }), [""; 0]);
        let many = |count: usize| Value::Known((0..count).map(|index| (format!("tag-{index}"), "x".into())).collect());
        assert_eq!(summaries(many(48), minimal()), [""; 0]);
        assert_eq!(summaries(many(49), minimal()), ["Too many tags"]);
    }

    #[test]
    fn more_than_fifty_are_refused() {
        let tags = |count: usize| -> Value<Map<String>> {
            Value::Known((0..count).map(|index| (format!("tag-{index}"), "x".into())).collect())
        };
        let config = NodeGroup { asg_tags: tags(44), ..minimal() };
        assert_eq!(problems(&config), []);
        let config = NodeGroup { asg_tags: tags(45), ..minimal() };
        assert_eq!(problems(&config), one("", "Too many tags"));
    }

    #[test]
    fn tag_key_rejected_by_ec2_is_reported_at_its_attribute() {
        let key = format!("example.com/{}", "a".repeat(120));
        let resources = map(&[(&key, "4")]);
        let autoscaler = Autoscaler { resources, ..Autoscaler::default() };
        let config = NodeGroup { autoscaler: Value::Known(autoscaler), ..minimal() };
        assert_eq!(problems(&config), one("autoscaler", "Invalid tag"));
    }
}
