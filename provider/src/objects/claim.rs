//! Decides which fields an apply may take over from other field managers: those whose change the plan has shown.

use gitlabspot_clients::kubernetes::{FIELD_MANAGER, FieldConflict, HANDOVER};
use serde_json::Value as Json;

/// Fields that an apply may take over although other field managers have set them to different values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Claim<'a> {
    /// All fields: the object is adopted as a whole.
    Everything,
    /// Fields that the plan has shown as changed or added.
    Shown {
        /// The object in the state, with the observed values of its fields.
        before: &'a Json,
        /// The object in the plan.
        after: &'a Json,
        /// Fields for internal use of this provider, which plans do not show.
        hidden: &'a [&'a str],
    },
}

impl Claim<'_> {
    /// Whether the field of a conflict may be taken over. `live` is the object as observed.
    pub(crate) fn covers(&self, conflict: &FieldConflict, live: &Json) -> bool {
        let field = conflict.field.as_str();
        let is_ours = [FIELD_MANAGER, HANDOVER].contains(&conflict.manager.as_str());
        match self {
            Self::Everything => true,
            Self::Shown { before, after, hidden } => {
                let shown = match (find(before, field), find(after, field)) {
                    (Some(before), after) => after != Some(before) && !is_applied(live, field),
                    // The plan adds the field. A manager that set it once with an update, such as `kubectl scale`, does
                    // not set it again; a manager that applies it would.
                    (None, Some(_)) => !before.is_null() && !is_applied_by(live, field, &conflict.manager),
                    (None, None) => false,
                };
                is_ours || hidden.contains(&field) || shown
            }
        }
    }
}

/// Whether this provider applied the field and no other manager has changed it since. Another manager may own it as
/// well, with the same value.
pub(crate) fn is_applied(live: &Json, field: &str) -> bool {
    is_applied_by(live, field, FIELD_MANAGER)
}

fn is_applied_by(live: &Json, field: &str, manager: &str) -> bool {
    let entries = live["metadata"]["managedFields"].as_array().into_iter().flatten();
    let theirs = entries.filter(|entry| entry["manager"] == manager && entry["operation"] == "Apply");
    theirs
        .filter(|entry| entry["subresource"].as_str().unwrap_or_default().is_empty())
        .any(|entry| owns(&entry["fieldsV1"], field))
}

/// The value at a field path as in conflicts: `.spec.ports[containerPort=9252,protocol="TCP"].name`.
fn find<'a>(tree: &'a Json, path: &str) -> Option<&'a Json> {
    if path.is_empty() {
        return Some(tree);
    }
    if let Some(path) = path.strip_prefix('.') {
        // Names may contain dots, as keys of annotations and of a ConfigMap do, so that the path cannot be split at
        // dots.
        return tree.as_object()?.iter().find_map(|(name, below)| find(below, after(path, name)?));
    }
    let (element, rest) = Element::first(path)?;
    find(tree.as_array()?.iter().find(|item| element.is(item))?, rest)
}

/// Whether `fieldsV1` of an entry of `managedFields` contains a field path.
fn owns(fields: &Json, path: &str) -> bool {
    let Some(below) = fields.as_object() else { return false };
    if path.is_empty() {
        return below.is_empty() || below.contains_key(".");
    }
    if let Some(path) = path.strip_prefix('.') {
        let named = |key: &str| after(path, key.strip_prefix("f:")?);
        return below.iter().any(|(key, below)| named(key).is_some_and(|rest| owns(below, rest)));
    }
    let Some((element, rest)) = Element::first(path) else { return false };
    below.iter().any(|(key, below)| element.is_key(key) && owns(below, rest))
}

/// The rest of a path after a name at its beginning.
fn after<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    path.strip_prefix(name).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The selector of a list element in a field path.
#[derive(Debug, PartialEq)]
enum Element {
    /// The element with these key fields.
    Keyed(Vec<(String, Json)>),
    /// The element that equals this value, in a list that is a set.
    Plain(Json),
}

impl Element {
    /// Parses the selector at the beginning of a path. Returns it with the rest of the path.
    fn first(path: &str) -> Option<(Self, &str)> {
        let inside = path.strip_prefix('[')?;
        let (mut quoted, mut escaped, mut from, mut parts) = (false, false, 0, Vec::new());
        for (at, character) in inside.char_indices() {
            match character {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                ',' | ']' if !quoted => {
                    parts.push(inside[from..at].split_once('=')?);
                    from = at + 1;
                    if character == ']' {
                        return Some((Self::of(&parts)?, &inside[from..]));
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn of(parts: &[(&str, &str)]) -> Option<Self> {
        if let [("", value)] = parts {
            return serde_json::from_str(value).ok().map(Self::Plain);
        }
        let fields = parts.iter().map(|(name, value)| Some(((*name).to_owned(), serde_json::from_str(value).ok()?)));
        fields.collect::<Option<_>>().map(Self::Keyed)
    }

    fn is(&self, item: &Json) -> bool {
        match self {
            Self::Keyed(fields) => fields.iter().all(|(name, value)| item.get(name) == Some(value)),
            Self::Plain(value) => item == value,
        }
    }

    /// Whether a key of `fieldsV1`, such as `k:{"name":"runner"}` or `v:"runner"`, selects the same element.
    fn is_key(&self, key: &str) -> bool {
        let Some((kind, text)) = key.split_once(':') else { return false };
        let Ok(parsed) = serde_json::from_str::<Json>(text) else { return false };
        match self {
            Self::Keyed(fields) => {
                kind == "k" && parsed.as_object().is_some_and(|all| all.len() == fields.len()) && self.is(&parsed)
            }
            Self::Plain(value) => kind == "v" && parsed == *value,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PORT: &str = r#".spec.ports[containerPort=9252,protocol="TCP"].name"#;

    fn object(name: &str, file: &str) -> Json {
        json!({
            "metadata": { "finalizers": ["a/b", "c,]"] },
            "data": { "config": "x", "config.toml": file },
            "spec": { "ports": [
                { "containerPort": 9252, "protocol": "UDP", "name": "other" },
                { "containerPort": 9252, "protocol": "TCP", "name": name },
            ] },
        })
    }

    #[test]
    fn fields_are_found_by_their_paths() {
        let object = object("metrics", "a");
        assert_eq!(find(&object, PORT), Some(&json!("metrics")));
        assert_eq!(find(&object, ".data.config.toml"), Some(&json!("a")));
        assert_eq!(find(&object, r#".metadata.finalizers[="c,]"]"#), Some(&json!("c,]")));
        for missing in [".data.conf", ".spec.ports[name=\"x\"]", ".spec.ports[0", ".data.config.x", "data"] {
            assert_eq!(find(&object, missing), None, "{missing}");
        }
    }

    #[test]
    fn owned_fields_are_found_by_their_paths() {
        let fields = json!({
            "f:metadata": { "f:finalizers": { ".": {}, "v:\"a\"": {} } },
            "f:data": { "f:config.toml": {} },
            "f:spec": { "f:ports": { "k:{\"containerPort\":9252,\"protocol\":\"TCP\"}": { "f:name": {} } } },
        });
        for owned in [".metadata.finalizers", ".metadata.finalizers[=\"a\"]", ".data.config.toml", PORT] {
            assert!(owns(&fields, owned), "{owned}");
        }
        for other in [".data", ".data.config", ".spec.ports", ".spec.ports[containerPort=9252].name", ".status"] {
            assert!(!owns(&fields, other), "{other}");
        }
    }

    #[test]
    fn only_planned_fields_are_claimed() {
        let (before, after) = (object("by-hand", "a"), object("metrics", "a"));
        let claim = Claim::Shown { before: &before, after: &after, hidden: &[".metadata.annotations.ours/x"] };
        let conflict = |field: &str, manager: &str| FieldConflict { field: field.into(), manager: manager.into() };
        let covers = |field: &str, live: &Json| claim.covers(&conflict(field, "kubectl-edit"), live);
        assert!(covers(PORT, &Json::Null));
        assert!(covers(".metadata.annotations.ours/x", &Json::Null));
        assert!(!covers(".data.config.toml", &Json::Null), "the plan does not change it");
        assert!(!covers(".spec.replicas", &Json::Null), "it was not ours before");
        assert!(claim.covers(&conflict(".data.config.toml", "gitlabspot"), &Json::Null));
        assert!(Claim::Everything.covers(&conflict(".spec.replicas", "kubectl-edit"), &Json::Null));
        // A number of replicas that an autoscaler or `kubectl scale` has set, and that the configuration now sets.
        let mut with_replicas = object("metrics", "a");
        with_replicas["spec"]["replicas"] = json!(2);
        let claim = Claim::Shown { before: &before, after: &with_replicas, hidden: &[] };
        let set_by = |operation: &str| {
            let fields = json!({ "f:spec": { "f:replicas": {} } });
            json!({ "metadata": { "managedFields": [
                { "manager": "kubectl", "operation": operation, "subresource": "scale", "fieldsV1": fields },
                { "manager": "kubectl", "operation": operation, "fieldsV1": fields },
            ] } })
        };
        assert!(claim.covers(&conflict(".spec.replicas", "kubectl"), &set_by("Update")));
        assert!(!claim.covers(&conflict(".spec.replicas", "kubectl"), &set_by("Apply")));
        let new = Claim::Shown { before: &Json::Null, after: &with_replicas, hidden: &[] };
        assert!(!new.covers(&conflict(".spec.replicas", "kubectl"), &set_by("Update")), "the object was never ours");
        let claim = Claim::Shown { before: &before, after: &after, hidden: &[] };
        let covers = |field: &str, live: &Json| claim.covers(&conflict(field, "kubectl-edit"), live);
        // Both managers own the field, with its present value.
        let fields =
            json!({ "f:spec": { "f:ports": { "k:{\"containerPort\":9252,\"protocol\":\"TCP\"}": { "f:name": {} } } } });
        let entry = json!({ "manager": "gitlabspot", "operation": "Apply", "fieldsV1": fields });
        assert!(!covers(PORT, &json!({ "metadata": { "managedFields": [entry] } })));
    }
}
