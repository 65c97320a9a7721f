//! The runner's configuration file: reading its sources, validating, merging and writing.
//!
//! A source is TOML text (`config_toml`, or `runners.config` of a values file), an HCL object (`config`), or a
//! convenience attribute such as `build_nodes`. All are converted to [`Config`], which contains only keys of the
//! catalogue in their exact spelling.

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
pub use template::{Release, Unsupported, fullname, unsupported_detail};
pub use text::{Text, from_text};
pub use to_hcl::to_hcl;

/// The global section and one runner.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// The section before `[[runners]]`.
    pub global: toml::Table,
    /// The only `[[runners]]`.
    pub runner: toml::Table,
}

#[cfg(test)]
mod tests;
