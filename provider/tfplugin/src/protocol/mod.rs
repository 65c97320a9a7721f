//! Terraform's plugin protocol, version 6, spoken for a [`Provider`].
//!
//! [`Server`] holds what lives as long as the process: the provider, its configuration, and what it offers ([`offer`]).
//! Each call has a file of its own: it reads the message, asks the framework, and writes the answer. What surrounds
//! every call, such as the log line and the fate of a panic, is in [`rpc`]. Only this room names the generated types.
//!
//! Problems travel as diagnostics inside the answers; the gRPC status is for calls that this provider does not know.

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
