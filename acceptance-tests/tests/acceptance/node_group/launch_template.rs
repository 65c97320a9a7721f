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
    let (id, other) = (make_template(&stage.account, "builds").await, make_template(&stage.account, "other").await);
    let variables = json!({ "launch_template": { "name": "builds", "version": "1" } });
    let workspace = stage.testdata("node_group/launch_template", variables).await;
    let workspace = workspace.with_environment("GITLABSPOT_CLOCK_SPEED", SPEED);
    workspace.apply().await;
    workspace.assert_stable().await;
    let state = workspace.state().await;
    let template = &state.resource(ADDRESS)["launch_template"];
    assert_eq!(*template, json!({ "id": id, "name": "builds", "version": "1" }));
    workspace.assert_import(ADDRESS, "prod:templated", &[]).await;

    stage.account.forget();
    workspace.set(&json!({ "launch_template": { "name": "builds", "version": "2" } }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    // AZRebalance runs as long as the update does.
    assert_eq!(stage.account.changes(), ["ResumeProcesses", "UpdateNodegroupVersion", "SuspendProcesses"]);
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

/// A pinned release stays when another version of the template is taken: EKS would take the newest one.
#[tokio::test]
async fn pinned_release() {
    let stage = Stage::new("node_group/launch_template_pinned", Engine::opentofu()).await;
    let id = make_template(&stage.account, "builds").await;
    let variables = json!({ "launch_template": { "id": id, "version": "1" }, "release_version": "1.36.0-20250101" });
    let workspace = stage.testdata("node_group/launch_template", variables).await;
    let workspace = workspace.with_environment("GITLABSPOT_CLOCK_SPEED", SPEED);
    workspace.apply().await;
    workspace.set(&json!({ "launch_template": { "id": id, "version": "2" } }));
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.account.ec2().delete_launch_template().launch_template_id(id).send().await.unwrap();
    stage.assert_nothing_left().await;
}

/// A template with an instance type: refused for a new group, and a group that has one is imported as it is.
#[tokio::test]
async fn instance_type_in_it() {
    let stage = Stage::new("node_group/launch_template_type", Engine::opentofu()).await;
    let data = RequestLaunchTemplateData::builder().instance_type("c5.2xlarge".into()).build();
    let made = stage.account.ec2().create_launch_template().launch_template_name("builds").launch_template_data(data);
    let id = made.send().await.unwrap().launch_template.unwrap().launch_template_id.unwrap();
    let variables = json!({ "launch_template": { "id": id, "version": "1" }, "instance_types": ["c5.2xlarge"] });
    let workspace = stage.testdata("node_group/launch_template", variables).await;
    let workspace = workspace.with_environment("GITLABSPOT_CLOCK_SPEED", SPEED);
    let said = workspace.try_plan().await.expect_err("refused").failed();
    assert!(said.contains("The launch template sets the instance type c5.2xlarge."), "{said}");

    let account = &stage.account;
    let role = account.make_node_role("theirs").await;
    let template = aws_sdk_eks::types::LaunchTemplateSpecification::builder().id(&id).version("1").build();
    let group = account.eks().create_nodegroup().cluster_name("prod").nodegroup_name("templated").node_role(&role);
    let group = group.launch_template(template).capacity_type(aws_sdk_eks::types::CapacityTypes::Spot);
    let subnets = ["af-south-1a", "af-south-1b"].map(|zone| account.subnet_ids()[zone].clone());
    let scaling = aws_sdk_eks::types::NodegroupScalingConfig::builder().min_size(0).max_size(5).desired_size(0).build();
    group.set_subnets(Some(subnets.to_vec())).scaling_config(scaling).send().await.unwrap();
    let _ = workspace.try_import(ADDRESS, "prod:templated").await.succeeded();
    let state = workspace.state().await;
    assert_eq!(state.resource(ADDRESS)["instance_types"], json!(["c5.2xlarge"]));
    workspace.set(&json!({ "node_role_arn": role }));
    let changes = workspace.plan().await.changes();
    assert!(changes.get(ADDRESS).is_none_or(|actions| *actions == ["update"]), "{changes:?}");
    workspace.destroy().await;
    account.ec2().delete_launch_template().launch_template_id(id).send().await.unwrap();
    account.iam().delete_role().role_name("theirs").send().await.unwrap();
    stage.assert_nothing_left().await;
}

/// Pods of add-ons need a hop limit of 2 in the template.
#[tokio::test]
async fn hop_limit() {
    let stage = Stage::new("node_group/launch_template_hops", Engine::opentofu()).await;
    let id = make_template(&stage.account, "builds").await;
    let hops = |limit: i32| {
        let options = aws_sdk_ec2::types::LaunchTemplateInstanceMetadataOptionsRequest::builder();
        RequestLaunchTemplateData::builder()
            .metadata_options(options.http_put_response_hop_limit(limit).build())
            .build()
    };
    let request = stage.account.ec2().create_launch_template_version().launch_template_id(&id);
    request.launch_template_data(hops(2)).send().await.unwrap();
    let variables = json!({ "addon_policies": ["auto_scaler"], "launch_template": { "id": id, "version": "1" } });
    let workspace = stage.testdata("node_group/launch_template", variables).await;
    const WARNING: &str = "Node role not available to pods";
    let said = workspace.plan().await.output().prose();
    assert!(said.contains(WARNING) && said.contains("http_put_response_hop_limit"), "{said}");
    workspace.set(&json!({ "launch_template": { "id": id, "version": "3" } }));
    let said = workspace.plan().await.output().prose();
    assert!(!said.contains(WARNING), "{said}");
    // Without it the provider makes one that lets pods through.
    workspace.set(&json!({ "launch_template": null }));
    let said = workspace.plan().await.output().prose();
    assert!(!said.contains(WARNING), "{said}");
    stage.account.ec2().delete_launch_template().launch_template_id(id).send().await.unwrap();
    stage.assert_nothing_left().await;
}

/// Without a version it is the template's default one, which the state then has.
#[tokio::test]
async fn default_version() {
    let stage = Stage::new("node_group/launch_template_default", Engine::opentofu()).await;
    let id = make_template(&stage.account, "builds").await;
    let workspace = stage.testdata("node_group/launch_template", json!({ "launch_template": { "id": id } })).await;
    let workspace = workspace.with_environment("GITLABSPOT_CLOCK_SPEED", SPEED);
    workspace.apply().await;
    workspace.assert_stable().await;
    let state = workspace.state().await;
    assert_eq!(state.resource(ADDRESS)["launch_template"], json!({ "id": id, "name": "builds", "version": "1" }));
    workspace.destroy().await;
    stage.account.ec2().delete_launch_template().launch_template_id(id).send().await.unwrap();
    stage.assert_nothing_left().await;
}
