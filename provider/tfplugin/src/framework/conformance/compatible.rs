//! The check of a result against its plan.

use super::{Violation, each_fits_one};
use crate::framework::attribute_path::AttributePath;
use crate::framework::types::Type;
use crate::framework::value::{Raw, Refinement, type_of};

/// Checks that every known planned value is the same after apply, and that the refinements of unknown ones hold.
pub(super) fn compatible(ty: &Type, planned: &Raw, result: &Raw, at: &AttributePath, found: &mut Vec<Violation>) {
    let mut broken = |rule| found.push(Violation { path: at.clone(), rule });
    match (ty, planned, result) {
        (_, Raw::Unknown(promised), result) => {
            if !keeps(result, promised) {
                broken("a value must match the refinements of the planned unknown value");
            }
        }
        (Type::Dynamic, Raw::Dynamic(_), result) | (Type::Dynamic, result, Raw::Dynamic(_)) if !result.is_null() => {
            dynamic(planned, result, at, found);
        }
        (Type::Object(types), Raw::Map(planned), Raw::Map(result)) => {
            for (name, ty) in types {
                let of =
                    |object: &std::collections::BTreeMap<String, Raw>| object.get(name).cloned().unwrap_or_default();
                compatible(ty, &of(planned), &of(result), &at.attribute(name), found);
            }
        }
        (Type::Map(ty), Raw::Map(planned), Raw::Map(result)) if planned.keys().eq(result.keys()) => {
            for ((key, planned), result) in planned.iter().zip(result.values()) {
                compatible(ty, planned, result, &at.key(key), found);
            }
        }
        (Type::List(ty), Raw::List(planned), Raw::List(result)) if planned.len() == result.len() => {
            for (index, (planned, result)) in planned.iter().zip(result).enumerate() {
                compatible(ty, planned, result, &at.index(index), found);
            }
        }
        (Type::Tuple(types), Raw::List(planned), Raw::List(result)) if planned.len() == result.len() => {
            for (index, ((planned, result), ty)) in planned.iter().zip(result).zip(types).enumerate() {
                compatible(ty, planned, result, &at.index(index), found);
            }
        }
        (Type::Set(ty), Raw::List(planned), Raw::List(result)) => {
            // Unknown elements can become equal and then coalesce: a set can shrink, but never grow.
            let fits = |planned: &Raw, result: &Raw| {
                let mut found = Vec::new();
                compatible(ty, planned, result, at, &mut found);
                found.is_empty()
            };
            if planned.len() < result.len() || !each_fits_one(planned, result, fits) {
                broken("a set must have the planned elements after apply, and no others");
            }
        }
        (_, planned, result) if planned == result => {}
        _ => broken("a known planned value must be the same after apply"),
    }
}

/// Compares values of dynamic type, whose type is part of the value.
fn dynamic(planned: &Raw, result: &Raw, at: &AttributePath, found: &mut Vec<Violation>) {
    let (planned_type, result_type) = (type_of(planned), type_of(result));
    if !has_type(&result_type, &planned_type) {
        found.push(Violation { path: at.clone(), rule: "a known planned type must be the same after apply" });
        return;
    }
    compatible(&planned_type, content(planned), content(result), at, found);
}

fn content(raw: &Raw) -> &Raw {
    match raw {
        Raw::Dynamic(dynamic) => &dynamic.value,
        other => other,
    }
}

/// Whether a type matches a planned type, parts of which may not have been known.
fn has_type(ty: &Type, planned: &Type) -> bool {
    match (ty, planned) {
        (_, Type::Dynamic) => true,
        (Type::List(ty), Type::List(planned))
        | (Type::Set(ty), Type::Set(planned))
        | (Type::Map(ty), Type::Map(planned)) => has_type(ty, planned),
        (Type::Object(types), Type::Object(planned)) => {
            types.keys().eq(planned.keys())
                && types.values().zip(planned.values()).all(|(ty, planned)| has_type(ty, planned))
        }
        (Type::Tuple(types), Type::Tuple(planned)) => {
            types.len() == planned.len() && types.iter().zip(planned).all(|(ty, planned)| has_type(ty, planned))
        }
        (ty, planned) => ty == planned,
    }
}

/// Whether a value satisfies the refinement of the planned unknown value.
fn keeps(result: &Raw, promised: &Refinement) -> bool {
    let Refinement { null, prefix, minimum, maximum, minimum_length, maximum_length } = promised;
    let length = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    match content(result) {
        Raw::Unknown(_) | Raw::Bool(_) | Raw::Secret(_) | Raw::Dynamic(_) => true,
        Raw::Null => *null != Some(false),
        _ if *null == Some(true) => false,
        Raw::String(text) => prefix.as_ref().is_none_or(|prefix| text.starts_with(prefix)),
        Raw::Number(number) => {
            let above = |(limit, included): &(_, bool)| number > limit || (*included && number == limit);
            let below = |(limit, included): &(_, bool)| number < limit || (*included && number == limit);
            minimum.as_ref().is_none_or(above) && maximum.as_ref().is_none_or(below)
        }
        Raw::List(elements) => {
            minimum_length.is_none_or(|fewest| length(elements.len()) >= fewest)
                && maximum_length.is_none_or(|most| length(elements.len()) <= most)
        }
        Raw::Map(elements) => {
            minimum_length.is_none_or(|fewest| length(elements.len()) >= fewest)
                && maximum_length.is_none_or(|most| length(elements.len()) <= most)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::value::DynamicRaw;

    fn fits(ty: &Type, planned: &Raw, result: &Raw) -> bool {
        let mut found = Vec::new();
        compatible(ty, planned, result, &AttributePath::root(), &mut found);
        found.is_empty()
    }

    fn set(elements: &[Raw]) -> Raw {
        Raw::set(elements.to_vec())
    }

    #[test]
    fn sets_are_compared_element_by_element() {
        let ty = Type::String.set();
        let unknown = Raw::unknown;
        assert!(fits(&ty, &set(&["a".into(), unknown()]), &set(&["a".into(), "b".into()])));
        assert!(fits(&ty, &set(&[unknown(), unknown()]), &set(&["a".into()])));
        assert!(!fits(&ty, &set(&[unknown()]), &set(&["a".into(), "b".into()])));
        assert!(!fits(&ty, &set(&["a".into(), unknown()]), &set(&["c".into(), "b".into()])));
        let object = |a: Raw, b: &str| Raw::Map([("a".to_owned(), a), ("b".to_owned(), b.into())].into());
        let ty = Type::Object([("a".to_owned(), Type::String), ("b".to_owned(), Type::String)].into()).set();
        assert!(fits(&ty, &set(&[object(unknown(), "b")]), &set(&[object("x".into(), "b")])));
        assert!(!fits(&ty, &set(&[object(unknown(), "b")]), &set(&[object("x".into(), "c")])));
    }

    #[test]
    fn dynamic_values_keep_their_type() {
        let dynamic = |ty, value| Raw::Dynamic(Box::new(DynamicRaw { ty, value }));
        let list = || Raw::List(vec!["a".into()]);
        let planned = dynamic(Type::String.list(), list());
        assert!(fits(&Type::Dynamic, &planned, &planned));
        assert!(!fits(&Type::Dynamic, &planned, &dynamic(Type::Tuple(vec![Type::String]), list())));
        assert!(!fits(&Type::Dynamic, &planned, &list()));
        assert!(!fits(&Type::Dynamic, &planned, &Raw::Null));
        let partly = dynamic(Type::Tuple(vec![Type::Dynamic]), Raw::List(vec![Raw::unknown()]));
        assert!(fits(&Type::Dynamic, &partly, &list()));
    }

    #[test]
    fn refinements_are_enforced() {
        let begins =
            || Raw::Unknown(Refinement { prefix: Some("ab".to_owned()), null: Some(false), ..Refinement::default() });
        assert!(fits(&Type::String, &begins(), &"abc".into()));
        assert!(!fits(&Type::String, &begins(), &"b".into()));
        assert!(!fits(&Type::String, &begins(), &Raw::Null));
        let positive = || Raw::Unknown(Refinement { minimum: Some((0.into(), false)), ..Refinement::default() });
        assert!(fits(&Type::Number, &positive(), &1.into()) && !fits(&Type::Number, &positive(), &0.into()));
        let some = || Raw::Unknown(Refinement { minimum_length: Some(1), ..Refinement::default() });
        assert!(!fits(&Type::String.list(), &some(), &Raw::List(vec![])));
    }
}
