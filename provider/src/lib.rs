//! GitLab CI on Spot nodes of an EKS cluster, as resources of Terraform and OpenTofu.
//!
//! Modules depend one way: `provider -> resources, data_sources, functions -> the modules that these share`. What is not
//! particular to this provider is in crates of its own: `tfplugin`, the framework, and `gitlabspot_clients`.

mod cache_path;
mod cluster;
mod configured;
pub mod data_sources;
mod errors;
pub mod functions;
mod identity;
mod list;
pub mod migrate;
mod names;
mod next_apply;
mod objects;
mod partition;
mod policy_document;
mod projection;
mod propagation;
pub mod provider;
mod provider_tags;
mod quantity;
pub mod resources;
mod tags;
#[cfg(test)]
mod testing;
mod timestamp;
mod turns;
mod unseen;
mod whereabouts;
mod yaml;
