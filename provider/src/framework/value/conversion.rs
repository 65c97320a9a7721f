//! From untyped to typed values and back.

use std::collections::BTreeMap;

use super::{Number, Raw, Set, Value};
use crate::framework::attribute_path::AttributePath;
use crate::framework::diagnostics::Diagnostic;
use crate::framework::schema::{Kind, Nesting};
use crate::framework::types::Type;

/// A value that does not have the type that the schema promises. Core checks types before it calls, so this is a bug of
/// the provider, or state that was edited by hand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: expected {expected}, found {found}")]
pub struct Mismatch {
    /// Where.
    pub path: AttributePath,
    /// What the schema says.
    pub expected: &'static str,
    /// What came.
    pub found: &'static str,
}

impl Mismatch {
    /// The mismatch of a raw value.
    #[must_use]
    pub fn new(path: &AttributePath, expected: &'static str, found: &Raw) -> Self {
        let found = match found {
            Raw::Null => "null",
            Raw::Unknown(_) => "an unknown value",
            Raw::Bool(_) => "a bool",
            Raw::Number(_) => "a number",
            Raw::String(_) => "a string",
            Raw::List(_) => "a list",
            Raw::Map(_) => "an object",
            Raw::Dynamic(_) => "a dynamic value",
        };
        Self { path: path.clone(), expected, found }
    }
}

impl From<Mismatch> for Diagnostic {
    fn from(mismatch: Mismatch) -> Self {
        Self::error(
            "Value of an unexpected type",
            format!(
                "Expected {}, found {}. If the state was not edited by hand, this is a bug of the provider: please report it.",
                mismatch.expected, mismatch.found
            ),
        )
        .at(mismatch.path)
    }
}

impl From<Mismatch> for crate::framework::diagnostics::Diagnostics {
    fn from(mismatch: Mismatch) -> Self {
        Diagnostic::from(mismatch).into()
    }
}

/// A Rust type that an attribute can have. Structs get it from `#[derive(Object)]`.
pub trait Known: Sized {
    /// What stands in the schema for it.
    fn kind() -> Kind;

    /// Reads a value that is neither null nor unknown.
    ///
    /// # Errors
    /// A mismatch with the path at which the value has another type.
    fn decode(raw: Raw, path: &AttributePath) -> Result<Self, Mismatch>;

    /// The untyped form.
    fn encode(self) -> Raw;
}

impl<T: Known> Value<T> {
    /// Reads an untyped value.
    ///
    /// # Errors
    /// A mismatch with the path at which the value has another type.
    pub fn from_raw(raw: Raw, path: &AttributePath) -> Result<Self, Mismatch> {
        match raw {
            Raw::Null => Ok(Self::Null),
            Raw::Unknown(_) => Ok(Self::Unknown),
            known => T::decode(known, path).map(Self::Known),
        }
    }

    /// The untyped form.
    pub fn into_raw(self) -> Raw {
        match self {
            Self::Null => Raw::Null,
            Self::Unknown => Raw::unknown(),
            Self::Known(value) => value.encode(),
        }
    }
}

impl Known for String {
    fn kind() -> Kind {
        Kind::Plain(Type::String)
    }
    fn decode(raw: Raw, path: &AttributePath) -> Result<Self, Mismatch> {
        match raw {
            Raw::String(text) => Ok(text),
            other => Err(Mismatch::new(path, "a string", &other)),
        }
    }
    fn encode(self) -> Raw {
        Raw::String(self)
    }
}

impl Known for bool {
    fn kind() -> Kind {
        Kind::Plain(Type::Bool)
    }
    fn decode(raw: Raw, path: &AttributePath) -> Result<Self, Mismatch> {
        match raw {
            Raw::Bool(value) => Ok(value),
            other => Err(Mismatch::new(path, "a bool", &other)),
        }
    }
    fn encode(self) -> Raw {
        Raw::Bool(self)
    }
}

impl Known for Number {
    fn kind() -> Kind {
        Kind::Plain(Type::Number)
    }
    fn decode(raw: Raw, path: &AttributePath) -> Result<Self, Mismatch> {
        match raw {
            Raw::Number(number) => Ok(number),
            other => Err(Mismatch::new(path, "a number", &other)),
        }
    }
    fn encode(self) -> Raw {
        Raw::Number(self)
    }
}

impl Known for i64 {
    fn kind() -> Kind {
        Kind::Plain(Type::Number)
    }
    fn decode(raw: Raw, path: &AttributePath) -> Result<Self, Mismatch> {
        match &raw {
            Raw::Number(number) => number.as_i64().ok_or_else(|| Mismatch::new(path, "a whole number", &raw)),
            other => Err(Mismatch::new(path, "a whole number", other)),
        }
    }
    fn encode(self) -> Raw {
        self.into()
    }
}

impl Known for f64 {
    fn kind() -> Kind {
        Kind::Plain(Type::Number)
    }
    fn decode(raw: Raw, path: &AttributePath) -> Result<Self, Mismatch> {
        Number::decode(raw, path).map(|number| number.as_f64())
    }
    fn encode(self) -> Raw {
        self.into()
    }
}

/// A value as it came, for attributes whose kind is given by hand in the schema.
impl Known for Raw {
    fn kind() -> Kind {
        Kind::Plain(Type::Dynamic)
    }
    fn decode(raw: Raw, _path: &AttributePath) -> Result<Self, Mismatch> {
        Ok(raw)
    }
    fn encode(self) -> Raw {
        self
    }
}

impl<T: Known> Known for Vec<Value<T>> {
    fn kind() -> Kind {
        T::kind().collection(Type::list, Nesting::List)
    }
    fn decode(raw: Raw, path: &AttributePath) -> Result<Self, Mismatch> {
        match raw {
            Raw::List(elements) => elements
                .into_iter()
                .enumerate()
                .map(|(index, element)| Value::from_raw(element, &path.index(index)))
                .collect(),
            other => Err(Mismatch::new(path, "a list", &other)),
        }
    }
    fn encode(self) -> Raw {
        Raw::List(self.into_iter().map(Value::into_raw).collect())
    }
}

impl<T: Known + Ord> Known for Set<T> {
    fn kind() -> Kind {
        T::kind().collection(Type::set, Nesting::Set)
    }
    fn decode(raw: Raw, path: &AttributePath) -> Result<Self, Mismatch> {
        match raw {
            Raw::List(elements) => elements.into_iter().map(|element| Value::from_raw(element, path)).collect(),
            other => Err(Mismatch::new(path, "a set", &other)),
        }
    }
    fn encode(self) -> Raw {
        Raw::set(self.into_iter().map(Value::into_raw).collect())
    }
}

impl<T: Known> Known for BTreeMap<String, Value<T>> {
    fn kind() -> Kind {
        T::kind().collection(Type::map, Nesting::Map)
    }
    fn decode(raw: Raw, path: &AttributePath) -> Result<Self, Mismatch> {
        match raw {
            Raw::Map(elements) => elements
                .into_iter()
                .map(|(key, element)| {
                    let path = path.key(&key);
                    Ok((key, Value::from_raw(element, &path)?))
                })
                .collect(),
            other => Err(Mismatch::new(path, "a map", &other)),
        }
    }
    fn encode(self) -> Raw {
        Raw::Map(self.into_iter().map(|(key, value)| (key, value.into_raw())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_on_the_way() {
        let raw = Raw::Map(BTreeMap::from([
            ("a".to_owned(), Raw::List(vec!["x".into(), Raw::Null, Raw::unknown()])),
            ("b".to_owned(), Raw::unknown()),
        ]));
        let typed = Value::<BTreeMap<String, Value<Vec<Value<String>>>>>::from_raw(raw.clone(), &AttributePath::root());
        assert_eq!(typed.unwrap().into_raw(), raw);
    }

    #[test]
    fn a_mismatch_says_where() {
        let raw = Raw::List(vec![1.into(), "x".into()]);
        let error = Value::<Vec<Value<i64>>>::from_raw(raw, &AttributePath::of("sizes")).unwrap_err();
        assert_eq!(error.to_string(), "sizes[1]: expected a whole number, found a string");
    }
}
