//! Decoding of msgpack.

use rmpv::Value as Msgpack;

use super::{Error, refinement};
use crate::framework::value::DynamicRaw;
use crate::framework::{AttributePath, Number, Raw, Type};

/// Deeper than any realistic configuration, and shallow enough for the stack.
const MAX_DEPTH: usize = 256;

/// Decodes one value.
///
/// # Errors
/// If the bytes are not msgpack, or the value has another type.
pub(in crate::protocol) fn decode(bytes: &[u8], ty: &Type) -> Result<Raw, Error> {
    let mut rest = bytes;
    let value = rmpv::decode::read_value_with_max_depth(&mut rest, MAX_DEPTH)
        .map_err(|error| Error::Malformed(error.kind().to_string()))?;
    if !rest.is_empty() {
        return Err(Error::Malformed("further data after the value".to_owned()));
    }
    read(value, ty, &AttributePath::root())
}

fn read(value: Msgpack, ty: &Type, path: &AttributePath) -> Result<Raw, Error> {
    let wrong = |value: &Msgpack| Error::mismatch(path, ty, kind(value));
    Ok(match (ty, value) {
        (_, Msgpack::Nil) => Raw::Null,
        // Every extension code means unknown: further codes may be defined.
        (_, Msgpack::Ext(code, body)) => Raw::Unknown(refinement::decode(code, &body)),
        (Type::Dynamic, Msgpack::Array(pair)) => dynamic(pair, path)?,
        (Type::Bool, Msgpack::Boolean(value)) => Raw::Bool(value),
        (Type::Number, value) => Raw::Number(number(&value).ok_or_else(|| wrong(&value))?),
        (Type::String | Type::Secret, Msgpack::String(text)) => match text.into_str() {
            Some(text) if *ty == Type::Secret => Raw::Secret(text.into()),
            Some(text) => Raw::String(text),
            None => return Err(Error::mismatch(path, ty, "bytes that are not UTF-8")),
        },
        (Type::List(element), Msgpack::Array(elements)) => Raw::List(list(elements, element, path)?),
        (Type::Set(element), Msgpack::Array(elements)) => Raw::set(set(elements, element, path)?),
        (Type::Tuple(types), Msgpack::Array(elements)) if types.len() == elements.len() => Raw::List(
            elements
                .into_iter()
                .zip(types)
                .enumerate()
                .map(|(index, (element, ty))| read(element, ty, &path.index(index)))
                .collect::<Result<_, _>>()?,
        ),
        (Type::Map(element), Msgpack::Map(pairs)) => Raw::Map(
            pairs
                .into_iter()
                .map(|(key, value)| {
                    let key = name(key, path)?;
                    let value = read(value, element, &path.key(&key))?;
                    Ok((key, value))
                })
                .collect::<Result<_, Error>>()?,
        ),
        (Type::Object(_), Msgpack::Map(pairs)) => object(pairs, ty, path)?,
        (_, value) => return Err(wrong(&value)),
    })
}

fn list(elements: Vec<Msgpack>, ty: &Type, path: &AttributePath) -> Result<Vec<Raw>, Error> {
    elements.into_iter().enumerate().map(|(index, element)| read(element, ty, &path.index(index))).collect()
}

fn set(elements: Vec<Msgpack>, ty: &Type, path: &AttributePath) -> Result<Vec<Raw>, Error> {
    // Elements of a set have no index: errors have the path of the set.
    elements.into_iter().map(|element| read(element, ty, path)).collect()
}

/// Reads an object, which must have exactly the attributes of its type.
fn object(pairs: Vec<(Msgpack, Msgpack)>, ty: &Type, path: &AttributePath) -> Result<Raw, Error> {
    let Type::Object(types) = ty else { return Err(Error::mismatch(path, ty, "an object")) };
    let mut attributes = std::collections::BTreeMap::new();
    for (key, value) in pairs {
        let key = name(key, path)?;
        let path = path.attribute(&key);
        let Some(ty) = types.get(&key) else {
            return Err(Error::Attributes { path, problem: "the schema has no such attribute" });
        };
        attributes.insert(key, read(value, ty, &path)?);
    }
    // cty refuses an object with fewer attributes as well; null attributes are sent as nil.
    match types.keys().find(|name| !attributes.contains_key(*name)) {
        Some(missing) => Err(Error::Attributes { path: path.attribute(missing), problem: "the attribute is missing" }),
        None => Ok(Raw::Map(attributes)),
    }
}

fn name(key: Msgpack, path: &AttributePath) -> Result<String, Error> {
    let found = kind(&key);
    match key {
        Msgpack::String(text) => text.into_str(),
        _ => None,
    }
    .ok_or_else(|| Error::mismatch(path, &Type::String, found))
}

/// Reads a value of dynamic type, which is sent with its type: `[type as JSON, value]`.
fn dynamic(pair: Vec<Msgpack>, path: &AttributePath) -> Result<Raw, Error> {
    let wrong = || Error::mismatch(path, &Type::Dynamic, "a value without a type");
    let [ty, value]: [Msgpack; 2] = pair.try_into().map_err(|_| wrong())?;
    let json = match &ty {
        Msgpack::Binary(bytes) => bytes.as_slice(),
        Msgpack::String(text) => text.as_bytes(),
        _ => return Err(wrong()),
    };
    let json = serde_json::from_slice(json).map_err(|_| wrong())?;
    let ty = Type::from_json(&json).ok_or_else(wrong)?;
    let value = read(value, &ty, path)?;
    Ok(Raw::Dynamic(Box::new(DynamicRaw { ty, value })))
}

/// Reads a number: an integer, a float, or a string of decimal digits if neither of them is exact.
pub(super) fn number(value: &Msgpack) -> Option<Number> {
    match value {
        Msgpack::Integer(integer) => {
            Some(integer.as_i64().map_or_else(|| Number::Decimal(integer.to_string()), Number::Integer))
        }
        Msgpack::F32(float) => Some(Number::Float(f64::from(*float))),
        Msgpack::F64(float) => Some(Number::Float(*float)),
        Msgpack::String(text) => {
            let text = text.as_str()?;
            Number::parse(text).or_else(|| is_decimal(text).then(|| Number::Decimal(text.to_owned())))
        }
        _ => None,
    }
}

/// Whether the text is a decimal number. Terraform's numbers can exceed the range of a float.
fn is_decimal(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && text.ends_with(|c: char| c.is_ascii_digit())
        && text.parse::<f64>().is_ok()
}

fn kind(value: &Msgpack) -> &'static str {
    match value {
        Msgpack::Nil => "nil",
        Msgpack::Boolean(_) => "a bool",
        Msgpack::Integer(_) | Msgpack::F32(_) | Msgpack::F64(_) => "a number",
        Msgpack::String(_) => "a string",
        Msgpack::Binary(_) => "bytes",
        Msgpack::Array(_) => "an array",
        Msgpack::Map(_) => "a map",
        Msgpack::Ext(..) => "an extension",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_number(bytes: &[u8]) -> Number {
        let Ok(Raw::Number(number)) = decode(bytes, &Type::Number) else { panic!("{bytes:x?} is no number") };
        number
    }

    #[test]
    fn every_number_format_is_decoded() {
        assert!(matches!(read_number(&[0x05]), Number::Integer(5)));
        assert!(matches!(read_number(&[0xff]), Number::Integer(-1)));
        assert!(matches!(read_number(b"\xca\x3f\x00\x00\x00"), Number::Float(0.5)));
        assert!(matches!(read_number(b"\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00"), Number::Float(0.5)));
        for (bytes, digits) in [
            (b"\xa30.1".as_slice(), "0.1"),
            (b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"),
            (b"\xa51e999", "1e999"),
        ] {
            let Number::Decimal(text) = read_number(bytes) else { panic!("{digits} lost its digits") };
            assert_eq!(text, digits);
        }
        for wrong in [b"\xa3inf".as_slice(), b"\xa1x", b"\xa0", b"\xc3"] {
            assert!(decode(wrong, &Type::Number).is_err(), "{wrong:x?}");
        }
    }

    #[test]
    fn every_extension_decodes_to_unknown() {
        for bytes in [[0xd4, 0x00, 0x00], [0xd4, 0x0c, 0x00], [0xd4, 0x63, 0x01]] {
            assert_eq!(decode(&bytes, &Type::String), Ok(Raw::unknown()));
        }
    }

    #[test]
    fn missing_or_further_attributes_are_refused() {
        let ty = Type::Object([("a".to_owned(), Type::Bool), ("b".to_owned(), Type::Bool)].into());
        let problem = |bytes| decode(bytes, &ty).map_err(|error| error.to_string());
        assert_eq!(problem(b"\x81\xa1a\xc3"), Err("b: the attribute is missing".to_owned()));
        assert_eq!(problem(b"\x83\xa1a\xc3\xa1b\xc0\xa1c\xc0"), Err("c: the schema has no such attribute".to_owned()));
        assert_eq!(
            problem(b"\x82\xa1a\xc3\xa1b\xc0"),
            Ok(Raw::Map([("a".to_owned(), true.into()), ("b".to_owned(), Raw::Null)].into()))
        );
    }

    #[test]
    fn error_names_the_path_but_not_the_value() {
        let error = decode(b"\x91\xa6secret", &Type::Bool.list()).unwrap_err();
        assert_eq!(error.to_string(), r#"[0]: expected "bool", found a string"#);
    }

    #[test]
    fn sets_are_decoded_in_any_order() {
        assert_eq!(decode(b"\x93\xa1b\xa1a\xa1b", &Type::String.set()), Ok(Raw::List(vec!["a".into(), "b".into()])));
    }

    #[test]
    fn invalid_bytes_and_deep_nesting_are_refused() {
        assert!(decode(b"", &Type::Bool).is_err());
        assert!(decode(b"\xc3\xc3", &Type::Bool).is_err());
        assert!(decode(&[0x91; 100_000], &Type::Bool.list()).is_err());
    }
}
