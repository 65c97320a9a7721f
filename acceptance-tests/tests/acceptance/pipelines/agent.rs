//! A saved plan is applied by another process in another directory.

use gitlabspot_acceptance_tests::{Engine, Stage, StateStore, Workspace};

use super::{ADDRESSES, all, complete, complete_on, keep_state};

/// Address space limit of the provider in KiB, as on an agent. A debug build is ten times larger than a release build.
const MEMORY: u32 = 1_048_576;

/// An agent has credentials in the environment, no home directory, no kubeconfig, little memory, and a file system with
/// only two writable directories: the working directory and that for temporary files.
#[tokio::test]
async fn runs_in_a_ci_agent() {
    let Some(engine) = Engine::opentofu_in_agent() else { return };
    let stage = Stage::new("pipelines/agent/opentofu", engine).await;
    stage.wrap_provider(&format!("ulimit -v {MEMORY}"));
    let temporary = tempfile::tempdir().unwrap();
    let work = stage.folder().display().to_string();
    let workspace = complete_on(&stage).await.without_environment(&["HOME"]);
    let workspace = workspace.with_environment(Engine::WORK, &work);
    let workspace = workspace.with_environment("TMPDIR", &temporary.path().display().to_string());
    let refused = workspace.clone().with_environment(Engine::WORK, "/nowhere").run(&["version"]).await;
    assert_eq!(refused.code, Some(99), "the file system is not set up: {refused}");
    plan_and_apply_in_two_directories(&stage, workspace).await;
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "temporary files are left");
}

#[tokio::test]
async fn with_opentofu() {
    let (stage, workspace) = complete("saved_plan", Engine::opentofu()).await;
    plan_and_apply_in_two_directories(&stage, workspace).await;
}

#[tokio::test]
async fn with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    let (stage, workspace) = complete("saved_plan", engine).await;
    plan_and_apply_in_two_directories(&stage, workspace).await;
}

/// The token is in the environment and the state is on a server. The directories have the configuration and the plan.
async fn plan_and_apply_in_two_directories(stage: &Stage, workspace: Workspace) {
    let store = StateStore::start().await;
    workspace.unset("registration_token");
    let workspace = workspace.with_environment("TF_VAR_registration_token", "GR1348941-of-a-group");
    keep_state(&workspace, &store).await;
    let plan = workspace.plan().await;
    assert_eq!(plan.changes(), all(&ADDRESSES, &["create"]));
    assert!(stage.account.changes().is_empty());

    let elsewhere = workspace.twin();
    std::fs::remove_dir_all(workspace.folder()).unwrap();
    let _ = elsewhere.try_apply_plan().await.succeeded();
    assert!(!elsewhere.folder().join("terraform.tfstate").exists());
    let state = store.state().unwrap();
    let managed = state["resources"].as_array().unwrap().iter().filter(|resource| resource["mode"] == "managed");
    assert_eq!((managed.count(), store.lock()), (ADDRESSES.len(), None));

    // The next run also has a directory of its own.
    let next = elsewhere.twin();
    next.init().await;
    next.assert_stable().await;
    next.destroy().await;
    stage.assert_nothing_remains().await;
}
