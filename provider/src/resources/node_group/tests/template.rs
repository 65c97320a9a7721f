//! The launch template that the provider creates.

use gitlabspot_testing::aws::ec2::{Template, Version};
use gitlabspot_testing::aws::{ALL, Account, Fault};
use serde_json::json;
use tfplugin::framework::Raw;

use super::{Config, list, node_role, object, stage, text, with};

const OWNER: &str = "af-south-1/prod/build";

/// The attribute `template` with these nested attributes.
fn template(given: &[(&str, Raw)]) -> Raw {
    const NAMES: [&str; 11] = [
        "root_volume",
        "volumes",
        "instance_store",
        "metadata",
        "security_group_ids",
        "key_name",
        "detailed_monitoring",
        "user_data",
        "registry_mirrors",
        "kubelet",
        "instance_tags",
    ];
    let value =
        |name: &str| given.iter().find(|(other, _)| *other == name).map_or(Raw::Null, |(_, value)| value.clone());
    object(&NAMES.map(|name| (name, value(name))))
}

/// The node group of the guide with a key pair in the template.
fn keyed(key: &str) -> Config {
    with(&[("remote_access", Raw::Null), ("template", template(&[("key_name", text(key))]))])
}

/// The node group of the guide, with add-ons as the only reason for a template.
fn with_addons() -> Config {
    with(&[("remote_access", Raw::Null)])
}

/// The only template of the account.
fn only(account: &Account) -> Template {
    let state = account.state();
    assert_eq!(state.ec2.templates.len(), 1, "{:?}", state.ec2.templates);
    state.ec2.templates.values().next().unwrap().clone()
}

/// The default name of the template.
async fn usual_name() -> String {
    let account = Account::default();
    stage(&account).apply_wholly(&with_addons()).await;
    only(&account).name
}

fn detail(diagnostics: &tfplugin::framework::Diagnostics) -> String {
    diagnostics.iter().map(|diagnostic| diagnostic.detail.clone()).collect()
}

#[tokio::test]
async fn addon_policies_create_a_template_with_a_hop_limit_of_two() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&with_addons()).await;
    let made = only(&account);
    assert_eq!(made.tags["gitlabspot/owner"], OWNER);
    assert_eq!(made.tags["team"], "ci");
    let Version { description, data } = &made.versions[&1];
    assert!(description.starts_with("gitlabspot "), "{description}");
    assert_eq!(data["MetadataOptions.HttpPutResponseHopLimit"], "2");
    assert_eq!(data["MetadataOptions.HttpTokens"], "required");
    assert_eq!(account.state().eks.node_group["launchTemplate"], json!({ "id": "lt-1", "version": "1" }));
    assert_eq!((stage.state.get("template_id"), stage.state.get("template_version")), (text("lt-1"), text("1")));
    assert_eq!(stage.state.get("launch_template"), Raw::Null);
    assert_eq!(stage.changes(&with_addons()).await, [""; 0]);

    assert!(!stage.destroy().await.has_errors());
    let state = account.state();
    assert!(state.eks.node_group.is_null() && state.ec2.templates.is_empty() && state.iam.principals.is_empty());
}

#[tokio::test]
async fn a_change_is_a_version_that_eks_takes_in_place() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&keyed("one")).await;
    account.changes();
    stage.apply_wholly(&keyed("two")).await;
    let changes = account.changes();
    let expected = ["CreateLaunchTemplateVersion", "ResumeProcesses", "UpdateNodegroupVersion", "SuspendProcesses"];
    assert_eq!(changes, expected);
    assert_eq!(only(&account).versions[&2].data["KeyName"], "two");
    let sent = account.bodies("UpdateNodegroupVersion").remove(0);
    assert_eq!(sent["launchTemplate"], json!({ "id": "lt-1", "version": "2" }));
    assert_eq!(stage.state.get("template_version"), text("2"));
    // Without the attribute the template remains, with the settings for add-ons.
    stage.apply_wholly(&with_addons()).await;
    assert_eq!(stage.state.get("template_version"), text("3"));
    // Without add-ons pods do not need the role.
    let closed = with(&[("remote_access", Raw::Null), ("node_role", node_role(&[]))]);
    stage.apply_wholly(&closed).await;
    assert_eq!(only(&account).versions[&4].data["MetadataOptions.HttpPutResponseHopLimit"], "1");
    assert_eq!(stage.changes(&closed).await, [""; 0]);
}

#[tokio::test]
async fn template_has_the_security_group_of_the_cluster() {
    let account = Account::default();
    let config =
        with(&[("remote_access", Raw::Null), ("template", template(&[("security_group_ids", list(&["sg-ssh"]))]))]);
    let mut stage = stage(&account);
    stage.apply_wholly(&config).await;
    let data = only(&account).versions[&1].data.clone();
    assert_eq!((data["SecurityGroupId.1"].as_str(), data["SecurityGroupId.2"].as_str()), ("sg-ssh", "sg-cluster"));
    let mut imported = super::stage(&account);
    assert!(!imported.import("prod:build").await.has_errors());
    assert_eq!(imported.state.get("template").get("security_group_ids"), list(&["sg-ssh"]));
    assert_eq!(imported.changes(&config).await, ["status"; 0]);
}

/// The first response of each call is lost.
#[tokio::test]
async fn lost_responses_create_one_template_and_one_version() {
    let account = Account::default();
    let mut stage = stage(&account);
    account.fault("CreateLaunchTemplate", 0..1, Fault::LostAnswer);
    stage.apply_wholly(&keyed("one")).await;
    assert_eq!(only(&account).versions.len(), 1);
    account.fault("CreateLaunchTemplateVersion", 0..1, Fault::LostAnswer);
    stage.apply_wholly(&keyed("two")).await;
    assert_eq!(only(&account).versions.len(), 2);

    account.fault("DeleteLaunchTemplate", 0..1, Fault::LostAnswer);
    assert!(!stage.destroy().await.has_errors());
    assert!(account.state().ec2.templates.is_empty());
}

#[tokio::test]
async fn template_of_a_lost_response_is_deleted() {
    let account = Account::default();
    let mut stage = stage(&account);
    account.fault("CreateLaunchTemplate", ALL, Fault::LostAnswer);
    let diagnostics = stage.apply(&keyed("one")).await;
    assert!(detail(&diagnostics).contains("Setting up the launch template"), "{diagnostics:?}");
    let state = account.state();
    assert!(state.ec2.templates.is_empty() && state.iam.principals.is_empty(), "{:?}", state.ec2.templates);
    assert_eq!(stage.state, Raw::Null);
}

#[tokio::test]
async fn template_that_cannot_be_deleted_is_kept_in_the_state() {
    let account = Account::default();
    let mut stage = stage(&account);
    account.fault("CreateLaunchTemplate", ALL, Fault::LostAnswer);
    let denied = || Fault::Error(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
    account.fault("DeleteLaunchTemplate", 0..1, denied());
    assert!(stage.apply(&keyed("one")).await.has_errors());
    assert_eq!(account.state().ec2.templates.len(), 1);
    assert_ne!(stage.state, Raw::Null);
    account.clear_faults();
    assert!(!stage.destroy().await.has_errors());
    assert!(account.state().ec2.templates.is_empty() && account.state().iam.principals.is_empty());

    // The same at the end of a destroy.
    stage.apply_wholly(&keyed("one")).await;
    account.fault("DeleteLaunchTemplate", 0..1, denied());
    let diagnostics = stage.destroy().await;
    assert!(detail(&diagnostics).contains("Deleting the launch template"), "{diagnostics:?}");
    assert!(detail(&diagnostics).contains("The node group was deleted"), "{diagnostics:?}");
    assert_eq!(stage.state.get("status"), text("DELETED"));
    assert!(!stage.destroy().await.has_errors());
    assert!(account.state().ec2.templates.is_empty() && account.state().iam.principals.is_empty());
}

#[tokio::test]
async fn a_killed_create_is_continued_with_the_same_version() {
    let account = Account::default();
    // The template of a killed run, without the current tags, and with a version of other content.
    let tags = [("gitlabspot/owner".to_owned(), OWNER.to_owned())].into();
    let versions = [(1, Version::default())].into();
    let left = Template { name: usual_name().await, tags, versions, ..Template::default() };
    account.state().ec2.templates.insert("lt-9".to_owned(), left);
    let mut second = stage(&account);
    second.apply_wholly(&keyed("one")).await;
    let made = only(&account);
    assert_eq!((made.tags["team"].as_str(), made.versions.len()), ("ci", 2));
    assert_eq!(account.state().eks.node_group["launchTemplate"], json!({ "id": "lt-9", "version": "2" }));
    // A run that was killed after the request for the group: no other version is created.
    account.state().eks.node_group["tags"][super::UNFINISHED_TAG] = "2026-01-01T00:00:00Z".into();
    let mut third = stage(&account);
    third.apply_wholly(&keyed("one")).await;
    assert_eq!(only(&account).versions.len(), made.versions.len());
}

#[tokio::test]
async fn rejected_create_keeps_no_objects() {
    let account = Account::default();
    let denied = Fault::Error(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
    account.fault("CreateLaunchTemplate", 0..1, denied);
    let mut stage = stage(&account);
    let diagnostics = stage.apply(&keyed("one")).await;
    assert!(detail(&diagnostics).contains("Nothing was created"), "{diagnostics:?}");
    assert!(account.state().iam.principals.is_empty() && account.state().ec2.templates.is_empty());
    assert_eq!(stage.state, Raw::Null);
}

#[test]
fn values_unknown_at_plan_are_checked_at_apply() {
    let model = |user_data: &str| {
        let template = super::super::template::schema::Template { user_data: user_data.into(), ..Default::default() };
        let template = tfplugin::framework::Value::Known(template);
        super::super::schema::NodeGroup { template, ..super::super::validate::tests::minimal() }
    };
    assert!(super::super::template::validated(&model("#!/bin/sh\n")).is_ok());
    let message = super::super::template::validated(&model("echo")).unwrap_err().to_string();
    assert!(
        message.starts_with(
            "template.user_data is not valid. It has none of the formats that Amazon Linux 2023 \
        supports"
        ),
        "{message}"
    );
}

#[tokio::test]
async fn foreign_template_is_not_changed() {
    let account = Account::default();
    let theirs = Template { name: usual_name().await, ..Template::default() };
    account.state().ec2.templates.insert("lt-7".to_owned(), theirs);
    let mut stage = stage(&account);
    let diagnostics = stage.apply(&keyed("one")).await;
    let message = detail(&diagnostics);
    assert!(message.contains("already exists and was not created for this node group"), "{message}");
    assert!(message.contains("Nothing was created"), "{message}");
    assert_eq!(stage.state, Raw::Null);
    assert!(account.state().iam.principals.is_empty() && only(&account).versions.is_empty());
}

#[tokio::test]
async fn old_template_versions_are_deleted_at_the_limit() {
    let account = Account::default();
    let mut stage = stage(&account);
    for key in ["one", "two", "three", "four"] {
        stage.apply_wholly(&keyed(key)).await;
    }
    account.state().ec2.templates.get_mut("lt-1").unwrap().limit = 4;
    stage.apply_wholly(&keyed("five")).await;
    let numbers: Vec<u32> = only(&account).versions.into_keys().collect();
    // The default version, the one that the group used, and the new one.
    assert_eq!(numbers, [1, 4, 5]);
    assert_eq!(stage.state.get("template_version"), text("5"));
}

#[tokio::test]
async fn template_that_is_not_visible_yet_is_retried() {
    let account = Account::default();
    let mut stage = stage(&account);
    let absent = || Fault::Error(400, "InvalidParameterException", "Launch template lt-1 cannot be found");
    account.fault("CreateNodegroup", 0..2, absent());
    stage.apply_wholly(&keyed("one")).await;
    account.fault("UpdateNodegroupVersion", 0..2, absent());
    stage.apply_wholly(&keyed("two")).await;
    assert_eq!(account.bodies("CreateNodegroup").len() + account.bodies("UpdateNodegroupVersion").len(), 6);
}

#[tokio::test]
async fn an_update_that_failed_is_planned_again() {
    let account = Account::default();
    let mut stage = stage(&account);
    let closed = with(&[("remote_access", Raw::Null), ("node_role", node_role(&[])), ("template", template(&[]))]);
    stage.apply_wholly(&closed).await;
    account.state().eks.updates.push_back(json!({ "status": "Failed", "errors": [] }));
    let open = with(&[("remote_access", Raw::Null), ("template", template(&[]))]);
    assert!(stage.apply(&open).await.has_errors());
    // EKS has rolled back to the previous version.
    account.state().eks.node_group["launchTemplate"]["version"] = "1".into();
    stage.refresh().await;
    assert!(stage.changes(&open).await.contains(&"template_version".to_owned()));
    stage.apply_wholly(&open).await;
    assert_eq!(only(&account).versions.len(), 2, "the version of the failed update is used");
    assert_eq!(account.state().eks.node_group["launchTemplate"]["version"], "2");
}

#[tokio::test]
async fn manual_changes_are_repaired() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&keyed("one")).await;
    // Others updated the group to another version.
    {
        let mut state = account.state();
        let versions = &mut state.ec2.templates.get_mut("lt-1").unwrap().versions;
        let theirs = [("KeyName".to_owned(), "theirs".to_owned())].into();
        versions.insert(2, Version { data: theirs, ..Version::default() });
        state.eks.node_group["launchTemplate"]["version"] = "2".into();
    }
    stage.refresh().await;
    assert_eq!(stage.state.get("template").get("key_name"), text("theirs"));
    stage.apply_wholly(&keyed("one")).await;
    assert_eq!(stage.state.get("template_version"), text("3"));
    // The version that the group uses was deleted.
    account.state().ec2.templates.get_mut("lt-1").unwrap().versions.remove(&3);
    stage.refresh().await;
    assert_eq!(stage.changes(&keyed("one")).await, ["release_version", "status", "template_version"]);
    stage.apply_wholly(&keyed("one")).await;
    assert_eq!(only(&account).versions[&3].data["KeyName"], "one");
    // The template was deleted: EKS does not update the group with another one.
    account.state().ec2.templates.clear();
    let diagnostics = stage.refresh().await;
    assert!(detail(&diagnostics).contains("the next apply replaces the group"), "{diagnostics:?}");
    let planned = stage.plan(&keyed("one")).await;
    let paths: Vec<String> = planned.replace.iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["template_id"]);
}

#[tokio::test]
async fn template_has_the_tags_of_the_group() {
    let account = Account::default();
    let mut stage = stage(&account);
    let tagged = |tags: &[(&str, Raw)]| {
        let mut config = with_addons();
        config.push(("tags", object(tags)));
        config
    };
    stage.apply_wholly(&tagged(&[("cost", text("1")), ("gone", text("x"))])).await;
    stage.apply_wholly(&tagged(&[("cost", text("2"))])).await;
    let tags = only(&account).tags;
    assert_eq!((tags["cost"].as_str(), tags.get("gone"), tags["gitlabspot/owner"].as_str()), ("2", None, OWNER));
}
