//! A state on a server, with the backend `http`.

use gitlabspot_acceptance_tests::{Engine, StateStore, until};
use serde_json::json;

use super::{complete, keep_state};
use crate::complete::NODES;

/// A second run meanwhile is refused by the lock, Ctrl-C releases it, and the server has what was created until then.
async fn locked(engine: Engine) {
    let (stage, workspace) = complete("locked", engine).await;
    let store = StateStore::start().await;
    keep_state(&workspace, &store).await;
    stage.account.plan_node_groups(&json!({ "on": "create", "polls": 10_000 }));
    let running = workspace.begin_apply();
    until("EKS is creating the group", async || stage.account.looks_after("CreateNodegroup") > 1).await;

    let holder = store.lock().unwrap();
    let second = workspace.twin();
    second.init().await;
    let said = second.run(&["plan", "-input=false"]).await.failed();
    assert!(said.contains("Error acquiring the state lock"), "{said}");
    assert!(said.contains(holder["ID"].as_str().unwrap()), "{holder} is not in: {said}");

    let said = running.interrupt_soon(|| stage.account.calls().len()).await.failed();
    assert!(said.contains("last seen: status CREATING"), "{said}");
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
    stage.assert_nothing_left().await;
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
