//! Terraform values as msgpack, the format in which core sends and receives them.
//!
//! The format is that of cty: the bytes do not include the type, which both sides know from the schema. Source:
//! Terraform's `docs/plugin-protocol/object-wire-format.md`.

mod decode;
mod encode;
mod refinement;

pub(in crate::protocol) use decode::decode;
pub(in crate::protocol) use encode::encode;

use crate::framework::{AttributePath, Diagnostic, Type};

/// A mismatch between bytes and type. It does not include the value, which may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::protocol) enum Error {
    /// The bytes are not one msgpack value.
    #[error("the bytes are not msgpack: {0}")]
    Malformed(String),
    /// A value does not have the type of the schema.
    #[error("{path}: expected {expected}, found {found}")]
    Mismatch {
        /// Path of the value.
        path: AttributePath,
        /// Type in the schema.
        expected: String,
        /// Kind of the value.
        found: &'static str,
    },
    /// An object does not have exactly the attributes of the schema.
    #[error("{path}: {problem}")]
    Attributes {
        /// Path of the attribute.
        path: AttributePath,
        /// Whether it is missing, or not in the schema.
        problem: &'static str,
    },
}

impl Error {
    fn mismatch(path: &AttributePath, ty: &Type, found: &'static str) -> Self {
        Self::Mismatch { path: path.clone(), expected: ty.to_json().to_string(), found }
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        let path = match &error {
            Error::Malformed(_) => AttributePath::root(),
            Error::Mismatch { path, .. } | Error::Attributes { path, .. } => path.clone(),
        };
        Self::error(
            "Value does not fit the schema",
            format!(
                "A value that the host and the provider exchange does not match the schema of the provider: {error}. \
                 This is a bug of the provider, unless its binary was replaced during the run: please report it."
            ),
        )
        .at(path)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::*;
    use crate::framework::value::{DynamicRaw, Refinement};
    use crate::framework::{Number, Raw};

    fn number() -> impl Strategy<Value = Number> {
        prop_oneof![
            any::<i64>().prop_map(Number::Integer),
            any::<f64>().prop_filter("numbers", |float| !float.is_nan()).prop_map(Number::Float),
            "-?[1-9][0-9]{0,30}[.][0-9]{1,40}".prop_map(Number::Decimal),
        ]
    }

    fn unknown() -> impl Strategy<Value = Raw> {
        let bound = || proptest::option::of((number(), any::<bool>()));
        let length = || proptest::option::of(0..=i64::MAX);
        (proptest::option::of(any::<bool>()), proptest::option::of(".{0,20}"), bound(), bound(), length(), length())
            .prop_map(|(null, prefix, minimum, maximum, minimum_length, maximum_length)| {
                Raw::Unknown(Refinement { null, prefix, minimum, maximum, minimum_length, maximum_length })
            })
    }

    /// Any value of a type, sometimes null or unknown.
    fn value(ty: &Type) -> BoxedStrategy<Raw> {
        let known = match ty {
            Type::Bool => any::<bool>().prop_map(Raw::Bool).boxed(),
            Type::Number => number().prop_map(Raw::Number).boxed(),
            Type::String => any::<String>().prop_map(Raw::String).boxed(),
            Type::Secret => any::<String>().prop_map(|text| Raw::Secret(text.into())).boxed(),
            Type::List(element) => vec(value(element), 0..4).prop_map(Raw::List).boxed(),
            Type::Set(element) => vec(value(element), 0..4).prop_map(Raw::set).boxed(),
            Type::Map(element) => btree_map(any::<String>(), value(element), 0..4).prop_map(Raw::Map).boxed(),
            Type::Tuple(types) => types.iter().map(value).collect::<Vec<_>>().prop_map(Raw::List).boxed(),
            Type::Object(types) => types
                .iter()
                .map(|(name, ty)| (Just(name.clone()), value(ty)))
                .collect::<Vec<_>>()
                .prop_map(|attributes| Raw::Map(attributes.into_iter().collect()))
                .boxed(),
            Type::Dynamic => {
                return (ty_of_depth(1).prop_flat_map(|ty| (Just(ty.clone()), value(&ty))))
                    .prop_map(|(ty, value)| Raw::Dynamic(Box::new(DynamicRaw { ty, value })))
                    .boxed();
            }
        };
        prop_oneof![1 => Just(Raw::Null), 1 => unknown(), 8 => known].boxed()
    }

    fn ty_of_depth(depth: u32) -> impl Strategy<Value = Type> {
        let leaf = prop_oneof![Just(Type::Bool), Just(Type::Number), Just(Type::String)];
        leaf.prop_recursive(depth, 16, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(Type::list),
                inner.clone().prop_map(Type::set),
                inner.clone().prop_map(Type::map),
                vec(inner.clone(), 0..4).prop_map(Type::Tuple),
                btree_map("[a-z_]{1,8}", inner, 0..4).prop_map(Type::Object),
            ]
        })
    }

    fn ty() -> impl Strategy<Value = Type> {
        prop_oneof![
            9 => ty_of_depth(3),
            1 => Just(Type::Dynamic.map()),
            1 => Just(Type::Dynamic),
            1 => Just(Type::Secret),
            1 => Just(Type::Secret.list()),
        ]
    }

    proptest! {
        #[test]
        fn values_survive_the_round_trip((ty, raw) in ty().prop_flat_map(|ty| (Just(ty.clone()), value(&ty)))) {
            let bytes = encode(&raw, &ty).unwrap();
            prop_assert_eq!(decode(&bytes, &ty), Ok(raw));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200), ty in ty()) {
            let _ = decode(&bytes, &ty);
        }
    }
}
