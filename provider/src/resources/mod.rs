//! One module for each resource, named after its type.

pub mod cache_bucket;
pub mod node_group;
pub mod runner_credentials;
pub mod runner_release;
pub mod warm_capacity;
