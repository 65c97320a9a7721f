//! The check for null elements. No API stores a null element of a list or set: the next refresh does not have it, so
//! that every plan would show a difference, and for some attributes a replacement. A null element of a map counts as
//! not set.

use super::attribute_path::AttributePath;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::types::Type;
use super::value::Raw;

/// Refuses null elements of lists and sets, at any depth. The resource checks values of dynamic type itself.
pub(crate) fn refuse(ty: &Type, value: &Raw, path: &AttributePath, diagnostics: &mut Diagnostics) {
    match (ty, value) {
        (Type::List(element), Raw::List(elements)) => {
            for (index, value) in elements.iter().enumerate() {
                refuse_element(element, value, &path.index(index), diagnostics);
            }
        }
        // An element of a set has no path: errors have the path of the set.
        (Type::Set(element), Raw::List(elements)) => {
            for value in elements {
                refuse_element(element, value, path, diagnostics);
            }
        }
        (Type::Map(element), Raw::Map(elements)) => {
            for (key, value) in elements {
                refuse(element, value, &path.key(key), diagnostics);
            }
        }
        (Type::Object(types), Raw::Map(attributes)) => {
            for (name, value) in attributes {
                if let Some(ty) = types.get(name) {
                    refuse(ty, value, &path.attribute(name), diagnostics);
                }
            }
        }
        _ => {}
    }
}

fn refuse_element(ty: &Type, value: &Raw, path: &AttributePath, diagnostics: &mut Diagnostics) {
    if !value.is_null() {
        return refuse(ty, value, path, diagnostics);
    }
    let text = "An element of a list or set cannot be null. Remove it, for example with compact() from a list of \
                strings.";
    diagnostics.push(Diagnostic::error("Null element", text).at(path.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paths of the refused elements.
    fn refused(ty: &Type, value: Raw) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        refuse(ty, &value, &AttributePath::of("x"), &mut diagnostics);
        diagnostics.iter().map(|it| it.path.to_string()).collect()
    }

    fn list(elements: impl IntoIterator<Item = Raw>) -> Raw {
        Raw::List(elements.into_iter().collect())
    }

    #[test]
    fn null_elements_are_found_at_any_depth() {
        let strings = Type::String.list();
        assert_eq!(refused(&strings, list(["a".into(), Raw::Null])), ["x[1]"]);
        assert_eq!(refused(&Type::String.set(), list(["a".into(), Raw::Null])), ["x"]);
        let object = Type::Object([("names".to_owned(), strings.clone())].into());
        let value = |names: Raw| Raw::Map([("names".to_owned(), names)].into());
        assert_eq!(refused(&object.list(), list([value(list([Raw::Null])), value(Raw::Null)])), ["x[0].names[0]"]);
        assert_eq!(refused(&strings.map(), Raw::Map([("k".to_owned(), list([Raw::Null]))].into())), ["x[\"k\"][0]"]);
    }

    #[test]
    fn nulls_outside_of_collections_are_ignored() {
        let none = [""; 0];
        assert_eq!(refused(&Type::String.list(), Raw::Null), none);
        assert_eq!(refused(&Type::String.list(), Raw::unknown()), none);
        assert_eq!(refused(&Type::String.list(), list([Raw::unknown(), "a".into()])), none);
        assert_eq!(refused(&Type::String.map(), Raw::Map([("k".to_owned(), Raw::Null)].into())), none);
        assert_eq!(refused(&Type::Dynamic, list([Raw::Null])), none);
    }
}
