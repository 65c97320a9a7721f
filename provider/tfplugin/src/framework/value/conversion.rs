//! Conversion between untyped and typed values.

use std::collections::BTreeMap;

use super::{Number, Raw, Secret, Set, Value};
use crate::framework::attribute_path::AttributePath;
use crate::framework::diagnostics::Diagnostic;
use crate::framework::schema::{Kind, Nesting};
use crate::framework::types::Type;

/// A value that does not have the type of the schema. Core checks types before it calls the provider, so that another
/// type is a bug of the provider, or state that was edited by hand. Core has only one type of numbers, so that a
/// fraction in place of a whole number is an error of the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: expected {expected}, found {found}")]
pub struct Mismatch {
    /// Path of the value.
    pub path: AttributePath,
    /// Type in the schema.
    pub expected: &'static str,
    /// Type of the value.
    pub found: &'static str,
    /// Whether it can come from the configuration of a user.
    pub is_of_user: bool,
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
            Raw::String(_) | Raw::Secret(_) => "a string",
            Raw::List(_) => "a list",
            Raw::Map(_) => "an object",
            Raw::Dynamic(_) => "a dynamic value",
        };
        Self { path: path.clone(), expected, found, is_of_user: false }
    }

    /// The mismatch of a number that an `i64` cannot hold.
    fn of_number(path: &AttributePath, number: &Number) -> Self {
        let found = if number.is_whole() { "a number of more than 64 bits" } else { "a fraction" };
        Self { path: path.clone(), expected: "a whole number", found, is_of_user: true }
    }
}

impl From<Mismatch> for Diagnostic {
    fn from(mismatch: Mismatch) -> Self {
        let Mismatch { path, expected, found, is_of_user } = mismatch;
        let diagnostic = if is_of_user {
            Self::error("Invalid number", format!("The value must be {expected}, but is {found}."))
        } else {
            Self::error(
                "Value of an unexpected type",
                format!(
                    "Expected {expected}, found {found}. If the state was not edited manually, this is a bug of the \
                     provider: please report it."
                ),
            )
        };
        diagnostic.at(path)
    }
}

impl From<Mismatch> for crate::framework::diagnostics::Diagnostics {
    fn from(mismatch: Mismatch) -> Self {
        Diagnostic::from(mismatch).into()
    }
}

/// A Rust type that an attribute can have. Structs implement it with `#[derive(Object)]`.
pub trait Known: Sized {
    /// Whether it is secret text. An attribute has such a type if, and only if, it is sensitive.
    const IS_SECRET: bool = false;

    /// Its kind in the schema.
    fn kind() -> Kind;

    /// Reads a value that is neither null nor unknown.
    ///
    /// # Errors
    /// A mismatch with the path at which the value has another type.
    fn decode(raw: Raw, path: &AttributePath) -> Result<Self, Mismatch>;

    /// The untyped form.
    fn encode(self) -> Raw;

    /// Whether it contains no unknown value.
    fn is_wholly_known(&self) -> bool {
        true
    }
}

impl<T: Known> Value<T> {
    /// Whether it is secret text.
    pub const IS_SECRET: bool = T::IS_SECRET;

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

    /// Whether it is not unknown, and contains no unknown value.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Unknown => false,
            Self::Known(value) => value.is_wholly_known(),
        }
    }
}

impl Known for Secret {
    const IS_SECRET: bool = true;

    fn kind() -> Kind {
        Kind::Plain(Type::Secret)
    }
    fn decode(raw: Raw, path: &AttributePath) -> Result<Self, Mismatch> {
        match raw {
            Raw::Secret(secret) => Ok(secret),
            Raw::String(text) => Ok(text.into()),
            other => Err(Mismatch::new(path, "a string", &other)),
        }
    }
    fn encode(self) -> Raw {
        Raw::Secret(self)
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
            Raw::Number(number) => number.as_i64().ok_or_else(|| Mismatch::of_number(path, number)),
            other => Err(Mismatch::new(path, "a whole number", other)),
        }
    }
    fn encode(self) -> Raw {
        self.into()
    }
}

// There is no implementation for `f64`, which would lose digits: core refuses a response with fewer digits than the
// configuration.
impl From<f64> for Value<Number> {
    fn from(number: f64) -> Self {
        Self::Known(number.into())
    }
}

/// An untyped value, for attributes with their `kind` in `#[attr(...)]`.
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
    fn is_wholly_known(&self) -> bool {
        Self::is_wholly_known(self)
    }
}

impl<T: Known> Known for Vec<Value<T>> {
    const IS_SECRET: bool = T::IS_SECRET;

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
    fn is_wholly_known(&self) -> bool {
        self.iter().all(Value::is_wholly_known)
    }
}

impl<T: Known + Ord> Known for Set<T> {
    const IS_SECRET: bool = T::IS_SECRET;

    fn kind() -> Kind {
        T::kind().collection(Type::set, Nesting::Set)
    }
    fn decode(raw: Raw, path: &AttributePath) -> Result<Self, Mismatch> {
        match raw {
            // An element of a set has no path: errors have the path of the set.
            Raw::List(elements) => elements
                .into_iter()
                .map(|element| Value::from_raw(element, path))
                .collect::<Result<_, _>>()
                .map_err(|mismatch| Mismatch { path: path.clone(), ..mismatch }),
            other => Err(Mismatch::new(path, "a set", &other)),
        }
    }
    fn encode(self) -> Raw {
        Raw::set(self.into_iter().map(Value::into_raw).collect())
    }
    fn is_wholly_known(&self) -> bool {
        self.iter().all(Value::is_wholly_known)
    }
}

impl<T: Known> Known for BTreeMap<String, Value<T>> {
    const IS_SECRET: bool = T::IS_SECRET;

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
    fn is_wholly_known(&self) -> bool {
        self.values().all(Value::is_wholly_known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_the_round_trip() {
        let raw = Raw::Map(BTreeMap::from([
            ("a".to_owned(), Raw::List(vec!["x".into(), Raw::Null, Raw::unknown()])),
            ("b".to_owned(), Raw::unknown()),
        ]));
        let typed = Value::<BTreeMap<String, Value<Vec<Value<String>>>>>::from_raw(raw.clone(), &AttributePath::root());
        assert_eq!(typed.unwrap().into_raw(), raw);
    }

    #[test]
    fn mismatch_names_its_path() {
        let raw = Raw::List(vec![1.into(), "x".into()]);
        let error = Value::<Vec<Value<i64>>>::from_raw(raw, &AttributePath::of("sizes")).unwrap_err();
        assert_eq!(error.to_string(), "sizes[1]: expected a whole number, found a string");
    }

    #[test]
    fn number_keeps_its_digits() {
        let raw = Raw::Number(Number::parse("0.66666666666666666666666666666666666667").unwrap());
        let typed = Value::<Number>::from_raw(raw.clone(), &AttributePath::root()).unwrap();
        assert_eq!(typed.into_raw(), raw);
    }

    #[test]
    fn fraction_for_an_integer_is_a_user_error() {
        let read = |text: &str| {
            let raw = Raw::Number(Number::parse(text).unwrap());
            Value::<i64>::from_raw(raw, &AttributePath::of("size"))
                .map_err(|mismatch| Diagnostic::from(mismatch).detail)
        };
        assert_eq!(read("2.0"), Ok(2.into()));
        assert_eq!(read("2.5"), Err("The value must be a whole number, but is a fraction.".to_owned()));
        assert_eq!(
            read("1e20"),
            Err("The value must be a whole number, but is a number of more than 64 bits.".to_owned())
        );
    }
}
