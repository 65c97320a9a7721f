//! One file per function; the name gives the path.

pub mod autoscaler_tags;
pub mod runner_config;
