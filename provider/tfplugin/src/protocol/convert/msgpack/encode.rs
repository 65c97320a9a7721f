//! Encoding as msgpack.

use rmpv::Value as Msgpack;

use super::{Error, refinement};
use crate::framework::value::type_of;
use crate::framework::{AttributePath, Number, Raw, Type};

/// Encodes a value of a type. An object gets exactly the attributes of its type; missing ones are nil.
///
/// # Errors
/// If the value has another type.
pub(in crate::protocol) fn encode(raw: &Raw, ty: &Type) -> Result<Vec<u8>, Error> {
    let value = write(raw, ty, &AttributePath::root())?;
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &value).map_err(|error| Error::Malformed(error.to_string()))?;
    Ok(bytes)
}

fn write(raw: &Raw, ty: &Type, path: &AttributePath) -> Result<Msgpack, Error> {
    Ok(match (ty, raw) {
        (_, Raw::Null) => Msgpack::Nil,
        // An unknown value of dynamic type has no refinement, because its type is not known.
        (Type::Dynamic, Raw::Unknown(_)) => refinement::encode(&refinement::NONE),
        (_, Raw::Unknown(refinement)) => refinement::encode(refinement),
        (Type::Dynamic, Raw::Dynamic(dynamic)) if dynamic.ty == Type::Dynamic => write(&dynamic.value, ty, path)?,
        (Type::Dynamic, Raw::Dynamic(dynamic)) => typed(&dynamic.value, &dynamic.ty, path)?,
        (Type::Dynamic, raw) => typed(raw, &type_of(raw), path)?,
        (Type::Bool, Raw::Bool(value)) => Msgpack::Boolean(*value),
        (Type::Number, Raw::Number(value)) => number(value),
        (Type::String, Raw::String(text)) => Msgpack::from(text.as_str()),
        // The text leaves the provider here, because the host stores it in the state.
        (Type::Secret, Raw::Secret(secret)) => Msgpack::from(secret.expose()),
        (Type::List(element), Raw::List(elements)) => Msgpack::Array(
            elements
                .iter()
                .enumerate()
                .map(|(index, raw)| write(raw, element, &path.index(index)))
                .collect::<Result<_, _>>()?,
        ),
        (Type::Set(element), Raw::List(elements)) => {
            Msgpack::Array(elements.iter().map(|raw| write(raw, element, path)).collect::<Result<_, _>>()?)
        }
        (Type::Tuple(types), Raw::List(elements)) if types.len() == elements.len() => Msgpack::Array(
            elements
                .iter()
                .zip(types)
                .enumerate()
                .map(|(index, (raw, ty))| write(raw, ty, &path.index(index)))
                .collect::<Result<_, _>>()?,
        ),
        (Type::Map(element), Raw::Map(elements)) => Msgpack::Map(
            elements
                .iter()
                .map(|(key, raw)| Ok((Msgpack::from(key.as_str()), write(raw, element, &path.key(key))?)))
                .collect::<Result<_, Error>>()?,
        ),
        (Type::Object(types), Raw::Map(attributes)) => {
            if let Some(extra) = attributes.keys().find(|name| !types.contains_key(*name)) {
                let problem = "the schema has no such attribute";
                return Err(Error::Attributes { path: path.attribute(extra), problem });
            }
            Msgpack::Map(
                types
                    .iter()
                    .map(|(name, ty)| {
                        // Core refuses an object that lacks an attribute, even if it is null.
                        let raw = attributes.get(name).unwrap_or(&Raw::Null);
                        Ok((Msgpack::from(name.as_str()), write(raw, ty, &path.attribute(name))?))
                    })
                    .collect::<Result<_, Error>>()?,
            )
        }
        (ty, raw) => return Err(Error::mismatch(path, ty, kind(raw))),
    })
}

fn typed(raw: &Raw, ty: &Type, path: &AttributePath) -> Result<Msgpack, Error> {
    let json = ty.to_json().to_string().into_bytes();
    Ok(Msgpack::Array(vec![Msgpack::Binary(json), write(raw, ty, path)?]))
}

pub(super) fn number(number: &Number) -> Msgpack {
    match number {
        // The three forms that cty writes and reads.
        Number::Integer(integer) => Msgpack::from(*integer),
        Number::Float(float) => Msgpack::F64(*float),
        Number::Decimal(digits) => Msgpack::from(digits.as_str()),
    }
}

fn kind(raw: &Raw) -> &'static str {
    match raw {
        Raw::Null => "null",
        Raw::Unknown(_) => "an unknown value",
        Raw::Bool(_) => "a bool",
        Raw::Number(_) => "a number",
        Raw::String(_) | Raw::Secret(_) => "a string",
        Raw::List(_) => "a list of another length or kind",
        Raw::Map(_) => "an object",
        Raw::Dynamic(_) => "a dynamic value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::value::{DynamicRaw, Refinement};

    #[test]
    fn bytes_equal_those_of_core() {
        let object = Type::Object([("a".to_owned(), Type::Bool), ("b".to_owned(), Type::String)].into());
        for (raw, ty, bytes) in [
            (Raw::Null, Type::String, b"\xc0".as_slice()),
            (Raw::unknown(), Type::String, b"\xd4\x00\x00"),
            (Raw::Unknown(Refinement { null: Some(false), ..Refinement::default() }), Type::Dynamic, b"\xd4\x00\x00"),
            (7.into(), Type::Number, b"\x07"),
            (0.1.into(), Type::Number, b"\xa30.1"),
            (Raw::Number(Number::Float(0.5)), Type::Number, b"\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00"),
            (Raw::Map([("b".to_owned(), "x".into())].into()), object, b"\x82\xa1a\xc0\xa1b\xa1x"),
            ("x".into(), Type::Dynamic, b"\x92\xc4\x08\"string\"\xa1x"),
            (
                Raw::Dynamic(Box::new(DynamicRaw { ty: Type::Bool, value: Raw::Null })),
                Type::Dynamic,
                b"\x92\xc4\x06\"bool\"\xc0",
            ),
            (
                Raw::List(vec![1.into(), Raw::Null]),
                Type::Dynamic,
                b"\x92\xc4\x1e[\"tuple\",[\"number\",\"dynamic\"]]\x92\x01\xc0",
            ),
        ] {
            assert_eq!(encode(&raw, &ty), Ok(bytes.to_vec()), "{raw:?}");
        }
    }

    #[test]
    fn mismatched_type_is_an_error_with_its_path() {
        let ty = Type::Object([("a".to_owned(), Type::Bool.map())].into());
        let raw = Raw::Map([("a".to_owned(), Raw::Map([("k".to_owned(), "secret".into())].into()))].into());
        assert_eq!(encode(&raw, &ty).unwrap_err().to_string(), r#"a["k"]: expected "bool", found a string"#);
        let raw = Raw::Map([("b".to_owned(), Raw::Null)].into());
        assert_eq!(encode(&raw, &ty).unwrap_err().to_string(), "b: the schema has no such attribute");
    }
}
