//! Conversion of identity schemas to messages.

use tfplugin_proto::tfplugin6::ResourceIdentitySchema as Message;
use tfplugin_proto::tfplugin6::resource_identity_schema::IdentityAttribute as AttributeMessage;

use super::schema::type_bytes;
use crate::framework::Type;
use crate::framework::identity::{IdentityAttribute, IdentitySchema};

pub(in crate::protocol) fn to_message(schema: &IdentitySchema) -> Message {
    let attributes = schema.attributes.iter().map(|attribute| AttributeMessage {
        name: attribute.name.clone(),
        r#type: type_bytes(&attribute.ty),
        required_for_import: attribute.required_for_import,
        optional_for_import: !attribute.required_for_import,
        description: attribute.description.clone(),
    });
    Message { version: schema.version, identity_attributes: attributes.collect() }
}

/// Returns the type of an identity with these attributes.
pub(in crate::protocol) fn ty(attributes: &[IdentityAttribute]) -> Type {
    Type::Object(attributes.iter().map(|attribute| (attribute.name.clone(), attribute.ty.clone())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attribute_is_required_or_optional_for_import() {
        let attribute = |name: &str, required_for_import| IdentityAttribute {
            name: name.to_owned(),
            ty: Type::String,
            required_for_import,
            description: "What.".to_owned(),
        };
        let attributes = [attribute("name", true), attribute("region", false)];
        let message = to_message(&IdentitySchema { version: 2, attributes: attributes.to_vec() });
        assert_eq!(message.version, 2);
        assert_eq!(
            message
                .identity_attributes
                .iter()
                .map(|a| (a.required_for_import, a.optional_for_import))
                .collect::<Vec<_>>(),
            [(true, false), (false, true)]
        );
        assert_eq!(ty(&attributes).to_json().to_string(), r#"["object",{"name":"string","region":"string"}]"#);
    }
}
