//! `examples/complete`: the whole guide as one configuration.

use std::collections::BTreeMap;

use gitlabspot_acceptance_tests::{Engine, Fault, Stage, Workspace};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use serde_json::{Value, json};

pub(crate) const NODE_GROUP: &str = "build-8vcpu-16gb-32gb-1b";

/// Addresses of the resources, which are in the modules of the stack.
pub(crate) const NODES: &str = "module.runner_stack.module.build_nodes.gitlabspot_node_group.this";
pub(crate) const BUCKET: &str = "module.runner_stack.gitlabspot_cache_bucket.this[0]";
pub(crate) const CREDENTIALS: &str = "module.runner_stack.module.runner.gitlabspot_runner_credentials.cache[0]";
pub(crate) const RELEASE: &str = "module.runner_stack.module.runner.gitlabspot_runner_release.this";
pub(crate) const PLACEHOLDERS: &str = "module.runner_stack.module.runner.gitlabspot_warm_capacity.this[0]";

#[tokio::test]
async fn complete_example_applies_with_opentofu() {
    complete_example_applies_with(Engine::opentofu()).await;
}

#[tokio::test]
async fn complete_example_applies_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    complete_example_applies_with(engine).await;
}

#[tokio::test]
async fn complete_example_applies_with_newer_terraform() {
    complete_example_applies_with(Engine::newer_terraform()).await;
}

async fn complete_example_applies_with(engine: Engine) {
    let stage = Stage::new(&format!("complete/{}", engine.name()), engine).await;
    let workspace = stage.example("complete", variables(&stage)).await;

    let plan = workspace.plan().await;
    let create = vec!["create".to_owned()];
    let expected: BTreeMap<String, Vec<String>> =
        [NODES, BUCKET, CREDENTIALS, RELEASE].map(|address| (address.to_owned(), create.clone())).into();
    assert_eq!(plan.changes(), expected);

    workspace.apply().await;
    let before = stage.account.calls().len();
    workspace.assert_stable().await;
    stage.assert_enough_for_plans(before);
    denied_reads_keep_the_state(&stage, &workspace).await;

    assert_node_group_of_guide(&stage).await;
    assert_bucket_of_guide(&stage, &workspace).await;
    assert_runner_of_guide(&stage).await;

    workspace.destroy().await;
    stage.assert_nothing_remains().await;
    assert!(!stage.namespace.exists().await, "the namespace that the credentials made still exists");
}

/// Variables that a user sets, with unique values where names are shared by all accounts.
pub(crate) fn variables(stage: &Stage) -> Value {
    json!({
        "cluster_name": stage.account.cluster(),
        "cache_bucket": stage.namespace.name(),
        "namespace": stage.namespace.name(),
        "gitlab_url": stage.gitlab.url(),
        "registration_token": "GR1348941-of-a-group",
    })
}

/// Denies each call by which a refresh reads the AWS resources: the plan is empty, and one warning for each resource
/// has all missing permissions.
async fn denied_reads_keep_the_state(stage: &Stage, workspace: &Workspace) {
    let calls = [
        ("eks", "DescribeNodegroup", "eks:DescribeNodegroup"),
        ("autoscaling", "DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingGroups"),
        ("s3", "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
        ("s3", "GetBucketOwnershipControls", "s3:GetBucketOwnershipControls"),
        ("s3", "GetBucketEncryption", "s3:GetEncryptionConfiguration"),
        ("s3", "GetBucketVersioning", "s3:GetBucketVersioning"),
        ("s3", "GetBucketPolicy", "s3:GetBucketPolicy"),
        ("s3", "GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"),
        ("s3", "GetBucketTagging", "s3:GetBucketTagging"),
        ("iam", "GetUser", "iam:GetUser"),
        ("iam", "GetUserPolicy", "iam:GetUserPolicy"),
        ("iam", "ListAccessKeys", "iam:ListAccessKeys"),
    ];
    for (service, operation, action) in calls {
        let code = if service == "eks" { "AccessDeniedException" } else { "AccessDenied" };
        let message = format!("User: arn:aws:iam::111122223333:user/plan is not authorized to perform: {action}");
        let message = if service == "s3" { "Access Denied" } else { &message };
        stage.account.inject(Fault::error(service, operation, 403, code, message));
    }
    let plan = workspace.plan().await;
    let printed = plan.output().prose();
    assert!(plan.is_empty(), "{printed}");
    for kind in ["node group", "cache bucket", "credentials"] {
        let summary = format!("Warning: Missing permissions to read the {kind}");
        assert_eq!(printed.matches(&summary).count(), 1, "{summary}: {printed}");
    }
    for (_, _, action) in calls {
        assert!(printed.contains(&format!("- {action}")), "{action}: {printed}");
    }
}

async fn assert_node_group_of_guide(stage: &Stage) {
    let eks = stage.account.eks();
    let group = eks.describe_nodegroup().cluster_name(stage.account.cluster()).nodegroup_name(NODE_GROUP);
    let group = group.send().await.unwrap().nodegroup.unwrap();
    assert_eq!(group.status().unwrap().as_str(), "ACTIVE");
    assert_eq!(group.capacity_type().unwrap().as_str(), "SPOT");
    assert_eq!(
        group.instance_types(),
        ["c5a.2xlarge", "t3.2xlarge", "c5.2xlarge", "c5ad.2xlarge", "m5.2xlarge", "c5d.2xlarge"]
    );
    let scaling = group.scaling_config().unwrap();
    assert_eq!((scaling.min_size(), scaling.max_size(), scaling.desired_size()), (Some(0), Some(5), Some(0)));
    assert_eq!(group.subnets(), [stage.account.subnet_ids()["af-south-1b"].clone()]);
    assert_nodes_equal_eksctl(stage).await;

    let name = group.resources().unwrap().auto_scaling_groups()[0].name().unwrap().to_owned();
    let groups = stage.account.autoscaling().describe_auto_scaling_groups().auto_scaling_group_names(name);
    let tags = groups.send().await.unwrap().auto_scaling_groups.unwrap().remove(0).tags.unwrap();
    let tags: BTreeMap<String, String> =
        tags.into_iter().map(|tag| (tag.key.unwrap(), tag.value.unwrap_or_default())).collect();
    for (key, value) in [
        ("label/nodegroup-type", "stateless"),
        ("label/instance-type", "spot"),
        ("label/intent", "build"),
        ("taint/buildInstance", "true:NoSchedule"),
    ] {
        let key = format!("k8s.io/cluster-autoscaler/node-template/{key}");
        assert_eq!(tags.get(&key).map(String::as_str), Some(value), "{key} on the Auto Scaling Group: {tags:?}");
    }
}

/// The launch template has the SSH key, the disk, and a hop limit with which pods of add-ons can use the node role.
async fn assert_nodes_equal_eksctl(stage: &Stage) {
    let ec2 = stage.account.ec2();
    let templates = ec2.describe_launch_templates().send().await.unwrap().launch_templates.unwrap();
    let of_eks =
        templates.iter().find(|template| template.launch_template_name().unwrap().starts_with("eks-")).unwrap();
    let versions = ec2.describe_launch_template_versions().versions("$Default");
    let versions = versions.launch_template_id(of_eks.launch_template_id().unwrap()).send().await.unwrap();
    let nodes = versions.launch_template_versions()[0].launch_template_data().unwrap();
    assert_eq!(nodes.key_name(), Some("your-ssh-key"));
    assert_eq!(nodes.block_device_mappings()[0].ebs().unwrap().volume_size(), Some(80));
    assert_eq!(nodes.metadata_options().unwrap().http_put_response_hop_limit(), Some(2));
}

async fn assert_bucket_of_guide(stage: &Stage, workspace: &Workspace) {
    let bucket = stage.namespace.name();
    let s3 = stage.account.s3();
    let rules = s3.get_bucket_lifecycle_configuration().bucket(bucket).send().await.unwrap();
    let rule = rules.rules().iter().find(|rule| rule.expiration().and_then(|expiration| expiration.days()).is_some());
    let rule = rule.unwrap();
    assert_eq!(rule.expiration().unwrap().days(), Some(60));
    assert_eq!(rule.filter().unwrap().prefix(), Some("project/"));
    let block = s3.get_public_access_block().bucket(bucket).send().await.unwrap();
    let block = block.public_access_block_configuration().unwrap().clone();
    let all = [
        block.block_public_acls(),
        block.ignore_public_acls(),
        block.block_public_policy(),
        block.restrict_public_buckets(),
    ];
    assert_eq!(all, [Some(true); 4]);
    let state = workspace.state().await;
    assert_eq!(state.resource(BUCKET)["id"], bucket);
}

async fn assert_runner_of_guide(stage: &Stage) {
    let namespace = stage.namespace.name();
    let secret: Secret = stage.kubernetes.get(namespace, "gitlab-runner-s3-access").await;
    assert_eq!(secret.data.unwrap().into_keys().collect::<Vec<_>>(), ["accesskey", "secretkey"]);

    let deployment: Deployment = stage.kubernetes.get(namespace, "gitlab-runner").await;
    let pod = deployment.spec.template;
    let annotations = pod.metadata.unwrap().annotations.unwrap();
    assert_eq!(annotations.get("downscaler/exclude").map(String::as_str), Some("true"));
    let pod = pod.spec.unwrap();
    assert_eq!(pod.image_pull_secrets.unwrap()[0].name, "your-pull-secrets");
    assert_eq!(deployment.status.unwrap().ready_replicas, Some(1));

    let configuration: ConfigMap = stage.kubernetes.get(namespace, "gitlab-runner").await;
    let toml = &configuration.data.unwrap()["config.template.toml"];
    for line in [
        "docker:19.03.12",
        "DOCKER_HOST=tcp://docker:2376",
        "/certs/client",
        "poll_timeout = 300",
        "poll_interval = 10",
        r#"cpu_request = "2""#,
        r#""buildInstance=true" = "NoSchedule""#,
        "eks.amazonaws.com/capacityType",
        "downscaler/exclude",
        namespace,
    ] {
        assert!(toml.contains(line), "{line} is not in {toml}");
    }
}
