//! What a plan says beside its changes, and what is said of a group that is not well.

use gitlabspot_acceptance_tests::Fault;
use serde_json::json;

use super::{ADDRESS, NAME, guide};

const UNLIKE: &str = "Instance types of different sizes";

/// Types of another size than the first are named with what differs; so are few types and a single zone.
#[tokio::test]
async fn instance_types() {
    let variables = json!({ "instance_types": ["c5.2xlarge", "m5.xlarge"] });
    let (stage, workspace) = guide("unlike_types", variables).await;
    let said = workspace.plan().await.output().prose();
    let unlike = "c5.2xlarge has 8 vCPUs, 16 GiB, x86_64. But m5.xlarge has 4 vCPUs.";
    for part in [UNLIKE, unlike, "Few instance types for Spot", "Only one availability zone"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let alike = json!(["c5.2xlarge", "c5a.2xlarge", "c5d.2xlarge"]);
    workspace.set(&json!({ "instance_types": alike, "availability_zones": ["af-south-1a", "af-south-1b"] }));
    let said = workspace.plan().await.output().prose();
    assert!(said.contains("Node role not available to pods"), "{said}");
    workspace.set(&json!({ "add_ons": [] }));
    let said = workspace.plan().await.output().prose();
    assert!(!said.contains("Warning"), "{said}");
    stage.assert_nothing_left().await;
}

/// Without credentials, without the right to ask, and without an answer a plan is silent, and no slower.
#[tokio::test]
async fn nothing_to_say() {
    let variables = json!({ "instance_types": ["c5.2xlarge", "m5.xlarge", "m6g.large"] });
    let (stage, workspace) = guide("silent", variables).await;
    let faults = [
        Fault::error("ec2", "DescribeInstanceTypes", 403, "UnauthorizedOperation", "You are not authorized"),
        Fault::page("ec2", "DescribeInstanceTypes", 502),
        Fault::drop_before("ec2", "DescribeInstanceTypes"),
    ];
    for fault in faults {
        stage.account.inject(fault);
        let said = workspace.plan().await.output().prose();
        assert!(!said.contains(UNLIKE), "{said}");
    }
    let without = workspace.clone().with_environment("AWS_ACCESS_KEY_ID", "");
    let without = without.with_environment("AWS_SECRET_ACCESS_KEY", "");
    stage.account.forget();
    let said = without.plan().await.output().prose();
    assert!(!said.contains(UNLIKE), "{said}");
    assert!(stage.account.calls().is_empty());
    stage.assert_nothing_left().await;
}

/// A group that is degraded later is warned about, with code, resource and hint; it is no difference.
#[tokio::test]
async fn degraded() {
    let (stage, workspace) = guide("degraded", json!({})).await;
    workspace.apply().await;
    let issue = json!({
        "code": "InsufficientFreeAddresses",
        "message": "One or more of the subnets does not have enough available IP addresses.",
        "resourceIds": ["subnet-1"],
    });
    stage.account.plan_node_groups(&json!({ "on": "health", "status": "DEGRADED", "issues": [issue] }));
    let plan = workspace.plan().await;
    let said = plan.output().prose();
    let issue = "InsufficientFreeAddresses (subnet-1): One or more of the subnets does not have enough available IP \
                 addresses. A subnet has no free addresses: use another or a larger subnet";
    assert!(said.contains("Node group is not healthy") && said.contains(issue), "{said}");
    assert!(plan.changes().is_empty(), "{:?}", plan.changes());
    workspace.set(&json!({ "max_size": 7 }));
    workspace.apply().await;
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}

/// One that is degraded from the beginning counts as failed.
#[tokio::test]
async fn degraded_from_the_beginning() {
    let (stage, workspace) = guide("born_degraded", json!({})).await;
    let issue = json!({ "code": "Ec2SubnetNotFound", "message": "A subnet is missing.", "resourceIds": ["subnet-1"] });
    stage.account.plan_node_groups(&json!({ "on": "create", "status": "DEGRADED", "issues": [issue] }));
    let said = workspace.try_apply().await.failed();
    let reason = "its status is DEGRADED: Ec2SubnetNotFound (subnet-1): A subnet is missing. A subnet was deleted:";
    assert!(said.contains(reason) && said.contains("the next apply deletes and recreates it"), "{said}");
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], format!("prod:{NAME}"));
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}
