//! One folder per resource; the type name gives the path.

pub mod runner_release;
