//! A framework for Terraform and OpenTofu providers in Rust.
//!
//! - [`framework`]: what a provider's author works with: resources, data sources, functions, schemas, values, plans,
//!   diagnostics.
//! - [`protocol`]: version 6 of Terraform's plugin protocol, spoken for a [`framework::Provider`].
//! - [`plugin`]: the go-plugin process in which the protocol is served.
//!
//! Modules depend one way: `protocol -> framework`, and `plugin` knows neither what is served nor by whom.

// `#[derive(Object)]` writes `::tfplugin::framework`, also for the structs of this crate's own tests.
extern crate self as tfplugin;

#[doc(hidden)]
pub use serde;

pub mod framework;
pub mod plugin;
pub mod protocol;
