//! Nodes from a launch template.

use aws_sdk_ec2::types::RequestLaunchTemplateData;
use gitlabspot_acceptance_tests::{Account, Engine, Stage};
use serde_json::json;

use super::{ADDRESS, SPEED};

/// A launch template with two versions. Returns its id.
async fn make_template(account: &Account, name: &str) -> String {
    let data = |kind: &str| RequestLaunchTemplateData::builder().key_name(kind).build();
    let made = account.ec2().create_launch_template().launch_template_name(name).launch_template_data(data("one"));
    let id = made.send().await.unwrap().launch_template.unwrap().launch_template_id.unwrap();
    let second = account.ec2().create_launch_template_version().launch_template_id(&id);
    second.launch_template_data(data("two")).send().await.unwrap();
    id
}

/// Named by name: the version changes in place; another template, or none, makes another group.
#[tokio::test]
async fn by_name_and_by_id() {
    let stage = Stage::new("node_group/launch_template", Engine::opentofu()).await;
    let (id, other) = (make_template(&stage.account, "ci").await, make_template(&stage.account, "other").await);
    let variables = json!({ "launch_template": { "name": "ci", "version": "1" } });
    let workspace = stage.testdata("node_group/launch_template", variables).await;
    let workspace = workspace.with_environment("GITLABSPOT_CLOCK_SPEED", SPEED);
    workspace.apply().await;
    workspace.assert_stable().await;
    let state = workspace.state().await;
    let template = &state.resource(ADDRESS)["launch_template"];
    assert_eq!(*template, json!({ "id": id, "name": "ci", "version": "1" }));
    workspace.assert_import(ADDRESS, "prod:templated", &[]).await;

    stage.account.forget();
    workspace.set(&json!({ "launch_template": { "name": "ci", "version": "2" } }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(stage.account.changes(), ["UpdateNodegroupVersion"]);
    let sent = &stage.account.calls_of("eks", "UpdateNodegroupVersion")[0].parameters;
    // EKS refuses both id and name.
    assert_eq!(sent["launchTemplate"], json!({ "id": id, "version": "2" }));

    // The same template, told by its id.
    workspace.set(&json!({ "launch_template": { "id": id, "version": "2" } }));
    assert!(workspace.plan().await.is_empty());
    workspace.set(&json!({ "launch_template": { "id": other, "version": "1" } }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["delete", "create"]);
    workspace.set(&json!({ "launch_template": null }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["delete", "create"]);

    workspace.destroy().await;
    for id in [id, other] {
        stage.account.ec2().delete_launch_template().launch_template_id(id).send().await.unwrap();
    }
    stage.assert_nothing_left().await;
}

/// Without a version it is the template's default one, which the state then has.
#[tokio::test]
async fn default_version() {
    let stage = Stage::new("node_group/launch_template_default", Engine::opentofu()).await;
    let id = make_template(&stage.account, "ci").await;
    let workspace = stage.testdata("node_group/launch_template", json!({ "launch_template": { "id": id } })).await;
    let workspace = workspace.with_environment("GITLABSPOT_CLOCK_SPEED", SPEED);
    workspace.apply().await;
    workspace.assert_stable().await;
    let state = workspace.state().await;
    assert_eq!(state.resource(ADDRESS)["launch_template"], json!({ "id": id, "name": "ci", "version": "1" }));
    workspace.destroy().await;
    stage.account.ec2().delete_launch_template().launch_template_id(id).send().await.unwrap();
    stage.assert_nothing_left().await;
}
