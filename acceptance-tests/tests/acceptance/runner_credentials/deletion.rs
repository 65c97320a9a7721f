//! Order of a destroy, and objects that do not exist or cannot be deleted.

use aws_sdk_iam::types::Tag;
use gitlabspot_acceptance_tests::{Account, Fault, until};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use super::{ADDRESS, NAME, SECRET, guide, keys, make_key, pair, user};

/// C9: Secret, key, policy and user are deleted in this order.
#[tokio::test]
async fn destroy_deletes_in_order() {
    let (stage, workspace) = guide("destroy_in_order", json!({})).await;
    workspace.apply().await;
    stage.account.forget();
    // The Secret is deleted first: it no longer exists when AWS refuses to delete the key.
    stage.account.inject(Fault::error("iam", "DeleteAccessKey", 403, "AccessDenied", "no iam:DeleteAccessKey"));
    let printed = workspace.try_destroy().await.failed();
    assert!(printed.contains("no iam:DeleteAccessKey") && printed.contains("destroy again"), "{printed}");
    assert_eq!(stage.namespace.objects().await, [""; 0]);
    stage.account.forget();
    workspace.destroy().await;
    assert_eq!(stage.account.changes(), ["DeleteAccessKey", "DeleteUserPolicy", "DeleteUser"]);
    stage.assert_nothing_remains().await;
}

/// C9: a destroy succeeds if some or all objects no longer exist.
#[tokio::test]
async fn objects_deleted_before_a_destroy_are_a_success() {
    let (stage, workspace) = guide("gone_already", json!({})).await;
    workspace.apply().await;
    delete_manually(&stage.account).await;
    stage.kubernetes.api::<Secret>(stage.namespace.name()).delete(SECRET, &DeleteParams::default()).await.unwrap();
    let _ = workspace.run(&["destroy", "-refresh=false", "-input=false", "-auto-approve"]).await.succeeded();
    let gone = stage.account.calls().into_iter().filter(|call| call.status == Some(404)).map(|call| call.action);
    assert_eq!(gone.collect::<Vec<_>>(), ["GetUser", "DeleteAccessKey", "DeleteUserPolicy", "DeleteUser"]);
    stage.assert_nothing_remains().await;

    // If the refresh does not find the user, it is created again. The Secret of the deleted user does not prevent this.
    workspace.apply().await;
    delete_manually(&stage.account).await;
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["create"]);
    workspace.apply().await;
    super::assert_one_key(&stage, &workspace).await;
    super::destroy_and_verify(&stage, &workspace).await;
}

async fn delete_manually(account: &Account) {
    for (key, _) in keys(account).await {
        super::delete_key(account, &key).await;
    }
    account.iam().delete_user_policy().user_name(NAME).policy_name("gitlab-runner-cache").send().await.unwrap();
    account.iam().delete_user().user_name(NAME).send().await.unwrap();
}

/// C9: IAM lists objects for some time after their deletion, by this run or an earlier one. Neither the destroy nor a
/// create of the same user fails.
#[tokio::test]
async fn stale_iam_lists_are_tolerated() {
    let (stage, workspace) = guide("lists_that_lag", json!({})).await;
    workspace.apply().await;
    // The lag is longer than the time until the next command, and shorter than the provider waits by the same clock.
    let workspace = workspace.with_environment("GITLABSPOT_CLOCK_SPEED", "1");
    stage.account.lag(5.0);
    workspace.set(&json!({ "rotation_trigger": "2" }));
    workspace.apply().await;
    workspace.destroy().await;
    workspace.apply().await;
    stage.account.lag(0.0);
    until("IAM lists what is there", async || keys(&stage.account).await.len() == 1).await;
    super::assert_one_key(&stage, &workspace).await;
    super::destroy_and_verify(&stage, &workspace).await;
}

/// C9: the same with EKS Pod Identity. A deleted association is listed before the existing one.
#[tokio::test]
async fn stale_association_lists_are_tolerated() {
    let variables = json!({ "mode": "pod_identity", "service_account": "gitlab-runner" });
    let (stage, workspace) = guide("stale_associations", variables).await;
    workspace.apply().await;
    stage.account.lag(3600.0);
    workspace.destroy().await;
    let associations = async || {
        let eks = stage.account.eks();
        let listed = eks.list_pod_identity_associations().cluster_name("prod").send().await.unwrap();
        listed.associations.unwrap_or_default().len()
    };
    assert_eq!(associations().await, 1, "the deleted one is listed still");
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(associations().await, 2);
    workspace.destroy().await;
    // The second association is deleted, and only listed.
    let deleted = stage.account.calls_of("eks", "DeletePodIdentityAssociation");
    assert_eq!(deleted.len(), 2, "{deleted:?}");
    stage.account.lag(0.0);
    stage.assert_nothing_remains().await;
}

/// C10: keys and policies of others on the user prevent its deletion, and the error has each of them.
#[tokio::test]
async fn user_with_keys_or_policies_of_others_is_kept() {
    let (stage, workspace) = guide("in_the_way", json!({})).await;
    workspace.apply().await;
    let iam = stage.account.iam();
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let key = make_key(&stage.account).await;
    iam.put_user_policy().user_name(NAME).policy_name("theirs").policy_document(document).send().await.unwrap();
    let policy = iam.create_policy().policy_name("attached").policy_document(document).send().await.unwrap();
    let policy = policy.policy.unwrap().arn.unwrap();
    iam.attach_user_policy().user_name(NAME).policy_arn(&policy).send().await.unwrap();
    iam.create_group().group_name("builders").send().await.unwrap();
    iam.add_user_to_group().user_name(NAME).group_name("builders").send().await.unwrap();
    iam.create_login_profile().user_name(NAME).password("an-example").send().await.unwrap();
    let device = iam.create_virtual_mfa_device().virtual_mfa_device_name("phone").send().await.unwrap();
    let device = device.virtual_mfa_device.unwrap().serial_number;
    let enable = iam.enable_mfa_device().user_name(NAME).serial_number(&device);
    enable.authentication_code1("123456").authentication_code2("654321").send().await.unwrap();
    let ssh = iam.upload_ssh_public_key().user_name(NAME).ssh_public_key_body("ssh-rsa x").send().await.unwrap();
    let ssh = ssh.ssh_public_key.unwrap().ssh_public_key_id;
    let git = iam.create_service_specific_credential().user_name(NAME).service_name("codecommit.amazonaws.com");
    let git = git.send().await.unwrap().service_specific_credential.unwrap().service_specific_credential_id;
    stage.account.forget();

    let printed = workspace.try_destroy().await.failed();
    let named = [
        format!("access key {key}"),
        "inline policy theirs".to_owned(),
        format!("attached policy {policy}"),
        "membership of group builders".to_owned(),
        "console password".to_owned(),
        format!("MFA device {device}"),
        format!("SSH key {ssh}"),
        format!("service-specific credential {git}"),
    ];
    for part in named {
        assert!(printed.contains(&part), "{part} is not in: {printed}");
    }
    // None of them was changed, and the user is still in the state.
    assert_eq!(keys(&stage.account).await, [(key.clone(), true)]);
    assert_eq!(stage.account.changes(), ["DeleteAccessKey", "DeleteUserPolicy", "DeleteUser"]);
    assert_eq!(workspace.state().await.resource(ADDRESS)["name"], NAME);

    super::delete_key(&stage.account, &key).await;
    iam.delete_user_policy().user_name(NAME).policy_name("theirs").send().await.unwrap();
    iam.detach_user_policy().user_name(NAME).policy_arn(&policy).send().await.unwrap();
    iam.delete_policy().policy_arn(&policy).send().await.unwrap();
    iam.remove_user_from_group().user_name(NAME).group_name("builders").send().await.unwrap();
    iam.delete_group().group_name("builders").send().await.unwrap();
    iam.delete_login_profile().user_name(NAME).send().await.unwrap();
    iam.deactivate_mfa_device().user_name(NAME).serial_number(&device).send().await.unwrap();
    iam.delete_virtual_mfa_device().serial_number(&device).send().await.unwrap();
    iam.delete_ssh_public_key().user_name(NAME).ssh_public_key_id(ssh).send().await.unwrap();
    let delete = iam.delete_service_specific_credential().user_name(NAME).service_specific_credential_id(git);
    delete.send().await.unwrap();
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// Requests that fail because IAM still has objects that were just deleted are retried.
#[tokio::test]
async fn delete_conflicts_are_retried() {
    let (stage, workspace) = guide("delete_conflicts", json!({})).await;
    workspace.apply().await;
    let conflict = "Cannot delete entity, must delete access keys first.";
    stage.account.inject(Fault::error("iam", "DeleteUser", 409, "DeleteConflict", conflict).times(3));
    let busy = |action: &str| Fault::error("iam", action, 409, "ConcurrentModification", "Another change is on");
    for action in ["DeleteAccessKey", "DeleteUserPolicy"] {
        stage.account.inject(busy(action).times(2));
        stage.account.inject(Fault::throttle("iam", action).after(2).times(2));
    }
    workspace.destroy().await;
    assert_eq!(stage.account.calls_of("iam", "DeleteUser").len(), 4);
    stage.assert_nothing_remains().await;
}

/// A Secret that others created in place of the managed one is preserved.
#[tokio::test]
async fn secret_replaced_by_others_is_preserved() {
    let (stage, workspace) = guide("secret_of_others", json!({})).await;
    workspace.apply().await;
    let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
    secrets.delete(SECRET, &DeleteParams::default()).await.unwrap();
    let theirs = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": SECRET }, "stringData": { "password": "theirs" },
    });
    secrets.patch(SECRET, &PatchParams::apply("theirs"), &Patch::Apply(theirs)).await.unwrap();
    let printed = workspace.destroy().await.prose();
    assert!(
        printed.contains("Secret kept") && printed.contains("is not the one that this resource created"),
        "{printed}"
    );
    assert_eq!(stage.namespace.objects().await, [format!("Secret/{SECRET}")]);
    secrets.delete(SECRET, &DeleteParams::default()).await.unwrap();
    stage.assert_nothing_remains().await;
}

/// While the cluster does not respond, nothing is deleted, so that no Secret has a deleted key.
#[tokio::test]
async fn nothing_is_deleted_while_the_cluster_is_down() {
    let (stage, workspace) = guide("destroy_without_cluster", json!({})).await;
    workspace.apply().await;
    let before = pair(&stage).await;
    stage.account.forget();
    workspace.set(&json!({ "kubernetes": { "host": "https://127.0.0.1:1", "token": "any" } }));
    let printed = workspace.run(&["destroy", "-refresh=false", "-input=false", "-auto-approve"]).await.failed();
    assert!(printed.contains("cannot be reached"), "{printed}");
    assert_eq!((stage.account.changes(), pair(&stage).await), (vec![], before));
    workspace.set(&json!({ "kubernetes": { "cluster_name": "prod" } }));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// Tags of others are preserved until the user is deleted.
#[tokio::test]
async fn tags_of_others_are_preserved() {
    let (stage, workspace) = guide("tags_of_others", json!({ "tags": { "cost": "1" } })).await;
    workspace.apply().await;
    let tag = Tag::builder().key("theirs").value("x").build().unwrap();
    stage.account.iam().tag_user().user_name(NAME).tags(tag).send().await.unwrap();
    workspace.assert_stable().await;
    workspace.set(&json!({ "tags": { "cost": "2", "more": "" } }));
    workspace.apply().await;
    workspace.assert_stable().await;
    let mut tags: Vec<_> = user(&stage.account).await.unwrap().tags.unwrap();
    tags.sort_by(|one, other| one.key.cmp(&other.key));
    let tags: Vec<_> = tags.iter().map(|tag| (tag.key(), tag.value())).collect();
    assert_eq!(tags, [("cost", "2"), ("more", ""), ("team", "ci"), ("theirs", "x")]);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
