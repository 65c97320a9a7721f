//! Conversion of functions to messages.

use tfplugin_proto::tfplugin6::function::{Parameter as ParameterMessage, Return};
use tfplugin_proto::tfplugin6::{Function as Message, FunctionError as ErrorMessage, StringKind};

use super::schema::type_bytes;
use crate::framework::function::{Definition, FunctionError, Parameter};

pub(in crate::protocol) fn to_message(definition: &Definition) -> Message {
    Message {
        parameters: definition.parameters.iter().map(parameter).collect(),
        variadic_parameter: definition.variadic.as_ref().map(parameter),
        r#return: Some(Return { r#type: type_bytes(&definition.result) }),
        summary: definition.summary.clone().into_owned(),
        description: definition.description.clone().into_owned(),
        description_kind: StringKind::Markdown.into(),
        deprecation_message: String::new(),
    }
}

fn parameter(parameter: &Parameter) -> ParameterMessage {
    ParameterMessage {
        name: parameter.name.clone().into_owned(),
        r#type: type_bytes(&parameter.ty),
        allow_null_value: parameter.allow_null,
        allow_unknown_values: parameter.allow_unknown,
        description: parameter.description.clone().into_owned(),
        description_kind: StringKind::Markdown.into(),
    }
}

pub(in crate::protocol) fn error(error: FunctionError) -> ErrorMessage {
    let function_argument = error.argument.map(|argument| i64::try_from(argument).unwrap_or(i64::MAX));
    ErrorMessage { text: error.text, function_argument }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::Type;

    #[test]
    fn function_signature_is_converted_completely() {
        let labels = Parameter {
            name: "labels".into(),
            description: "Labels.".into(),
            ty: Type::String.map(),
            allow_null: true,
            allow_unknown: false,
        };
        let definition = Definition {
            summary: "Tags.".into(),
            description: "All of them.".into(),
            parameters: vec![labels.clone()],
            variadic: Some(Parameter { allow_null: false, allow_unknown: true, ..labels }),
            result: Type::String,
        };
        let message = ParameterMessage {
            name: "labels".to_owned(),
            r#type: br#"["map","string"]"#.to_vec(),
            allow_null_value: true,
            allow_unknown_values: false,
            description: "Labels.".to_owned(),
            description_kind: 1,
        };
        let variadic = ParameterMessage { allow_null_value: false, allow_unknown_values: true, ..message.clone() };
        let expected = Message {
            parameters: vec![message],
            variadic_parameter: Some(variadic),
            r#return: Some(Return { r#type: br#""string""#.to_vec() }),
            summary: "Tags.".to_owned(),
            description: "All of them.".to_owned(),
            description_kind: 1,
            deprecation_message: String::new(),
        };
        assert_eq!(to_message(&definition), expected);
        assert_eq!(
            error(FunctionError::argument(1, "Wrong.")),
            ErrorMessage { text: "Wrong.".to_owned(), function_argument: Some(1) }
        );
    }
}
