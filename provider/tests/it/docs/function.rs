//! The signature and arguments of a function.

use tfplugin::framework::function::{Definition, Parameter};

use super::schema::{hanging, type_name};

pub(super) fn signature(name: &str, definition: &Definition) -> String {
    let parameter = |it: &Parameter| format!("{} {}", it.name, type_name(&it.ty).to_lowercase());
    let mut parameters: Vec<_> = definition.parameters.iter().map(parameter).collect();
    parameters.extend(definition.variadic.iter().map(|it| format!("{}...", parameter(it))));
    format!("{name}({}) {}", parameters.join(", "), type_name(&definition.result).to_lowercase())
}

pub(super) fn arguments(definition: &Definition) -> String {
    let all =
        definition.parameters.iter().map(|it| (it, "")).chain(definition.variadic.iter().map(|it| (it, ", Variadic")));
    let lines = all.enumerate().map(|(index, (it, variadic))| {
        let nullable = if it.allow_null { ", Nullable" } else { "" };
        let text = format!("`{}` ({}{variadic}{nullable}) {}", it.name, type_name(&it.ty), it.description);
        format!("{}. {}", index + 1, hanging(&text, 3))
    });
    format!("## Arguments\n\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use tfplugin::framework::Type;

    use super::*;

    #[test]
    fn variadic_and_nullable_parameters_are_marked() {
        let parameter = |name: &'static str, ty, allow_null| Parameter {
            name: name.into(),
            description: "What.\nIt is.".into(),
            ty,
            allow_null,
            allow_unknown: false,
        };
        let definition = Definition {
            summary: "".into(),
            description: "".into(),
            parameters: vec![parameter("labels", Type::String.map(), true)],
            variadic: Some(parameter("more", Type::Number, false)),
            result: Type::Bool.list(),
        };
        assert_eq!(signature("f", &definition), "f(labels map of string, more number...) list of boolean");
        assert_eq!(
            arguments(&definition),
            "## Arguments\n\n1. `labels` (Map of String, Nullable) What.\n   It is.\n2. `more` (Number, Variadic) What.\n   It is."
        );
    }
}
