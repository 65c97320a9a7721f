//! The schema as lists of attributes: required, optional, read-only, and nested.

use std::collections::VecDeque;

use tfplugin::framework::identity::IdentityAttribute;
use tfplugin::framework::schema::Mode;
use tfplugin::framework::{Attribute, Kind, Nesting, Number, Raw, Schema, Type};

/// Whether an attribute belongs to a group.
type Group = fn(Mode) -> bool;

/// Groups of attributes by who sets them, with the titles of the registry.
const GROUPS: [(&str, Group); 3] = [
    ("Required", |mode| mode == Mode::Required),
    ("Optional", |mode| matches!(mode, Mode::Optional | Mode::OptionalComputed(_))),
    ("Read-Only", |mode| matches!(mode, Mode::Computed(_))),
];

/// The host converts an object to the attribute's type before it sends it.
const LEFT_OUT: &str = "OpenTofu and Terraform omit unknown attributes of nested objects without an error, for example misspelled \
    ones. Verify in the plan that it contains all attributes that you set.";

/// Whether a user can set an object, from which the host omits unknown names.
fn takes_objects(attribute: &Attribute) -> bool {
    matches!(attribute.kind, Kind::Nested(..)) && !matches!(attribute.mode, Mode::Computed(_))
}

/// The section `## Schema`.
pub(super) fn schema_section(schema: &Schema) -> String {
    let mut parts = vec!["## Schema".to_owned()];
    if schema.attributes.iter().any(takes_objects) {
        parts.push(LEFT_OUT.to_owned());
    }
    let mut nested = VecDeque::new();
    for (title, group) in GROUPS {
        let lines = lines(&schema.attributes, "", group, &mut nested);
        if !lines.is_empty() {
            parts.push(format!("### {title}"));
            parts.push(lines);
        }
    }
    while let Some((path, attributes)) = nested.pop_front() {
        parts.push(format!("<a id=\"{}\"></a>\n### Nested Schema for `{path}`", anchor(&path)));
        // Deeper attributes follow immediately, as in the registry.
        let mut deeper = VecDeque::new();
        for (title, group) in GROUPS {
            let lines = lines(attributes, &path, group, &mut deeper);
            if !lines.is_empty() {
                parts.push(format!("{title}:"));
                parts.push(lines);
            }
        }
        deeper.extend(nested);
        nested = deeper;
    }
    parts.join("\n\n")
}

fn lines<'a>(
    attributes: &'a [Attribute],
    parent: &str,
    group: Group,
    nested: &mut VecDeque<(String, &'a [Attribute])>,
) -> String {
    let mut attributes: Vec<_> = attributes.iter().filter(|attribute| group(attribute.mode)).collect();
    attributes.sort_by_key(|attribute| &attribute.name);
    let lines = attributes.into_iter().map(|attribute| {
        let path = if parent.is_empty() { attribute.name.to_string() } else { format!("{parent}.{}", attribute.name) };
        let line = line(attribute, &path);
        if let Kind::Nested(_, deeper) = &attribute.kind {
            nested.push_back((path, deeper));
        }
        line
    });
    lines.collect::<Vec<_>>().join("\n")
}

pub(super) fn line(attribute: &Attribute, path: &str) -> String {
    let ty = match &attribute.kind {
        Kind::Plain(ty) => type_name(ty),
        Kind::Nested(Nesting::Single, _) => "Attributes".to_owned(),
        Kind::Nested(nesting, _) => format!("Attributes {nesting:?}"),
    };
    let marks = [
        ("Sensitive", attribute.sensitive),
        ("Write-only", attribute.write_only),
        ("Deprecated", attribute.deprecated.is_some()),
    ];
    let marks: String = marks.iter().filter(|(_, set)| *set).map(|(mark, _)| format!(", {mark}")).collect();
    let mut text = format!("`{}` ({ty}{marks}) {}", attribute.name, attribute.description);
    if !attribute.default.is_null() {
        text += &format!(" Default: `{}`.", literal(&attribute.default));
    }
    if attribute.replace {
        text += " A change replaces the resource.";
    }
    if let Some(instead) = &attribute.deprecated {
        text += &format!(" **Deprecated:** {instead}");
    }
    if let Kind::Nested(..) = attribute.kind {
        text += &format!(" (see [below for nested schema](#{}))", anchor(path));
    }
    format!("- {}", hanging(&text, 2))
}

/// The attributes of an identity.
pub(super) fn identity_section(identity: &[IdentityAttribute]) -> String {
    let mut parts = vec!["### Identity Schema".to_owned()];
    for (title, required) in [("Required", true), ("Optional", false)] {
        let lines: Vec<_> = identity
            .iter()
            .filter(|it| it.required_for_import == required)
            .map(|it| format!("- {}", hanging(&format!("`{}` ({}) {}", it.name, type_name(&it.ty), it.description), 2)))
            .collect();
        if !lines.is_empty() {
            parts.push(format!("#### {title}"));
            parts.push(lines.join("\n"));
        }
    }
    parts.join("\n\n")
}

fn anchor(path: &str) -> String {
    format!("nestedatt--{}", path.replace('.', "--"))
}

/// Indents the lines after the first, so that they belong to the same list item.
pub(super) fn hanging(text: &str, indent: usize) -> String {
    let indent = " ".repeat(indent);
    let mut lines = text.trim_end().lines();
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| if line.is_empty() { text + "\n" } else { format!("{text}\n{indent}{line}") })
}

pub(super) fn type_name(ty: &Type) -> String {
    match ty {
        Type::String | Type::Secret => "String".to_owned(),
        Type::Number => "Number".to_owned(),
        Type::Bool => "Boolean".to_owned(),
        Type::Dynamic => "Dynamic".to_owned(),
        Type::List(element) => format!("List of {}", type_name(element)),
        Type::Set(element) => format!("Set of {}", type_name(element)),
        Type::Map(element) => format!("Map of {}", type_name(element)),
        Type::Object(_) => "Object".to_owned(),
        Type::Tuple(_) => "Tuple".to_owned(),
    }
}

/// A value in HCL.
fn literal(value: &Raw) -> String {
    match value {
        Raw::Null | Raw::Unknown(_) | Raw::Secret(_) => "null".to_owned(),
        Raw::Bool(value) => value.to_string(),
        Raw::Number(Number::Integer(integer)) => integer.to_string(),
        Raw::Number(number) => number.to_string(),
        Raw::String(text) => format!("{text:?}"),
        Raw::List(elements) => format!("[{}]", elements.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Raw::Map(members) => {
            let members: Vec<_> = members.iter().map(|(name, value)| format!("{name} = {}", literal(value))).collect();
            if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join(", ")) }
        }
        Raw::Dynamic(dynamic) => literal(&dynamic.value),
    }
}

#[cfg(test)]
mod tests {
    use tfplugin::framework::value::Secret;
    use tfplugin::framework::{Object, Value};

    use super::*;

    #[derive(Clone, Default, PartialEq, Object)]
    struct Port {
        /// Its number.
        #[attr(required)]
        number: Value<i64>,
    }

    #[derive(Clone, Default, PartialEq, Object)]
    struct Rule {
        /// The ports.
        #[attr(optional)]
        ports: Value<Vec<Value<Port>>>,
    }

    #[derive(Clone, Default, PartialEq, Object)]
    struct Thing {
        /// Its name.
        #[attr(required, replace)]
        name: Value<String>,
        /// Its size.
        /// In metres.
        #[attr(optional, default = 3)]
        size: Value<i64>,
        /// A rule.
        #[attr(optional)]
        rule: Value<Rule>,
        /// A token.
        #[attr(optional, write_only, sensitive, deprecated = "Use `name`.")]
        token_wo: Value<Secret>,
        /// Its id.
        #[attr(computed)]
        id: Value<String>,
    }

    #[test]
    fn schema_section_is_rendered() {
        let expected = r#"## Schema

OpenTofu and Terraform omit unknown attributes of nested objects without an error, for example misspelled ones. Verify in the plan that it contains all attributes that you set.

### Required

- `name` (String) Its name. A change replaces the resource.

### Optional

- `rule` (Attributes) A rule. (see [below for nested schema](#nestedatt--rule))
- `size` (Number) Its size.
  In metres. Default: `3`.
- `token_wo` (String, Sensitive, Write-only, Deprecated) A token. **Deprecated:** Use `name`.

### Read-Only

- `id` (String) Its id.

<a id="nestedatt--rule"></a>
### Nested Schema for `rule`

Optional:

- `ports` (Attributes List) The ports. (see [below for nested schema](#nestedatt--rule--ports))

<a id="nestedatt--rule--ports"></a>
### Nested Schema for `rule.ports`

Required:

- `number` (Number) Its number."#;
        assert_eq!(schema_section(&Schema::of::<Thing>(0, "")), expected);
    }

    #[test]
    fn defaults_are_written_as_in_hcl() {
        let value = Raw::Map([("a".to_owned(), Raw::List(vec!["x".into(), true.into()]))].into());
        assert_eq!(literal(&value), r#"{ a = ["x", true] }"#);
        assert_eq!(literal(&0.5.into()), "0.5");
    }
}
