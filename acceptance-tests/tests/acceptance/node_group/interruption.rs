//! Interrupted runs: Ctrl-C, SIGTERM and SIGKILL.

use gitlabspot_acceptance_tests::{Engine, Fault, Running, Stage, until};
use serde_json::json;

use super::{ADDRESS, NAME, guide, guide_of, node_group};

/// Sends SIGINT, as Ctrl-C does, and asserts that the command ends soon.
async fn interrupted(stage: &Stage, running: Running) -> String {
    let printed = running.interrupt_soon(|| stage.account.calls().len()).await.failed();
    assert!(printed.contains("cancelled; last observed: "), "{printed}");
    printed
}

/// N15: Ctrl-C during the wait of a create. The run ends at once, the state has the group, and the next apply replaces
/// it.
#[tokio::test]
async fn interrupt_during_create() {
    let (stage, workspace) = guide("interrupted_create", json!({})).await;
    stage.account.plan_node_groups(&json!({ "on": "create", "polls": 10_000 }));
    let running = workspace.begin_apply();
    until("EKS is making the group", async || stage.account.reads_after("CreateNodegroup") > 1).await;
    let printed = interrupted(&stage, running).await;
    assert!(
        printed.contains("last observed: status CREATING")
            && printed.contains("the next apply deletes and recreates it"),
        "{printed}"
    );
    let state = workspace.state().await;
    assert_eq!(state.resource(ADDRESS)["id"], format!("prod:{NAME}"));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["delete", "create"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    let creates = stage.account.changes().into_iter().filter(|action| action == "CreateNodegroup").count();
    assert_eq!((creates, stage.account.leftovers()["node_groups"].len()), (2, 1));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N15: SIGTERM for engine and provider during the wait of a create, as when a CI job is cancelled. The state has the
/// group.
async fn sigterm_during_create(engine: Engine) {
    let (stage, workspace) = guide_of(&format!("terminated_{}", engine.name()), json!({}), engine).await;
    stage.account.plan_node_groups(&json!({ "on": "create", "polls": 10_000 }));
    let running = workspace.begin_apply();
    until("EKS is making the group", async || stage.account.reads_after("CreateNodegroup") > 1).await;
    let printed = running.terminate_soon(|| stage.account.calls().len()).await.failed();
    assert!(
        printed.contains("last observed: status CREATING")
            && printed.contains("the next apply deletes and recreates it"),
        "{printed}"
    );
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], format!("prod:{NAME}"));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

#[tokio::test]
async fn sigterm_during_create_with_opentofu() {
    sigterm_during_create(Engine::opentofu()).await;
}

#[tokio::test]
async fn sigterm_during_create_with_terraform() {
    let Some(terraform) = Engine::terraform() else { return };
    sigterm_during_create(terraform).await;
}

/// N15: Ctrl-C while EKS does not respond. The run does not wait for the response, and the state is unchanged.
#[tokio::test]
async fn interrupt_during_read() {
    let (stage, workspace) = guide("interrupted_look", json!({})).await;
    workspace.apply().await;
    stage.account.forget();
    // Longer than the time limit of commands.
    stage.account.inject(Fault::latency("eks", "DescribeNodegroup", 3_600_000).times(0));
    let running = workspace.clone().with_environment("GITLABSPOT_CLOCK_SPEED", "1").begin(&["plan", "-input=false"]);
    until("EKS is asked", async || !stage.account.calls_of("eks", "DescribeNodegroup").is_empty()).await;
    let printed = running.interrupt_soon(|| stage.account.calls().len()).await.failed();
    assert!(printed.contains("the run was stopped before a response arrived"), "{printed}");
    stage.account.forget();
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], format!("prod:{NAME}"));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N15: Ctrl-C during the wait of an update. The state has the old labels, and the next apply waits for that update.
#[tokio::test]
async fn interrupt_during_update() {
    let (stage, workspace) = guide("interrupted_update", json!({})).await;
    workspace.apply().await;
    stage.account.forget();
    stage.account.plan_node_groups(&json!({ "on": "update", "polls": 20 }));
    workspace.set(&json!({ "labels": { "intent": "test" } }));
    let running = workspace.begin_apply();
    until("EKS is updating the group", async || stage.account.reads_after("UpdateNodegroupConfig") > 1).await;
    let printed = interrupted(&stage, running).await;
    assert!(printed.contains("the update is InProgress"), "{printed}");
    assert_eq!(workspace.state().await.resource(ADDRESS)["labels"]["intent"], "build");
    workspace.apply().await;
    workspace.assert_stable().await;
    let group = node_group(&stage.account).await.unwrap();
    assert_eq!(group.labels.unwrap().into_iter().collect::<Vec<_>>(), [("intent".to_owned(), "test".to_owned())]);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N15: Ctrl-C during the wait of a destroy. The state keeps the group, and the next destroy continues the wait.
#[tokio::test]
async fn interrupt_during_destroy() {
    let (stage, workspace) = guide("interrupted_destroy", json!({})).await;
    workspace.apply().await;
    stage.account.forget();
    stage.account.plan_node_groups(&json!({ "on": "delete", "polls": 20 }));
    let running = workspace.begin_destroy();
    until("EKS is deleting the group", async || stage.account.reads_after("DeleteNodegroup") > 1).await;
    let printed = interrupted(&stage, running).await;
    assert!(printed.contains("last observed: status DELETING"), "{printed}");
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], format!("prod:{NAME}"));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N9: SIGKILL after the create request, without a state. The next run adopts role and group and does not create them.
#[tokio::test]
async fn crash_after_create_adopts_the_group() {
    let (stage, workspace) = guide("killed", json!({})).await;
    stage.account.plan_node_groups(&json!({ "on": "create", "polls": 12 }));
    let running = workspace.begin_apply();
    until("EKS is making the group", async || stage.account.reads_after("CreateNodegroup") > 1).await;
    let _ = running.kill().await;
    assert!(!workspace.state().await.contains(ADDRESS));
    let before = node_group(&stage.account).await.unwrap().nodegroup_arn;
    workspace.apply().await;
    workspace.assert_stable().await;
    let group = node_group(&stage.account).await.unwrap();
    assert_eq!(group.nodegroup_arn, before);
    assert!(group.tags.unwrap().keys().all(|key| key != "gitlabspot/unfinished"));
    for (service, action) in [("eks", "CreateNodegroup"), ("iam", "CreateRole")] {
        let calls = stage.account.calls_of(service, action);
        let made: Vec<bool> = calls.iter().map(|call| call.status == Some(200)).collect();
        assert_eq!(made, [true, false], "{calls:?}");
    }
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N9: SIGKILL before CreateNodegroup. The next run uses the role.
#[tokio::test]
async fn crash_after_role_adopts_the_role() {
    let (stage, workspace) = guide("killed_early", json!({})).await;
    stage.account.inject(Fault::throttle("eks", "CreateNodegroup").times(0));
    let running = workspace.begin_apply();
    until("EKS is asked", async || !stage.account.calls_of("eks", "CreateNodegroup").is_empty()).await;
    let _ = running.kill().await;
    assert!(!workspace.state().await.contains(ADDRESS));
    let roles = stage.account.leftovers()["roles"].clone();
    stage.account.forget();
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(stage.account.leftovers()["roles"], roles);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
