//! The rules that core enforces on the responses of a provider, so that tests find a violation before the apply of a
//! user does. Source: core's checks of plans (`AssertPlanValid`) and results (`AssertObjectCompatible`).

mod compatible;
mod same;
mod schema;

use self::compatible::compatible;
use self::same::same;
pub use self::schema::check_schema;
use super::attribute_path::AttributePath;
use super::schema::{Attribute, Kind, Mode, Nesting, Schema};
use super::value::Raw;

/// A broken rule, with the path of the attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {rule}")]
pub struct Violation {
    /// Path of the value.
    pub path: AttributePath,
    /// The rule.
    pub rule: &'static str,
}

/// Checks a plan, as core does after PlanResourceChange.
#[must_use]
pub fn check_plan(schema: &Schema, prior: &Raw, config: &Raw, proposed: &Raw, planned: &Raw) -> Vec<Violation> {
    let mut found = Vec::new();
    let root = AttributePath::root();
    if proposed.is_null() {
        if !planned.is_null() {
            found.push(Violation { path: root, rule: "the planned state of a destroy must be null" });
        }
        return found;
    }
    if planned.is_null() {
        found.push(Violation { path: root, rule: "the planned state must not be null, except for a destroy" });
        return found;
    }
    plan_object(&schema.attributes, prior, config, planned, &root, &mut found);
    found
}

fn plan_object(
    attributes: &[Attribute],
    prior: &Raw,
    config: &Raw,
    planned: &Raw,
    at: &AttributePath,
    found: &mut Vec<Violation>,
) {
    for attribute in attributes {
        let name = attribute.name.as_ref();
        let (before, given, after) = (prior.get(name), config.get(name), planned.get(name));
        let path = at.attribute(name);
        let mut broken = |rule| found.push(Violation { path: path.clone(), rule });
        // Also if the configuration has a value: it must not reach the plan file.
        if attribute.write_only {
            if !after.is_null() {
                broken("write-only values must be null in the plan");
            }
        } else if given.is_null() {
            if attribute.mode.computed().is_none() && !after.is_null() {
                broken("values that are neither configured nor computed must be null");
            }
        } else if matches!(attribute.mode, Mode::Computed(_)) {
            // With `ignore_changes` the configuration can have a value for it. The provider computes the attribute
            // nevertheless.
        } else if same(&after, &given) || (!before.is_null() && same(&after, &before)) {
            // As configured, or the prior value, which is allowed if it means the same.
        } else if let (Kind::Nested(nesting, nested), false) = (&attribute.kind, given.is_unknown()) {
            for (before, given, after, path) in pairs(*nesting, nested, &before, &given, &after, &path, found) {
                plan_object(nested, &before, &given, &after, &path, found);
            }
        } else {
            broken("a configured value must be planned as configured, or as in the prior state");
        }
    }
}

type Quad = (Raw, Raw, Raw, AttributePath);

fn pairs(
    nesting: Nesting,
    nested: &[Attribute],
    before: &Raw,
    given: &Raw,
    after: &Raw,
    path: &AttributePath,
    found: &mut Vec<Violation>,
) -> Vec<Quad> {
    match (nesting, given, after) {
        (Nesting::Single, Raw::Map(_), Raw::Map(_)) => {
            vec![(before.clone(), given.clone(), after.clone(), path.clone())]
        }
        (Nesting::List, Raw::List(given), Raw::List(after)) if given.len() == after.len() => given
            .iter()
            .zip(after)
            .enumerate()
            .map(|(index, (given, after))| {
                let before = match before {
                    Raw::List(before) => before.get(index).cloned().unwrap_or_default(),
                    _ => Raw::Null,
                };
                (before, given.clone(), after.clone(), path.index(index))
            })
            .collect(),
        (Nesting::Map, Raw::Map(given), Raw::Map(after)) if given.keys().eq(after.keys()) => given
            .iter()
            .zip(after.values())
            .map(|((key, given), after)| (before.get(key), given.clone(), after.clone(), path.key(key)))
            .collect(),
        (Nesting::Set, Raw::List(given), Raw::List(after)) if given.len() == after.len() => {
            // Core relies on the provider here. Elements of sets have no identity, so that each must fit one of the
            // other set.
            let fits = |given: &Raw, after: &Raw| {
                let mut broken = Vec::new();
                plan_object(nested, &Raw::Null, given, after, path, &mut broken);
                broken.is_empty()
            };
            if !each_fits_one(given, after, fits) {
                found.push(Violation {
                    path: path.clone(),
                    rule: "the elements of a set must be planned as configured",
                });
            }
            Vec::new()
        }
        _ => {
            found.push(Violation { path: path.clone(), rule: "nested objects must be as many as configured" });
            Vec::new()
        }
    }
}

/// Whether each element of one set fits at least one of the other, and vice versa.
fn each_fits_one(ours: &[Raw], theirs: &[Raw], fits: impl Fn(&Raw, &Raw) -> bool) -> bool {
    ours.iter().all(|ours| theirs.iter().any(|theirs| fits(ours, theirs)))
        && theirs.iter().all(|theirs| ours.iter().any(|ours| fits(ours, theirs)))
}

/// Checks the plan that core requests during apply, with more known values, against the first one.
#[must_use]
pub fn check_final_plan(schema: &Schema, first: &Raw, second: &Raw) -> Vec<Violation> {
    let mut found = Vec::new();
    compatible(&schema.ty(), first, second, &AttributePath::root(), &mut found);
    found
}

/// Checks the result of an apply without errors against the plan.
#[must_use]
pub fn check_apply(schema: &Schema, planned: &Raw, result: &Raw) -> Vec<Violation> {
    let root = AttributePath::root();
    let mut found = Vec::new();
    match (planned.is_null(), result.is_null()) {
        (true, true) => {}
        (true, false) => found.push(Violation { path: root, rule: "the state after a destroy must be null" }),
        (false, true) => {
            found.push(Violation { path: root, rule: "the state after a create or update must not be null" })
        }
        (false, false) => {
            compatible(&schema.ty(), planned, result, &root, &mut found);
            found.extend(check_state(schema, result));
        }
    }
    found
}

/// Checks a state, which must not have unknown values, nor write-only values other than null.
#[must_use]
pub fn check_state(schema: &Schema, state: &Raw) -> Vec<Violation> {
    let mut found = Vec::new();
    // Core fails with "Provider returned invalid result object after apply".
    if !state.is_wholly_known() {
        for attribute in &schema.attributes {
            if !state.get(&attribute.name).is_wholly_known() {
                let path = AttributePath::of(attribute.name.clone());
                found.push(Violation { path, rule: "a state must not contain unknown values" });
            }
        }
    }
    if &super::plan::without_write_only(&schema.attributes, state.clone()) != state {
        found.push(Violation { path: AttributePath::root(), rule: "a state must not contain write-only values" });
    }
    found
}

/// Checks that an identity did not change. `before` is null if there was none.
#[must_use]
pub fn check_identity(before: &Raw, after: &Raw) -> Vec<Violation> {
    let Raw::Map(attributes) = after else { return Vec::new() };
    let changed = |(name, after): (&String, &Raw)| {
        let before = before.get(name);
        let path = AttributePath::of(name.clone());
        (!before.is_null() && !before.is_unknown() && before != *after)
            .then_some(Violation { path, rule: "an identity must not change" })
    };
    attributes.iter().filter_map(changed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::schema::Object;
    use crate::framework::value::Value;

    #[derive(Clone, Default, PartialEq, crate::framework::Object)]
    struct Thing {
        /// Required.
        #[attr(required)]
        name: Value<String>,
        /// Optional.
        #[attr(optional)]
        text: Value<String>,
        /// Computed.
        #[attr(computed)]
        id: Value<String>,
        /// Write-only.
        #[attr(optional, write_only)]
        token_wo: Value<String>,
    }

    fn thing(name: &str) -> Thing {
        Thing { name: name.into(), id: Value::Unknown, ..Thing::default() }
    }

    fn rules(found: &[Violation]) -> Vec<String> {
        found.iter().map(|violation| violation.path.to_string()).collect()
    }

    #[test]
    fn plan_must_match_the_configuration() {
        let schema = Schema::of::<Thing>(0, "");
        let config = Thing { id: Value::Null, ..thing("a") }.into_raw();
        let check = |planned: Thing| rules(&check_plan(&schema, &Raw::Null, &config, &config, &planned.into_raw()));
        assert_eq!(check(thing("a")), [""; 0]);
        assert_eq!(check(thing("b")), ["name"]);
        assert_eq!(check(Thing { text: "x".into(), token_wo: "y".into(), ..thing("a") }), ["text", "token_wo"]);
        let prior = thing("b").into_raw();
        assert_eq!(check_plan(&schema, &prior, &config, &config, &prior), []);
    }

    #[test]
    fn result_must_match_the_plan() {
        let schema = Schema::of::<Thing>(0, "");
        let planned = thing("a").into_raw();
        let check = |result: Thing| rules(&check_apply(&schema, &planned, &result.into_raw()));
        assert_eq!(check(Thing { id: "1".into(), ..thing("a") }), [""; 0]);
        assert_eq!(check(thing("a")), ["id"]);
        assert_eq!(check(Thing { id: "1".into(), ..thing("b") }), ["name"]);
        assert_eq!(rules(&check_apply(&schema, &planned, &Raw::Null)), [""]);
    }

    #[test]
    fn identity_can_only_be_completed() {
        let identity = |region: Raw| Raw::Map([("region".to_owned(), region)].into());
        assert_eq!(check_identity(&Raw::Null, &identity("a".into())), []);
        assert_eq!(check_identity(&identity(Raw::Null), &identity("a".into())), []);
        assert_eq!(rules(&check_identity(&identity("a".into()), &identity("b".into()))), ["region"]);
    }

    #[test]
    fn schemas_refused_by_core_are_found() {
        #[derive(Clone, Default, PartialEq, crate::framework::Object)]
        struct Wrong {
            /// Reserved.
            #[attr(optional)]
            count: Value<i64>,
        }
        assert_eq!(rules(&check_schema(&Schema::of::<Wrong>(0, ""))), ["count"]);
        assert_eq!(check_schema(&Schema::of::<Thing>(0, "")), []);
    }
}
