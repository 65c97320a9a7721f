//! Creates the objects of eksctl, the AWS console and Helm with API calls.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::Tag;
use aws_sdk_ec2::types as ec2;
use aws_sdk_eks::types as eks;
use aws_sdk_s3::types as s3;
use gitlabspot_acceptance_tests::{Stage, until};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use serde_json::json;

/// A managed node group as eksctl creates it.
#[derive(Clone, Copy)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) is_spot: bool,
    pub(crate) types: &'static [&'static str],
    /// Minimum, maximum and desired size.
    pub(crate) sizes: (i32, i32, i32),
    pub(crate) zones: &'static [&'static str],
    pub(crate) labels: &'static [(&'static str, &'static str)],
    /// Key, value, and effect as in the EKS API.
    pub(crate) taints: &'static [(&'static str, &'static str, &'static str)],
    pub(crate) tags: &'static [(&'static str, &'static str)],
    /// A custom AMI, which eksctl writes to the launch template, so that EKS returns the AMI type `CUSTOM`. The group
    /// also has node repair with a threshold.
    pub(crate) image: Option<&'static str>,
}

const NODE: &str = "k8s.io/cluster-autoscaler/node-template/";

/// The node group of the guide.
pub(crate) const GUIDE_GROUP: Group = Group {
    name: "build-8vcpu-16gb-32gb-1b",
    is_spot: true,
    types: &["c5a.2xlarge", "t3.2xlarge", "c5.2xlarge", "c5ad.2xlarge", "m5.2xlarge", "c5d.2xlarge"],
    sizes: (0, 5, 0),
    zones: &["af-south-1b"],
    labels: &[("nodegroup-type", "stateless"), ("instance-type", "spot"), ("intent", "build")],
    taints: &[("buildInstance", "true", "NO_SCHEDULE")],
    tags: &[
        ("k8s.io/cluster-autoscaler/node-template/label/nodegroup-type", "stateless"),
        ("k8s.io/cluster-autoscaler/node-template/label/instance-type", "spot"),
        ("k8s.io/cluster-autoscaler/node-template/label/intent", "build"),
        ("k8s.io/cluster-autoscaler/node-template/taint/buildInstance", "true:NoSchedule"),
    ],
    image: None,
};

/// Creates role, launch template and group, with the labels and tags of eksctl and the tags that a user adds in the
/// console. Returns the ARN of the role and the ID of the launch template.
pub(crate) async fn node_group(stage: &Stage, group: &Group) -> (String, String) {
    let account = &stage.account;
    let stack = format!("eksctl-{}-nodegroup-{}", account.cluster(), group.name);
    let role = account.create_node_role(&format!("{stack}-NodeInstanceRole-1ABCDEFG")).await;
    let template = launch_template(stage, &stack, group.image).await;
    let (min, max, desired) = group.sizes;
    let scaling = eks::NodegroupScalingConfig::builder().min_size(min).max_size(max).desired_size(desired).build();
    let mut request = account
        .eks()
        .create_nodegroup()
        .cluster_name(account.cluster())
        .nodegroup_name(group.name)
        .node_role(&role)
        .scaling_config(scaling)
        .launch_template(eks::LaunchTemplateSpecification::builder().id(&template).version("1").build())
        .labels("alpha.eksctl.io/cluster-name", account.cluster())
        .labels("alpha.eksctl.io/nodegroup-name", group.name)
        .tags("alpha.eksctl.io/cluster-name", account.cluster())
        .tags("alpha.eksctl.io/eksctl-version", "0.230.0")
        .tags("alpha.eksctl.io/nodegroup-name", group.name)
        .tags("alpha.eksctl.io/nodegroup-type", "managed")
        .tags("eksctl.cluster.k8s.io/v1alpha1/cluster-name", account.cluster());
    request = match group.image {
        None => request.ami_type(eks::AmiTypes::Al2023X8664Standard),
        Some(_) => request.node_repair_config(
            eks::NodeRepairConfig::builder().enabled(true).max_unhealthy_node_threshold_count(2).build(),
        ),
    };
    if group.is_spot {
        request = request.capacity_type(eks::CapacityTypes::Spot);
    }
    for (key, value) in group.labels {
        request = request.labels(*key, *value);
    }
    for (key, value) in group.tags {
        request = request.tags(*key, *value);
    }
    for kind in group.types {
        request = request.instance_types(*kind);
    }
    for zone in group.zones {
        request = request.subnets(&account.subnet_ids()[*zone]);
    }
    for (key, value, effect) in group.taints {
        let taint = eks::Taint::builder().key(*key).effect(eks::TaintEffect::from(*effect));
        request = request.taints(if value.is_empty() { taint.build() } else { taint.value(*value).build() });
    }
    let _ = request.send().await.unwrap();
    let found = async || {
        let request = account.eks().describe_nodegroup().cluster_name(account.cluster()).nodegroup_name(group.name);
        request.send().await.unwrap().nodegroup.unwrap()
    };
    until("the group is active", async || found().await.status() == Some(&eks::NodegroupStatus::Active)).await;
    let autoscaling_group = found().await.resources.unwrap().auto_scaling_groups.unwrap().remove(0).name.unwrap();
    type_tags(stage, group, &autoscaling_group).await;
    (role, template)
}

/// Adds the tags of the group to its Auto Scaling Group, as in the guide's step in the console.
async fn type_tags(stage: &Stage, group: &Group, autoscaling_group: &str) {
    let typed = group.tags.iter().filter(|(key, _)| key.starts_with(NODE));
    let tags: Vec<Tag> = typed
        .map(|(key, value)| {
            let tag = Tag::builder().resource_id(autoscaling_group).resource_type("auto-scaling-group");
            tag.key(*key).value(*value).propagate_at_launch(true).build()
        })
        .collect();
    if !tags.is_empty() {
        stage.account.autoscaling().create_or_update_tags().set_tags(Some(tags)).send().await.unwrap();
    }
}

/// SSH key, root volume and metadata options as eksctl sets them. The instance types are those of the node group.
async fn launch_template(stage: &Stage, name: &str, image: Option<&str>) -> String {
    let disk = ec2::LaunchTemplateEbsBlockDeviceRequest::builder()
        .volume_size(80)
        .volume_type(ec2::VolumeType::Gp3)
        .iops(3000)
        .throughput(125)
        .build();
    let disk = ec2::LaunchTemplateBlockDeviceMappingRequest::builder().device_name("/dev/xvda").ebs(disk).build();
    let metadata = ec2::LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .http_tokens(ec2::LaunchTemplateHttpTokensState::Required)
        .http_put_response_hop_limit(2)
        .build();
    let data = ec2::RequestLaunchTemplateData::builder()
        .key_name("your-ssh-key")
        .set_image_id(image.map(str::to_owned))
        .block_device_mappings(disk)
        .metadata_options(metadata)
        .build();
    let request = stage.account.ec2().create_launch_template().launch_template_name(name).launch_template_data(data);
    request.send().await.unwrap().launch_template.unwrap().launch_template_id.unwrap()
}

/// ID of the lifecycle rule of the bucket.
pub(crate) const RULE: &str = "delete_files_older_than_60_days";

/// Creates the bucket of the console with its lifecycle rule.
pub(crate) async fn bucket(stage: &Stage) {
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

/// Creates the user with its policy, and the Secret with its access key. Returns the access key ID.
pub(crate) async fn user(stage: &Stage, name: &str) -> String {
    let iam = stage.account.iam();
    let _ = iam.create_user().user_name(name).send().await.unwrap();
    let statement = json!({ "Effect": "Allow", "Action": "s3:*", "Resource": "*" });
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let _ = iam.put_user_policy().user_name(name).policy_name("cache").policy_document(policy).send().await.unwrap();
    let key = iam.create_access_key().user_name(name).send().await.unwrap().access_key.unwrap();
    let data = [("accesskey", &key.access_key_id), ("secretkey", &key.secret_access_key)];
    let data: BTreeMap<String, ByteString> =
        data.map(|(name, text)| (name.to_owned(), ByteString(text.clone().into_bytes()))).into();
    let mut secret = Secret { data: Some(data), ..Secret::default() };
    secret.metadata.name = Some("gitlab-runner-s3-access".to_owned());
    let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
    let _ = secrets.create(&PostParams::default(), &secret).await.unwrap();
    key.access_key_id
}
