//! Scenarios: the resource as core drives it, on a small AWS in memory.

mod aws;
mod ec2;
mod generated;
mod role;
mod template;
mod version;

use std::time::Duration;

use serde_json::json;
use tfplugin::framework::Raw;

use self::aws::{Aws, Fault};
use super::NodeGroupResource;
use crate::tags::UNFINISHED as UNFINISHED_TAG;
use crate::testing::{Stage, summaries};

fn stage(aws: &Aws) -> Stage {
    Stage::new(NodeGroupResource::default(), aws.settings())
}

fn text(text: &str) -> Raw {
    Raw::from(text)
}

fn list(elements: &[&str]) -> Raw {
    Raw::List(elements.iter().map(|element| text(element)).collect())
}

fn object(attributes: &[(&str, Raw)]) -> Raw {
    Raw::Map(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

type Config = Vec<(&'static str, Raw)>;

/// The guide's group.
fn guide() -> Config {
    let taint = object(&[("key", text("buildInstance")), ("value", text("true")), ("effect", text("NoSchedule"))]);
    let labels = [("nodegroup-type", text("stateless")), ("instance-type", text("spot")), ("intent", text("build"))];
    let types = ["c5a.2xlarge", "t3.2xlarge", "c5.2xlarge", "c5ad.2xlarge", "m5.2xlarge", "c5d.2xlarge"];
    vec![
        ("cluster_name", text("prod")),
        ("name", text("build")),
        ("instance_types", list(&types)),
        ("desired_size", 0.into()),
        ("min_size", 0.into()),
        ("max_size", 5.into()),
        ("availability_zones", list(&["af-south-1b"])),
        ("labels", object(&labels)),
        ("taints", Raw::List(vec![taint])),
        ("node_role", node_role(&["auto_scaler", "cert_manager", "external_dns"])),
        ("remote_access", object(&[("ec2_ssh_key", text("your-ssh-key")), ("source_security_group_ids", Raw::Null)])),
    ]
}

fn node_role(addons: &[&str]) -> Raw {
    object(&[
        ("name", Raw::Null),
        ("name_prefix", Raw::Null),
        ("path", Raw::Null),
        ("permissions_boundary", Raw::Null),
        ("addon_policies", if addons.is_empty() { Raw::Null } else { list(addons) }),
        ("additional_policy_arns", Raw::Null),
    ])
}

fn with(more: &[(&'static str, Raw)]) -> Config {
    let mut config = guide();
    config.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    config.extend(more.iter().cloned());
    config
}

/// The guide's group with a role of the user's.
fn with_role_arn() -> Config {
    with(&[("node_role", Raw::Null), ("node_role_arn", text("arn:aws:iam::123456789012:role/nodes"))])
}

const TEMPLATE: &str = "k8s.io/cluster-autoscaler/node-template";

#[tokio::test]
async fn the_guides_group() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    stage.apply_wholly(&guide()).await;
    assert_eq!(
        aws.changes(),
        [
            vec!["CreateRole"],
            vec!["AttachRolePolicy"; 4],
            vec!["PutRolePolicy"; 3],
            vec!["CreateNodegroup", "CreateOrUpdateTags", "SuspendProcesses", "UntagResource"],
        ]
        .concat()
    );
    {
        let world = aws.world();
        let group = world.group.as_ref().unwrap();
        assert_eq!(group["capacityType"], "SPOT");
        assert_eq!(group["subnets"], json!(["subnet-b"]));
        assert_eq!(group["scalingConfig"], json!({ "minSize": 0, "maxSize": 5, "desiredSize": 0 }));
        assert_eq!(group["taints"], json!([{ "key": "buildInstance", "value": "true", "effect": "NO_SCHEDULE" }]));
        assert_eq!(group["instanceTypes"][0], "c5a.2xlarge");
        assert_eq!(group["tags"]["team"], "ci");
        assert!(group["tags"].get(UNFINISHED_TAG).is_none(), "{group}");
        assert_eq!(world.asg_tags[&format!("{TEMPLATE}/taint/buildInstance")], ("true:NoSchedule".to_owned(), false));
        assert_eq!(world.asg_tags[&format!("{TEMPLATE}/label/intent")], ("build".to_owned(), false));
    }
    assert_eq!(stage.state.get("id"), text("prod:build"));
    assert_eq!(stage.state.get("autoscaling_group_names"), list(&[aws::ASG]));
    assert_eq!(stage.state.get("build_nodes").get("node_selector").get("intent"), text("build"));

    assert!(!stage.destroy().await.has_errors());
    assert_eq!(stage.state, Raw::Null);
    assert!(aws.world().group.is_none() && aws.world().roles.is_empty());
}

#[tokio::test]
async fn a_tag_without_a_value_is_no_difference() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    let config = with(&[("tags", object(&[("cost", text("1")), ("owner", Raw::Null)]))]);
    stage.apply_wholly(&config).await;
    stage.refresh().await;
    assert_eq!(stage.changes(&config).await, [""; 0]);
}

#[tokio::test]
async fn a_refresh_takes_two_calls() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    stage.apply_wholly(&guide()).await;
    aws.calls();
    stage.refresh().await;
    assert_eq!(aws.calls(), ["DescribeNodegroup", "DescribeAutoScalingGroups"]);
}

#[tokio::test]
async fn import_needs_nothing_more() {
    let aws = Aws::default();
    let config = with(&[
        ("tags", object(&[("cost", text("1"))])),
        ("asg_tags", Raw::Null),
        (
            "update_config",
            object(&[
                ("max_unavailable", 2.into()),
                ("max_unavailable_percentage", Raw::Null),
                ("update_strategy", Raw::Null),
            ]),
        ),
    ]);
    let mut first = stage(&aws);
    first.apply_wholly(&config).await;
    let mut second = stage(&aws);
    assert!(!second.import("prod:build").await.has_errors());
    assert_eq!(second.state, first.state);
    assert_eq!(second.changes(&config).await, [""; 0]);
    assert_eq!(summaries(&stage(&Aws::default()).import("prod:other").await), ["Node group not found"]);
    assert_eq!(summaries(&stage(&aws).import("build").await), ["Invalid import ID"]);
}

#[tokio::test]
async fn a_removed_tag_comes_back_alone() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    stage.apply_wholly(&guide()).await;
    aws.world().asg_tags.remove(&format!("{TEMPLATE}/label/intent"));
    aws.world().asg_tags.insert("theirs".to_owned(), ("x".to_owned(), true));
    assert_eq!(stage.changes(&guide()).await, ["asg_tags_all", "status"]);
    aws.changes();
    aws.world().bodies.clear();
    stage.apply_wholly(&guide()).await;
    assert_eq!(aws.changes(), ["CreateOrUpdateTags"]);
    let sent = aws.bodies("CreateOrUpdateTags").remove(0);
    assert_eq!(sent["Tags.member.1.Key"], format!("{TEMPLATE}/label/intent"));
    assert!(sent.get("Tags.member.2.Key").is_none(), "{sent}");
    assert!(aws.world().asg_tags.contains_key("theirs"));
}

#[tokio::test]
async fn labels_and_taints_change_in_place() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    stage.apply_wholly(&guide()).await;
    aws.changes();
    let taint = object(&[("key", text("buildInstance")), ("value", text("yes")), ("effect", text("NoSchedule"))]);
    let config = with(&[
        ("labels", object(&[("intent", text("test")), ("new", text("x"))])),
        ("taints", Raw::List(vec![taint])),
        ("max_size", 9.into()),
    ]);
    stage.apply_wholly(&config).await;
    assert_eq!(aws.changes(), ["UpdateNodegroupConfig", "DeleteTags", "CreateOrUpdateTags"]);
    let sent = aws.bodies("UpdateNodegroupConfig").remove(0);
    assert_eq!(sent["labels"]["removeLabels"], json!(["instance-type", "nodegroup-type"]));
    assert_eq!(sent["scalingConfig"], json!({ "minSize": 0, "maxSize": 9 }));
    assert!(sent["taints"].get("removeTaints").is_none(), "{sent}");
    let world = aws.world();
    let ours: Vec<&String> = world.asg_tags.keys().filter(|key| key.starts_with(TEMPLATE)).collect();
    assert_eq!(ours.len(), 4, "{ours:?}");
}

#[tokio::test]
async fn the_autoscalers_size_stays() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    stage.apply_wholly(&guide()).await;
    aws.world().group.as_mut().unwrap()["scalingConfig"]["desiredSize"] = 3.into();
    assert_eq!(stage.changes(&guide()).await, [""; 0]);
    assert_eq!(stage.state.get("desired_size"), 3.into());
    // Below what runs: corrected, and only as far as needed.
    assert!(!stage.apply(&with(&[("max_size", 2.into())])).await.has_errors());
    assert_eq!(
        aws.bodies("UpdateNodegroupConfig").remove(0)["scalingConfig"],
        json!({ "minSize": 0, "maxSize": 2, "desiredSize": 2 })
    );
    assert_eq!(stage.changes(&with(&[("max_size", 2.into())])).await, [""; 0]);
}

#[tokio::test]
async fn a_failed_create_names_the_issues_and_stays_in_the_state() {
    let aws = Aws::default();
    aws.world().plan = vec!["CREATING", "CREATE_FAILED"];
    aws.world().issues = vec![json!({
        "code": "AsgInstanceLaunchFailures",
        "message": "Could not launch Spot Instances.",
        "resourceIds": [aws::ASG],
    })];
    let mut stage = stage(&aws);
    let diagnostics = stage.apply(&guide()).await;
    assert_eq!(summaries(&diagnostics), ["Cannot create the node group"]);
    let detail = &diagnostics.iter().next().unwrap().detail;
    for part in [
        "AsgInstanceLaunchFailures (eks-build-1)",
        "specify more instance types",
        "the next apply deletes and recreates it",
    ] {
        assert!(detail.contains(part), "{detail}");
    }
    assert_eq!(stage.state.get("id"), text("prod:build"));
    assert_eq!(stage.state.get("status"), text("CREATE_FAILED"));
    assert!(!stage.destroy().await.has_errors());
    assert!(aws.world().group.is_none() && aws.world().roles.is_empty());
}

#[tokio::test]
async fn a_lost_answer_makes_one_group() {
    for (fault, times) in [(Fault::DropAfter, 1), (Fault::DropAfter, 3)] {
        let aws = Aws::default();
        aws.fault("CreateNodegroup", times, fault);
        stage(&aws).apply_wholly(&guide()).await;
        let tokens: Vec<_> =
            aws.bodies("CreateNodegroup").iter().map(|body| body["clientRequestToken"].clone()).collect();
        assert!(tokens.windows(2).all(|pair| pair[0] == pair[1]), "{tokens:?}");
        assert!(aws.world().group.is_some());
    }
}

#[tokio::test]
async fn a_role_that_is_not_known_yet_is_waited_for() {
    let aws = Aws::default();
    let message =
        "The provided role could not be used: Role could not be assumed because the trusted entity is not correct";
    aws.fault("CreateNodegroup", 3, Fault::Error(400, "InvalidParameterException", message));
    stage(&aws).apply_wholly(&guide()).await;
    assert_eq!(aws.bodies("CreateNodegroup").len(), 4);
}

#[tokio::test]
async fn a_refusal_leaves_nothing() {
    let aws = Aws::default();
    aws.fault("CreateNodegroup", 1, Fault::Error(400, "InvalidParameterException", "The subnet ID does not exist"));
    let mut stage = stage(&aws);
    let diagnostics = stage.apply(&guide()).await;
    assert_eq!(summaries(&diagnostics), ["Cannot create the node group"]);
    assert!(diagnostics.iter().next().unwrap().detail.contains("Nothing was created"));
    assert_eq!(stage.state, Raw::Null);
    assert!(aws.world().roles.is_empty());
}

#[tokio::test]
async fn a_role_that_never_comes_is_given_up_after_two_minutes() {
    let aws = Aws::default();
    let message = "The role with name nodes cannot be found.";
    aws.fault("CreateNodegroup", 1000, Fault::Error(400, "InvalidParameterException", message));
    let mut stage = stage(&aws);
    let diagnostics = stage.apply(&with_role_arn()).await;
    assert!(diagnostics.iter().next().unwrap().detail.contains(message), "{diagnostics:?}");
    assert_eq!(stage.state, Raw::Null);
    assert_eq!(stage.clock.passed(), Duration::from_secs(120));
}

#[tokio::test]
async fn a_group_of_others_is_not_touched() {
    for config in [guide(), with_role_arn()] {
        let aws = Aws::default();
        stage(&aws).apply_wholly(&with_role_arn()).await;
        aws.changes();
        let before = aws.world().group.clone();
        let mut stage = stage(&aws);
        let diagnostics = stage.apply(&config).await;
        assert_eq!(summaries(&diagnostics), ["Node group already exists"]);
        assert!(diagnostics.iter().next().unwrap().detail.contains("prod:build"));
        assert_eq!(stage.state, Raw::Null);
        assert_eq!(aws.world().group, before);
        assert!(aws.world().roles.is_empty());
    }
}

#[tokio::test]
async fn what_a_dead_create_left_is_taken_over() {
    let aws = Aws::default();
    stage(&aws).apply_wholly(&guide()).await;
    {
        let mut world = aws.world();
        let group = world.group.as_mut().unwrap();
        group["tags"][UNFINISHED_TAG] = "2026-01-01T00:00:00Z".into();
        world.asg_tags.retain(|key, _| !key.starts_with(TEMPLATE));
        world.suspended = false;
    }
    let mut stage = stage(&aws);
    aws.changes();
    stage.apply_wholly(&guide()).await;
    assert!(aws.changes().iter().filter(|call| *call == "CreateNodegroup").count() == 1);
    assert!(aws.world().asg_tags.contains_key(&format!("{TEMPLATE}/label/intent")));
    assert!(aws.world().group.as_ref().unwrap()["tags"].get(UNFINISHED_TAG).is_none());
    assert!(aws.world().suspended);
}

#[tokio::test]
async fn what_a_dead_create_left_is_not_taken_over_when_it_differs() {
    let aws = Aws::default();
    stage(&aws).apply_wholly(&with_role_arn()).await;
    aws.world().group.as_mut().unwrap()["tags"][UNFINISHED_TAG] = "2026-01-01T00:00:00Z".into();
    let mut config = with_role_arn();
    config.retain(|(name, _)| *name != "instance_types");
    config.push(("instance_types", list(&["m5.large", "m5a.large", "m5d.large"])));
    assert_eq!(summaries(&stage(&aws).apply(&config).await), ["Node group already exists"]);
}

#[tokio::test]
async fn trouble_of_the_service_is_waited_out() {
    let aws = Aws::default();
    aws.fault("DescribeNodegroup", 5, Fault::Error(429, "TooManyRequestsException", "Rate exceeded"));
    aws.fault("DescribeNodegroup", 3, Fault::Html(502));
    stage(&aws).apply_wholly(&with_role_arn()).await;
}

#[tokio::test]
async fn a_create_that_takes_too_long_says_what_it_saw() {
    let aws = Aws::default();
    aws.world().plan = vec!["CREATING"; 1000];
    let mut stage = stage(&aws);
    let timeouts = object(&[("create", text("10m")), ("update", Raw::Null), ("delete", Raw::Null)]);
    let diagnostics = stage.apply(&with(&[("timeouts", timeouts)])).await;
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("last seen: status CREATING"), "{detail}");
    assert_eq!(stage.state.get("id"), text("prod:build"));
}

#[tokio::test]
async fn a_cancel_keeps_what_was_made() {
    let aws = Aws::default();
    aws.world().plan = vec!["CREATING"; 1000];
    let mut stage = stage(&aws);
    stage.context.stop.cancel();
    let diagnostics = stage.apply(&with_role_arn()).await;
    assert!(diagnostics.iter().next().unwrap().detail.contains("cancelled"), "{diagnostics:?}");
    assert_eq!(stage.state.get("id"), text("prod:build"));
    assert_eq!(stage.state.get("status"), text("CREATING"));
}

#[tokio::test]
async fn a_zone_without_subnets_names_those_that_there_are() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    let diagnostics = stage.apply(&with(&[("availability_zones", list(&["af-south-1z"]))])).await;
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("af-south-1a, af-south-1b, af-south-1c"), "{detail}");
    assert_eq!(stage.state, Raw::Null);
    assert_eq!(aws.changes(), [""; 0]);
}

#[tokio::test]
async fn a_group_that_disappeared_is_made_again() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    stage.apply_wholly(&guide()).await;
    aws.world().group = None;
    assert_eq!(summaries(&stage.refresh().await), ["Parts of a deleted node group still exist"]);
    assert_eq!(stage.state, Raw::Null);
    stage.apply_wholly(&guide()).await;
    assert!(!stage.destroy().await.has_errors());
    assert!(aws.world().roles.is_empty());
}

#[tokio::test]
async fn a_role_that_cannot_be_deleted_is_not_forgotten() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    stage.apply_wholly(&guide()).await;
    aws.fault("DeleteRole", 1, Fault::Error(403, "AccessDenied", "no"));
    assert_eq!(summaries(&stage.destroy().await), ["Cannot delete the role of the node group"]);
    assert_eq!(stage.state.get("status"), text("DELETED"));
    stage.refresh().await;
    assert_eq!(stage.plan(&guide()).await.replace, ["status".into()]);
    assert!(!stage.destroy().await.has_errors());
    assert!(aws.world().roles.is_empty());
}

#[tokio::test]
async fn an_update_that_fails_shows_the_difference_again() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    stage.apply_wholly(&guide()).await;
    aws.world().updates.push_back(json!({
        "status": "Failed",
        "errors": [{ "errorCode": "PodEvictionFailure", "errorMessage": "Pods stay.", "resourceIds": ["node-1"] }],
    }));
    let before = stage.state.get("version");
    let diagnostics = stage.apply(&with(&[("version", text("1.35"))])).await;
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("PodEvictionFailure (node-1): Pods stay"), "{detail}");
    assert_eq!(stage.state.get("version"), before);
}

#[tokio::test]
async fn the_version_is_kept_when_the_rest_fails() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    stage.apply_wholly(&guide()).await;
    aws.world().updates = [json!({ "status": "Successful" }), json!({ "status": "Failed", "errors": [] })].into();
    let config = with(&[("version", text("1.35")), ("labels", object(&[("intent", text("test"))]))]);
    assert_eq!(summaries(&stage.apply(&config).await), ["Cannot update the node group"]);
    assert_eq!(stage.state.get("version"), text("1.35"));
    assert_eq!(stage.state.get("release_version"), text("1.35.0-20260301"));
    assert_eq!(stage.state.get("labels").get("intent"), text("build"));
}

#[tokio::test]
async fn another_update_is_waited_for() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    stage.apply_wholly(&guide()).await;
    aws.fault("UpdateNodegroupConfig", 3, Fault::Error(409, "ResourceInUseException", "an update runs"));
    stage.apply_wholly(&with(&[("max_size", 9.into())])).await;
}

#[tokio::test]
async fn deleting_waits_for_an_update_and_takes_a_deletion_by_others() {
    let aws = Aws::default();
    let mut first = stage(&aws);
    first.apply_wholly(&guide()).await;
    {
        let mut world = aws.world();
        world.group.as_mut().unwrap()["status"] = "UPDATING".into();
        world.statuses = ["UPDATING", "UPDATING", "ACTIVE"].into();
    }
    assert!(!first.destroy().await.has_errors());
    assert!(aws.world().group.is_none());

    let mut second = stage(&aws);
    second.apply_wholly(&guide()).await;
    {
        let mut world = aws.world();
        world.group.as_mut().unwrap()["status"] = "DELETING".into();
        world.statuses = ["DELETING", "DELETING", "GONE"].into();
    }
    assert!(!second.destroy().await.has_errors());
    assert!(aws.world().roles.is_empty());
}

#[tokio::test]
async fn a_failed_deletion_keeps_the_state() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    stage.apply_wholly(&guide()).await;
    {
        let mut world = aws.world();
        let issue = json!({ "code": "Ec2SecurityGroupDeletionFailure", "message": "in use", "resourceIds": ["sg-1"] });
        let group = world.group.as_mut().unwrap();
        group["status"] = "DELETING".into();
        group["health"] = json!({ "issues": [issue] });
        world.statuses = ["DELETING", "DELETE_FAILED"].into();
    }
    let diagnostics = stage.destroy().await;
    assert!(diagnostics.iter().next().unwrap().detail.contains("Ec2SecurityGroupDeletionFailure (sg-1)"));
    assert_eq!(stage.state.get("status"), text("DELETE_FAILED"));
    assert_eq!(aws.world().roles.len(), 1);
}

#[tokio::test]
async fn tags_and_add_ons_change_in_place() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    stage.apply_wholly(&with(&[("tags", object(&[("cost", text("1"))]))])).await;
    aws.changes();
    let config =
        with(&[("node_role", node_role(&["auto_scaler", "image_builder"])), ("tags", object(&[("cost", text("2"))]))]);
    stage.apply_wholly(&config).await;
    let world = aws.world();
    let role = world.roles.values().next().unwrap();
    assert_eq!(role.inline.keys().collect::<Vec<_>>(), ["auto-scaler"]);
    assert_eq!(role.attached.len(), 5);
    assert_eq!(role.tags["cost"], "2");
    assert_eq!(world.group.as_ref().unwrap()["tags"]["cost"], "2");
}

#[tokio::test]
async fn az_rebalance_is_resumed_by_whom_it_was_suspended() {
    let aws = Aws::default();
    let mut first = stage(&aws);
    first.apply_wholly(&guide()).await;
    assert!(aws.world().suspended);
    first.apply_wholly(&with(&[("suspend_az_rebalance", false.into())])).await;
    assert!(!aws.world().suspended);
    // Now AWS does it, for a zonal shift.
    aws.world().suspended = true;
    assert_eq!(first.changes(&with(&[("suspend_az_rebalance", false.into())])).await, [""; 0]);
    assert!(aws.world().suspended);
}

#[tokio::test]
async fn another_place_or_type_is_another_group() {
    let aws = Aws::default();
    let mut stage = stage(&aws);
    stage.apply_wholly(&guide()).await;
    for (name, value) in [
        ("instance_types", list(&["m5.large", "m5a.large", "m5d.large"])),
        ("availability_zones", list(&["af-south-1a"])),
        ("capacity_type", text("ON_DEMAND")),
        ("disk_size", 50.into()),
        ("name", text("other")),
        ("remote_access", Raw::Null),
    ] {
        assert_eq!(stage.plan(&with(&[(name, value)])).await.replace, [name.into()], "{name}");
    }
    let same = with(&[("availability_zones", Raw::Null), ("subnet_ids", list(&["subnet-b"]))]);
    assert_eq!(stage.changes(&same).await, [""; 0]);
}

#[tokio::test]
async fn a_prefix_gets_an_ending() {
    let aws = Aws::default();
    let mut first = stage(&aws);
    let config = with(&[("name", Raw::Null), ("name_prefix", text("build-"))]);
    first.apply_wholly(&config).await;
    let name = first.state.get("name").as_str().unwrap().to_owned();
    assert!(name.starts_with("build-") && name.len() == 16, "{name}");
}
