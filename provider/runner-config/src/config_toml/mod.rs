//! The runner's configuration file: read from its sources, checked, merged and written.
//!
//! A source is TOML text (`config_toml`, or `runners.config` of a values file), an HCL object
//! (`config`), or what a convenience attribute such as `build_nodes` adds. All become [`Config`],
//! which holds only keys of the catalogue in their exact spelling.

mod age;
mod duration;
mod from_hcl;
mod merge;
mod place;
mod read;
mod redact;
mod render;
mod settle;
mod template;
mod text;
mod to_hcl;

pub use from_hcl::{affinity_from_raw, from_hcl, from_raw};
pub use merge::{Source, is_same_address, merge};
pub use place::{Place, Remark, Rules};
pub use redact::{REDACTED, hide, redact};
pub use render::render;
pub use template::{Release, Unsupported, told};
pub use text::{Text, from_text};
pub use to_hcl::to_hcl;

/// One runner and the global section around it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// What stands above `[[runners]]`.
    pub global: toml::Table,
    /// The one `[[runners]]`.
    pub runner: toml::Table,
}

#[cfg(test)]
mod tests;
