//! `gitlabspot_node_group`: an EKS managed node group and everything that scaling from zero needs.

mod autoscaler_tags;
mod expand;
mod flatten;
mod model;
mod plan;
pub mod schema;
mod validate;

pub(crate) use self::autoscaler_tags::{Effect, NodeTemplate, Taint, autoscaler_tags};
