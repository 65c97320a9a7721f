//! Runs `examples/complete` like CI pipelines and agents of HCP Terraform: each phase has a process and a directory of
//! its own, and the state is on a server.

mod agent;
mod blocks;
mod clusters;
mod state;

use std::collections::BTreeMap;

use gitlabspot_acceptance_tests::{Engine, Stage, StateStore, Workspace};

use super::complete::{BUCKET, CREDENTIALS, NODES, RELEASE, variables};

/// Addresses of the whole stack, in the order of the engine.
const ADDRESSES: [&str; 4] = [BUCKET, NODES, CREDENTIALS, RELEASE];

/// Factor that shortens waits which AWS requires.
const SPEED: &str = "50";

/// The whole stack in a new account and namespace.
async fn complete(test: &str, engine: Engine) -> (Stage, Workspace) {
    let stage = Stage::new(&format!("pipelines/{test}/{}", engine.name()), engine).await;
    let workspace = complete_on(&stage).await;
    (stage, workspace)
}

async fn complete_on(stage: &Stage) -> Workspace {
    let workspace = stage.example("complete", variables(stage)).await;
    workspace.with_environment("GITLABSPOT_CLOCK_SPEED", SPEED)
}

/// Stores the state on the server from now on.
async fn keep_state(workspace: &Workspace, store: &StateStore) {
    workspace.write("backend.tf.json", &store.backend());
    workspace.init().await;
}

/// Changes of a plan with the same actions for several addresses.
fn all(addresses: &[&str], actions: &[&str]) -> BTreeMap<String, Vec<String>> {
    let actions: Vec<String> = actions.iter().map(|action| (*action).to_owned()).collect();
    addresses.iter().map(|address| ((*address).to_owned(), actions.clone())).collect()
}
