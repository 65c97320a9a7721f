//! Updates in place.

use gitlabspot_acceptance_tests::Fault;
use serde_json::json;

use super::{ADDRESS, TEMPLATE, asg_tags, guide, node_group};

/// N22: one update adds, changes and removes labels and changes the value of a taint.
#[tokio::test]
async fn labels_and_taints_change_in_one_update() {
    let (stage, workspace) = guide("labels", json!({})).await;
    workspace.apply().await;
    stage.account.forget();
    workspace.set(&json!({
        "labels": { "intent": "test", "instance-type": "spot", "new": "x" },
        "taint": { "key": "buildInstance", "value": "yes", "effect": "NoSchedule" },
    }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    let calls = stage.account.calls_of("eks", "UpdateNodegroupConfig");
    let [call] = calls.as_slice() else { panic!("not one update: {calls:?}") };
    assert_eq!(call.parameters["labels"]["addOrUpdateLabels"], json!({ "intent": "test", "new": "x" }));
    assert_eq!(call.parameters["labels"]["removeLabels"], json!(["nodegroup-type"]));
    assert!(call.parameters["taints"].get("removeTaints").is_none(), "{:?}", call.parameters);
    let tags = asg_tags(&stage.account).await;
    assert_eq!(tags[&format!("{TEMPLATE}/taint/buildInstance")], "yes:NoSchedule");
    assert_eq!(tags[&format!("{TEMPLATE}/label/new")], "x");
    assert!(!tags.contains_key(&format!("{TEMPLATE}/label/nodegroup-type")));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N20: an update waits for a running update.
#[tokio::test]
async fn update_waits_for_a_running_update() {
    let (stage, workspace) = guide("busy", json!({})).await;
    workspace.apply().await;
    stage.account.plan_node_groups(&json!({ "on": "update", "polls": 6 }));
    let busy = stage.account.eks().update_nodegroup_config().cluster_name("prod").nodegroup_name(super::NAME);
    let labels = aws_sdk_eks::types::UpdateLabelsPayload::builder().add_or_update_labels("intent", "other").build();
    busy.labels(labels).send().await.unwrap();
    let refused = Fault::error("eks", "UpdateNodegroupConfig", 409, "ResourceInUseException", "an update runs");
    stage.account.inject(refused.times(2));
    workspace.set(&json!({ "max_size": 9 }));
    workspace.apply().await;
    workspace.apply().await;
    workspace.assert_stable().await;
    let group = node_group(&stage.account).await.unwrap();
    assert_eq!(group.scaling_config.and_then(|scaling| scaling.max_size), Some(9));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N21, N24: if the first of two updates succeeds and the second fails, the state has the first and not the second.
#[tokio::test]
async fn failed_second_update_keeps_the_first_in_the_state() {
    let (stage, workspace) = guide("half", json!({ "node_version": "1.33" })).await;
    workspace.apply().await;
    stage.account.plan_node_groups(&json!({ "on": "update" }));
    stage.account.plan_node_groups(&json!({
        "on": "update",
        "status": "Failed",
        "errors": [{ "errorCode": "PodEvictionFailure", "errorMessage": "Pods stay", "resourceIds": ["i-1"] }],
    }));
    workspace.set(&json!({ "node_version": "1.34", "labels": { "intent": "test" } }));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("PodEvictionFailure (i-1): Pods stay"), "{printed}");
    let state = workspace.state().await;
    let group = state.resource(ADDRESS);
    assert_eq!(group["version"], "1.34");
    assert_eq!(group["labels"]["intent"], "build");
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// A create and each update wait for an update of the cluster that takes longer than two minutes.
#[tokio::test]
async fn cluster_update_is_waited_for() {
    let (stage, workspace) = guide("busy_cluster", json!({ "node_version": "1.33" })).await;
    stage.account.set_cluster_status("UPDATING", 20);
    workspace.apply().await;
    stage.account.set_cluster_status("UPDATING", 4);
    workspace.set(&json!({ "node_version": "1.34", "max_size": 9 }));
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// A release of another minor version sets the version in create and update.
#[tokio::test]
async fn release_sets_the_version() {
    let (stage, workspace) = guide("release", json!({ "release_version": "1.33.0-20251103" })).await;
    workspace.apply().await;
    assert_eq!(workspace.state().await.resource(ADDRESS)["version"], "1.33");
    workspace.set(&json!({ "release_version": "1.34.0-20251103" }));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(workspace.state().await.resource(ADDRESS)["version"], "1.34");
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// Add-on policies and tags of a role that the provider created are updated.
#[tokio::test]
async fn add_on_policies_and_role_tags_are_updated() {
    let (stage, workspace) = guide("add_ons", json!({ "tags": { "cost": "1" } })).await;
    workspace.apply().await;
    stage.account.forget();
    workspace.set(&json!({ "add_ons": ["image_builder", "auto_scaler"], "tags": { "cost": "2" } }));
    workspace.apply().await;
    workspace.assert_stable().await;
    let state = workspace.state().await;
    let role = state.resource(ADDRESS)["node_role"]["name"].as_str().unwrap().to_owned();
    let iam = stage.account.iam();
    let inline = iam.list_role_policies().role_name(&role).send().await.unwrap();
    assert_eq!(inline.policy_names(), ["auto-scaler"]);
    let attached = iam.list_attached_role_policies().role_name(&role).send().await.unwrap();
    assert_eq!(attached.attached_policies().len(), 5);
    assert!(stage.account.changes().contains(&"TagRole".to_owned()));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
