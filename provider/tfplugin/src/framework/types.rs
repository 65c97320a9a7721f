//! The types of Terraform's type system.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

/// The type of a value. Its JSON form is defined by the object wire format of the plugin protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    String,
    /// Text of a sensitive attribute. On the wire it is a string.
    Secret,
    /// A decimal number of any size.
    Number,
    /// True or false.
    Bool,
    /// Any type, which is part of the value.
    Dynamic,
    /// Elements of one type, in order.
    List(Box<Type>),
    /// Distinct elements of one type, without order.
    Set(Box<Type>),
    /// Elements of one type, by key.
    Map(Box<Type>),
    /// Attributes, each with its own type.
    Object(BTreeMap<String, Type>),
    /// Elements in order, each with its own type.
    Tuple(Vec<Type>),
}

impl Type {
    /// A list of this type.
    #[must_use]
    pub fn list(self) -> Self {
        Self::List(Box::new(self))
    }

    /// A set of this type.
    #[must_use]
    pub fn set(self) -> Self {
        Self::Set(Box::new(self))
    }

    /// A map of this type.
    #[must_use]
    pub fn map(self) -> Self {
        Self::Map(Box::new(self))
    }

    /// The JSON form, for instance `["list","string"]`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::String | Self::Secret => json!("string"),
            Self::Number => json!("number"),
            Self::Bool => json!("bool"),
            Self::Dynamic => json!("dynamic"),
            Self::List(element) => json!(["list", element.to_json()]),
            Self::Set(element) => json!(["set", element.to_json()]),
            Self::Map(element) => json!(["map", element.to_json()]),
            Self::Object(attributes) => {
                let attributes: serde_json::Map<String, Json> =
                    attributes.iter().map(|(name, ty)| (name.clone(), ty.to_json())).collect();
                json!(["object", attributes])
            }
            Self::Tuple(elements) => json!(["tuple", elements.iter().map(Self::to_json).collect::<Vec<_>>()]),
        }
    }

    /// Reads the JSON form; `None` if it is invalid.
    #[must_use]
    pub fn from_json(json: &Json) -> Option<Self> {
        if let Some(name) = json.as_str() {
            return match name {
                "string" => Some(Self::String),
                "number" => Some(Self::Number),
                "bool" => Some(Self::Bool),
                "dynamic" => Some(Self::Dynamic),
                _ => None,
            };
        }
        let array = json.as_array()?;
        let detail = array.get(1)?;
        match array.first()?.as_str()? {
            "list" => Some(Self::from_json(detail)?.list()),
            "set" => Some(Self::from_json(detail)?.set()),
            "map" => Some(Self::from_json(detail)?.map()),
            "object" => detail
                .as_object()?
                .iter()
                .map(|(name, ty)| Some((name.clone(), Self::from_json(ty)?)))
                .collect::<Option<_>>()
                .map(Self::Object),
            "tuple" => detail.as_array()?.iter().map(Self::from_json).collect::<Option<_>>().map(Self::Tuple),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_survive_the_json_round_trip() {
        let ty = Type::Object(BTreeMap::from([
            ("tags".to_owned(), Type::String.map()),
            ("taints".to_owned(), Type::Tuple(vec![Type::Number, Type::Dynamic]).set()),
            ("zones".to_owned(), Type::Bool.list()),
        ]));
        assert_eq!(Type::from_json(&ty.to_json()), Some(ty));
        assert_eq!(Type::from_json(&json!(["list"])), None);
        assert_eq!(Type::String.list().to_json(), json!(["list", "string"]));
    }
}
