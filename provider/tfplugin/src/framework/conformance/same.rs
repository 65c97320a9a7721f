//! Equality as in core's check of plans.

use crate::framework::value::{DynamicRaw, Raw, type_of};

/// Whether two values have the same type and content. Refinements of unknown values are ignored, as in core's check of
/// plans.
pub(super) fn same(a: &Raw, b: &Raw) -> bool {
    match (a, b) {
        (Raw::Unknown(_), Raw::Unknown(_)) => true,
        (Raw::List(a), Raw::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Raw::Map(a), Raw::Map(b)) => a.keys().eq(b.keys()) && a.values().zip(b.values()).all(|(a, b)| same(a, b)),
        (Raw::Dynamic(a), Raw::Dynamic(b)) => a.ty == b.ty && same(&a.value, &b.value),
        // A value without its type is encoded with the type of a literal.
        (Raw::Dynamic(dynamic), plain) | (plain, Raw::Dynamic(dynamic)) => {
            let DynamicRaw { ty, value } = dynamic.as_ref();
            *ty == type_of(plain) && same(value, plain)
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::types::Type;
    use crate::framework::value::{Number, Refinement};

    #[test]
    fn refinements_are_ignored() {
        let begins = Raw::Unknown(Refinement { prefix: Some("cache-".to_owned()), ..Refinement::default() });
        assert!(same(&begins, &Raw::unknown()));
        assert!(same(&Raw::List(vec![begins]), &Raw::List(vec![Raw::unknown()])));
        assert!(!same(&Raw::unknown(), &Raw::Null));
    }

    #[test]
    fn digits_and_types_are_compared() {
        let number = |text: &str| Raw::Number(Number::parse(text).unwrap());
        assert!(!same(&number("0.66666666666666666666666666667"), &number("0.6666666666666666")));
        assert!(same(&number("1.0"), &number("1")));
        let dynamic = |ty| Raw::Dynamic(Box::new(DynamicRaw { ty, value: Raw::List(vec!["a".into()]) }));
        assert!(same(&dynamic(Type::String.list()), &dynamic(Type::String.list())));
        assert!(!same(&dynamic(Type::String.list()), &dynamic(Type::Tuple(vec![Type::String]))));
        assert!(same(&dynamic(Type::Tuple(vec![Type::String])), &Raw::List(vec!["a".into()])));
    }
}
