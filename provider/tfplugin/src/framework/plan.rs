//! Planning by the schema, and the plan that the hook of a resource can change.
//!
//! Core merges configuration and prior state into a proposal. The schema completes it: write-only values are null,
//! attributes that are not set have their defaults, computed values are unknown on create (on update only volatile
//! ones), and changes that force a replacement are listed. A resource refines this in [`Resource::plan`].
//!
//! [`Resource::plan`]: super::resource::Resource::plan

use super::attribute_path::AttributePath;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::schema::{Attribute, Change, Kind, Nesting, Schema};
use super::value::Raw;

/// A plan in progress, for the hook of a resource.
#[derive(Clone, Debug)]
pub struct Plan<M, P = ()> {
    /// Prior state; `None` on create (also when a resource is replaced).
    pub prior: Option<M>,
    /// Configuration, including write-only values.
    pub config: M,
    /// Planned state. The hook may set computed attributes, and others only to their prior value.
    pub planned: M,
    /// Private state for the operation.
    pub private: P,
    /// Whether the proposal differs from the prior state. The hook runs in any case, and can find further changes.
    pub changed: bool,
    /// Warnings.
    pub diagnostics: Diagnostics,
    replace: Vec<AttributePath>,
}

impl<M, P> Plan<M, P> {
    /// Creates a plan for the hook of a resource: `planned` is the proposal of the schema, `changed` whether it differs
    /// from `prior`.
    #[must_use]
    pub fn new(prior: Option<M>, config: M, planned: M, private: P, changed: bool) -> Self {
        Self { prior, config, planned, private, changed, diagnostics: Diagnostics::new(), replace: Vec::new() }
    }

    /// Whether the plan creates the object.
    pub fn is_create(&self) -> bool {
        self.prior.is_none()
    }

    /// Forces a replacement because of this attribute.
    pub fn require_replace(&mut self, path: impl Into<AttributePath>) {
        self.replace.push(path.into());
    }

    /// Takes the attributes that force a replacement.
    pub fn take_replace(&mut self) -> Vec<AttributePath> {
        std::mem::take(&mut self.replace)
    }

    /// Adds a warning.
    pub fn warn(&mut self, warning: Diagnostic) {
        self.diagnostics.push(warning);
    }
}

/// Completes the proposal by the schema. Returns it, and whether it differs from the prior state.
#[must_use]
pub fn propose(schema: &Schema, prior: &Raw, config: &Raw, proposed: &Raw) -> (Raw, bool) {
    let planned = complete(&schema.attributes, config, proposed);
    if prior.is_null() {
        // Core plans a replacement a second time, without the prior state.
        return (mark_unknown(&schema.attributes, &Raw::Null, config, planned), true);
    }
    let changed = &planned != prior;
    // Only with a change: an unknown value would itself be a difference, in every plan.
    if changed { (mark_unknown(&schema.attributes, prior, config, planned), true) } else { (planned, false) }
}

/// Marks the volatile computed values that are not configured as unknown, for an update that only the hook found.
#[must_use]
pub fn mark_volatile(schema: &Schema, prior: &Raw, config: &Raw, planned: Raw) -> Raw {
    mark_unknown(&schema.attributes, prior, config, planned)
}

/// Removes write-only values and adds defaults.
fn complete(attributes: &[Attribute], config: &Raw, planned: &Raw) -> Raw {
    let Raw::Map(object) = planned else { return planned.clone() };
    let mut object = object.clone();
    for attribute in attributes {
        let name = attribute.name.as_ref();
        let given = config.get(name);
        let value = object.entry(name.to_owned()).or_default();
        if attribute.write_only {
            *value = Raw::Null;
        } else if given.is_null() && !attribute.default.is_null() {
            *value = attribute.default.clone();
        } else if let (Kind::Nested(nesting, nested), false) = (&attribute.kind, given.is_null()) {
            // Defaults do not apply to an object that is not configured, but computed by the provider.
            *value = each_object(*nesting, value, &given, &Raw::Null, |planned, config, _| {
                complete(nested, config, &planned)
            });
        }
    }
    Raw::Map(object)
}

/// Marks computed values that are not configured as unknown: all on create, the volatile ones on update.
fn mark_unknown(attributes: &[Attribute], prior: &Raw, config: &Raw, planned: Raw) -> Raw {
    let Raw::Map(mut object) = planned else { return planned };
    for attribute in attributes {
        let name = attribute.name.as_ref();
        let given = config.get(name);
        let before = prior.get(name);
        let Some(value) = object.get_mut(name) else { continue };
        match (attribute.mode.computed(), &attribute.kind) {
            (Some(_), _) if given.is_null() && !attribute.default.is_null() => {}
            (Some(change), _) if given.is_null() && (prior.is_null() || change == Change::Volatile) => {
                *value = Raw::unknown();
            }
            (Some(_), _) if given.is_null() => {}
            (_, Kind::Nested(nesting, nested)) => {
                *value = each_object(*nesting, value, &given, &before, |planned, config, prior| {
                    mark_unknown(nested, prior, config, planned)
                });
            }
            _ => {}
        }
    }
    Raw::Map(object)
}

/// Applies a function to each object of a nested attribute, with its configuration and prior state. Elements of sets
/// have no identity by which they could be paired, and remain unchanged.
fn each_object(nesting: Nesting, value: &Raw, config: &Raw, prior: &Raw, f: impl Fn(Raw, &Raw, &Raw) -> Raw) -> Raw {
    let at = |list: &Raw, index: usize| match list {
        Raw::List(elements) => elements.get(index).cloned().unwrap_or_default(),
        _ => Raw::Null,
    };
    match (nesting, value) {
        (Nesting::Single, Raw::Map(_)) => f(value.clone(), config, prior),
        (Nesting::List, Raw::List(elements)) => Raw::List(
            elements
                .iter()
                .enumerate()
                .map(|(index, element)| f(element.clone(), &at(config, index), &at(prior, index)))
                .collect(),
        ),
        (Nesting::Map, Raw::Map(elements)) => Raw::Map(
            elements
                .iter()
                .map(|(key, element)| (key.clone(), f(element.clone(), &config.get(key), &prior.get(key))))
                .collect(),
        ),
        _ => value.clone(),
    }
}

/// Returns the attributes that force a replacement.
#[must_use]
pub fn replacements(schema: &Schema, prior: &Raw, config: &Raw, planned: &Raw) -> Vec<AttributePath> {
    let mut paths = Vec::new();
    if !prior.is_null() && !planned.is_null() {
        find_replacements(&schema.attributes, prior, config, planned, &AttributePath::root(), &mut paths);
    }
    paths
}

fn find_replacements(
    attributes: &[Attribute],
    prior: &Raw,
    config: &Raw,
    planned: &Raw,
    at: &AttributePath,
    paths: &mut Vec<AttributePath>,
) {
    for attribute in attributes {
        let name = attribute.name.as_ref();
        let (before, given, after) = (prior.get(name), config.get(name), planned.get(name));
        if before == after {
            continue;
        }
        let path = at.attribute(name);
        // A computed value that becomes unknown does not force a replacement, nor does a value that the provider adds
        // to a new object.
        let is_wish = !given.is_null() || !(after.is_unknown() || prior.is_null());
        if attribute.replace && is_wish {
            paths.push(path);
        } else if let Kind::Nested(nesting, nested) = &attribute.kind {
            for (before, given, after, path) in planned_objects(*nesting, &before, &given, &after, &path) {
                find_replacements(nested, &before, &given, &after, &path, paths);
            }
        }
    }
}

/// Pairs the planned objects of a nested attribute with their prior state and configuration: lists by position, maps by
/// key. Removed objects are up to the resource. Elements of sets cannot be paired, so that nothing in them forces a
/// replacement.
fn planned_objects(
    nesting: Nesting,
    before: &Raw,
    given: &Raw,
    after: &Raw,
    path: &AttributePath,
) -> Vec<(Raw, Raw, Raw, AttributePath)> {
    let at = |list: &Raw, index: usize| match list {
        Raw::List(elements) => elements.get(index).cloned().unwrap_or_default(),
        _ => Raw::Null,
    };
    match (nesting, after) {
        (Nesting::Single, Raw::Map(_)) => vec![(before.clone(), given.clone(), after.clone(), path.clone())],
        (Nesting::List, Raw::List(elements)) => (elements.iter().enumerate())
            .map(|(index, after)| (at(before, index), at(given, index), after.clone(), path.index(index)))
            .collect(),
        (Nesting::Map, Raw::Map(elements)) => (elements.iter())
            .map(|(key, after)| (before.get(key), given.get(key), after.clone(), path.key(key)))
            .collect(),
        _ => Vec::new(),
    }
}

/// Replaces write-only values by null, at any depth.
#[must_use]
pub fn without_write_only(attributes: &[Attribute], value: Raw) -> Raw {
    let Raw::Map(mut object) = value else { return value };
    for attribute in attributes {
        let Some(value) = object.get_mut(attribute.name.as_ref()) else { continue };
        if attribute.write_only {
            *value = Raw::Null;
        } else if let Kind::Nested(nesting, nested) = &attribute.kind {
            *value =
                each_object(*nesting, value, &Raw::Null, &Raw::Null, |object, _, _| without_write_only(nested, object));
        }
    }
    Raw::Map(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::schema::Object;
    use crate::framework::value::Value;

    #[derive(Clone, Default, PartialEq, crate::framework::Object)]
    struct Options {
        /// A default inside.
        #[attr(optional, default = 5)]
        size: Value<i64>,
        /// Computed inside.
        #[attr(optional, computed)]
        zone: Value<String>,
        /// Fixed inside.
        #[attr(optional, replace)]
        kind: Value<String>,
    }

    #[derive(Clone, Default, PartialEq, crate::framework::Object)]
    struct Thing {
        /// Fixed.
        #[attr(required, replace)]
        name: Value<String>,
        /// Free.
        #[attr(optional)]
        text: Value<String>,
        /// Stays.
        #[attr(computed, stable)]
        arn: Value<String>,
        /// Changes.
        #[attr(computed)]
        status: Value<String>,
        /// Given or chosen for ever.
        #[attr(optional, computed, replace)]
        ami: Value<String>,
        /// Never kept.
        #[attr(optional, write_only)]
        token_wo: Value<String>,
        /// Nested.
        #[attr(optional)]
        options: Value<Options>,
        /// Given, or found.
        #[attr(optional, computed)]
        found: Value<Options>,
        /// Nested in a list.
        #[attr(optional)]
        rules: Value<Vec<Value<Options>>>,
        /// Nested in a map.
        #[attr(optional)]
        homes: Value<std::collections::BTreeMap<String, Value<Options>>>,
    }

    fn schema() -> Schema {
        Schema::of::<Thing>(0, "")
    }

    fn prior() -> Thing {
        Thing {
            name: "a".into(),
            arn: "arn".into(),
            status: "ACTIVE".into(),
            ami: "ami-1".into(),
            options: Value::Known(Options { size: 5.into(), zone: "b".into(), kind: Value::Null }),
            ..Thing::default()
        }
    }

    fn config() -> Thing {
        Thing {
            name: "a".into(),
            token_wo: "secret".into(),
            options: Value::Known(Options::default()),
            ..Thing::default()
        }
    }

    #[test]
    fn create_leaves_computed_values_unknown() {
        let (planned, changed) = propose(&schema(), &Raw::Null, &config().into_raw(), &config().into_raw());
        assert!(changed);
        let options = Options { size: 5.into(), zone: Value::Unknown, kind: Value::Null };
        let expected = Thing {
            name: "a".into(),
            arn: Value::Unknown,
            status: Value::Unknown,
            ami: Value::Unknown,
            options: Value::Known(options),
            found: Value::Unknown,
            ..Thing::default()
        };
        assert_eq!(Thing::from_raw(planned).unwrap().unwrap(), expected);
    }

    #[test]
    fn unchanged_configuration_is_an_empty_plan() {
        let proposed = Thing { token_wo: "secret".into(), ..prior() };
        let (planned, changed) = propose(&schema(), &prior().into_raw(), &config().into_raw(), &proposed.into_raw());
        assert!(!changed);
        assert_eq!(Thing::from_raw(planned).unwrap().unwrap(), prior());
    }

    #[test]
    fn update_keeps_stable_values() {
        let config = Thing { text: "new".into(), ..config() };
        let proposed = Thing { text: "new".into(), ..prior() };
        let (planned, _) = propose(&schema(), &prior().into_raw(), &config.clone().into_raw(), &proposed.into_raw());
        assert_eq!(replacements(&schema(), &prior().into_raw(), &config.into_raw(), &planned), []);
        let planned = Thing::from_raw(planned).unwrap().unwrap();
        assert_eq!(planned.arn, "arn".into());
        assert_eq!(planned.status, Value::Unknown);
        assert_eq!(planned.options.known().unwrap().zone, Value::Unknown);
    }

    #[test]
    fn replacement_names_its_path() {
        let options = Options { kind: "x".into(), ..prior().options.into_known().unwrap() };
        let planned = Thing { name: "b".into(), options: Value::Known(options.clone()), ..prior() };
        let config = Thing { name: "b".into(), options: Value::Known(options), ..config() };
        let paths = replacements(&schema(), &prior().into_raw(), &config.into_raw(), &planned.into_raw());
        assert_eq!(paths.iter().map(ToString::to_string).collect::<Vec<_>>(), ["name", "options.kind"]);
    }

    fn kind(kind: &str) -> Value<Options> {
        Value::Known(Options { kind: kind.into(), ..Options::default() })
    }

    /// The paths that force a replacement when a thing is configured differently.
    fn replaced(before: Thing, after: Thing) -> Vec<String> {
        let paths = replacements(&schema(), &before.into_raw(), &after.clone().into_raw(), &after.into_raw());
        paths.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn replacement_is_found_in_lists_and_maps() {
        let rules =
            |kinds: &[&str]| Thing { rules: Value::Known(kinds.iter().copied().map(kind).collect()), ..prior() };
        assert_eq!(replaced(rules(&["a", "b"]), rules(&["a", "c", "d"])), ["rules[1].kind", "rules[2].kind"]);
        let homes =
            |name: &str, of: &str| Thing { homes: Value::Known([(name.to_owned(), kind(of))].into()), ..prior() };
        assert_eq!(replaced(homes("x", "a"), homes("x", "b")), ["homes[\"x\"].kind"]);
        assert_eq!(replaced(rules(&["a"]), rules(&["a"])), [""; 0]);
    }

    #[test]
    fn added_object_replaces_only_for_set_attributes() {
        let without = Thing { options: Value::Null, ..prior() };
        let with = |options: Value<Options>| Thing { options, ..prior() };
        assert_eq!(replaced(without.clone(), with(kind("a"))), ["options.kind"]);
        assert_eq!(
            replaced(without.clone(), with(Value::Known(Options { size: 6.into(), ..Options::default() }))),
            [""; 0]
        );
        assert_eq!(replaced(with(kind("a")), without), [""; 0]);
    }

    #[test]
    fn computed_objects_get_no_defaults() {
        let found = Value::Known(Options { size: 9.into(), ..Options::default() });
        let before = Thing { found: found.clone(), ..prior() };
        let (planned, changed) =
            propose(&schema(), &before.clone().into_raw(), &config().into_raw(), &before.into_raw());
        assert!(!changed);
        assert_eq!(Thing::from_raw(planned).unwrap().unwrap().found, found);
    }
}
