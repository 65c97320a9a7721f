//! Tests of `gitlabspot_node_group` with the node group of the guide. The numbers N1, T1, ... are those of the
//! scenarios in `docs/contributing/testing.md`.

mod asg_tags;
mod attributes;
mod az_rebalance;
mod creation;
mod deletion;
mod interruption;
mod launch_template;
mod lifecycle;
mod node_role;
mod refusals;
mod subnets;
mod template;
mod update;
mod warnings;

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::{AutoScalingGroup, Tag};
use aws_sdk_eks::types::Nodegroup;
use gitlabspot_acceptance_tests::{Account, Engine, Stage, Workspace, until};
use serde_json::Value;

const ADDRESS: &str = "gitlabspot_node_group.build";
const NAME: &str = "build-8vcpu-16gb-32gb-1b";
const TEMPLATE: &str = "k8s.io/cluster-autoscaler/node-template";

/// Factor that shortens waits which AWS requires.
const SPEED: &str = "50";

/// An initialized workspace with the guide's configuration in a new account.
async fn guide(test: &str, variables: Value) -> (Stage, Workspace) {
    guide_of(test, variables, Engine::opentofu()).await
}

async fn guide_of(test: &str, variables: Value, engine: Engine) -> (Stage, Workspace) {
    let stage = Stage::new(&format!("node_group/{test}"), engine).await;
    let workspace = stage.testdata("node_group/guide", variables).await;
    let workspace = workspace.with_environment("GITLABSPOT_CLOCK_SPEED", SPEED);
    (stage, workspace)
}

async fn node_group(account: &Account) -> Option<Nodegroup> {
    let request = account.eks().describe_nodegroup().cluster_name(account.cluster()).nodegroup_name(NAME);
    request.send().await.ok().and_then(|output| output.nodegroup)
}

async fn asg(account: &Account) -> AutoScalingGroup {
    let groups = account.autoscaling().describe_auto_scaling_groups().send().await.unwrap();
    assert_eq!(groups.auto_scaling_groups().len(), 1, "{groups:?}");
    groups.auto_scaling_groups()[0].clone()
}

async fn asg_tags(account: &Account) -> BTreeMap<String, String> {
    let group = asg(account).await;
    group.tags().iter().map(|tag| (tag.key.clone().unwrap(), tag.value.clone().unwrap_or_default())).collect()
}

async fn tag_asg(account: &Account, key: &str, value: &str) {
    let tag = asg_tag(account, key).await.value(value).propagate_at_launch(false).build();
    account.autoscaling().create_or_update_tags().tags(tag).send().await.unwrap();
}

async fn untag_asg(account: &Account, key: &str) {
    let tag = asg_tag(account, key).await.build();
    account.autoscaling().delete_tags().tags(tag).send().await.unwrap();
}

async fn asg_tag(account: &Account, key: &str) -> aws_sdk_autoscaling::types::builders::TagBuilder {
    let name = asg(account).await.auto_scaling_group_name.unwrap();
    Tag::builder().resource_id(name).resource_type("auto-scaling-group").key(key)
}

/// Deletes the node group outside the provider, and waits until it no longer exists.
async fn delete_manually(account: &Account) {
    let request = account.eks().delete_nodegroup().cluster_name(account.cluster()).nodegroup_name(NAME);
    request.send().await.unwrap();
    until("the group is gone", async || node_group(account).await.is_none()).await;
}

/// Creates a node group outside the provider.
async fn node_group_of_others(account: &Account) {
    let role = account.create_node_role("theirs").await;
    let request = account.eks().create_nodegroup().cluster_name(account.cluster()).nodegroup_name(NAME);
    let subnet = &account.subnet_ids()["af-south-1b"];
    request.node_role(role).subnets(subnet).send().await.unwrap();
    let is_active = async || node_group(account).await.unwrap().status.unwrap().as_str() == "ACTIVE";
    until("the group is active", is_active).await;
}
