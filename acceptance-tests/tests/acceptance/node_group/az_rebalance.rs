//! AZRebalance: suspended and resumed only by its owner.

use gitlabspot_acceptance_tests::Account;
use serde_json::json;

use super::{ADDRESS, NAME, asg, guide};

async fn suspended(account: &Account) -> Vec<String> {
    let group = asg(account).await;
    group.suspended_processes().iter().filter_map(|process| process.process_name.clone()).collect()
}

/// Suspends or resumes AZRebalance outside the provider.
async fn set_manually(account: &Account, suspend: bool) {
    let name = asg(account).await.auto_scaling_group_name.unwrap();
    if suspend {
        let request = account.autoscaling().suspend_processes().auto_scaling_group_name(name);
        request.scaling_processes("AZRebalance").send().await.unwrap();
    } else {
        let request = account.autoscaling().resume_processes().auto_scaling_group_name(name);
        request.scaling_processes("AZRebalance").send().await.unwrap();
    }
}

/// Managed: suspended for SPOT by default, suspended again after others resumed it, and resumed with
/// `suspend_az_rebalance = false`.
#[tokio::test]
async fn az_rebalance_is_suspended_and_resumed() {
    let (stage, workspace) = guide("az_rebalance", json!({})).await;
    workspace.apply().await;
    assert_eq!(suspended(&stage.account).await, ["AZRebalance"]);
    workspace.set(&json!({ "suspend_az_rebalance": true }));
    set_manually(&stage.account, false).await;
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(suspended(&stage.account).await, ["AZRebalance"]);
    workspace.set(&json!({ "suspend_az_rebalance": false }));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(suspended(&stage.account).await, [""; 0]);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// Suspended by AWS during a zonal shift: this is not drift, and it is neither suspended again nor resumed.
#[tokio::test]
async fn az_rebalance_suspended_by_others_is_preserved() {
    let (stage, workspace) = guide("az_rebalance_of_others", json!({ "suspend_az_rebalance": false })).await;
    workspace.apply().await;
    assert_eq!(suspended(&stage.account).await, [""; 0]);
    set_manually(&stage.account, true).await;
    workspace.assert_stable().await;
    stage.account.forget();
    workspace.set(&json!({ "suspend_az_rebalance": true }));
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.set(&json!({ "suspend_az_rebalance": false }));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(stage.account.changes(), [""; 0]);
    assert_eq!(suspended(&stage.account).await, ["AZRebalance"]);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// An imported group manages its suspension.
#[tokio::test]
async fn az_rebalance_is_imported() {
    let (stage, workspace) = guide("az_rebalance_imported", json!({})).await;
    workspace.apply().await;
    let _ = workspace.run(&["state", "rm", ADDRESS]).await.succeeded();
    let _ = workspace.try_import(ADDRESS, &format!("prod:{NAME}")).await.succeeded();
    workspace.assert_stable().await;
    workspace.set(&json!({ "suspend_az_rebalance": false }));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(suspended(&stage.account).await, [""; 0]);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
