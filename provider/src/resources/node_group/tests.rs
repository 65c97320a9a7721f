//! Scenarios: operations as Terraform Core requests them, on an AWS account in memory.

mod generated;
mod role;
mod template;
mod version;

use std::time::Duration;

use gitlabspot_testing::aws::{ALL, Account, Fault, autoscaling};
use serde_json::{Value as Json, json};
use tfplugin::framework::Raw;

use super::NodeGroupResource;
use crate::tags::UNFINISHED as UNFINISHED_TAG;
use crate::testing::{Stage, aws_settings, summaries};

fn stage(account: &Account) -> Stage {
    Stage::new(NodeGroupResource::default(), aws_settings(account, "af-south-1"))
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

/// The node group of the guide.
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

/// The node group of the guide with an existing role.
fn with_role_arn() -> Config {
    with(&[("node_role", Raw::Null), ("node_role_arn", text("arn:aws:iam::123456789012:role/nodes"))])
}

const TEMPLATE: &str = "k8s.io/cluster-autoscaler/node-template";

#[tokio::test]
async fn node_group_of_the_guide() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    assert_eq!(
        account.changes(),
        [
            vec!["CreateRole"],
            vec!["AttachRolePolicy"; 4],
            vec!["PutRolePolicy"; 3],
            vec!["CreateNodegroup", "CreateOrUpdateTags", "SuspendProcesses", "UntagResource"],
        ]
        .concat()
    );
    {
        let state = account.state();
        let group = &state.eks.node_group;
        assert_eq!(group["capacityType"], "SPOT");
        assert_eq!(group["subnets"], json!(["subnet-b"]));
        assert_eq!(group["scalingConfig"], json!({ "minSize": 0, "maxSize": 5, "desiredSize": 0 }));
        assert_eq!(group["taints"], json!([{ "key": "buildInstance", "value": "true", "effect": "NO_SCHEDULE" }]));
        assert_eq!(group["instanceTypes"][0], "c5a.2xlarge");
        assert_eq!(group["tags"]["team"], "ci");
        assert!(group["tags"].get(UNFINISHED_TAG).is_none(), "{group}");
        assert_eq!(
            state.autoscaling.tags[&format!("{TEMPLATE}/taint/buildInstance")],
            ("true:NoSchedule".to_owned(), false)
        );
        assert_eq!(state.autoscaling.tags[&format!("{TEMPLATE}/label/intent")], ("build".to_owned(), false));
    }
    assert_eq!(stage.state.get("id"), text("prod:build"));
    assert_eq!(stage.state.get("autoscaling_group_names"), list(&[autoscaling::NAME]));
    assert_eq!(stage.state.get("build_nodes").get("node_selector").get("intent"), text("build"));

    assert!(!stage.destroy().await.has_errors());
    assert_eq!(stage.state, Raw::Null);
    assert!(account.state().eks.node_group.is_null() && account.state().iam.principals.is_empty());
}

#[tokio::test]
async fn a_tag_without_a_value_is_no_difference() {
    let account = Account::default();
    let mut stage = stage(&account);
    let config = with(&[("tags", object(&[("cost", text("1")), ("owner", Raw::Null)]))]);
    stage.apply_wholly(&config).await;
    stage.refresh().await;
    assert_eq!(stage.changes(&config).await, [""; 0]);
}

#[tokio::test]
async fn a_refresh_takes_two_calls() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    account.changes();
    stage.refresh().await;
    assert_eq!(account.calls(), ["DescribeNodegroup", "DescribeAutoScalingGroups"]);
}

#[tokio::test]
async fn an_import_plans_no_changes() {
    let account = Account::default();
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
    let mut first = stage(&account);
    first.apply_wholly(&config).await;
    let mut second = stage(&account);
    assert!(!second.import("prod:build").await.has_errors());
    assert_eq!(second.state, first.state);
    assert_eq!(second.changes(&config).await, [""; 0]);
    assert_eq!(summaries(&stage(&Account::default()).import("prod:other").await), ["Node group not found"]);
    assert_eq!(summaries(&stage(&account).import("build").await), ["Invalid import ID"]);
}

#[tokio::test]
async fn a_removed_asg_tag_is_restored_alone() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    account.state().autoscaling.tags.remove(&format!("{TEMPLATE}/label/intent"));
    account.state().autoscaling.tags.insert("theirs".to_owned(), ("x".to_owned(), true));
    assert_eq!(stage.changes(&guide()).await, ["asg_tags_all", "status"]);
    account.changes();
    stage.apply_wholly(&guide()).await;
    assert_eq!(account.changes(), ["CreateOrUpdateTags"]);
    let sent = account.bodies("CreateOrUpdateTags").pop().unwrap();
    assert_eq!(sent["Tags.member.1.Key"], format!("{TEMPLATE}/label/intent"));
    assert!(sent.get("Tags.member.2.Key").is_none(), "{sent}");
    assert!(account.state().autoscaling.tags.contains_key("theirs"));
}

#[tokio::test]
async fn labels_and_taints_change_in_place() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    account.changes();
    let taint = object(&[("key", text("buildInstance")), ("value", text("yes")), ("effect", text("NoSchedule"))]);
    let config = with(&[
        ("labels", object(&[("intent", text("test")), ("new", text("x"))])),
        ("taints", Raw::List(vec![taint])),
        ("max_size", 9.into()),
    ]);
    stage.apply_wholly(&config).await;
    assert_eq!(account.changes(), ["UpdateNodegroupConfig", "DeleteTags", "CreateOrUpdateTags"]);
    let sent = account.bodies("UpdateNodegroupConfig").remove(0);
    assert_eq!(sent["labels"]["removeLabels"], json!(["instance-type", "nodegroup-type"]));
    assert_eq!(sent["scalingConfig"], json!({ "minSize": 0, "maxSize": 9 }));
    assert!(sent["taints"].get("removeTaints").is_none(), "{sent}");
    let state = account.state();
    let ours: Vec<&String> = state.autoscaling.tags.keys().filter(|key| key.starts_with(TEMPLATE)).collect();
    assert_eq!(ours.len(), 4, "{ours:?}");
}

#[tokio::test]
async fn the_size_of_the_autoscaler_is_kept() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    account.state().eks.node_group["scalingConfig"]["desiredSize"] = 3.into();
    assert_eq!(stage.changes(&guide()).await, [""; 0]);
    assert_eq!(stage.state.get("desired_size"), 3.into());
    // A maximum below the current size changes the size, but only as far as necessary.
    assert!(!stage.apply(&with(&[("max_size", 2.into())])).await.has_errors());
    assert_eq!(
        account.bodies("UpdateNodegroupConfig").remove(0)["scalingConfig"],
        json!({ "minSize": 0, "maxSize": 2, "desiredSize": 2 })
    );
    assert_eq!(stage.changes(&with(&[("max_size", 2.into())])).await, [""; 0]);
}

#[tokio::test]
async fn failed_create_reports_health_issues_and_is_recorded() {
    let account = Account::default();
    account.state().eks.create_statuses = vec!["CREATING", "CREATE_FAILED"];
    account.state().eks.issues = vec![json!({
        "code": "AsgInstanceLaunchFailures",
        "message": "Could not launch Spot Instances.",
        "resourceIds": [autoscaling::NAME],
    })];
    let mut stage = stage(&account);
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
    assert!(account.state().eks.node_group.is_null() && account.state().iam.principals.is_empty());
}

#[tokio::test]
async fn a_lost_response_creates_one_group() {
    for calls in [0..1, 0..3] {
        let account = Account::default();
        account.fault("CreateNodegroup", calls, Fault::LostAnswer);
        stage(&account).apply_wholly(&guide()).await;
        let tokens: Vec<_> =
            account.bodies("CreateNodegroup").iter().map(|body| body["clientRequestToken"].clone()).collect();
        assert!(tokens.windows(2).all(|pair| pair[0] == pair[1]), "{tokens:?}");
        assert!(account.state().eks.node_group.is_object());
    }
}

#[tokio::test]
async fn a_role_that_has_not_propagated_is_retried() {
    let account = Account::default();
    let message =
        "The provided role could not be used: Role could not be assumed because the trusted entity is not correct";
    account.fault("CreateNodegroup", 0..3, Fault::Error(400, "InvalidParameterException", message));
    stage(&account).apply_wholly(&guide()).await;
    assert_eq!(account.bodies("CreateNodegroup").len(), 4);
}

#[tokio::test]
async fn rejected_create_leaves_no_objects() {
    let account = Account::default();
    account.fault(
        "CreateNodegroup",
        0..1,
        Fault::Error(400, "InvalidParameterException", "The subnet ID does not exist"),
    );
    let mut stage = stage(&account);
    let diagnostics = stage.apply(&guide()).await;
    assert_eq!(summaries(&diagnostics), ["Cannot create the node group"]);
    assert!(diagnostics.iter().next().unwrap().detail.contains("Nothing was created"));
    assert_eq!(stage.state, Raw::Null);
    assert!(account.state().iam.principals.is_empty());
}

#[tokio::test]
async fn a_role_that_does_not_exist_fails_after_two_minutes() {
    let account = Account::default();
    let message = "The role with name nodes cannot be found.";
    account.fault("CreateNodegroup", ALL, Fault::Error(400, "InvalidParameterException", message));
    let mut stage = stage(&account);
    let diagnostics = stage.apply(&with_role_arn()).await;
    assert!(diagnostics.iter().next().unwrap().detail.contains(message), "{diagnostics:?}");
    assert_eq!(stage.state, Raw::Null);
    assert_eq!(stage.clock.passed(), Duration::from_secs(120));
}

#[tokio::test]
async fn an_existing_group_is_not_changed() {
    for config in [guide(), with_role_arn()] {
        let account = Account::default();
        stage(&account).apply_wholly(&with_role_arn()).await;
        account.changes();
        let before = account.state().eks.node_group.clone();
        let mut stage = stage(&account);
        let diagnostics = stage.apply(&config).await;
        assert_eq!(summaries(&diagnostics), ["Node group already exists"]);
        assert!(diagnostics.iter().next().unwrap().detail.contains("prod:build"));
        assert_eq!(stage.state, Raw::Null);
        assert_eq!(account.state().eks.node_group, before);
        assert!(account.state().iam.principals.is_empty());
    }
}

#[tokio::test]
async fn an_interrupted_create_is_continued() {
    let account = Account::default();
    stage(&account).apply_wholly(&guide()).await;
    {
        let mut state = account.state();
        let group = &mut state.eks.node_group;
        group["tags"][UNFINISHED_TAG] = "2026-01-01T00:00:00Z".into();
        state.autoscaling.tags.retain(|key, _| !key.starts_with(TEMPLATE));
        state.autoscaling.az_rebalance_is_suspended = false;
    }
    let mut stage = stage(&account);
    account.changes();
    stage.apply_wholly(&guide()).await;
    assert!(account.changes().iter().filter(|call| *call == "CreateNodegroup").count() == 1);
    assert!(account.state().autoscaling.tags.contains_key(&format!("{TEMPLATE}/label/intent")));
    assert!(account.state().eks.node_group["tags"].get(UNFINISHED_TAG).is_none());
    assert!(account.state().autoscaling.az_rebalance_is_suspended);
}

#[tokio::test]
async fn an_interrupted_create_of_another_configuration_is_not_continued() {
    let account = Account::default();
    stage(&account).apply_wholly(&with_role_arn()).await;
    account.state().eks.node_group["tags"][UNFINISHED_TAG] = "2026-01-01T00:00:00Z".into();
    let mut config = with_role_arn();
    config.retain(|(name, _)| *name != "instance_types");
    config.push(("instance_types", list(&["m5.large", "m5a.large", "m5d.large"])));
    assert_eq!(summaries(&stage(&account).apply(&config).await), ["Node group already exists"]);
}

#[tokio::test]
async fn throttling_and_bad_gateways_are_retried() {
    let account = Account::default();
    account.fault("DescribeNodegroup", 0..5, Fault::Error(429, "TooManyRequestsException", "Rate exceeded"));
    account.fault("DescribeNodegroup", 5..8, Fault::HtmlPage(502));
    stage(&account).apply_wholly(&with_role_arn()).await;
}

#[tokio::test]
async fn a_create_that_times_out_names_the_last_status() {
    let account = Account::default();
    account.state().eks.create_statuses = vec!["CREATING"; 1000];
    let mut stage = stage(&account);
    let timeouts = object(&[("create", text("10m")), ("update", Raw::Null), ("delete", Raw::Null)]);
    let diagnostics = stage.apply(&with(&[("timeouts", timeouts)])).await;
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("last observed: status CREATING"), "{detail}");
    assert_eq!(stage.state.get("id"), text("prod:build"));
}

#[tokio::test]
async fn a_cancelled_create_is_kept_in_the_state() {
    let account = Account::default();
    account.state().eks.create_statuses = vec!["CREATING"; 1000];
    let mut stage = stage(&account);
    stage.context.stop.cancel();
    let diagnostics = stage.apply(&with_role_arn()).await;
    assert!(diagnostics.iter().next().unwrap().detail.contains("cancelled"), "{diagnostics:?}");
    assert_eq!(stage.state.get("id"), text("prod:build"));
    assert_eq!(stage.state.get("status"), text("CREATING"));
}

#[tokio::test]
async fn zone_without_subnets_is_an_error_with_the_zones_that_have_subnets() {
    let account = Account::default();
    let mut stage = stage(&account);
    let diagnostics = stage.apply(&with(&[("availability_zones", list(&["af-south-1z"]))])).await;
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("af-south-1a, af-south-1b, af-south-1c"), "{detail}");
    assert_eq!(stage.state, Raw::Null);
    assert_eq!(account.changes(), [""; 0]);
}

#[tokio::test]
async fn a_deleted_group_is_recreated() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    account.state().eks.node_group = Json::Null;
    assert_eq!(summaries(&stage.refresh().await), ["Parts of a deleted node group still exist"]);
    assert_eq!(stage.state, Raw::Null);
    stage.apply_wholly(&guide()).await;
    assert!(!stage.destroy().await.has_errors());
    assert!(account.state().iam.principals.is_empty());
}

#[tokio::test]
async fn a_role_that_cannot_be_deleted_is_kept_in_the_state() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    account.fault("DeleteRole", 0..1, Fault::Error(403, "AccessDenied", "no"));
    assert_eq!(summaries(&stage.destroy().await), ["Cannot delete the role of the node group"]);
    assert_eq!(stage.state.get("status"), text("DELETED"));
    stage.refresh().await;
    assert_eq!(stage.plan(&guide()).await.replace, ["status".into()]);
    assert!(!stage.destroy().await.has_errors());
    assert!(account.state().iam.principals.is_empty());
}

#[tokio::test]
async fn an_update_that_fails_shows_the_difference_again() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    account.state().eks.updates.push_back(json!({
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
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    account.state().eks.updates =
        [json!({ "status": "Successful" }), json!({ "status": "Failed", "errors": [] })].into();
    let config = with(&[("version", text("1.35")), ("labels", object(&[("intent", text("test"))]))]);
    assert_eq!(summaries(&stage.apply(&config).await), ["Cannot update the node group"]);
    assert_eq!(stage.state.get("version"), text("1.35"));
    assert_eq!(stage.state.get("release_version"), text("1.35.0-20260301"));
    assert_eq!(stage.state.get("labels").get("intent"), text("build"));
}

#[tokio::test]
async fn the_configuration_is_kept_when_the_tags_fail() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    account.fault("TagResource", ALL, Fault::Error(403, "AccessDeniedException", "Not authorized"));
    let at_once = |count: i64| {
        let absent = ["max_unavailable_percentage", "update_strategy"].map(|name| (name, Raw::Null));
        object(&[("max_unavailable", count.into()), absent[0].clone(), absent[1].clone()])
    };
    let config = |count: i64| with(&[("update_config", at_once(count)), ("tags", object(&[("cost", text("2"))]))]);
    let found = stage.apply(&config(2)).await;
    assert_eq!(summaries(&found), ["Cannot update the node group"], "{:?}", account.calls());
    assert_eq!(stage.state.get("update_config"), at_once(2));
    assert_eq!(account.bodies("UpdateNodegroupConfig").len(), 1);
    assert_eq!(stage.changes(&config(2)).await, ["status", "tags", "tags_all"]);
    assert!(stage.apply(&with(&[("tags", object(&[("cost", text("2"))]))])).await.has_errors());
    assert_eq!(stage.state.get("update_config"), Raw::Null);
}

#[tokio::test]
async fn a_create_that_is_not_visible_times_out() {
    let account = Account::default();
    account.fault("DescribeNodegroup", ALL, Fault::Error(404, "ResourceNotFoundException", "No node group found"));
    let mut stage = stage(&account);
    let timeouts = object(&[("create", text("20s")), ("update", Raw::Null), ("delete", Raw::Null)]);
    let diagnostics = stage.apply(&with(&[("timeouts", timeouts)])).await;
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("last observed: the node group is not visible yet"), "{detail}");
}

#[tokio::test]
async fn an_update_waits_for_another_update() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    account.fault("UpdateNodegroupConfig", 0..3, Fault::Error(409, "ResourceInUseException", "an update runs"));
    stage.apply_wholly(&with(&[("max_size", 9.into())])).await;
}

#[tokio::test]
async fn delete_waits_for_an_update_and_a_concurrent_deletion() {
    let account = Account::default();
    let mut first = stage(&account);
    first.apply_wholly(&guide()).await;
    {
        let mut state = account.state();
        state.eks.node_group["status"] = "UPDATING".into();
        state.eks.statuses = ["UPDATING", "UPDATING", "ACTIVE"].into();
    }
    assert!(!first.destroy().await.has_errors());
    assert!(account.state().eks.node_group.is_null());

    let mut second = stage(&account);
    second.apply_wholly(&guide()).await;
    {
        let mut state = account.state();
        state.eks.node_group["status"] = "DELETING".into();
        state.eks.statuses = ["DELETING", "DELETING", "DELETED"].into();
    }
    assert!(!second.destroy().await.has_errors());
    assert!(account.state().iam.principals.is_empty());
}

#[tokio::test]
async fn a_failed_deletion_keeps_the_state() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&guide()).await;
    {
        let mut state = account.state();
        let issue = json!({ "code": "Ec2SecurityGroupDeletionFailure", "message": "in use", "resourceIds": ["sg-1"] });
        let group = &mut state.eks.node_group;
        group["status"] = "DELETING".into();
        group["health"] = json!({ "issues": [issue] });
        state.eks.statuses = ["DELETING", "DELETE_FAILED"].into();
    }
    let diagnostics = stage.destroy().await;
    assert!(diagnostics.iter().next().unwrap().detail.contains("Ec2SecurityGroupDeletionFailure (sg-1)"));
    assert_eq!(stage.state.get("status"), text("DELETE_FAILED"));
    assert_eq!(account.state().iam.principals.len(), 1);
}

#[tokio::test]
async fn tags_and_add_ons_change_in_place() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&with(&[("tags", object(&[("cost", text("1"))]))])).await;
    account.changes();
    let config =
        with(&[("node_role", node_role(&["auto_scaler", "image_builder"])), ("tags", object(&[("cost", text("2"))]))]);
    stage.apply_wholly(&config).await;
    let state = account.state();
    let role = state.iam.principals.values().next().unwrap();
    assert_eq!(role.policies.keys().collect::<Vec<_>>(), ["auto-scaler"]);
    assert_eq!(role.attached.len(), 5);
    assert_eq!(role.tags["cost"], "2");
    assert_eq!(state.eks.node_group["tags"]["cost"], "2");
}

#[tokio::test]
async fn az_rebalance_that_aws_suspended_is_not_resumed() {
    let account = Account::default();
    let mut first = stage(&account);
    first.apply_wholly(&guide()).await;
    assert!(account.state().autoscaling.az_rebalance_is_suspended);
    first.apply_wholly(&with(&[("suspend_az_rebalance", false.into())])).await;
    assert!(!account.state().autoscaling.az_rebalance_is_suspended);
    // AWS suspends it for a zonal shift.
    account.state().autoscaling.az_rebalance_is_suspended = true;
    assert_eq!(first.changes(&with(&[("suspend_az_rebalance", false.into())])).await, [""; 0]);
    assert!(account.state().autoscaling.az_rebalance_is_suspended);
}

#[tokio::test]
async fn arguments_that_force_replacement() {
    let account = Account::default();
    let mut stage = stage(&account);
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
async fn a_name_is_generated_from_its_prefix() {
    let account = Account::default();
    let mut first = stage(&account);
    let config = with(&[("name", Raw::Null), ("name_prefix", text("build-"))]);
    first.apply_wholly(&config).await;
    let name = first.state.get("name").as_str().unwrap().to_owned();
    assert!(name.starts_with("build-") && name.len() == 16, "{name}");
}
