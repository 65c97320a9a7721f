//! One file per function; the name gives the path.

pub mod autoscaler_tags;
