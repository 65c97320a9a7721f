//! Terraform's plugin protocol, version 6, served for a [`Provider`].
//!
//! [`Server`] holds the state of the process: the provider, its configuration, and what it offers ([`offer`]). Each RPC
//! has its own file: it decodes the request, calls the framework, and encodes the response. The parts that all RPCs
//! share, such as log lines and the handling of panics, are in [`rpc`]. Only this module uses the generated message
//! types.
//!
//! Errors are returned as diagnostics in the responses; a gRPC status is returned only for RPCs that are not
//! implemented.

mod apply_resource_change;
mod call_function;
mod configure_provider;
mod convert;
mod ephemeral_resource;
mod generate_resource_config;
mod get_functions;
mod get_metadata;
mod get_provider_schema;
mod get_resource_identity_schemas;
mod host_version;
mod import_resource_state;
mod list_resource;
mod move_resource_state;
mod offer;
mod plan_resource_change;
mod read_data_source;
mod read_resource;
mod rpc;
mod server;
mod service;
mod stop_provider;
mod upgrade_resource_identity;
mod upgrade_resource_state;
mod validate_data_resource_config;
mod validate_provider_config;
mod validate_resource_config;

pub use server::Server;

#[cfg(doc)]
use crate::framework::Provider;
