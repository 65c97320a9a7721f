//! `allowed_account_ids` and `forbidden_account_ids`. No request is sent before it is necessary.

use serde_json::json;

use super::{failed_apply, settings};

/// Configuring the provider and planning a create send no request. An apply calls GetCallerIdentity once.
#[tokio::test]
async fn account_is_requested_once_at_apply() {
    let (stage, workspace) = settings("account_asked_once", json!({})).await;
    workspace.set(&json!({ "buckets": 8, "allowed_account_ids": [stage.account.id(), "999999999999"] }));
    let plan = workspace.plan().await;
    assert_eq!(plan.changes().len(), 8);
    let calls = stage.account.calls();
    assert!(calls.is_empty(), "{calls:?}");
    let _ = workspace.try_apply_plan().await.succeeded();
    assert_eq!(stage.account.calls_of("sts", "GetCallerIdentity").len(), 1);
    assert_eq!(stage.account.calls()[0].action, "GetCallerIdentity");
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// Without account lists, GetCallerIdentity is not called.
#[tokio::test]
async fn account_is_not_requested_without_account_lists() {
    let (stage, workspace) = settings("account_not_asked", json!({ "buckets": 1 })).await;
    workspace.apply().await;
    workspace.destroy().await;
    assert_eq!(stage.account.calls_of("sts", ".*").len(), 0);
    stage.assert_nothing_remains().await;
}

/// For an account that is forbidden or not allowed, one request is sent and nothing is changed.
#[tokio::test]
async fn forbidden_account_is_refused() {
    let (stage, workspace) = settings("account_refused", json!({ "buckets": 1 })).await;
    let id = stage.account.id();
    workspace.set(&json!({ "allowed_account_ids": ["111111111111", "222222222222"] }));
    assert_eq!(
        failed_apply(&workspace).await,
        format!(
            "AWS account not allowed: The credentials belong to AWS account {id}, which is not in allowed_account_ids \
             (111111111111, 222222222222): use credentials of an allowed account, or add this one to the list. Nothing \
             was changed."
        )
    );
    workspace.set(&json!({ "allowed_account_ids": null, "forbidden_account_ids": [id] }));
    assert_eq!(
        failed_apply(&workspace).await,
        format!(
            "AWS account not allowed: The credentials belong to AWS account {id}, which is in forbidden_account_ids: \
             use credentials of another account. Nothing was changed."
        )
    );
    let calls: Vec<String> = stage.account.calls().into_iter().map(|call| call.action).collect();
    assert_eq!(calls, ["GetCallerIdentity", "GetCallerIdentity"]);
    stage.assert_nothing_remains().await;
}
