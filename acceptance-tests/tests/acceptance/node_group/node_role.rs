//! Roles of nodes, created by the provider or by others.

use aws_sdk_iam::types::Tag;
use gitlabspot_acceptance_tests::{Account, Fault};
use serde_json::json;

use super::{ADDRESS, guide, node_group};

const ROLE: &str = "ci-nodes";

fn trust() -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole" }],
    })
    .to_string()
}

/// Creates the role outside the provider.
async fn make_role(account: &Account, owner: Option<&str>) -> String {
    let mut request = account.iam().create_role().role_name(ROLE).assume_role_policy_document(trust());
    if let Some(owner) = owner {
        request = request.tags(Tag::builder().key("gitlabspot/owner").value(owner).build().unwrap());
    }
    request.send().await.unwrap().role.unwrap().arn
}

/// Every add-on has an inline or managed policy in addition to those that every node needs.
#[tokio::test]
async fn every_add_on_has_its_policy() {
    let addons = [
        "auto_scaler",
        "cert_manager",
        "external_dns",
        "image_builder",
        "ebs",
        "efs",
        "fsx",
        "aws_load_balancer_controller",
        "xray",
        "cloud_watch",
    ];
    let (stage, workspace) = guide("every_add_on", json!({ "add_ons": addons, "role_name": ROLE })).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    let iam = stage.account.iam();
    let inline = iam.list_role_policies().role_name(ROLE).send().await.unwrap();
    let mut inline = inline.policy_names().to_vec();
    inline.sort();
    let expected = ["auto-scaler", "aws-load-balancer-controller", "cert-manager", "external-dns", "fsx"];
    assert_eq!(inline, expected);
    let attached = iam.list_attached_role_policies().role_name(ROLE).send().await.unwrap();
    let mut attached: Vec<String> = attached.attached_policies().iter().filter_map(|p| p.policy_name.clone()).collect();
    attached.sort();
    let expected = [
        "AWSXRayDaemonWriteAccess",
        "AmazonEBSCSIDriverPolicy",
        "AmazonEC2ContainerRegistryPowerUser",
        "AmazonEC2ContainerRegistryReadOnly",
        "AmazonEFSCSIDriverPolicy",
        "AmazonEKSWorkerNodePolicy",
        "AmazonEKS_CNI_Policy",
        "AmazonSSMManagedInstanceCore",
        "CloudWatchAgentServerPolicy",
    ];
    assert_eq!(attached, expected);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// A role of others with the desired name is not changed, and no group is created.
#[tokio::test]
async fn existing_role_of_others_is_not_changed() {
    let (stage, workspace) = guide("role_taken", json!({ "role_name": ROLE })).await;
    make_role(&stage.account, None).await;
    stage.account.forget();
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("a role ci-nodes already exists and was not created for this node group"), "{printed}");
    assert!(printed.contains("Nothing was created"), "{printed}");
    // The provider detects the role by the error of CreateRole.
    assert_eq!(stage.account.changes(), ["CreateRole"]);
    assert!(!workspace.state().await.contains(ADDRESS));
    stage.account.iam().delete_role().role_name(ROLE).send().await.unwrap();
    stage.assert_nothing_remains().await;
}

/// A role that an earlier run created for this group is adopted, and missing policies are attached.
#[tokio::test]
async fn role_of_an_earlier_run_is_adopted() {
    let (stage, workspace) = guide("role_left", json!({ "role_name": ROLE })).await;
    let owner = format!("{}/prod/{}", stage.account.region(), super::NAME);
    let arn = make_role(&stage.account, Some(&owner)).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(node_group(&stage.account).await.unwrap().node_role, Some(arn));
    let attached = stage.account.iam().list_attached_role_policies().role_name(ROLE).send().await.unwrap();
    assert_eq!(attached.attached_policies().len(), 4);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// EKS keeps the access entry of a deleted role, which does not admit a new role with the same ARN. The nodes of the
/// new group join regardless of how the old role was deleted.
#[tokio::test]
async fn recreated_role_gets_a_new_access_entry() {
    let (stage, workspace) = guide("role_anew", json!({ "role_name": ROLE })).await;
    let joins = || assert_eq!(stage.account.node_access(), [(format!("prod/{}", super::NAME), true)].into());
    workspace.apply().await;
    joins();
    // The group is replaced.
    workspace.set(&json!({ "instance_types": ["m5.2xlarge", "m5a.2xlarge", "m5d.2xlarge"] }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["delete", "create"]);
    workspace.apply().await;
    joins();
    // The group is destroyed and created again.
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
    workspace.apply().await;
    joins();
    // Others delete group and role.
    super::delete_manually(&stage.account).await;
    delete_role(&stage.account).await;
    workspace.apply().await;
    joins();
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

async fn delete_role(account: &Account) {
    let iam = account.iam();
    for policy in iam.list_role_policies().role_name(ROLE).send().await.unwrap().policy_names {
        iam.delete_role_policy().role_name(ROLE).policy_name(policy).send().await.unwrap();
    }
    let attached = iam.list_attached_role_policies().role_name(ROLE).send().await.unwrap();
    for policy in attached.attached_policies() {
        iam.detach_role_policy().role_name(ROLE).policy_arn(policy.policy_arn().unwrap()).send().await.unwrap();
    }
    iam.delete_role().role_name(ROLE).send().await.unwrap();
}

/// The error for a role that others added to an instance profile has the profile. The next destroy completes the
/// deletion.
#[tokio::test]
async fn role_in_an_instance_profile_is_named() {
    let (stage, workspace) = guide("role_profile", json!({ "role_name": ROLE })).await;
    workspace.apply().await;
    let iam = stage.account.iam();
    iam.create_instance_profile().instance_profile_name("bastion").send().await.unwrap();
    iam.add_role_to_instance_profile().instance_profile_name("bastion").role_name(ROLE).send().await.unwrap();
    let printed = workspace.try_destroy().await.failed();
    assert!(printed.contains("the role ci-nodes is in the instance profile bastion."), "{printed}");
    assert_eq!(stage.account.calls_of("iam", "DeleteRole").len(), 1);
    iam.remove_role_from_instance_profile().instance_profile_name("bastion").role_name(ROLE).send().await.unwrap();
    iam.delete_instance_profile().instance_profile_name("bastion").send().await.unwrap();
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// Lost responses and concurrent changes are retried; the role is created once.
#[tokio::test]
async fn lost_responses_and_concurrent_changes_are_retried() {
    let (stage, workspace) = guide("role_trouble", json!({ "role_name": ROLE })).await;
    stage.account.inject(Fault::drop_after("iam", "CreateRole"));
    let unknown = "The role with name ci-nodes cannot be found.";
    stage.account.inject(Fault::error("iam", "AttachRolePolicy", 404, "NoSuchEntity", unknown).times(2));
    let conflict = ("ConcurrentModification", "Another change of the role is under way");
    stage.account.inject(Fault::error("iam", "PutRolePolicy", 409, conflict.0, conflict.1).times(2));
    workspace.apply().await;
    workspace.assert_stable().await;
    let conflict = ("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.");
    stage.account.inject(Fault::error("iam", "DeleteRole", 409, conflict.0, conflict.1).times(3));
    workspace.destroy().await;
    assert_eq!(stage.account.calls_of("iam", "DeleteRole").len(), 4);
    stage.assert_nothing_remains().await;
}

/// A policy that cannot be attached ends the create, and the new role is deleted.
#[tokio::test]
async fn refused_policy_deletes_the_new_role() {
    let (stage, workspace) = guide("role_half", json!({ "role_name": ROLE })).await;
    stage.account.inject(Fault::error("iam", "PutRolePolicy", 403, "AccessDenied", "no iam:PutRolePolicy").times(0));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("no iam:PutRolePolicy") && printed.contains("Nothing was created"), "{printed}");
    assert!(!workspace.state().await.contains(ADDRESS));
    assert!(stage.account.calls_of("eks", "CreateNodegroup").is_empty());
    stage.assert_nothing_remains().await;
}

/// A role of the user is not changed.
#[tokio::test]
async fn role_of_the_user_is_not_changed() {
    let (stage, workspace) = guide("role_given", json!({})).await;
    let arn = make_role(&stage.account, None).await;
    stage.account.forget();
    workspace.set(&json!({ "node_role_arn": arn }));
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.assert_import(ADDRESS, &format!("prod:{}", super::NAME), &[]).await;
    workspace.destroy().await;
    let of_iam = stage.account.calls_of("iam", ".*");
    assert!(of_iam.iter().all(|call| call.action == "GetRole"), "{of_iam:?}");
    stage.account.iam().delete_role().role_name(ROLE).send().await.unwrap();
    stage.assert_nothing_remains().await;
}
