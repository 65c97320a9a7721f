//! Tests of every RPC of the protocol, in memory, with a small provider.

mod apply;
mod bugs;
mod configure;
mod data_source;
mod function;
mod host;
mod import;
mod list_resource;
mod plan;
mod read;
mod schema;
mod spot;
mod stop;
mod unsupported;
mod upgrade;
mod validate;
