//! Identities of resources, which core stores beside the state.

use std::collections::BTreeMap;

use super::attribute_path::AttributePath;
use super::schema::{Attribute, Mode, Object};
use super::types::Type;
use super::value::{Mismatch, Raw};

/// The identity type of a resource without identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoIdentity;

impl Object for NoIdentity {
    fn attributes() -> Vec<Attribute> {
        Vec::new()
    }
    fn from_raw_object(_: BTreeMap<String, Raw>, _: &AttributePath) -> Result<Self, Mismatch> {
        Ok(Self)
    }
    fn into_raw_object(self) -> BTreeMap<String, Raw> {
        BTreeMap::new()
    }
}

/// One attribute of an identity schema.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityAttribute {
    /// Its name.
    pub name: String,
    /// Its type: a primitive or a list of primitives.
    pub ty: Type,
    /// Whether an import by identity must set it; otherwise it may.
    pub required_for_import: bool,
    /// Its description.
    pub description: String,
}

/// The schema of an identity.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentitySchema {
    /// Its version, which increases when stored identities need an upgrade.
    pub version: i64,
    /// Its attributes.
    pub attributes: Vec<IdentityAttribute>,
}

/// Returns the schema of an identity struct. Fields that are `required` are required for import, and `optional` ones
/// are not. `None` for a struct without fields.
#[must_use]
pub fn schema<I: Object>(version: i64) -> Option<IdentitySchema> {
    let attributes: Vec<_> = I::attributes()
        .into_iter()
        .map(|attribute| IdentityAttribute {
            ty: attribute.kind.ty(),
            required_for_import: attribute.mode == Mode::Required,
            name: attribute.name.into_owned(),
            description: attribute.description.into_owned(),
        })
        .collect();
    (!attributes.is_empty()).then_some(IdentitySchema { version, attributes })
}
