//! Node groups with a launch template of the user.

use aws_sdk_ec2::types::RequestLaunchTemplateData;
use gitlabspot_acceptance_tests::{Account, Engine, Stage};
use serde_json::json;

use super::{ADDRESS, SPEED};

/// Creates a launch template with two versions. Returns its ID.
async fn make_template(account: &Account, name: &str) -> String {
    let data = |kind: &str| RequestLaunchTemplateData::builder().key_name(kind).build();
    let made = account.ec2().create_launch_template().launch_template_name(name).launch_template_data(data("one"));
    let id = made.send().await.unwrap().launch_template.unwrap().launch_template_id.unwrap();
    let second = account.ec2().create_launch_template_version().launch_template_id(&id);
    second.launch_template_data(data("two")).send().await.unwrap();
    id
}

/// The version is updated in place. Another template, or none, replaces the group.
#[tokio::test]
async fn launch_template_by_name_and_by_id() {
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
    // EKS relies on AZRebalance during an update of the version.
    assert_eq!(stage.account.changes(), ["ResumeProcesses", "UpdateNodegroupVersion", "SuspendProcesses"]);
    let sent = &stage.account.calls_of("eks", "UpdateNodegroupVersion")[0].parameters;
    // EKS refuses a request with both ID and name.
    assert_eq!(sent["launchTemplate"], json!({ "id": id, "version": "2" }));

    // The same template by its ID.
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
    stage.assert_nothing_remains().await;
}

/// A pinned release is kept with another version of the template. Without a release, EKS would choose the newest one.
#[tokio::test]
async fn pinned_release_is_kept_with_another_version() {
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
    stage.assert_nothing_remains().await;
}

/// A template with an instance type is refused for a new group. An existing group with such a template is imported.
#[tokio::test]
async fn launch_template_with_instance_type() {
    let stage = Stage::new("node_group/launch_template_type", Engine::opentofu()).await;
    let data = RequestLaunchTemplateData::builder().instance_type("c5.2xlarge".into()).build();
    let made = stage.account.ec2().create_launch_template().launch_template_name("builds").launch_template_data(data);
    let id = made.send().await.unwrap().launch_template.unwrap().launch_template_id.unwrap();
    let variables = json!({ "launch_template": { "id": id, "version": "1" }, "instance_types": ["c5.2xlarge"] });
    let workspace = stage.testdata("node_group/launch_template", variables).await;
    let workspace = workspace.with_environment("GITLABSPOT_CLOCK_SPEED", SPEED);
    let printed = workspace.try_plan().await.expect_err("refused").failed();
    assert!(printed.contains("The launch template sets the instance type c5.2xlarge."), "{printed}");

    let account = &stage.account;
    let role = account.create_node_role("theirs").await;
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
    stage.assert_nothing_remains().await;
}

/// A template with a hop limit below 2 is warned about, because pods of add-ons cannot use the role of the nodes.
#[tokio::test]
async fn hop_limit_of_the_template_is_checked() {
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
    let printed = workspace.plan().await.output().prose();
    assert!(printed.contains(WARNING) && printed.contains("http_put_response_hop_limit"), "{printed}");
    workspace.set(&json!({ "launch_template": { "id": id, "version": "3" } }));
    let printed = workspace.plan().await.output().prose();
    assert!(!printed.contains(WARNING), "{printed}");
    // Without it, the provider creates a template with the necessary hop limit.
    workspace.set(&json!({ "launch_template": null }));
    let printed = workspace.plan().await.output().prose();
    assert!(!printed.contains(WARNING), "{printed}");
    stage.account.ec2().delete_launch_template().launch_template_id(id).send().await.unwrap();
    stage.assert_nothing_remains().await;
}

/// Without a version, the default version of the template is used and recorded in the state.
#[tokio::test]
async fn default_version_is_recorded() {
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
    stage.assert_nothing_remains().await;
}
