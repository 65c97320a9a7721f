//! Library of the acceptance tests. They run real `tofu` and `terraform` on the local cloud that `make cloud` starts,
//! each with a configuration, an AWS account and a namespace of its own.
//!
//! ```text
//! let stage = Stage::new("cache_bucket/expiration", Engine::opentofu()).await;   // account, namespace, workspace
//! let workspace = stage.testdata("cache_bucket/expiration", json!({ "bucket": "..." })).await;  // main.tf, init
//! workspace.apply().await;
//! workspace.assert_stable().await;          // two plans, both empty
//! workspace.assert_import("gitlabspot_cache_bucket.this", "...", &[]).await;
//! workspace.destroy().await;
//! stage.assert_nothing_remains().await;
//! ```
//!
//! A stage that is dropped by a failing test keeps its evidence under `target/acceptance/<test>/` and prints the path.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "the code of tests: what goes wrong here is a failed test, told where it happens"
)]

mod account;
mod cloud;
mod control;
mod engine;
mod evidence;
mod fault;
mod gitlab;
mod import;
mod kubernetes;
mod kubernetes_proxy;
mod mirror;
mod namespace;
mod node;
mod output;
mod permissions;
mod plan;
mod proxy;
mod real_node;
mod release;
mod restricted;
mod running;
pub mod search;
mod stage;
mod state;
mod state_store;
mod tls;
mod until;
mod web;
mod workspace;

pub use account::{Account, Call};
pub use cloud::Cloud;
pub use engine::Engine;
pub use fault::Fault;
pub use gitlab::{GitLab, Job};
pub use kubernetes::Kubernetes;
pub use kubernetes_proxy::{KubernetesCall, KubernetesFault, KubernetesProxy};
pub use mirror::binary as provider_binary;
pub use namespace::Namespace;
pub use node::BuildNode;
pub use output::Output;
pub use plan::Plan;
pub use proxy::Proxy;
pub use real_node::RealNode;
pub use release::{Registry, Release};
pub use restricted::{Restricted, roles};
pub use running::Running;
pub use stage::Stage;
pub use state::State;
pub use state_store::StateStore;
pub use tls::Tls;
pub use until::{until, until_slow};
pub use web::Web;
pub use workspace::Workspace;
