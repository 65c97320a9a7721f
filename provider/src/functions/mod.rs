//! Functions of the provider, one file for each.

pub mod autoscaler_tags;
pub mod runner_config;
