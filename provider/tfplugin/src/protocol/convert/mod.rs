//! Conversion between the messages of the protocol and the types of the framework.

pub(super) mod attribute_path;
pub(super) mod diagnostics;
pub(super) mod dynamic_value;
pub(super) mod function;
pub(super) mod identity;
mod json;
pub(super) mod msgpack;
pub(super) mod schema;
