//! Requirements of the description of an attribute: its default or the meaning of its absence, its unit, and the effect
//! of a change.

use std::collections::BTreeSet;

use gitlabspot::provider::Gitlabspot;
use tfplugin::framework::schema::Mode;
use tfplugin::framework::{Attribute, Kind, Provider, Schema};

use super::schema::line;
use crate::repository::{files, text};

/// The description of an optional attribute contains one of these.
const DEFAULTS: [&str; 9] = [
    "Default to ",
    "Defaults to ",
    "default to ",
    "defaults to ",
    "By default",
    "by default",
    "Without it",
    "Required",
    " is required",
];

/// Optional attributes without a default in their description, by the end of their path, and the reason.
const EXEMPT: [(&str, &str); 3] = [
    (".timeouts.create", "the text of `timeouts` has the defaults, which differ between resources"),
    (".timeouts.update", "the text of `timeouts` has the defaults, which differ between resources"),
    (".timeouts.delete", "the text of `timeouts` has the defaults, which differ between resources"),
];

/// Suffixes of names with a unit, and its spelling in the description.
const UNITS: [(&str, &str); 4] = [("_seconds", "seconds"), ("_days", "days"), ("_gib", "GiB"), ("_percent", "percent")];

/// All schemas, with the name of what they describe.
fn schemas() -> Vec<(String, Schema)> {
    let registry = Gitlabspot::default().registry();
    let mut schemas = vec![("provider".to_owned(), Schema::of::<<Gitlabspot as Provider>::Config>(0, ""))];
    schemas.extend(registry.resources.iter().map(|it| (it.type_name().to_owned(), it.schema())));
    schemas.extend(registry.list_resources.iter().map(|it| (format!("list.{}", it.type_name()), it.schema())));
    schemas.extend(registry.data_sources.iter().map(|it| (format!("data.{}", it.type_name()), it.schema())));
    schemas
}

/// All attributes with their paths, nested ones after the attribute that contains them.
fn flattened(schema_name: &str, attributes: &[Attribute]) -> Vec<(String, Attribute)> {
    let mut all = Vec::new();
    for attribute in attributes {
        let path = format!("{schema_name}.{}", attribute.name);
        all.push((path.clone(), attribute.clone()));
        if let Kind::Nested(_, below) = &attribute.kind {
            all.extend(flattened(&path, below));
        }
    }
    all
}

fn attributes() -> Vec<(String, Attribute)> {
    schemas().iter().flat_map(|(name, schema)| flattened(name, &schema.attributes)).collect()
}

/// The description in one line, so that line breaks do not matter.
fn text_of(attribute: &Attribute) -> String {
    one_line(&attribute.description)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn names_a_default(text: &str) -> bool {
    DEFAULTS.iter().any(|phrase| text.contains(phrase))
}

fn needs_a_default(path: &str, attribute: &Attribute) -> bool {
    matches!(attribute.mode, Mode::Optional | Mode::OptionalComputed(_))
        && attribute.default.is_null()
        && !EXEMPT.iter().any(|(end, _)| path.ends_with(end))
}

/// Attributes that a resource's plan replaces: `require_replace("NAME")` in its folder.
fn replaced_by_plan() -> BTreeSet<String> {
    let mut found = BTreeSet::from(["gitlabspot_node_group.node_role.name_prefix".to_owned()]);
    for path in files().into_iter().filter(|path| path.starts_with("provider/src/resources/")) {
        let (resource, code) = (path.split('/').nth(3).unwrap(), text(&path).unwrap_or_default());
        let calls = code.split("require_replace(\"").skip(1).filter_map(|rest| rest.split('"').next());
        found.extend(calls.map(|name| format!("gitlabspot_{resource}.{name}")));
    }
    found
}

#[test]
fn every_optional_attribute_names_its_default() {
    let missing: Vec<_> = attributes()
        .into_iter()
        .filter(|(path, it)| needs_a_default(path, it) && !names_a_default(&text_of(it)))
        .map(|(path, it)| format!("{path}: {}", text_of(&it)))
        .collect();
    assert_eq!(missing, [""; 0], "{} texts name neither a default nor what an absence means", missing.len());
}

#[test]
fn every_optional_attribute_of_an_identity_names_its_default() {
    let identities = Gitlabspot::default().registry().resources.into_iter().filter_map(|resource| {
        resource.identity_schema().map(|identity| (resource.type_name().to_owned(), identity.attributes))
    });
    let optional = identities.flat_map(|(name, attributes)| {
        let optional = attributes.into_iter().filter(|it| !it.required_for_import);
        optional.map(move |it| (format!("{name}.{}", it.name), one_line(&it.description)))
    });
    let missing: Vec<_> = optional.filter(|(_, text)| !names_a_default(text)).collect();
    assert_eq!(missing, []);
}

#[test]
fn every_parameter_that_can_be_null_says_what_null_means() {
    let functions = Gitlabspot::default().registry().functions;
    let missing: Vec<_> = functions
        .iter()
        .flat_map(|function| function.definition().parameters.into_iter().map(|it| (function.name().to_owned(), it)))
        .filter(|(_, parameter)| parameter.allow_null && !parameter.description.contains("`null`"))
        .map(|(function, parameter)| format!("{function}.{}", parameter.name))
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_exemption_is_of_an_attribute_without_a_default() {
    let attributes = attributes();
    for (end, reason) in EXEMPT {
        let is_needed = attributes.iter().any(|(path, it)| path.ends_with(end) && !names_a_default(&text_of(it)));
        assert!(is_needed, "{end} is exempt without need: {reason}");
    }
}

#[test]
fn every_attribute_that_replaces_says_so() {
    let by_plan = replaced_by_plan();
    assert!(by_plan.len() > 5, "{by_plan:?}");
    let silent: Vec<_> = attributes()
        .into_iter()
        .filter(|(path, it)| it.replace || by_plan.contains(path) && !matches!(it.mode, Mode::Computed(_)))
        .filter(|(path, it)| !one_line(&line(it, path)).contains("replace"))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(silent, [""; 0]);
}

#[test]
fn every_unit_of_a_name_is_in_the_text() {
    let silent: Vec<_> = attributes()
        .into_iter()
        .filter(|(path, it)| {
            UNITS
                .iter()
                .any(|(end, unit)| path.ends_with(end) && !text_of(it).to_lowercase().contains(&unit.to_lowercase()))
        })
        .map(|(path, _)| path)
        .collect();
    assert_eq!(silent, [""; 0]);
}

#[cfg(test)]
mod tests {
    use tfplugin::framework::{Object, Value};

    use super::*;

    #[derive(Clone, Default, PartialEq, Object)]
    struct Port {
        /// Number of the port.
        #[attr(optional, computed, stable)]
        number: Value<i64>,
    }

    #[derive(Clone, Default, PartialEq, Object)]
    struct Thing {
        /// Name of the thing.
        #[attr(required)]
        name: Value<String>,
        /// Size of the thing.
        #[attr(optional, default = 3)]
        size: Value<i64>,
        /// Label of the thing. Defaults
        /// to none.
        #[attr(optional)]
        label: Value<String>,
        /// Port of the thing. By default it has none.
        #[attr(optional)]
        port: Value<Port>,
        /// ID of the thing.
        #[attr(computed)]
        id: Value<String>,
    }

    #[test]
    fn a_nested_attribute_without_a_default_is_found() {
        let found: Vec<_> = flattened("thing", &Thing::attributes())
            .into_iter()
            .filter(|(path, it)| needs_a_default(path, it) && !names_a_default(&text_of(it)))
            .map(|(path, _)| path)
            .collect();
        assert_eq!(found, ["thing.port.number"]);
    }
}
