//! A framework for Terraform and OpenTofu providers in Rust.
//!
//! - [`framework`]: the API for provider authors: resources, data sources, functions, schemas, values, plans,
//!   diagnostics.
//! - [`protocol`]: version 6 of Terraform's plugin protocol, served for a [`framework::Provider`].
//! - [`plugin`]: the go-plugin process in which the protocol is served.
//!
//! Dependencies: `protocol` uses `framework`. `plugin` serves any gRPC service, and of `framework` it uses only the
//! handling of panics.
//!
//! In the comments, the *host* is Terraform, OpenTofu or another program that starts the provider, and *core* is the
//! part of the host that calls the provider.

// `#[derive(Object)]` generates paths below `::tfplugin`, which must resolve in this crate too: for `Timeouts`, and for
// the structs of its tests.
extern crate self as tfplugin;

#[doc(hidden)]
pub use serde;

pub mod framework;
pub mod plugin;
pub mod protocol;
