//! Apply, plan, update, import and destroy, as every user does.

use gitlabspot_acceptance_tests::Cloud;
use serde_json::json;

use super::{ADDRESS, NAME, TEMPLATE, asg, asg_tags, delete_manually, guide, node_group};

/// N1: the group is created once, and the next plan is empty.
#[tokio::test]
async fn guide_group_from_create_to_destroy() {
    let (stage, workspace) = guide("guide", json!({})).await;
    let plan = workspace.plan().await;
    let after = &plan.change(ADDRESS)["after"];
    assert_eq!(after["asg_tags_all"][format!("{TEMPLATE}/taint/buildInstance")], "true:NoSchedule");
    assert_eq!(after["build_nodes"]["tolerations"][0]["key"], "buildInstance");
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.apply().await;
    let creates: Vec<String> =
        stage.account.changes().into_iter().filter(|action| action == "CreateNodegroup").collect();
    assert_eq!(creates.len(), 1);

    let tags = asg_tags(&stage.account).await;
    assert_eq!(tags[&format!("{TEMPLATE}/label/intent")], "build");
    assert_eq!(tags[&format!("{TEMPLATE}/label/eks.amazonaws.com/capacityType")], "SPOT");
    let suspended = asg(&stage.account).await.suspended_processes().to_vec();
    assert_eq!(suspended.iter().filter_map(|process| process.process_name()).collect::<Vec<_>>(), ["AZRebalance"]);
    let group = node_group(&stage.account).await.unwrap();
    assert_eq!(group.subnets(), [stage.account.subnet_ids()["af-south-1b"].clone()]);
    assert_eq!(group.remote_access.as_ref().and_then(|access| access.ec2_ssh_key()), Some("your-ssh-key"));
    assert!(group.tags.unwrap().keys().all(|key| key != "gitlabspot/unfinished"));

    let state = workspace.state().await;
    assert_eq!(state.resource(ADDRESS)["id"], format!("prod:{NAME}"));
    assert_eq!(state.output("build_nodes")["capacity_type"], "SPOT");

    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N2: an import by ID and by block has all attributes.
#[tokio::test]
async fn import_by_id_and_block() {
    let (stage, workspace) = guide("import", json!({ "tags": { "cost": "1" } })).await;
    workspace.apply().await;
    workspace.assert_import(ADDRESS, &format!("prod:{NAME}"), &[]).await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N16: a group that was deleted manually is planned to be created, with the role that remains.
#[tokio::test]
async fn manually_deleted_group_is_planned_again() {
    let (stage, workspace) = guide("disappears", json!({})).await;
    workspace.apply().await;
    delete_manually(&stage.account).await;
    let plan = workspace.plan().await;
    assert_eq!(plan.changes()[ADDRESS], ["create"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N23: the number of nodes that the cluster autoscaler sets is not drift.
#[tokio::test]
async fn size_set_by_the_autoscaler_is_not_drift() {
    let (stage, workspace) = guide("autoscaler", json!({})).await;
    workspace.apply().await;
    let name = asg(&stage.account).await.auto_scaling_group_name.unwrap();
    let request = stage.account.autoscaling().set_desired_capacity().auto_scaling_group_name(&name);
    request.desired_capacity(3).send().await.unwrap();
    assert!(workspace.plan().await.is_empty());
    workspace.set(&json!({ "max_size": 2 }));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(asg(&stage.account).await.desired_capacity, Some(2));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// A group that is not found in another account or region is not treated as deleted.
#[tokio::test]
async fn wrong_account_or_region_is_not_a_deletion() {
    let (stage, workspace) = guide("elsewhere", json!({})).await;
    let other = Cloud::running().account();
    workspace.apply().await;
    let before = workspace.state().await.resource(ADDRESS).clone();
    let arn = before["arn"].as_str().unwrap();
    let moved = workspace.clone().with_keys_of(&other);
    let wanted = format!(
        "This resource is {arn}, but the provider uses the AWS account {} and the region af-south-1: use the \
         credentials and the region with which it was created. The state was not changed.",
        other.id()
    );
    for output in [moved.try_apply().await, moved.try_destroy().await] {
        let printed = output.failed();
        assert!(printed.contains(&wanted), "{printed}");
    }
    let moved = workspace.clone().with_environment("AWS_REGION", "eu-west-1");
    let printed = moved.try_apply().await.failed();
    assert!(printed.contains("Connected to a different account or region"), "{printed}");
    assert_eq!(workspace.state().await.resource(ADDRESS), &before);
    assert_eq!(other.changes(), Vec::<String>::new());
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N25: attributes that cannot be updated in place replace the group. With a name prefix, the new group can be created
/// before the old one is deleted.
#[tokio::test]
async fn replacement_with_and_without_prefix() {
    let variables = json!({ "name": null, "name_prefix": "build-" });
    let (stage, workspace) = guide("replacement", variables).await;
    let main = std::fs::read_to_string(workspace.folder().join("main.tf")).unwrap();
    let lifecycle = "  lifecycle {\n    create_before_destroy = true\n  }\n  timeouts ";
    workspace.write("main.tf", &main.replacen("  timeouts ", lifecycle, 1));
    workspace.apply().await;
    workspace.set(&json!({ "instance_types": ["m5.2xlarge", "m5a.2xlarge", "m5d.2xlarge"] }));
    let plan = workspace.plan().await;
    assert_eq!(plan.changes()[ADDRESS], ["create", "delete"]);
    assert_eq!(plan.change(ADDRESS)["replace_paths"], json!([["instance_types"]]));
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// A refresh of an unchanged group takes two calls.
#[tokio::test]
async fn refresh_of_an_unchanged_group_takes_two_calls() {
    let (stage, workspace) = guide("refresh", json!({})).await;
    workspace.apply().await;
    stage.account.forget();
    workspace.refresh().await;
    let calls: Vec<String> = stage.account.calls().into_iter().map(|call| call.action).collect();
    assert_eq!(calls, ["DescribeNodegroup", "DescribeAutoScalingGroups"]);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// The error for a zone without subnets lists the zones that have one, before anything is created.
#[tokio::test]
async fn zone_without_subnets_is_named() {
    let (stage, workspace) = guide("unknown_zone", json!({ "availability_zones": ["af-south-1z"] })).await;
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("has no subnet in af-south-1z"), "{printed}");
    assert!(printed.contains("af-south-1a, af-south-1b, af-south-1c"), "{printed}");
    stage.assert_nothing_remains().await;
}
