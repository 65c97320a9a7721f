//! Values without Rust types.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Number, Secret};
use crate::framework::attribute_path::{AttributePath, Step};
use crate::framework::types::Type;

/// A value of any type. Sets are sorted and without duplicates, so that `==` is Terraform's equality.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Raw {
    /// Not set, or set to `null`.
    #[default]
    Null,
    /// Known after apply, with a refinement that may be empty.
    Unknown(Refinement),
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    String(String),
    /// Text of a sensitive attribute.
    Secret(Secret),
    /// A list, set or tuple.
    List(Vec<Raw>),
    /// A map or object.
    Map(BTreeMap<String, Raw>),
    /// A value of dynamic type, with its actual type.
    Dynamic(Box<DynamicRaw>),
}

/// The content of a value of dynamic type.
#[derive(Clone, Debug)]
pub struct DynamicRaw {
    /// Its type.
    pub ty: Type,
    /// The value.
    pub value: Raw,
}

impl DynamicRaw {
    /// A value with the type that a literal in HCL would have.
    #[must_use]
    pub fn of(value: Raw) -> Self {
        Self { ty: type_of(&value), value }
    }
}

/// The type that a literal in HCL would have.
pub(crate) fn type_of(raw: &Raw) -> Type {
    match raw {
        Raw::Null | Raw::Unknown(_) => Type::Dynamic,
        Raw::Bool(_) => Type::Bool,
        Raw::Number(_) => Type::Number,
        Raw::String(_) => Type::String,
        Raw::Secret(_) => Type::Secret,
        Raw::List(elements) => Type::Tuple(elements.iter().map(type_of).collect()),
        Raw::Map(attributes) => {
            Type::Object(attributes.iter().map(|(name, raw)| (name.clone(), type_of(raw))).collect())
        }
        Raw::Dynamic(dynamic) => dynamic.ty.clone(),
    }
}

// Comparisons ignore the type: wherever planning compares dynamic values, equal values have equal types.
impl PartialEq for DynamicRaw {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
impl Eq for DynamicRaw {}
impl Ord for DynamicRaw {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.value.cmp(&other.value)
    }
}
impl PartialOrd for DynamicRaw {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Constraints of an unknown value. All fields are empty if there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refinement {
    /// Whether it will be null (`Some(true)`), will not be null (`Some(false)`), or may be either (`None`).
    pub null: Option<bool>,
    /// Prefix of the string.
    pub prefix: Option<String>,
    /// Smallest number, and whether it is inclusive.
    pub minimum: Option<(Number, bool)>,
    /// Largest number, and whether it is inclusive.
    pub maximum: Option<(Number, bool)>,
    /// Smallest number of elements.
    pub minimum_length: Option<i64>,
    /// Largest number of elements.
    pub maximum_length: Option<i64>,
}

impl Raw {
    /// An unknown value without refinement.
    #[must_use]
    pub fn unknown() -> Self {
        Self::Unknown(Refinement::default())
    }

    /// A set: sorted, and without duplicates. Elements that are not wholly known are all kept, because they can still
    /// become different.
    #[must_use]
    pub fn set(mut elements: Vec<Raw>) -> Self {
        elements.sort();
        // As in cty: two unknown elements can become different values.
        elements.dedup_by(|a, b| a == b && a.is_wholly_known());
        Self::List(elements)
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is unknown as a whole.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Whether it contains no unknown value.
    #[must_use]
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown(_) => false,
            Self::List(elements) => elements.iter().all(Self::is_wholly_known),
            Self::Map(elements) => elements.values().all(Self::is_wholly_known),
            Self::Dynamic(dynamic) => dynamic.value.is_wholly_known(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Secret(_) => true,
        }
    }

    /// The value with null in place of unknown values, for the state after an operation that failed.
    #[must_use]
    pub fn without_unknown(self) -> Self {
        match self {
            Self::Unknown(_) => Self::Null,
            Self::List(elements) => Self::List(elements.into_iter().map(Self::without_unknown).collect()),
            Self::Map(elements) => {
                Self::Map(elements.into_iter().map(|(key, value)| (key, value.without_unknown())).collect())
            }
            Self::Dynamic(dynamic) => {
                Self::Dynamic(Box::new(DynamicRaw { ty: dynamic.ty, value: dynamic.value.without_unknown() }))
            }
            other => other,
        }
    }

    /// An attribute of an object. It is null if there is no object or no such attribute, and unknown if the object is
    /// unknown.
    #[must_use]
    pub fn get(&self, attribute: &str) -> Raw {
        match self {
            Self::Map(attributes) => attributes.get(attribute).cloned().unwrap_or_default(),
            Self::Unknown(_) => Self::unknown(),
            _ => Self::Null,
        }
    }

    /// The value at a path, if the path exists.
    #[must_use]
    pub fn at(&self, path: &AttributePath) -> Option<&Raw> {
        path.steps().iter().try_fold(self, |value, step| match (value, step) {
            (Self::Map(elements), Step::Attribute(name) | Step::Key(name)) => elements.get(name),
            (Self::List(elements), Step::Index(index)) => elements.get(*index),
            _ => None,
        })
    }

    /// Replaces the value at a path. Returns whether the path exists.
    pub(crate) fn put(&mut self, path: &AttributePath, value: Raw) -> bool {
        let place = path.steps().iter().try_fold(self, |value, step| match (value, step) {
            (Self::Map(elements), Step::Attribute(name) | Step::Key(name)) => elements.get_mut(name),
            (Self::List(elements), Step::Index(index)) => elements.get_mut(*index),
            _ => None,
        });
        place.map(|place| *place = value).is_some()
    }

    /// The attributes of an object, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&BTreeMap<String, Raw>> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Converts to JSON, with `dynamic` for values of dynamic type. Secrets are null.
    pub(crate) fn to_json(&self, dynamic: &dyn Fn(&DynamicRaw) -> Json) -> Json {
        match self {
            Self::Null | Self::Unknown(_) | Self::Secret(_) => Json::Null,
            Self::Bool(value) => Json::from(*value),
            Self::Number(number) => number.into(),
            Self::String(text) => Json::from(text.as_str()),
            Self::List(elements) => elements.iter().map(|element| element.to_json(dynamic)).collect(),
            Self::Map(elements) => {
                let given = elements.iter().filter(|(_, value)| !value.is_null());
                given.map(|(name, value)| (name.clone(), value.to_json(dynamic))).collect()
            }
            Self::Dynamic(value) => dynamic(value),
        }
    }

    /// The text, if it is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

/// Converts JSON to the value of the same literal in HCL.
impl From<&Json> for Raw {
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => Number::parse(&number.to_string()).map_or(Self::Null, Self::Number),
            Json::String(text) => Self::from(text.as_str()),
            Json::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Json::Object(fields) => {
                Self::Map(fields.iter().map(|(name, value)| (name.clone(), Self::from(value))).collect())
            }
        }
    }
}

/// Converts a value to JSON without its types. Null attributes are omitted. Unknown values and secrets are null.
impl From<&Raw> for Json {
    fn from(raw: &Raw) -> Self {
        raw.to_json(&|dynamic| Self::from(&dynamic.value))
    }
}

impl From<&str> for Raw {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Raw {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Raw {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Raw {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<f64> for Raw {
    fn from(value: f64) -> Self {
        Self::Number(value.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(attributes: &[(&str, Raw)]) -> Raw {
        Raw::Map(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    #[test]
    fn json_has_the_set_attributes() {
        let digits = "0.66666666666666666666666666666666666667";
        let value = object(&[
            ("list", Raw::List(vec![1.into(), Raw::from(0.5), Raw::Null])),
            ("exact", Raw::Number(Number::parse(digits).unwrap())),
            ("dynamic", Raw::Dynamic(Box::new(DynamicRaw::of(object(&[("a", true.into()), ("b", Raw::Null)]))))),
            ("null", Raw::Null),
        ]);
        let expected = serde_json::json!({ "list": [1, 0.5, null], "exact": digits, "dynamic": { "a": true } });
        assert_eq!(Json::from(&value), expected);
    }

    #[test]
    fn sets_are_equal_in_any_order() {
        assert_eq!(Raw::set(vec!["b".into(), "a".into(), "b".into()]), Raw::set(vec!["a".into(), "b".into()]));
        assert_eq!(Raw::set(vec![Raw::unknown(), Raw::unknown()]), Raw::List(vec![Raw::unknown(), Raw::unknown()]));
        let partly = || object(&[("a", Raw::unknown()), ("b", "b".into())]);
        assert_eq!(Raw::set(vec![partly(), partly()]), Raw::List(vec![partly(), partly()]));
    }

    #[test]
    fn unknown_parts_become_null() {
        let value = object(&[("a", Raw::unknown()), ("b", Raw::List(vec!["x".into(), Raw::unknown()]))]);
        assert!(!value.is_wholly_known());
        assert_eq!(value.without_unknown(), object(&[("a", Raw::Null), ("b", Raw::List(vec!["x".into(), Raw::Null]))]));
    }

    #[test]
    fn paths_select_values() {
        let value = object(&[("a", Raw::List(vec![object(&[("b", 1.into())])]))]);
        assert_eq!(value.at(&AttributePath::of("a").index(0).attribute("b")), Some(&Raw::from(1)));
        assert_eq!(value.at(&AttributePath::of("a").index(1)), None);
        let mut changed = value.clone();
        assert!(changed.put(&AttributePath::of("a").index(0).attribute("b"), 2.into()));
        assert_eq!(changed, object(&[("a", Raw::List(vec![object(&[("b", 2.into())])]))]));
        assert!(!changed.put(&AttributePath::of("a").index(1), 2.into()));
    }
}
