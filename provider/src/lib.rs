//! Terraform and OpenTofu provider for GitLab CI on Spot nodes of an EKS cluster.
//!
//! Modules depend on each other in one direction: `provider -> resources, data_sources, functions -> shared modules`.
//! Code that is not specific to this provider is in separate crates: `tfplugin`, the framework, and
//! `gitlabspot_clients`.

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
