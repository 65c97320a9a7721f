//! REGISTRY: the one list of what this provider offers.

use super::Data;
use crate::framework::Registry;

/// Everything, in the order of the docs.
pub(super) fn registry() -> Registry<Data> {
    Registry { resources: vec![], data_sources: vec![], functions: vec![] }
}
