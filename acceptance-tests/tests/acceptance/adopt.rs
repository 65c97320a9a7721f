//! `examples/adopt`: what the guide's reader made by hand becomes the provider's in place.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::Tag;
use aws_sdk_ec2::types as ec2;
use aws_sdk_eks::types as eks;
use aws_sdk_s3::types as s3;
use gitlabspot_acceptance_tests::{Engine, Stage, until};
use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use serde_json::json;

use crate::runner_release::GUIDE;
use crate::runner_release::adoption::helm::{Chart, Helm};

const NODE_GROUP: &str = "build-8vcpu-16gb-32gb-1b";
const USER: &str = "gitlab-runner-cache";
const SECRET: &str = "gitlab-runner-s3-access";

/// Existing objects are imported: nothing is created again, the key and the pods are the same, and the next plan is
/// empty.
#[tokio::test]
async fn imports_existing_resources_without_replacement() {
    let stage = Stage::new("adopt/by_hand", Engine::opentofu()).await;
    let namespace = stage.namespace.name();
    let (role, template) = node_group(&stage).await;
    bucket(&stage).await;
    stage.namespace.create().await;
    Helm::Three.install(&stage, Chart::guide(&stage, stage.gitlab.url())).await;
    let key = user(&stage).await;
    let before: Deployment = stage.kubernetes.get(namespace, "gitlab-runner").await;
    let variables = json!({
        "node_role_arn": role, "launch_template_id": template, "cache_bucket": namespace, "iam_user": USER,
        "namespace": namespace,
        "values_file": "values.yaml",
    });
    let workspace = stage.example("adopt", variables).await;
    workspace.write("values.yaml", &GUIDE.replace("https://gitlab.com/", stage.gitlab.url()));

    stage.account.forget();
    let addresses = [
        "gitlabspot_cache_bucket.cache",
        "gitlabspot_node_group.build",
        "gitlabspot_runner_credentials.cache",
        "gitlabspot_runner_release.runner",
    ];
    let plan = workspace.plan().await;
    for address in addresses {
        let change = plan.change(address);
        assert!(change["importing"].is_object(), "{address}: {}", plan.output());
        let actions = change["actions"].as_array().unwrap();
        assert!(actions.iter().all(|action| ["no-op", "update"].contains(&action.as_str().unwrap())), "{change}");
    }
    workspace.apply().await;
    workspace.assert_stable().await;

    let made: Vec<String> = stage.account.calls().into_iter().map(|call| call.action).collect();
    let anew = ["CreateNodegroup", "CreateBucket", "CreateUser", "CreateAccessKey", "CreateRole", "DeleteAccessKey"];
    assert!(made.iter().all(|call| !anew.contains(&call.as_str())), "{made:?}");
    let state = workspace.state().await;
    assert_eq!(state.resource("gitlabspot_runner_credentials.cache")["access_key_id"], key);
    let group = state.resource("gitlabspot_node_group.build");
    assert_eq!(group["launch_template"]["id"], template);
    assert_eq!(group["suspend_az_rebalance"], true);
    let tags = &group["asg_tags_all"];
    assert_eq!(tags["k8s.io/cluster-autoscaler/node-template/label/intent"], "build", "{tags}");
    assert_eq!(tags["k8s.io/cluster-autoscaler/node-template/taint/buildInstance"], "true:NoSchedule", "{tags}");
    let after: Deployment = stage.kubernetes.get(namespace, "gitlab-runner").await;
    assert_eq!(after.metadata.uid, before.metadata.uid);
    assert_eq!(after.spec.template, before.spec.template, "the manager's pods stay");
    let rules = stage.account.s3().get_bucket_lifecycle_configuration().bucket(namespace).send().await.unwrap();
    assert!(rules.rules().iter().any(|rule| rule.id() == Some(RULE)), "the rule of others is gone: {rules:?}");
}

/// As eksctl makes it, with the tags that were typed into the console. Returns the ARN of its role and the id of its launch
/// template.
async fn node_group(stage: &Stage) -> (String, String) {
    let account = &stage.account;
    let role = account.create_node_role("eksctl-prod-nodegroup").await;
    let template = launch_template(stage).await;
    let labels = [("nodegroup-type", "stateless"), ("instance-type", "spot"), ("intent", "build")];
    let taint = eks::Taint::builder().key("buildInstance").value("true").effect(eks::TaintEffect::NoSchedule).build();
    let mut request = account.eks().create_nodegroup().cluster_name(account.cluster()).nodegroup_name(NODE_GROUP);
    for (key, value) in labels {
        request = request.labels(key, value);
    }
    for kind in ["c5a.2xlarge", "t3.2xlarge", "c5.2xlarge", "c5ad.2xlarge", "m5.2xlarge", "c5d.2xlarge"] {
        request = request.instance_types(kind);
    }
    request
        .node_role(&role)
        .subnets(&account.subnet_ids()["af-south-1b"])
        .capacity_type(eks::CapacityTypes::Spot)
        .scaling_config(eks::NodegroupScalingConfig::builder().min_size(0).max_size(5).desired_size(0).build())
        .launch_template(eks::LaunchTemplateSpecification::builder().id(&template).version("1").build())
        .taints(taint)
        .tags("alpha.eksctl.io/nodegroup-name", NODE_GROUP)
        .send()
        .await
        .unwrap();
    let group = async || {
        let request = account.eks().describe_nodegroup().cluster_name(account.cluster()).nodegroup_name(NODE_GROUP);
        request.send().await.unwrap().nodegroup.unwrap()
    };
    let is_active = async || group().await.status() == Some(&eks::NodegroupStatus::Active);
    until("the group is active", is_active).await;
    let autoscaling_group = group().await.resources.unwrap().auto_scaling_groups.unwrap().remove(0).name.unwrap();
    let mut tagging = account.autoscaling().create_or_update_tags();
    let typed = labels.map(|(key, value)| (format!("label/{key}"), value.to_owned()));
    for (key, value) in typed.into_iter().chain([("taint/buildInstance".to_owned(), "true:NoSchedule".to_owned())]) {
        let key = format!("k8s.io/cluster-autoscaler/node-template/{key}");
        let tag = Tag::builder().resource_id(&autoscaling_group).resource_type("auto-scaling-group");
        tagging = tagging.tags(tag.key(key).value(value).propagate_at_launch(true).build());
    }
    tagging.send().await.unwrap();
    (role, template)
}

/// SSH key, root volume and metadata options, and no instance type: that is the node group's.
async fn launch_template(stage: &Stage) -> String {
    let disk = ec2::LaunchTemplateEbsBlockDeviceRequest::builder().volume_size(80).build();
    let disk = ec2::LaunchTemplateBlockDeviceMappingRequest::builder().device_name("/dev/xvda").ebs(disk).build();
    let metadata = ec2::LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .http_tokens(ec2::LaunchTemplateHttpTokensState::Required)
        .http_put_response_hop_limit(2)
        .build();
    let data = ec2::RequestLaunchTemplateData::builder()
        .key_name("your-ssh-key")
        .block_device_mappings(disk)
        .metadata_options(metadata)
        .build();
    let name = format!("eksctl-prod-nodegroup-{NODE_GROUP}");
    let request = stage.account.ec2().create_launch_template().launch_template_name(name).launch_template_data(data);
    request.send().await.unwrap().launch_template.unwrap().launch_template_id.unwrap()
}

const RULE: &str = "delete_files_older_than_60_days";

async fn bucket(stage: &Stage) {
    let (s3, bucket) = (stage.account.s3(), stage.namespace.name());
    let place = s3::BucketLocationConstraint::from(stage.account.region());
    let place = s3::CreateBucketConfiguration::builder().location_constraint(place).build();
    let _ = s3.create_bucket().bucket(bucket).create_bucket_configuration(place).send().await.unwrap();
    let rule = s3::LifecycleRule::builder()
        .id(RULE)
        .status(s3::ExpirationStatus::Enabled)
        .filter(s3::LifecycleRuleFilter::builder().prefix("project/").build())
        .expiration(s3::LifecycleExpiration::builder().days(60).build())
        .build()
        .unwrap();
    let rules = s3::BucketLifecycleConfiguration::builder().rules(rule).build().unwrap();
    let request = s3.put_bucket_lifecycle_configuration().bucket(bucket).lifecycle_configuration(rules);
    let _ = request.send().await.unwrap();
}

/// The user with its policy, and its key in the Secret. Returns the key's id.
async fn user(stage: &Stage) -> String {
    let iam = stage.account.iam();
    let _ = iam.create_user().user_name(USER).send().await.unwrap();
    let statement = json!({ "Effect": "Allow", "Action": "s3:*", "Resource": "*" });
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let _ = iam.put_user_policy().user_name(USER).policy_name("cache").policy_document(policy).send().await.unwrap();
    let key = iam.create_access_key().user_name(USER).send().await.unwrap().access_key.unwrap();
    let data = [("accesskey", &key.access_key_id), ("secretkey", &key.secret_access_key)];
    let data: BTreeMap<String, ByteString> =
        data.map(|(name, text)| (name.to_owned(), ByteString(text.clone().into_bytes()))).into();
    let mut secret = Secret { data: Some(data), ..Secret::default() };
    secret.metadata.name = Some(SECRET.to_owned());
    let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
    let _ = secrets.create(&PostParams::default(), &secret).await.unwrap();
    key.access_key_id
}
