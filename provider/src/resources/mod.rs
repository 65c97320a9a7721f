//! One folder per resource; the type name gives the path.

pub mod node_group;
pub mod runner_release;
