//! `gitlabspot_runner_release`: the GitLab Runner's manager on Kubernetes.
//!
//! Everything from configuration to Kubernetes objects is pure and lives here; nothing in it opens
//! a connection.

pub mod catalogue;
pub mod config_toml;
pub mod finding;
pub mod inputs;
pub mod manifests;
pub mod reference;
pub mod spec;
pub mod suggest;
pub mod values;
pub mod version;
