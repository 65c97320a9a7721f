//! Deletion of a node group.

use gitlabspot_acceptance_tests::Fault;
use serde_json::json;

use super::{ADDRESS, NAME, delete_manually, guide};

/// N17: a destroy succeeds while others delete the group.
#[tokio::test]
async fn concurrent_deletion_by_others_succeeds() {
    let (stage, workspace) = guide("deleted_meanwhile", json!({})).await;
    workspace.apply().await;
    stage.account.plan_node_groups(&json!({ "on": "delete", "polls": 8 }));
    let request = stage.account.eks().delete_nodegroup().cluster_name("prod").nodegroup_name(NAME);
    request.send().await.unwrap();
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N17: a destroy succeeds if the group was deleted after the plan.
#[tokio::test]
async fn deleted_group_at_destroy_succeeds() {
    let (stage, workspace) = guide("gone_already", json!({})).await;
    workspace.apply().await;
    delete_manually(&stage.account).await;
    let destroy = ["destroy", "-refresh=false", "-input=false", "-auto-approve"];
    let _ = workspace.run(&destroy).await.succeeded();
    stage.assert_nothing_remains().await;
}

/// N18: the error of a failed deletion has the issues of EKS, the state keeps the group, and the next destroy succeeds.
#[tokio::test]
async fn delete_failed_is_explained_and_retried() {
    let (stage, workspace) = guide("delete_failed", json!({})).await;
    workspace.apply().await;
    let issue = json!({ "code": "Ec2SecurityGroupDeletionFailure", "message": "in use", "resourceIds": ["sg-1"] });
    stage.account.plan_node_groups(&json!({ "on": "delete", "status": "DELETE_FAILED", "issues": [issue] }));
    let printed = workspace.try_destroy().await.failed();
    assert!(printed.contains("Ec2SecurityGroupDeletionFailure (sg-1): in use"), "{printed}");
    assert!(workspace.state().await.contains(ADDRESS));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N19: a destroy waits for a running update.
#[tokio::test]
async fn destroy_waits_for_a_running_update() {
    let (stage, workspace) = guide("delete_busy", json!({})).await;
    workspace.apply().await;
    stage.account.plan_node_groups(&json!({ "on": "update", "polls": 8 }));
    let busy = stage.account.eks().update_nodegroup_config().cluster_name("prod").nodegroup_name(NAME);
    let labels = aws_sdk_eks::types::UpdateLabelsPayload::builder().add_or_update_labels("intent", "other").build();
    busy.labels(labels).send().await.unwrap();
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// The state keeps the group until its role is deleted, too.
#[tokio::test]
async fn undeletable_role_is_kept_in_the_state() {
    let (stage, workspace) = guide("role_stays", json!({})).await;
    workspace.apply().await;
    stage.account.inject(Fault::error("iam", "DeleteRole", 403, "AccessDenied", "no iam:DeleteRole"));
    let printed = workspace.try_destroy().await.failed();
    assert!(
        printed.contains("no iam:DeleteRole")
            && printed.contains("Its role and its launch template are kept in the state"),
        "{printed}"
    );
    assert!(workspace.state().await.contains(ADDRESS));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
