//! What makes a resource this one and no other, apart from its state.

use std::collections::BTreeMap;

use super::attribute_path::AttributePath;
use super::schema::{Attribute, Mode, Object};
use super::types::Type;
use super::value::{Mismatch, Raw};

/// The identity of a resource that has none.
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

/// One attribute of an identity, as core wants to know it.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityAttribute {
    /// Its name.
    pub name: String,
    /// Its type: a primitive or a list of primitives.
    pub ty: Type,
    /// Whether an import has to give it; otherwise it may.
    pub required_for_import: bool,
    /// What it is.
    pub description: String,
}

/// What core is told of an identity.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentitySchema {
    /// Grows when identities written before can no longer be read as they are.
    pub version: i64,
    /// Its attributes.
    pub attributes: Vec<IdentityAttribute>,
}

/// The schema of an identity struct: its `required` fields are required for import, its `optional` ones may be left out.
/// None without fields.
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
