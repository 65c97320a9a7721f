//! GitLab CI on cheap Spot nodes of an EKS cluster, as Terraform resources.
//!
//! The rooms and who may know whom: `plugin, protocol -> framework <- resources -> clients`.

pub mod clients;
pub mod data_sources;
pub mod framework;
pub mod functions;
pub mod plugin;
pub mod protocol;
pub mod provider;
pub mod resources;
