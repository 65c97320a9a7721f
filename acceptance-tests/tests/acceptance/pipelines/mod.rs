//! As pipelines and the agents of HCP Terraform run the provider: each phase in a process and a directory of its own, the
//! state on a server, and the whole of `examples/complete`.

mod agent;
mod blocks;
mod clusters;
mod state;

use std::collections::BTreeMap;

use gitlabspot_acceptance_tests::{Engine, Stage, StateStore, Workspace};

use super::complete::{BUCKET, CREDENTIALS, NODES, RELEASE, variables};

/// The whole stack, in the engine's order.
const ADDRESSES: [&str; 4] = [BUCKET, NODES, CREDENTIALS, RELEASE];

/// Waits that AWS prescribes take a tiny part of their time.
const SPEED: &str = "50";

/// The whole stack, in an account and a namespace of its own.
async fn complete(test: &str, engine: Engine) -> (Stage, Workspace) {
    let stage = Stage::new(&format!("pipelines/{test}/{}", engine.name()), engine).await;
    let workspace = complete_on(&stage).await;
    (stage, workspace)
}

async fn complete_on(stage: &Stage) -> Workspace {
    let workspace = stage.example("complete", variables(stage)).await;
    workspace.with_environment("GITLABSPOT_CLOCK_SPEED", SPEED)
}

/// Keeps the state on the server from now on.
async fn keep_state(workspace: &Workspace, store: &StateStore) {
    workspace.write("backend.tf.json", &store.backend());
    workspace.init().await;
}

/// The same actions for several addresses, as a plan tells them.
fn all(addresses: &[&str], actions: &[&str]) -> BTreeMap<String, Vec<String>> {
    let actions: Vec<String> = actions.iter().map(|action| (*action).to_owned()).collect();
    addresses.iter().map(|address| ((*address).to_owned(), actions.clone())).collect()
}
