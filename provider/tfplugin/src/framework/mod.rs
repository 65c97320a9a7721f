//! Terraform's concepts as Rust types: the API for provider authors.
//!
//! A resource is a struct that implements [`Resource`]; its attributes are a struct that derives [`Object`], from which
//! come the schema, the state type, the conversions and the docs page. The framework plans by the schema ([`plan`]),
//! calls the hooks of the resource, and can check the rules that core enforces ([`conformance`]).
//!
//! This module does not depend on wire formats, AWS or Kubernetes: `protocol` converts to and from messages.

pub mod attribute_path;
pub mod clock;
pub(crate) mod configuration;
pub mod conformance;
pub mod context;
pub mod data_source;
pub mod diagnostics;
pub mod function;
pub(crate) mod generated;
pub mod identity;
pub mod list_resource;
mod null_elements;
pub mod panic;
pub mod plan;
pub mod private_state;
pub mod provider;
pub mod resource;
pub mod schema;
pub mod settings;
pub mod state_upgrade;
pub mod timeouts;
pub mod types;
pub mod value;
pub mod wait;

pub use attribute_path::{AttributePath, Step};
pub use clock::Clock;
pub use context::Context;
pub use data_source::DataSource;
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use function::Function;
pub use identity::NoIdentity;
pub use list_resource::ListResource;
pub use plan::Plan;
pub use private_state::{Private, PrivateState};
pub use provider::{Host, Provider, Registry};
pub use resource::{Create, Delete, Import, Read, Resource, Update};
pub use schema::{Attribute, Kind, Nesting, Object, Schema};
pub use tfplugin_derive::{Object, Settings};
pub use timeouts::Timeouts;
pub use types::Type;
pub use value::{Number, Raw, Set, Value};
