//! One folder per resource; the type name gives the path.

pub mod cache_bucket;
pub mod node_group;
pub mod runner_credentials;
pub mod runner_release;
pub mod warm_capacity;
