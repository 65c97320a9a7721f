//! GitLab CI on Spot nodes of an EKS cluster, as resources of Terraform and OpenTofu.
//!
//! Modules depend one way: `provider -> resources, data_sources, functions -> the modules that these share`. What is not
//! particular to this provider is in crates of its own: `tfplugin`, the framework, and `gitlabspot_clients`.

mod cache_path;
mod cluster;
mod configured;
pub mod data_sources;
mod denied_reads;
mod errors;
pub mod functions;
mod iam;
mod identity;
mod list;
mod location;
pub mod migrate;
mod names;
mod objects;
mod partition;
mod policy_document;
mod projection;
mod propagation;
pub mod provider;
mod provider_tags;
mod quantity;
mod reservations;
pub mod resources;
mod steps;
mod tags;
#[cfg(test)]
mod testing;
mod timestamp;
mod yaml;
