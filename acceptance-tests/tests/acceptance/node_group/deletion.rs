//! The end of a node group.

use gitlabspot_acceptance_tests::Fault;
use serde_json::json;

use super::{ADDRESS, NAME, delete_behind_its_back, guide};

/// N17: someone else deletes it at the same time.
#[tokio::test]
async fn by_someone_else() {
    let (stage, workspace) = guide("deleted_meanwhile", json!({})).await;
    workspace.apply().await;
    stage.account.plan_node_groups(&json!({ "on": "delete", "polls": 8 }));
    let request = stage.account.eks().delete_nodegroup().cluster_name("prod").nodegroup_name(NAME);
    request.send().await.unwrap();
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}

/// N17: it is gone between plan and destroy, which is as good.
#[tokio::test]
async fn gone_already() {
    let (stage, workspace) = guide("gone_already", json!({})).await;
    workspace.apply().await;
    delete_behind_its_back(&stage.account).await;
    let destroy = ["destroy", "-refresh=false", "-input=false", "-auto-approve"];
    let _ = workspace.run(&destroy).await.succeeded();
    stage.assert_nothing_left().await;
}

/// N18: EKS gives up: its reasons are told, the state stays, and another try succeeds.
#[tokio::test]
async fn fails() {
    let (stage, workspace) = guide("delete_failed", json!({})).await;
    workspace.apply().await;
    let issue = json!({ "code": "Ec2SecurityGroupDeletionFailure", "message": "in use", "resourceIds": ["sg-1"] });
    stage.account.plan_node_groups(&json!({ "on": "delete", "status": "DELETE_FAILED", "issues": [issue] }));
    let said = workspace.try_destroy().await.failed();
    assert!(said.contains("Ec2SecurityGroupDeletionFailure (sg-1): in use"), "{said}");
    assert!(workspace.state().await.contains(ADDRESS));
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}

/// N19: an update that is under way is waited for.
#[tokio::test]
async fn while_an_update_runs() {
    let (stage, workspace) = guide("delete_busy", json!({})).await;
    workspace.apply().await;
    stage.account.plan_node_groups(&json!({ "on": "update", "polls": 8 }));
    let busy = stage.account.eks().update_nodegroup_config().cluster_name("prod").nodegroup_name(NAME);
    let labels = aws_sdk_eks::types::UpdateLabelsPayload::builder().add_or_update_labels("intent", "other").build();
    busy.labels(labels).send().await.unwrap();
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}

/// A role that cannot be deleted is not forgotten with its group.
#[tokio::test]
async fn role_stays() {
    let (stage, workspace) = guide("role_stays", json!({})).await;
    workspace.apply().await;
    stage.account.inject(Fault::error("iam", "DeleteRole", 403, "AccessDenied", "no iam:DeleteRole"));
    let said = workspace.try_destroy().await.failed();
    assert!(said.contains("no iam:DeleteRole") && said.contains("The state keeps its role"), "{said}");
    assert!(workspace.state().await.contains(ADDRESS));
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}
