//! The configuration file of GitLab Runner.
//!
//! - [`catalogue`]: every key of config.toml, as data, with its type, its version and its name in HCL.
//! - [`config_toml`]: reads TOML text and HCL objects by the catalogue, merges them, and writes the file.
//! - [`version`]: versions of GitLab Runner.
//! - [`suggest`]: the nearest valid name for a misspelt one.

pub mod catalogue;
pub mod config_toml;
#[cfg(any(test, feature = "testing"))]
pub mod misspelling;
pub mod suggest;
pub mod version;
