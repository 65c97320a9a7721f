//! Reading of stored state by the current schema.

use serde_json::{Value as Json, json};

use super::attribute_path::AttributePath;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::schema::Schema;
use super::types::Type;
use super::value::{DynamicRaw, Number, Raw};

/// Reads JSON by the schema. Missing attributes are null, and attributes that the schema does not have are dropped.
///
/// # Errors
/// A diagnostic with the path at which a value has another type.
pub fn from_json(schema: &Schema, json: &Json) -> Result<Raw, Diagnostics> {
    read(json, &schema.ty(), &AttributePath::root()).map_err(Diagnostics::from)
}

/// Writes JSON that [`from_json`] reads, in which a value of dynamic type has its type beside it.
#[must_use]
pub fn to_json(raw: &Raw) -> Json {
    raw.to_json(&|dynamic| json!({ "type": dynamic.ty.to_json(), "value": to_json(&dynamic.value) }))
}

/// Reads one JSON value of a type.
///
/// # Errors
/// A diagnostic with the path at which a value has another type.
pub fn read(json: &Json, ty: &Type, path: &AttributePath) -> Result<Raw, Diagnostic> {
    let wrong = || {
        Diagnostic::error(
            "State does not fit the schema",
            format!("At {path}: expected {}, found {}.", ty.to_json(), kind(json)),
        )
        .at(path.clone())
    };
    if json.is_null() {
        return Ok(Raw::Null);
    }
    Ok(match ty {
        Type::String | Type::Secret => {
            let text = match json {
                Json::String(text) => text.clone(),
                // The state format allows numbers and bools for strings.
                Json::Number(_) | Json::Bool(_) => json.to_string(),
                _ => return Err(wrong()),
            };
            if *ty == Type::Secret { Raw::Secret(text.into()) } else { Raw::String(text) }
        }
        Type::Number => match json {
            Json::Number(number) => Number::parse(&number.to_string()).map(Raw::Number).ok_or_else(wrong)?,
            // A number with more digits than an `f64` keeps is a string.
            Json::String(text) => Number::parse(text).map(Raw::Number).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        },
        Type::Bool => match json {
            Json::Bool(value) => Raw::Bool(*value),
            Json::String(text) => Raw::Bool(text.parse().map_err(|_| wrong())?),
            _ => return Err(wrong()),
        },
        Type::Dynamic => {
            let ty = json.get("type").and_then(Type::from_json).ok_or_else(wrong)?;
            let value = read(json.get("value").unwrap_or(&Json::Null), &ty, path)?;
            Raw::Dynamic(Box::new(DynamicRaw { ty, value }))
        }
        Type::List(element) => Raw::List(elements(json, element, path).ok_or_else(wrong)??),
        Type::Set(element) => Raw::set(elements(json, element, path).ok_or_else(wrong)??),
        Type::Tuple(types) => {
            let array = json.as_array().filter(|array| array.len() == types.len()).ok_or_else(wrong)?;
            Raw::List(
                array
                    .iter()
                    .zip(types)
                    .enumerate()
                    .map(|(index, (json, ty))| read(json, ty, &path.index(index)))
                    .collect::<Result<_, _>>()?,
            )
        }
        Type::Map(element) => {
            let object = json.as_object().ok_or_else(wrong)?;
            Raw::Map(
                object
                    .iter()
                    .map(|(key, json)| Ok((key.clone(), read(json, element, &path.key(key))?)))
                    .collect::<Result<_, Diagnostic>>()?,
            )
        }
        Type::Object(attributes) => {
            let object = json.as_object().ok_or_else(wrong)?;
            Raw::Map(
                attributes
                    .iter()
                    .map(|(name, ty)| {
                        let json = object.get(name).unwrap_or(&Json::Null);
                        Ok((name.clone(), read(json, ty, &path.attribute(name))?))
                    })
                    .collect::<Result<_, Diagnostic>>()?,
            )
        }
    })
}

fn elements(json: &Json, ty: &Type, path: &AttributePath) -> Option<Result<Vec<Raw>, Diagnostic>> {
    let array = json.as_array()?;
    Some(array.iter().enumerate().map(|(index, json)| read(json, ty, &path.index(index))).collect())
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a bool",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn missing_attributes_are_null_and_removed_ones_are_dropped() {
        let ty = Type::Object(BTreeMap::from([
            ("name".to_owned(), Type::String),
            ("sizes".to_owned(), Type::Number.set()),
            ("new".to_owned(), Type::Bool),
        ]));
        let raw = read(&json!({"name": "a", "sizes": [2, 0.1, 2], "old": true}), &ty, &AttributePath::root()).unwrap();
        assert_eq!(
            raw,
            Raw::Map(BTreeMap::from([
                ("name".to_owned(), "a".into()),
                ("sizes".to_owned(), Raw::set(vec![0.1.into(), 2.into()])),
                ("new".to_owned(), Raw::Null),
            ]))
        );
    }

    #[test]
    fn mismatched_type_is_named_with_its_path() {
        let error = read(&json!([["x"]]), &Type::Number.list().list(), &AttributePath::of("a")).unwrap_err();
        assert_eq!(error.path.to_string(), "a[0][0]");
    }
}
