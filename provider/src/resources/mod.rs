//! One folder per resource; the type name gives the path. What several of them need about AWS stands beside them.

pub mod cache_bucket;
mod names;
mod namespace;
pub mod node_group;
mod partition;
mod policy_document;
mod propagation;
pub mod runner_credentials;
pub mod runner_release;
mod tags;
#[cfg(test)]
mod testing;
mod timestamp;
