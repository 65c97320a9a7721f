//! Warnings of plans, and errors of unhealthy groups.

use gitlabspot_acceptance_tests::Fault;
use serde_json::json;

use super::{ADDRESS, NAME, guide};

const UNLIKE: &str = "Instance types of different sizes";

/// Instance types whose size differs from that of the first one, too few types, and a single zone.
#[tokio::test]
async fn unsuitable_instance_types_are_warned_about() {
    let variables = json!({ "instance_types": ["c5.2xlarge", "m5.xlarge"] });
    let (stage, workspace) = guide("unlike_types", variables).await;
    let printed = workspace.plan().await.output().prose();
    let unlike = "c5.2xlarge has 8 vCPUs, 16 GiB, x86_64. Other types differ: m5.xlarge has 4 vCPUs.";
    for part in [UNLIKE, unlike, "Few instance types for Spot", "Only one availability zone"] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    let alike = json!(["c5.2xlarge", "c5a.2xlarge", "c5d.2xlarge"]);
    workspace.set(&json!({ "instance_types": alike, "availability_zones": ["af-south-1a", "af-south-1b"] }));
    let printed = workspace.plan().await.output().prose();
    assert!(printed.contains("Node role not available to pods"), "{printed}");
    workspace.set(&json!({ "add_ons": [] }));
    let printed = workspace.plan().await.output().prose();
    assert!(!printed.contains("Warning"), "{printed}");
    stage.assert_nothing_remains().await;
}

/// Without credentials, read permission or a response, a plan has no warning and does not take longer.
#[tokio::test]
async fn plan_without_credentials_has_no_warning() {
    let variables = json!({ "instance_types": ["c5.2xlarge", "m5.xlarge", "m6g.large"] });
    let (stage, workspace) = guide("silent", variables).await;
    let faults = [
        Fault::error("ec2", "DescribeInstanceTypes", 403, "UnauthorizedOperation", "You are not authorized"),
        Fault::page("ec2", "DescribeInstanceTypes", 502),
        Fault::drop_before("ec2", "DescribeInstanceTypes"),
    ];
    for fault in faults {
        stage.account.inject(fault);
        let printed = workspace.plan().await.output().prose();
        assert!(!printed.contains(UNLIKE), "{printed}");
    }
    let without = workspace.clone().with_environment("AWS_ACCESS_KEY_ID", "");
    let without = without.with_environment("AWS_SECRET_ACCESS_KEY", "");
    stage.account.forget();
    let printed = without.plan().await.output().prose();
    assert!(!printed.contains(UNLIKE), "{printed}");
    assert!(stage.account.calls().is_empty());
    stage.assert_nothing_remains().await;
}

/// A group that becomes degraded causes a warning with code, resource and hint. It is not drift.
#[tokio::test]
async fn degraded_group_is_a_warning() {
    let (stage, workspace) = guide("degraded", json!({})).await;
    workspace.apply().await;
    let issue = json!({
        "code": "InsufficientFreeAddresses",
        "message": "One or more of the subnets does not have enough available IP addresses.",
        "resourceIds": ["subnet-1"],
    });
    stage.account.plan_node_groups(&json!({ "on": "health", "status": "DEGRADED", "issues": [issue] }));
    let plan = workspace.plan().await;
    let printed = plan.output().prose();
    let issue = "InsufficientFreeAddresses (subnet-1): One or more of the subnets does not have enough available IP \
                 addresses. A subnet has no free IP addresses: use another or a larger subnet";
    assert!(printed.contains("Node group is not healthy") && printed.contains(issue), "{printed}");
    assert!(plan.changes().is_empty(), "{:?}", plan.changes());
    workspace.set(&json!({ "max_size": 7 }));
    workspace.apply().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// A create fails if the new group is degraded.
#[tokio::test]
async fn group_degraded_at_create_is_an_error() {
    let (stage, workspace) = guide("born_degraded", json!({})).await;
    let issue = json!({ "code": "Ec2SubnetNotFound", "message": "A subnet is missing.", "resourceIds": ["subnet-1"] });
    stage.account.plan_node_groups(&json!({ "on": "create", "status": "DEGRADED", "issues": [issue] }));
    let printed = workspace.try_apply().await.failed();
    let reason = "its status is DEGRADED: Ec2SubnetNotFound (subnet-1): A subnet is missing. A subnet was deleted:";
    assert!(printed.contains(reason) && printed.contains("the next apply deletes and recreates it"), "{printed}");
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], format!("prod:{NAME}"));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
