//! Destroying: in the order in which nobody is left with half of it, whatever is gone or in the way.

use aws_sdk_iam::types::Tag;
use gitlabspot_acceptance_tests::{Account, Fault, until};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use super::{ADDRESS, NAME, SECRET, guide, keys, make_key, pair, user};

/// C9: Secret, key, policy, user.
#[tokio::test]
async fn in_order() {
    let (stage, workspace) = guide("destroy_in_order", json!({})).await;
    workspace.apply().await;
    stage.account.forget();
    // The Secret goes first: when AWS does not let the key go, it is gone already.
    stage.account.inject(Fault::error("iam", "DeleteAccessKey", 403, "AccessDenied", "no iam:DeleteAccessKey"));
    let said = workspace.try_destroy().await.failed();
    assert!(said.contains("no iam:DeleteAccessKey") && said.contains("destroy again"), "{said}");
    assert_eq!(stage.namespace.objects().await, [""; 0]);
    stage.account.forget();
    workspace.destroy().await;
    assert_eq!(stage.account.changes(), ["DeleteAccessKey", "DeleteUserPolicy", "DeleteUser"]);
    stage.assert_nothing_left().await;
}

/// C9: what is gone already is a success, part by part and altogether.
#[tokio::test]
async fn gone_already() {
    let (stage, workspace) = guide("gone_already", json!({})).await;
    workspace.apply().await;
    remove_by_hand(&stage.account).await;
    stage.kubernetes.api::<Secret>(stage.namespace.name()).delete(SECRET, &DeleteParams::default()).await.unwrap();
    let _ = workspace.run(&["destroy", "-refresh=false", "-input=false", "-auto-approve"]).await.succeeded();
    let gone = stage.account.calls().into_iter().filter(|call| call.status == Some(404)).map(|call| call.action);
    assert_eq!(gone.collect::<Vec<_>>(), ["GetUser", "DeleteAccessKey", "DeleteUserPolicy", "DeleteUser"]);
    stage.assert_nothing_left().await;

    // Found gone by the refresh, it is made anew; the Secret of a user that is no more is no obstacle.
    workspace.apply().await;
    remove_by_hand(&stage.account).await;
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["create"]);
    workspace.apply().await;
    super::assert_one_key(&stage, &workspace).await;
    super::ends_well(&stage, &workspace).await;
}

async fn remove_by_hand(account: &Account) {
    for (key, _) in keys(account).await {
        super::delete_key(account, &key).await;
    }
    account.iam().delete_user_policy().user_name(NAME).policy_name("gitlab-runner-cache").send().await.unwrap();
    account.iam().delete_user().user_name(NAME).send().await.unwrap();
}

/// C9: IAM lists for some time what was just deleted, by this run or by the one before. That is in nobody's way, neither here
/// nor when the user is made again.
#[tokio::test]
async fn lists_that_lag() {
    let (stage, workspace) = guide("lists_that_lag", json!({})).await;
    workspace.apply().await;
    // Long enough for the next command to see it, and shorter than the provider waits by the same clock.
    let workspace = workspace.with_environment("GITLABSPOT_CLOCK_SPEED", "1");
    stage.account.lag(5.0);
    workspace.set(&json!({ "rotation_trigger": "2" }));
    workspace.apply().await;
    workspace.destroy().await;
    workspace.apply().await;
    stage.account.lag(0.0);
    until("IAM lists what is there", async || keys(&stage.account).await.len() == 1).await;
    super::assert_one_key(&stage, &workspace).await;
    super::ends_well(&stage, &workspace).await;
}

/// C9: the same with Pod Identity: an association that was just deleted is listed before the one that is there.
#[tokio::test]
async fn associations_that_lag() {
    let variables = json!({ "mode": "pod_identity", "service_account": "gitlab-runner" });
    let (stage, workspace) = guide("associations_that_lag", variables).await;
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
    // Of the second one nothing is left but in the list.
    let deleted = stage.account.calls_of("eks", "DeletePodIdentityAssociation");
    assert_eq!(deleted.len(), 2, "{deleted:?}");
    stage.account.lag(0.0);
    stage.assert_nothing_left().await;
}

/// C10: what others put on the user keeps it, and each of these things is named.
#[tokio::test]
async fn others_are_in_the_way() {
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

    let said = workspace.try_destroy().await.failed();
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
        assert!(said.contains(&part), "{part} is not in: {said}");
    }
    // None of it was touched, and the user is still in the state.
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
    stage.assert_nothing_left().await;
}

/// IAM goes on seeing for a while what was just deleted.
#[tokio::test]
async fn conflicts_that_pass() {
    let (stage, workspace) = guide("conflicts_that_pass", json!({})).await;
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
    stage.assert_nothing_left().await;
}

/// A Secret that others have put in the place of ours stays.
#[tokio::test]
async fn a_secret_of_others() {
    let (stage, workspace) = guide("secret_of_others", json!({})).await;
    workspace.apply().await;
    let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
    secrets.delete(SECRET, &DeleteParams::default()).await.unwrap();
    let theirs = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": SECRET }, "stringData": { "password": "theirs" },
    });
    secrets.patch(SECRET, &PatchParams::apply("theirs"), &Patch::Apply(theirs)).await.unwrap();
    let said = workspace.destroy().await.prose();
    assert!(said.contains("Secret kept") && said.contains("was created by someone else"), "{said}");
    assert_eq!(stage.namespace.objects().await, [format!("Secret/{SECRET}")]);
    secrets.delete(SECRET, &DeleteParams::default()).await.unwrap();
    stage.assert_nothing_left().await;
}

/// The cluster does not answer: nothing is deleted that would leave a Secret with a dead key behind.
#[tokio::test]
async fn the_cluster_is_down() {
    let (stage, workspace) = guide("destroy_without_cluster", json!({})).await;
    workspace.apply().await;
    let before = pair(&stage).await;
    stage.account.forget();
    workspace.set(&json!({ "kubernetes": { "host": "https://127.0.0.1:1", "token": "any" } }));
    let said = workspace.run(&["destroy", "-refresh=false", "-input=false", "-auto-approve"]).await.failed();
    assert!(said.contains("cannot be reached"), "{said}");
    assert_eq!((stage.account.changes(), pair(&stage).await), (vec![], before));
    workspace.set(&json!({ "kubernetes": { "cluster_name": "prod" } }));
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}

/// Tags of others stay until the user goes.
#[tokio::test]
async fn tags_of_others() {
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
    stage.assert_nothing_left().await;
}
