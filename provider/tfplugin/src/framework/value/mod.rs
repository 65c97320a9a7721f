//! Values that are known, null or unknown.
//!
//! Resources use the typed [`Value`]; planning and the wire format use [`Raw`], which has no Rust types. A conversion
//! from one to the other and back loses only the refinements of unknown values, which core ignores in plans.

mod conversion;
mod number;
mod raw;
mod secret;
mod set;

pub use conversion::{Known, Mismatch};
pub use number::Number;
pub(crate) use raw::type_of;
pub use raw::{DynamicRaw, Raw, Refinement};
pub use secret::Secret;
pub use set::Set;

/// A value of an attribute.
///
/// A value is unknown only in validation and plans: it becomes known during apply, for example from another resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value<T> {
    /// Known.
    Known(T),
    /// Not set, or set to `null`.
    #[default]
    Null,
    /// Known after apply.
    Unknown,
}

impl<T> Value<T> {
    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    /// Takes the value, if it is known.
    pub fn into_known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    /// Converts to a value of a reference.
    pub fn as_ref(&self) -> Value<&T> {
        match self {
            Self::Known(value) => Value::Known(value),
            Self::Null => Value::Null,
            Self::Unknown => Value::Unknown,
        }
    }

    /// Applies a function to a known value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Value<U> {
        match self {
            Self::Known(value) => Value::Known(f(value)),
            Self::Null => Value::Null,
            Self::Unknown => Value::Unknown,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}

impl Value<String> {
    /// The text, if it is known.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.known().map(String::as_str)
    }
}

impl Value<Secret> {
    /// The text, if it is known.
    #[must_use]
    pub fn expose(&self) -> Option<&str> {
        self.known().map(Secret::expose)
    }
}

impl<T: Copy> Value<T> {
    /// The value, or `default` if it is null or unknown.
    pub fn or(&self, default: T) -> T {
        self.known().copied().unwrap_or(default)
    }
}

impl<T> From<T> for Value<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl From<&str> for Value<String> {
    fn from(value: &str) -> Self {
        Self::Known(value.to_owned())
    }
}

impl From<&str> for Value<Secret> {
    fn from(value: &str) -> Self {
        Self::Known(value.into())
    }
}

impl<T> From<Option<T>> for Value<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Known)
    }
}

/// A map attribute.
pub type Map<T> = std::collections::BTreeMap<String, Value<T>>;

/// A list attribute.
pub type List<T> = Vec<Value<T>>;

/// The plain map of a map attribute; `None` if it, or one of its elements, is unknown. Null elements are omitted.
pub fn known_map<T: Clone>(map: &Value<Map<T>>) -> Option<std::collections::BTreeMap<String, T>> {
    match map {
        Value::Unknown => None,
        Value::Null => Some(std::collections::BTreeMap::new()),
        Value::Known(map) if map.values().any(Value::is_unknown) => None,
        Value::Known(map) => {
            Some(map.iter().filter_map(|(key, value)| Some((key.clone(), value.known()?.clone()))).collect())
        }
    }
}

/// The plain list of a list attribute; `None` if it, or one of its elements, is unknown. Null elements are omitted.
pub fn known_list<T: Clone>(list: &Value<List<T>>) -> Option<Vec<T>> {
    match list {
        Value::Unknown => None,
        Value::Null => Some(Vec::new()),
        Value::Known(list) if list.iter().any(Value::is_unknown) => None,
        Value::Known(list) => Some(list.iter().filter_map(|value| value.known().cloned()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn collection_with_an_unknown_element_is_unknown() {
        let known: Value<Map<String>> = Value::Known(BTreeMap::from([("a".to_owned(), Value::from("b"))]));
        assert_eq!(known_map(&known), Some(BTreeMap::from([("a".to_owned(), "b".to_owned())])));
        let partly: Value<Map<String>> = Value::Known(BTreeMap::from([("a".to_owned(), Value::Unknown)]));
        assert_eq!(known_map(&partly), None);
        assert_eq!(known_list::<String>(&Value::Null), Some(vec![]));
        assert_eq!(known_list::<String>(&Value::Known(vec![Value::Unknown])), None);
    }
}
