//! Values without Rust types.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Number, Secret};
use crate::framework::attribute_path::{AttributePath, Step};
use crate::framework::types::Type;

/// A value of any type. Sets are kept sorted and without doubles, so that `==` is the equality that Terraform means.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Raw {
    /// Left out.
    #[default]
    Null,
    /// Known after apply, perhaps with promises about it.
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
    /// A value of dynamic type with the type it has.
    Dynamic(Box<DynamicRaw>),
}

/// What a value of dynamic type carries.
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

// The type of a dynamic value follows from the value for every comparison that planning makes.
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

/// Promises about an unknown value. All empty: nothing is promised.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refinement {
    /// Whether it will be null (`Some(true)`), will not be (`Some(false)`), or nobody says.
    pub null: Option<bool>,
    /// How the text will begin.
    pub prefix: Option<String>,
    /// Smallest number, and whether it is included.
    pub minimum: Option<(Number, bool)>,
    /// Largest number, and whether it is included.
    pub maximum: Option<(Number, bool)>,
    /// Fewest elements.
    pub minimum_length: Option<i64>,
    /// Most elements.
    pub maximum_length: Option<i64>,
}

impl Raw {
    /// An unknown value without promises.
    #[must_use]
    pub fn unknown() -> Self {
        Self::Unknown(Refinement::default())
    }

    /// A set: sorted, without doubles. Elements that are not wholly known may yet differ, and all stay.
    #[must_use]
    pub fn set(mut elements: Vec<Raw>) -> Self {
        elements.sort();
        // As cty: two unknown elements can become different values.
        elements.dedup_by(|a, b| a == b && a.is_wholly_known());
        Self::List(elements)
    }

    /// Whether it was left out.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is unknown as a whole.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Whether nothing in it is unknown.
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

    /// The same value with null in place of everything unknown: what may be stored of an operation that failed.
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

    /// An attribute of an object; null where there is no object or no such attribute, unknown where the object is.
    #[must_use]
    pub fn get(&self, attribute: &str) -> Raw {
        match self {
            Self::Map(attributes) => attributes.get(attribute).cloned().unwrap_or_default(),
            Self::Unknown(_) => Self::unknown(),
            _ => Self::Null,
        }
    }

    /// The value at a path, if the path leads somewhere.
    #[must_use]
    pub fn at(&self, path: &AttributePath) -> Option<&Raw> {
        path.steps().iter().try_fold(self, |value, step| match (value, step) {
            (Self::Map(elements), Step::Attribute(name) | Step::Key(name)) => elements.get(name),
            (Self::List(elements), Step::Index(index)) => elements.get(*index),
            _ => None,
        })
    }

    /// Puts another value at a path; whether the path led somewhere.
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

    /// As JSON, with what `dynamic` makes of values of dynamic type. Secrets are null.
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

    /// The text, if it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

/// As a literal in HCL would be.
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

/// What the value says, without its types. Attributes that are null are left out. Unknown values and secrets are null.
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
