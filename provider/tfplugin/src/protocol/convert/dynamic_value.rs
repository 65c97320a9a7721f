//! Conversion of values to and from messages.

use serde_json::Value as Json;
use tfplugin_proto::tfplugin6::{DynamicValue, RawState, ResourceIdentityData};

use super::{json, msgpack};
use crate::framework::{AttributePath, Diagnostic, Diagnostics, Raw, Type, state_upgrade};

/// Decodes a value. A missing value, or one without content, is null.
pub(in crate::protocol) fn decode(value: Option<&DynamicValue>, ty: &Type) -> Result<Raw, Diagnostics> {
    let Some(value) = value else { return Ok(Raw::Null) };
    if !value.msgpack.is_empty() {
        return msgpack::decode(&value.msgpack, ty).map_err(|error| Diagnostic::from(error).into());
    }
    // Core sends msgpack, but the protocol allows JSON as well.
    if !value.json.is_empty() {
        return Ok(state_upgrade::read(&parse(&value.json)?, ty, &AttributePath::root())?);
    }
    Ok(Raw::Null)
}

/// Encodes a value, always as msgpack.
pub(in crate::protocol) fn encode(raw: &Raw, ty: &Type) -> Result<DynamicValue, Diagnostics> {
    let msgpack = msgpack::encode(raw, ty).map_err(Diagnostic::from)?;
    Ok(DynamicValue { msgpack, json: Vec::new() })
}

/// Parses stored state of any version as JSON.
pub(in crate::protocol) fn stored(state: Option<&RawState>) -> Result<Json, Diagnostics> {
    match state {
        Some(state) if !state.json.is_empty() => parse(&state.json),
        Some(state) if !state.flatmap.is_empty() => Err(Diagnostic::error(
            "State is too old",
            "The state was written by Terraform 0.11 or older, which this provider never supported. Remove the resource \
             from the state and import it again.",
        )
        .into()),
        _ => Ok(Json::Null),
    }
}

/// Decodes an identity. A missing identity is null.
pub(in crate::protocol) fn identity(data: Option<&ResourceIdentityData>, ty: &Type) -> Result<Raw, Diagnostics> {
    decode(data.and_then(|data| data.identity_data.as_ref()), ty)
}

/// Encodes an identity; `None` for null.
pub(in crate::protocol) fn identity_data(raw: &Raw, ty: &Type) -> Result<Option<ResourceIdentityData>, Diagnostics> {
    if raw.is_null() {
        return Ok(None);
    }
    Ok(Some(ResourceIdentityData { identity_data: Some(encode(raw, ty)?) }))
}

fn parse(bytes: &[u8]) -> Result<Json, Diagnostics> {
    // The message of the parser may quote the text, which can be secret: only the position is reported.
    json::parse(bytes).map_err(|error| {
        Diagnostic::error(
            "Value is not JSON",
            format!("The host sent JSON that cannot be read at line {} column {}.", error.line(), error.column()),
        )
        .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_value_is_null() {
        assert_eq!(decode(None, &Type::String), Ok(Raw::Null));
        assert_eq!(decode(Some(&DynamicValue::default()), &Type::String), Ok(Raw::Null));
    }

    #[test]
    fn json_is_decoded() {
        let value = DynamicValue { msgpack: Vec::new(), json: br#"["b","a"]"#.to_vec() };
        assert_eq!(decode(Some(&value), &Type::String.set()), Ok(Raw::List(vec!["a".into(), "b".into()])));
        let broken = DynamicValue { msgpack: Vec::new(), json: b"{secret".to_vec() };
        let error = decode(Some(&broken), &Type::String).unwrap_err();
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }

    #[test]
    fn flatmap_state_is_refused() {
        let old = RawState { json: Vec::new(), flatmap: [("id".to_owned(), "a".to_owned())].into() };
        assert!(stored(Some(&old)).is_err());
        assert_eq!(stored(None), Ok(Json::Null));
    }
}
