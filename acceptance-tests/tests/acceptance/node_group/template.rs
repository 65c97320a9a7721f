//! The launch template that the provider creates for a node group.

use aws_sdk_ec2::types::{
    LaunchTemplate, RequestLaunchTemplateData, ResourceType, ResponseLaunchTemplateData, Tag, TagSpecification,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gitlabspot_acceptance_tests::{Account, Engine, Fault, Stage, Workspace, until};
use serde_json::{Value, json};

use super::{ADDRESS, NAME, SPEED, node_group};

const ROLE: &str = "ci-nodes";
const OUT_OF_REACH: &str = "Node role not available to pods";

async fn with(test: &str, variables: Value) -> (Stage, Workspace) {
    let stage = Stage::new(&format!("node_group/template_{test}"), Engine::opentofu()).await;
    let workspace = stage.testdata("node_group/template", variables).await;
    let workspace = workspace.with_environment("GITLABSPOT_CLOCK_SPEED", SPEED);
    (stage, workspace)
}

/// All templates with a name prefix: `eks-` for those of EKS, `gitlabspot-` for those of the provider.
async fn templates(account: &Account, prefix: &str) -> Vec<LaunchTemplate> {
    let found = account.ec2().describe_launch_templates().send().await.unwrap().launch_templates.unwrap();
    found.into_iter().filter(|template| template.launch_template_name.as_deref().unwrap().starts_with(prefix)).collect()
}

/// The only template of the provider.
async fn ours(account: &Account) -> LaunchTemplate {
    let mut found = templates(account, "gitlabspot-").await;
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Launch template of new nodes. EKS copies the user's template into one of its own.
async fn new_nodes(account: &Account) -> ResponseLaunchTemplateData {
    let template = templates(account, "eks-").await.remove(0);
    let request = account.ec2().describe_launch_template_versions().versions("$Default");
    let request = request.launch_template_id(template.launch_template_id.unwrap());
    request.send().await.unwrap().launch_template_versions.unwrap().remove(0).launch_template_data.unwrap()
}

fn user_data(data: &ResponseLaunchTemplateData) -> String {
    String::from_utf8(STANDARD.decode(data.user_data.as_deref().unwrap()).unwrap()).unwrap()
}

fn hops(data: &ResponseLaunchTemplateData) -> Option<i32> {
    data.metadata_options.as_ref()?.http_put_response_hop_limit
}

/// Creates a template with the provider's name for it, as if it remained after an earlier run.
async fn make(account: &Account, name: &str, owner: Option<&str>) -> String {
    let tags = owner.map(|owner| {
        let tag = Tag::builder().key("gitlabspot/owner").value(owner).build();
        TagSpecification::builder().resource_type(ResourceType::LaunchTemplate).tags(tag).build()
    });
    let request = account
        .ec2()
        .create_launch_template()
        .launch_template_name(name)
        .set_tag_specifications(tags.map(|tags| vec![tags]));
    let request = request.launch_template_data(RequestLaunchTemplateData::builder().key_name("old").build());
    request.send().await.unwrap().launch_template.unwrap().launch_template_id.unwrap()
}

/// The name that the provider chooses for the template of this group.
async fn usual_name(test: &str) -> String {
    let (stage, workspace) = with(&format!("name_{test}"), json!({})).await;
    workspace.apply().await;
    let name = ours(&stage.account).await.launch_template_name.unwrap();
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
    name
}

/// N28: the group of the guide as eksctl creates it. Its add-ons can use the role, and disk and key are in the
/// template.
#[tokio::test]
async fn template_equals_that_of_eksctl() {
    let template = json!({
        "key_name": "your-ssh-key",
        "root_volume": { "size": 80, "iops": 3000, "throughput": 125 },
        "instance_tags": { "Name": "prod-build-Node" },
    });
    let (stage, workspace) = with("eksctl", json!({ "template": template })).await;
    let printed = workspace.plan().await.output().prose();
    assert!(!printed.contains(OUT_OF_REACH), "{printed}");
    workspace.apply().await;
    workspace.assert_stable().await;
    let nodes = new_nodes(&stage.account).await;
    assert_eq!((hops(&nodes), nodes.key_name.as_deref()), (Some(2), Some("your-ssh-key")));
    assert_eq!(nodes.metadata_options.as_ref().unwrap().http_tokens.as_ref().unwrap().as_str(), "required");
    let root = nodes.block_device_mappings()[0].clone();
    assert_eq!(root.device_name.as_deref(), Some("/dev/xvda"));
    let root = root.ebs.unwrap();
    assert_eq!((root.volume_size, root.volume_type.unwrap().as_str().to_owned()), (Some(80), "gp3".to_owned()));
    assert_eq!((root.iops, root.throughput, root.delete_on_termination), (Some(3000), Some(125), Some(true)));
    let tagged: Vec<&str> =
        nodes.tag_specifications().iter().map(|tags| tags.resource_type.as_ref().unwrap().as_str()).collect();
    assert_eq!(tagged, ["instance", "volume"]);
    let tags = ours(&stage.account).await.tags.unwrap();
    let tag = |key: &str| tags.iter().find(|tag| tag.key.as_deref() == Some(key)).and_then(|tag| tag.value.clone());
    assert_eq!(tag("team").as_deref(), Some("ci"));
    assert_eq!(tag("gitlabspot/owner"), Some(format!("{}/prod/{NAME}", stage.account.region())));

    let state = workspace.state().await;
    let group = state.resource(ADDRESS);
    assert_eq!(json!(node_group(&stage.account).await.unwrap().launch_template.unwrap().id), group["template_id"]);
    assert_eq!((&group["template_version"], &group["launch_template"]), (&json!("1"), &Value::Null));
    workspace.assert_import(ADDRESS, &format!("prod:{NAME}"), &[]).await;
    workspace.assert_stable().await;

    stage.account.forget();
    workspace.destroy().await;
    let changes = stage.account.changes();
    let at = |action: &str| changes.iter().position(|change| change == action).unwrap();
    assert!(at("DeleteNodegroup") < at("DeleteLaunchTemplate") && at("DeleteLaunchTemplate") < at("DeleteRole"));
    stage.assert_nothing_remains().await;
}

/// N29: add-ons alone create a template, which is updated in place with them. Without add-ons, pods cannot use the
/// role.
#[tokio::test]
async fn template_for_add_ons_only() {
    let (stage, workspace) = with("add_ons", json!({})).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(hops(&new_nodes(&stage.account).await), Some(2));
    stage.account.forget();
    workspace.set(&json!({ "addon_policies": [] }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(hops(&new_nodes(&stage.account).await), Some(1));
    let updates = stage.account.calls_of("eks", "UpdateNodegroupVersion");
    assert_eq!(updates[0].parameters["launchTemplate"]["version"], "2");
    // The user disables access for pods.
    workspace.set(&json!({ "addon_policies": ["auto_scaler"], "template": { "metadata": { "pods": false } } }));
    let plan = workspace.plan().await;
    let printed = plan.output().prose();
    assert!(printed.contains(OUT_OF_REACH) && printed.contains("Omit hop_limit and pods"), "{printed}");
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

fn everything() -> Value {
    json!({
        "root_volume": { "size": 200, "type": "io2", "iops": 8000, "encrypted": true, "kms_key_id": "alias/ci" },
        "volumes": [{ "device_name": "/dev/xvdf", "size": 500, "type": "st1" }],
        "instance_store": "raid0",
        "metadata": { "http_tokens": "optional", "hop_limit": 3 },
        "security_group_ids": ["sg-0123456789abcdef0"],
        "key_name": "your-ssh-key",
        "detailed_monitoring": true,
        "user_data": "#!/bin/sh\nmkfs -t xfs /dev/xvdf\n",
        "registry_mirrors": { "docker.io": ["https://mirror.example.com"] },
        "kubelet": { "max_pods": 58, "eviction_hard": { "memory.available": "200Mi" } },
        "instance_tags": { "cost": "ci" },
    })
}

/// N30: every attribute of the template reaches the nodes, is imported, and is updated in place. A pinned release is
/// kept.
#[tokio::test]
async fn every_template_attribute_is_updated_and_imported() {
    let release = "1.36.0-20250101";
    let (stage, workspace) = with("everything", json!({ "template": everything(), "release_version": release })).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    let nodes = new_nodes(&stage.account).await;
    let cluster = stage.account.eks().describe_cluster().name("prod").send().await.unwrap().cluster.unwrap();
    let of_cluster = cluster.resources_vpc_config.unwrap().cluster_security_group_id.unwrap();
    assert_eq!(nodes.security_group_ids(), ["sg-0123456789abcdef0", of_cluster.as_str()]);
    assert_eq!(nodes.monitoring.as_ref().unwrap().enabled, Some(true));
    assert_eq!(hops(&nodes), Some(3));
    let text = user_data(&nodes);
    for part in
        ["mkfs -t xfs", "/etc/containerd/certs.d/docker.io/hosts.toml", "\"strategy\": \"RAID0\"", "\"maxPods\": 58"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    workspace.assert_import(ADDRESS, &format!("prod:{NAME}"), &[]).await;

    let mut other = everything();
    other["kubelet"]["max_pods"] = 30.into();
    other["root_volume"]["size"] = 250.into();
    workspace.set(&json!({ "template": other }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    stage.account.forget();
    workspace.apply().await;
    workspace.assert_stable().await;
    let expected = ["CreateLaunchTemplateVersion", "ResumeProcesses", "UpdateNodegroupVersion", "SuspendProcesses"];
    assert_eq!(stage.account.changes(), expected);
    let sent = &stage.account.calls_of("eks", "UpdateNodegroupVersion")[0].parameters;
    assert_eq!(sent["releaseVersion"], release);
    assert!(user_data(&new_nodes(&stage.account).await).contains("\"maxPods\": 30"));
    // All settings are removed, and the template remains.
    workspace.set(&json!({ "template": null }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(new_nodes(&stage.account).await.user_data, None);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// Bottlerocket has TOML settings, and stores images on its second volume.
#[tokio::test]
async fn template_for_bottlerocket() {
    let template = json!({
        "root_volume": { "size": 100 },
        "instance_store": "raid0",
        "user_data": "[settings.kernel]\nlockdown = \"integrity\"\n",
        "registry_mirrors": { "_default": ["https://mirror.example.com"] },
        "kubelet": { "registry_pull_qps": 0 },
    });
    let variables = json!({ "template": template, "ami_type": "BOTTLEROCKET_x86_64" });
    let (stage, workspace) = with("bottlerocket", variables).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    let nodes = new_nodes(&stage.account).await;
    assert_eq!(nodes.block_device_mappings()[0].device_name.as_deref(), Some("/dev/xvdb"));
    let settings: toml::Table = toml::from_str(&user_data(&nodes)).unwrap();
    let settings = &settings["settings"];
    assert_eq!(settings["kernel"]["lockdown"].as_str(), Some("integrity"));
    assert_eq!(settings["kubernetes"]["registry-qps"].as_integer(), Some(0));
    assert_eq!(settings["container-registry"]["mirrors"][0]["registry"].as_str(), Some("*"));
    workspace.assert_import(ADDRESS, &format!("prod:{NAME}"), &[]).await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// The plan shows changes that replace the group, and refuses invalid combinations.
#[tokio::test]
async fn adding_a_template_replaces_the_group() {
    let (stage, workspace) = with("none", json!({ "addon_policies": [], "disk_size": 50 })).await;
    workspace.apply().await;
    // Add-ons do not replace the nodes. A template does.
    workspace.set(&json!({ "addon_policies": ["auto_scaler"] }));
    let plan = workspace.plan().await;
    assert_eq!(plan.changes()[ADDRESS], ["update"]);
    let printed = plan.output().prose();
    assert!(printed.contains(OUT_OF_REACH) && printed.contains("Replace it (-replace)"), "{printed}");
    workspace.set(&json!({ "disk_size": null, "template": { "root_volume": { "size": 50 } } }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["delete", "create"]);
    workspace.set(&json!({ "disk_size": 50, "remote_access": { "ec2_ssh_key": "key" } }));
    let printed = workspace.try_plan().await.expect_err("refused").failed();
    assert!(printed.contains("Set root_volume of the template instead"), "{printed}");
    assert!(printed.contains("Set key_name and security_group_ids of the template instead"), "{printed}");
    workspace.set(&json!({ "disk_size": null, "remote_access": null, "template": null }));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// Without the template, a warning explains that add-ons cannot use the role, and the solution.
#[tokio::test]
async fn opting_out_of_the_template_warns_about_add_ons() {
    let (stage, workspace) = with("left_out", json!({ "remote_access": { "ec2_ssh_key": "key" } })).await;
    let printed = workspace.plan().await.output().prose();
    assert!(printed.contains(OUT_OF_REACH) && printed.contains("key_name = ..."), "{printed}");
    workspace.apply().await;
    workspace.assert_stable().await;
    assert!(templates(&stage.account, "gitlabspot-").await.is_empty());
    assert_eq!(hops(&new_nodes(&stage.account).await), Some(1));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N31: lost responses, as in N5 to N7 and N9, create one template and one version, and no object remains.
#[tokio::test]
async fn lost_responses_create_one_template() {
    let (stage, workspace) = with("lost", json!({ "template": { "key_name": "one" } })).await;
    stage.account.inject(Fault::drop_after("ec2", "CreateLaunchTemplate"));
    stage.account.inject(Fault::drop_before("ec2", "DescribeLaunchTemplateVersions"));
    workspace.apply().await;
    workspace.set(&json!({ "template": { "key_name": "two" } }));
    stage.account.inject(Fault::drop_after("ec2", "CreateLaunchTemplateVersion"));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(ours(&stage.account).await.latest_version_number, Some(2));
    stage.account.inject(Fault::drop_after("ec2", "DeleteLaunchTemplate"));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;

    // All responses are lost: the created template is deleted.
    stage.account.inject(Fault::drop_after("ec2", "CreateLaunchTemplate").times(0));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("Setting up the launch template of the node group"), "{printed}");
    stage.assert_nothing_remains().await;
}

/// N32: SIGKILL during CreateNodegroup. The next run uses the template and creates no version.
#[tokio::test]
async fn crash_before_the_group_reuses_the_template() {
    let (stage, workspace) = with("killed", json!({ "template": { "key_name": "one" } })).await;
    stage.account.inject(Fault::throttle("eks", "CreateNodegroup").times(0));
    let running = workspace.begin_apply();
    until("EKS is asked", async || !stage.account.calls_of("eks", "CreateNodegroup").is_empty()).await;
    let _ = running.kill().await;
    assert!(!workspace.state().await.contains(ADDRESS));
    let before = ours(&stage.account).await.launch_template_id;
    stage.account.forget();
    workspace.apply().await;
    workspace.assert_stable().await;
    let after = ours(&stage.account).await;
    assert_eq!((after.launch_template_id, after.latest_version_number), (before, Some(1)));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N33: a template of others with the desired name is not changed, and nothing is created. A template that an earlier
/// run created for this group is used.
#[tokio::test]
async fn existing_template_of_others_is_not_changed() {
    let name = usual_name("taken").await;
    let (stage, workspace) = with("taken", json!({ "template": { "key_name": "one" } })).await;
    let theirs = make(&stage.account, &name, None).await;
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains(&format!("a launch template {name} already exists")), "{printed}");
    assert!(printed.contains("Nothing was created"), "{printed}");
    assert!(!workspace.state().await.contains(ADDRESS));
    assert_eq!(ours(&stage.account).await.latest_version_number, Some(1));
    stage.account.ec2().delete_launch_template().launch_template_id(&theirs).send().await.unwrap();
    stage.assert_nothing_remains().await;

    let owner = format!("{}/prod/{NAME}", stage.account.region());
    let left = make(&stage.account, &name, Some(&owner)).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    let found = ours(&stage.account).await;
    assert_eq!((found.launch_template_id, found.latest_version_number), (Some(left), Some(2)));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N34: at EC2's limit of versions, old versions are deleted, but never that of the group.
#[tokio::test]
async fn old_versions_are_deleted_at_the_limit() {
    let (stage, workspace) = with("limit", json!({ "template": { "key_name": "one" } })).await;
    workspace.apply().await;
    for key in ["two", "three"] {
        workspace.set(&json!({ "template": { "key_name": key } }));
        workspace.apply().await;
    }
    let message = "The template has as many versions as are allowed.";
    let limit = Fault::error("ec2", "CreateLaunchTemplateVersion", 400, "VersionLimitExceeded", message);
    stage.account.inject(limit);
    workspace.set(&json!({ "template": { "key_name": "four" } }));
    workspace.apply().await;
    workspace.assert_stable().await;
    let id = ours(&stage.account).await.launch_template_id.unwrap();
    let versions = stage.account.ec2().describe_launch_template_versions().launch_template_id(id);
    let versions = versions.send().await.unwrap().launch_template_versions.unwrap();
    let mut numbers: Vec<i64> = versions.iter().filter_map(|version| version.version_number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 3, 4]);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N35: a deleted version is created again in place. If the template was deleted, the group is replaced.
#[tokio::test]
async fn manually_deleted_template_or_version_is_repaired() {
    let (stage, workspace) = with("deleted", json!({ "template": { "key_name": "one" } })).await;
    workspace.apply().await;
    workspace.set(&json!({ "template": { "key_name": "two" } }));
    workspace.apply().await;
    let ec2 = stage.account.ec2();
    let id = ours(&stage.account).await.launch_template_id.unwrap();
    ec2.delete_launch_template_versions().launch_template_id(&id).versions("2").send().await.unwrap();
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(new_nodes(&stage.account).await.key_name.as_deref(), Some("two"));

    ec2.delete_launch_template().launch_template_id(&id).send().await.unwrap();
    let plan = workspace.plan().await;
    assert_eq!(plan.changes()[ADDRESS], ["delete", "create"]);
    let printed = plan.output().prose();
    assert!(printed.contains(&format!("The launch template {id} was deleted")), "{printed}");
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// The plan shows that others changed the version of the group, and the apply restores it.
#[tokio::test]
async fn manually_changed_template_version_is_repaired() {
    let (stage, workspace) = with("changed", json!({ "template": { "key_name": "one" } })).await;
    workspace.apply().await;
    let (ec2, eks) = (stage.account.ec2(), stage.account.eks());
    let id = ours(&stage.account).await.launch_template_id.unwrap();
    let theirs = RequestLaunchTemplateData::builder().key_name("theirs").build();
    ec2.create_launch_template_version().launch_template_id(&id).launch_template_data(theirs).send().await.unwrap();
    let version = aws_sdk_eks::types::LaunchTemplateSpecification::builder().id(&id).version("2").build();
    let update = eks.update_nodegroup_version().cluster_name("prod").nodegroup_name(NAME).launch_template(version);
    update.send().await.unwrap();
    until("EKS has updated the group", async || {
        node_group(&stage.account).await.unwrap().status.unwrap().as_str() == "ACTIVE"
    })
    .await;
    let plan = workspace.plan().await;
    assert_eq!(plan.changes()[ADDRESS], ["update"]);
    assert_eq!(plan.change(ADDRESS)["before"]["template"]["key_name"], "theirs");
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(new_nodes(&stage.account).await.key_name.as_deref(), Some("one"));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// Template and role of a deleted group are used again.
#[tokio::test]
async fn template_of_a_deleted_group_is_reused() {
    let (stage, workspace) = with("gone", json!({ "template": { "key_name": "one" } })).await;
    workspace.apply().await;
    super::delete_manually(&stage.account).await;
    let plan = workspace.plan().await;
    let printed = plan.output().prose();
    let id = ours(&stage.account).await.launch_template_id.unwrap();
    assert!(printed.contains(&format!("role {ROLE} and launch template {id} are still present")), "{printed}");
    assert_eq!(plan.changes()[ADDRESS], ["create"]);
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(ours(&stage.account).await.launch_template_id.unwrap(), id);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
