//! Conversion of schemas to messages.

use tfplugin_proto::tfplugin6::Schema as Message;
use tfplugin_proto::tfplugin6::StringKind;
use tfplugin_proto::tfplugin6::schema::object::NestingMode;
use tfplugin_proto::tfplugin6::schema::{Attribute as AttributeMessage, Block, Object};

use crate::framework::schema::Mode;
use crate::framework::{Attribute, Kind, Nesting, Schema, Type};

pub(in crate::protocol) fn to_message(schema: &Schema) -> Message {
    Message {
        version: schema.version,
        block: Some(Block {
            version: schema.version,
            attributes: attributes(&schema.attributes),
            description: schema.description.clone().into_owned(),
            description_kind: StringKind::Markdown.into(),
            deprecated: schema.deprecated.is_some(),
            deprecation_message: schema.deprecated.clone().unwrap_or_default().into_owned(),
            ..Block::default()
        }),
    }
}

fn attributes(attributes: &[Attribute]) -> Vec<AttributeMessage> {
    attributes.iter().map(attribute).collect()
}

fn attribute(attribute: &Attribute) -> AttributeMessage {
    let (ty, nested_type) = match &attribute.kind {
        Kind::Plain(ty) => (type_bytes(ty), None),
        Kind::Nested(nesting, nested) => (Vec::new(), Some(object(*nesting, nested))),
    };
    AttributeMessage {
        name: attribute.name.clone().into_owned(),
        r#type: ty,
        nested_type,
        description: attribute.description.clone().into_owned(),
        description_kind: StringKind::Markdown.into(),
        required: attribute.mode == Mode::Required,
        optional: matches!(attribute.mode, Mode::Optional | Mode::OptionalComputed(_)),
        computed: attribute.mode.computed().is_some(),
        sensitive: attribute.sensitive,
        write_only: attribute.write_only,
        // Terraform refuses a deprecation message without this flag.
        deprecated: attribute.deprecated.is_some(),
        deprecation_message: attribute.deprecated.clone().unwrap_or_default().into_owned(),
    }
}

fn object(nesting: Nesting, nested: &[Attribute]) -> Object {
    let nesting = match nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::List => NestingMode::List,
        Nesting::Set => NestingMode::Set,
        Nesting::Map => NestingMode::Map,
    };
    // The limits on the number of objects have been deprecated since protocol 6.1, and core does not enforce them.
    Object { attributes: attributes(nested), nesting: nesting.into(), ..Object::default() }
}

/// Encodes a type as JSON.
pub(super) fn type_bytes(ty: &Type) -> Vec<u8> {
    ty.to_json().to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::Value;
    use crate::framework::value::Secret;

    #[derive(Clone, Default, PartialEq, crate::framework::Object)]
    struct Inner {
        /// A *size*.
        #[attr(optional, default = 5)]
        size: Value<i64>,
    }

    #[derive(Clone, Default, PartialEq, crate::framework::Object)]
    struct Outer {
        /// Several.
        #[attr(required)]
        inner: Value<Vec<Value<Inner>>>,
        /// Secret.
        #[attr(optional, write_only, sensitive, deprecated = "Use `other`.")]
        token_wo: Value<Secret>,
    }

    #[test]
    fn schema_is_converted_completely() {
        let schema = Schema { deprecated: Some("Gone soon.".into()), ..Schema::of::<Outer>(3, "A thing.") };
        let size = AttributeMessage {
            name: "size".to_owned(),
            r#type: br#""number""#.to_vec(),
            description: "A *size*.".to_owned(),
            description_kind: 1,
            optional: true,
            computed: true,
            ..AttributeMessage::default()
        };
        let inner = AttributeMessage {
            name: "inner".to_owned(),
            nested_type: Some(Object { attributes: vec![size], nesting: 2, ..Object::default() }),
            description: "Several.".to_owned(),
            description_kind: 1,
            required: true,
            ..AttributeMessage::default()
        };
        let token = AttributeMessage {
            name: "token_wo".to_owned(),
            r#type: br#""string""#.to_vec(),
            description: "Secret.".to_owned(),
            description_kind: 1,
            optional: true,
            sensitive: true,
            write_only: true,
            deprecated: true,
            deprecation_message: "Use `other`.".to_owned(),
            ..AttributeMessage::default()
        };
        let block = Block {
            version: 3,
            attributes: vec![inner, token],
            description: "A thing.".to_owned(),
            description_kind: 1,
            deprecated: true,
            deprecation_message: "Gone soon.".to_owned(),
            ..Block::default()
        };
        assert_eq!(to_message(&schema), Message { version: 3, block: Some(block) });
    }
}
