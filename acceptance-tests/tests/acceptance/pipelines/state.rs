//! A state on a server with the backend `http`.

use gitlabspot_acceptance_tests::{Engine, StateStore, until};
use serde_json::json;

use super::{complete, keep_state};
use crate::complete::NODES;

/// The lock refuses a concurrent run, Ctrl-C releases it, and the server has the state of all objects created so far.
async fn locked(engine: Engine) {
    let (stage, workspace) = complete("locked", engine).await;
    let store = StateStore::start().await;
    keep_state(&workspace, &store).await;
    stage.account.plan_node_groups(&json!({ "on": "create", "polls": 10_000 }));
    let running = workspace.begin_apply();
    until("EKS is creating the group", async || stage.account.reads_after("CreateNodegroup") > 1).await;

    let holder = store.lock().unwrap();
    let second = workspace.twin();
    second.init().await;
    let printed = second.run(&["plan", "-input=false"]).await.failed();
    assert!(printed.contains("Error acquiring the state lock"), "{printed}");
    assert!(printed.contains(holder["ID"].as_str().unwrap()), "{holder} is not in: {printed}");

    let printed = running.interrupt_soon(|| stage.account.calls().len()).await.failed();
    assert!(printed.contains("last observed: status CREATING"), "{printed}");
    assert_eq!(store.lock(), None);
    let kept = store.state().unwrap().to_string();
    assert!(kept.contains("build-8vcpu-16gb-32gb-1b"), "{kept}");

    assert_eq!(second.plan().await.changes()[NODES], ["delete", "create"]);
    second.apply().await;
    second.assert_stable().await;
    let methods = store.seen();
    for method in ["LOCK", "GET", "POST", "UNLOCK"] {
        assert!(methods.iter().any(|line| line.starts_with(method)), "{method}: {methods:?}");
    }
    second.destroy().await;
    stage.assert_nothing_remains().await;
}

#[tokio::test]
async fn locked_with_opentofu() {
    locked(Engine::opentofu()).await;
}

#[tokio::test]
async fn locked_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    locked(engine).await;
}
