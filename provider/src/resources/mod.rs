//! One folder per resource; the type name gives the path. What several of them need stands beside them.

pub mod cache_bucket;
mod cache_path;
mod cluster;
mod identity;
mod list;
mod live;
mod manifest;
mod mutation;
mod names;
mod namespace;
mod next_apply;
pub mod node_group;
mod owner;
mod ownership;
mod partition;
mod policy_document;
mod projection;
mod propagation;
mod quantity;
pub mod runner_credentials;
pub mod runner_release;
mod tags;
#[cfg(test)]
pub(crate) mod testing;
mod timestamp;
mod turns;
mod unseen;
pub mod warm_capacity;
mod whereabouts;

pub use self::turns::Turns;
