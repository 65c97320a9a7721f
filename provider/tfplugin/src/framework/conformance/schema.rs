//! The check of schemas.

use super::Violation;
use crate::framework::attribute_path::AttributePath;
use crate::framework::schema::{Attribute, Kind, Nesting, Schema};

/// Checks a schema by the rules of core and of this framework.
#[must_use]
pub fn check_schema(schema: &Schema) -> Vec<Violation> {
    // Meta-arguments: core evaluates them itself, and does not pass them to a provider.
    const RESERVED: [&str; 7] =
        ["connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"];
    let mut found = Vec::new();
    for attribute in &schema.attributes {
        if RESERVED.contains(&attribute.name.as_ref()) {
            found.push(Violation {
                path: AttributePath::of(attribute.name.clone()),
                rule: "the name is reserved by Terraform",
            });
        }
    }
    schema_attributes(&schema.attributes, &AttributePath::root(), false, &mut found);
    found
}

fn schema_attributes(attributes: &[Attribute], at: &AttributePath, in_set: bool, found: &mut Vec<Violation>) {
    let mut names = std::collections::BTreeSet::new();
    for attribute in attributes {
        let path = at.attribute(attribute.name.clone());
        let mut broken = |rule| found.push(Violation { path: path.clone(), rule });
        let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if attribute.name.is_empty() || !attribute.name.chars().all(valid) {
            broken("a name must only have lowercase letters, digits and underscores");
        }
        if !names.insert(attribute.name.as_ref()) {
            broken("a name must be unique");
        }
        if attribute.description.is_empty() {
            broken("an attribute must have a description");
        }
        if attribute.write_only && (in_set || attribute.mode.computed().is_some()) {
            broken("a write-only attribute must be neither computed nor in a set");
        }
        if in_set && attribute.mode.computed().is_some() {
            broken(
                "attributes in a set must be neither computed nor have a default: elements could not be distinguished",
            );
        }
        if in_set && attribute.replace {
            broken("attributes in a set must not force a replacement: elements could not be distinguished");
        }
        if let Kind::Nested(nesting, nested) = &attribute.kind {
            schema_attributes(nested, &path, in_set || *nesting == Nesting::Set, found);
        }
    }
}
