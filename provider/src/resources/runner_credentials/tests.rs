//! Scenarios: the calls of a host, with an AWS account and an API server in memory. Numbers such as C1 refer to the
//! table in docs/contributing/testing.md.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gitlabspot_clients::kubernetes::KubernetesSettings;
use gitlabspot_testing::aws::iam::{CREATED_SECONDS, Principal, secret_of};
use gitlabspot_testing::aws::{ALL, Account, Fault};
use gitlabspot_testing::kubernetes::{Cluster, Fault as ClusterFault};
use serde_json::{Value as Json, json};
use tfplugin::framework::{Diagnostics, Raw};

use super::RunnerCredentialsResource;
use crate::testing::{Stage, aws_settings, summaries};

const SECRET: &str = "secrets ci/gitlab-runner-s3-access";

fn stage(account: &Account, cluster: &Cluster) -> Stage {
    let kubernetes = KubernetesSettings { cluster_name: Some("prod".to_owned()), ..KubernetesSettings::default() };
    let aws = aws_settings(account, "eu-west-1");
    let stage = Stage::with_cluster(RunnerCredentialsResource, aws, kubernetes, Some(cluster.client()));
    stage.clock.set_time_of_day(UNIX_EPOCH + Duration::from_secs(CREATED_SECONDS));
    stage
}

fn config(more: &[(&'static str, Raw)]) -> Vec<(&'static str, Raw)> {
    let mut config: Vec<(&'static str, Raw)> = vec![
        ("mode", "access_key".into()),
        ("bucket", "ci-cache".into()),
        ("name", "runner".into()),
        ("namespace", "ci".into()),
    ];
    for (name, value) in more {
        config.retain(|(known, _)| known != name);
        config.push((name, value.clone()));
    }
    config
}

fn map(entries: &[(&str, &str)]) -> Raw {
    Raw::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect())
}

fn secret(cluster: &Cluster) -> Option<(String, String)> {
    let object = cluster.get(SECRET);
    let data = |key: &str| Some(String::from_utf8(STANDARD.decode(object["data"][key].as_str()?).unwrap()).unwrap());
    data("accesskey").zip(data("secretkey"))
}

/// IDs of the user's access keys.
fn keys(account: &Account) -> Vec<String> {
    account.state().iam.principals["user/runner"].keys.keys().cloned().collect()
}

fn pair(id: &str) -> Option<(String, String)> {
    Some((id.to_owned(), secret_of(id)))
}

/// C1, C9: create and destroy. The secret is only in the Secret.
#[tokio::test]
async fn credentials_of_the_guide() {
    let (account, cluster) = (Account::default(), Cluster::default());
    let mut stage = stage(&account, &cluster);
    let config = config(&[("create_namespace", true.into())]);
    let planned = stage.plan(&config).await;
    assert!(planned.state.get("policy_json").as_str().unwrap().contains("arn:aws:s3:::ci-cache/*"));
    stage.apply_wholly(&config).await;
    let made = ["CreateUser", "PutUserPolicy", "CreateAccessKey", "UntagUser"];
    assert_eq!(account.changes(), made);
    assert_eq!(secret(&cluster), pair("AKIA0000"));
    assert_eq!(stage.state.get("access_key_id"), "AKIA0000".into());
    assert_eq!(stage.state.get("id"), "ci/gitlab-runner-s3-access:runner".into());
    assert_eq!(stage.state.get("user_arn"), "arn:aws:iam::123456789012:user/runner".into());
    assert_eq!(account.state().iam.principals["user/runner"].tags, [("team".to_owned(), "ci".to_owned())].into());
    let kept = format!("{:?} {:?}", stage.state, String::from_utf8(stage.private.clone().into_bytes()).unwrap());
    assert!(!kept.contains("hidden-secret"), "{kept}");

    assert_eq!(stage.destroy().await, Diagnostics::new());
    assert_eq!(account.changes(), ["DeleteAccessKey", "DeleteUserPolicy", "DeleteUser"]);
    assert_eq!((account.state().iam.principals.len(), cluster.objects().len()), (0, 0));
}

#[tokio::test]
async fn import_requires_no_further_attributes() {
    let (account, cluster) = (Account::default(), Cluster::default());
    let config = config(&[
        ("create_namespace", true.into()),
        ("cache_path", "linux".into()),
        ("path", "/ci/".into()),
        ("permissions_boundary", "arn:aws:iam::123456789012:policy/boundary".into()),
        ("secret_labels", map(&[("team", "ci")])),
        ("secret_annotations", map(&[("note", "x")])),
        ("tags", map(&[("cost", "1")])),
    ]);
    let mut first = stage(&account, &cluster);
    first.apply_wholly(&config).await;
    let mut second = stage(&account, &cluster);
    assert_eq!(second.import("ci/gitlab-runner-s3-access:runner").await, Diagnostics::new());
    assert_eq!(second.state, first.state);
    assert_eq!(second.changes(&config).await, [""; 0]);
    // An import cannot read the trigger, so that the first one does not rotate the key.
    let trigger = [config.as_slice(), &[("rotation_trigger", "1".into())]].concat();
    second.apply_wholly(&trigger).await;
    assert_eq!(secret(&cluster), pair("AKIA0000"));
    assert_eq!(summaries(&stage(&account, &cluster).import("ci/cache:nobody").await), ["IAM entity not found"]);
}

/// Applies a plan that replaces the key, and checks that only the new key remains.
async fn rotates(stage: &mut Stage, account: &Account, cluster: &Cluster, config: &[(&str, Raw)], new: &str) {
    assert!(!stage.refresh().await.has_errors());
    let planned = stage.plan(config).await;
    assert_eq!(summaries(&planned.diagnostics), ["Access key will be replaced"]);
    assert!(planned.state.get("access_key_id").is_unknown());
    stage.apply_wholly(config).await;
    assert_eq!(secret(cluster), pair(new));
    assert_eq!(keys(account), [new]);
}

/// C5, C6, C7, and rotation by trigger.
#[tokio::test]
async fn changed_secret_or_key_rotates() {
    let (account, cluster) = (Account::default(), Cluster::with_namespace("ci"));
    let mut stage = stage(&account, &cluster);
    stage.apply_wholly(&config(&[])).await;

    cluster.remove(SECRET);
    rotates(&mut stage, &account, &cluster, &config(&[]), "AKIA0001").await;

    cluster.change(SECRET, |secret| secret["data"]["secretkey"] = json!("eA=="));
    account.changes();
    rotates(&mut stage, &account, &cluster, &config(&[]), "AKIA0002").await;
    let expected = ["TagUser", "CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey", "UntagUser"];
    assert_eq!(account.changes(), expected);

    account.state().iam.principals.get_mut("user/runner").unwrap().keys.clear();
    rotates(&mut stage, &account, &cluster, &config(&[]), "AKIA0003").await;

    account.state().iam.principals.get_mut("user/runner").unwrap().keys.insert("AKIA0003".to_owned(), false);
    rotates(&mut stage, &account, &cluster, &config(&[]), "AKIA0004").await;

    rotates(&mut stage, &account, &cluster, &config(&[("rotation_trigger", "2".into())]), "AKIA0005").await;
}

#[tokio::test]
async fn everything_else_changes_in_place() {
    let (account, cluster) = (Account::default(), Cluster::with_namespace("ci"));
    let mut stage = stage(&account, &cluster);
    stage.apply_wholly(&config(&[("tags", map(&[("a", "1"), ("b", "1")]))])).await;
    account.changes();
    let config = config(&[
        ("tags", map(&[("b", "2"), ("c", "1")])),
        ("policy", "full".into()),
        ("permissions_boundary", "arn:aws:iam::123456789012:policy/boundary".into()),
        ("secret_labels", map(&[("team", "ci")])),
        ("rotate_after_days", 90.into()),
    ]);
    stage.apply_wholly(&config).await;
    assert_eq!(account.changes(), ["PutUserPermissionsBoundary", "UntagUser", "TagUser", "PutUserPolicy"]);
    assert_eq!(secret(&cluster), pair("AKIA0000"));
    assert_eq!(cluster.get(SECRET)["metadata"]["labels"]["team"], "ci");
    assert!(stage.state.get("rotates_at").as_str().is_some());
    account.state().iam.principals.get_mut("user/runner").unwrap().policies.clear();
    assert_eq!(stage.changes(&config).await, ["policy_json"]);
    stage.apply_wholly(&config).await;
}

/// IAM ignores the case of tag keys: a tag that changes its case remains, and two keys that differ only in case are an
/// error.
#[tokio::test]
async fn tag_keys_that_differ_in_case_only_are_refused() {
    for (mode, principal) in [("access_key", "user/runner"), ("irsa", "role/runner")] {
        let (account, cluster) = (Account::default(), Cluster::with_namespace("ci"));
        let mut stage = stage(&account, &cluster);
        let tagged = |tags: &[(&str, &str)]| [role(mode), vec![("tags", map(tags))]].concat();
        stage.apply_wholly(&tagged(&[("Cost", "1")])).await;
        stage.apply_wholly(&tagged(&[("cost", "1")])).await;
        let tags = account.state().iam.principals[principal].tags.clone();
        assert_eq!(tags.into_keys().collect::<Vec<_>>(), ["cost", "team"]);
        // The default_tags of the tests contain "team".
        let refused = stage.plan(&tagged(&[("Team", "ci")])).await.diagnostics;
        assert_eq!(summaries(&refused), ["Duplicate tag"]);
    }
}

/// Tags, labels and annotations with the value null are omitted, in the second plan as well.
#[tokio::test]
async fn null_tags_labels_and_annotations_are_left_out() {
    let (account, cluster) = (Account::default(), Cluster::with_namespace("ci"));
    let unset = Raw::Map([("cost".to_owned(), "1".into()), ("owner".to_owned(), Raw::Null)].into());
    let all = ["tags", "secret_labels", "secret_annotations"].map(|name| (name, unset.clone()));
    let mut stage = stage(&account, &cluster);
    stage.apply_wholly(&config(&all)).await;
    assert_eq!(account.state().iam.principals["user/runner"].tags.keys().collect::<Vec<_>>(), ["cost", "team"]);
    // A tag of which the value becomes null is removed.
    stage.apply_wholly(&config(&[("tags", Raw::Map([("cost".to_owned(), Raw::Null)].into()))])).await;
    assert_eq!(account.state().iam.principals["user/runner"].tags.keys().collect::<Vec<_>>(), ["team"]);
}

/// C2: the response with the secret is lost.
#[tokio::test]
async fn keys_of_lost_responses_are_deleted() {
    let (account, cluster) = (Account::default(), Cluster::with_namespace("ci"));
    account.fault("CreateAccessKey", 0..1, Fault::LostAnswer);
    stage(&account, &cluster).apply_wholly(&config(&[])).await;
    assert_eq!(keys(&account), ["AKIA0001"]);

    // Both attempts of the SDK create a key, and both responses are lost.
    let (account, cluster) = (Account::default(), Cluster::with_namespace("ci"));
    account.fault("CreateAccessKey", 0..2, Fault::LostAnswer);
    stage(&account, &cluster).apply_wholly(&config(&[])).await;
    assert_eq!(keys(&account), ["AKIA0002"]);
}

/// C3: keys of others.
#[tokio::test]
async fn second_key_of_others_prevents_rotation_and_destroy() {
    let (account, cluster) = (Account::default(), Cluster::with_namespace("ci"));
    let mut stage = stage(&account, &cluster);
    stage.apply_wholly(&config(&[])).await;
    account.state().iam.principals.get_mut("user/runner").unwrap().keys.insert("AKIAOTHER".to_owned(), true);
    let diagnostics = stage.apply(&config(&[("rotation_trigger", "2".into())])).await;
    assert_eq!(summaries(&diagnostics), ["Too many access keys"]);
    assert!(diagnostics.iter().any(|d| d.detail.contains("AKIA0000, AKIAOTHER")), "{diagnostics:?}");
    assert_eq!(keys(&account), ["AKIA0000", "AKIAOTHER"]);
    // C10: they prevent the deletion of the user.
    assert_eq!(summaries(&stage.destroy().await), ["IAM entity in use"]);
    assert_eq!(keys(&account), ["AKIAOTHER"]);
    account.state().iam.principals.get_mut("user/runner").unwrap().keys.clear();
    assert_eq!(stage.destroy().await, Diagnostics::new());
}

/// C4: the cluster rejects the Secret.
#[tokio::test]
async fn key_is_deleted_if_the_secret_cannot_be_written() {
    let (account, cluster) = (Account::default(), Cluster::with_namespace("ci"));
    cluster.inject(ClusterFault::ReadOnly);
    let mut stage = stage(&account, &cluster);
    for _ in 0..3 {
        let diagnostics = stage.apply(&config(&[])).await;
        assert_eq!(summaries(&diagnostics), ["Cannot manage the cluster side of the credentials"]);
        assert!(diagnostics.iter().any(|d| d.detail.contains("was deleted.")), "{diagnostics:?}");
        assert_eq!(keys(&account), [""; 0]);
        cluster.recover();
        // The resource is tainted: the host destroys it before the next create.
        assert_eq!(stage.destroy().await, Diagnostics::new());
        cluster.inject(ClusterFault::ReadOnly);
    }
    // A failed rotation keeps the key in use.
    cluster.recover();
    stage.apply_wholly(&config(&[])).await;
    let before = secret(&cluster);
    cluster.inject(ClusterFault::ReadOnly);
    assert!(stage.apply(&config(&[("rotation_trigger", "2".into())])).await.has_errors());
    assert_eq!((secret(&cluster), keys(&account).len()), (before, 1));
    cluster.recover();
    assert_eq!(stage.changes(&config(&[])).await, [""; 0]);
}

/// After a failed create the host replaces the resource, after a failed update it updates it again.
#[tokio::test]
async fn warning_describes_the_next_apply() {
    let (account, cluster) = (Account::default(), Cluster::with_namespace("ci"));
    let denied = Fault::Error(403, "AccessDenied", "no");
    account.fault("PutUserPolicy", 0..1, denied.clone());
    let mut stage = stage(&account, &cluster);
    let text = stage.apply(&config(&[])).await.iter().map(|it| it.detail.clone()).collect::<String>();
    assert!(text.contains("The objects that were created are in the state"), "{text}");
    assert!(text.contains("the next apply deletes and recreates it") && !text.contains("Apply or destroy"), "{text}");
    assert_eq!(stage.destroy().await, Diagnostics::new());
    assert_eq!(account.state().iam.principals.len(), 0);

    stage.apply_wholly(&config(&[])).await;
    account.fault("CreateAccessKey", 0..1, denied);
    let diagnostics = stage.apply(&config(&[("rotation_trigger", "2".into())])).await;
    let text = diagnostics.iter().map(|it| it.detail.clone()).collect::<String>();
    assert!(text.contains("Apply or destroy again when the cause is resolved") && !text.contains("anew"), "{text}");
    stage.apply_wholly(&config(&[("rotation_trigger", "2".into())])).await;
}

/// C8: AWS does not accept a new key at once.
#[tokio::test]
async fn new_key_is_verified_before_the_old_one_is_revoked() {
    let (account, cluster) = (Account::default(), Cluster::with_namespace("ci"));
    account.fault("GetCallerIdentity", 0..5, Fault::Error(403, "InvalidClientTokenId", "not yet"));
    let mut stage = stage(&account, &cluster);
    stage.apply_wholly(&config(&[])).await;
    assert!(stage.clock.passed() >= Duration::from_secs(5 + 2));

    account.fault("GetCallerIdentity", ALL, Fault::Error(403, "InvalidClientTokenId", "never"));
    let diagnostics = stage.apply(&config(&[("rotation_trigger", "2".into())])).await;
    assert_eq!(summaries(&diagnostics), ["Cannot manage the IAM side of the credentials"]);
    assert_eq!((keys(&account), secret(&cluster)), (vec!["AKIA0000".to_owned()], pair("AKIA0000")));
}

/// C14, and a user of another resource.
#[tokio::test]
async fn a_create_that_was_killed_is_continued() {
    let (account, cluster) = (Account::default(), Cluster::with_namespace("ci"));
    let tags = [("gitlabspot/unfinished".to_owned(), "now".to_owned())].into();
    let lost = [("AKIALOST".to_owned(), true)].into();
    let principal = Principal { path: "/".to_owned(), tags, keys: lost, ..Principal::default() };
    account.state().iam.principals.insert("user/runner".to_owned(), principal);
    stage(&account, &cluster).apply_wholly(&config(&[])).await;
    assert_eq!(keys(&account), ["AKIA0000"]);

    let mut other = stage(&account, &cluster);
    assert_eq!(summaries(&other.apply(&config(&[("secret_name", "other".into())])).await), ["IAM name already exists"]);
    assert_eq!(other.state, Raw::Null);
    assert_eq!(keys(&account), ["AKIA0000"]);
}

#[tokio::test]
async fn foreign_secrets_are_refused() {
    let (account, cluster) = (Account::default(), Cluster::with_namespace("ci"));
    let metadata = json!({ "namespace": "ci", "name": "gitlab-runner-s3-access" });
    cluster.put(json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata }));
    let foreign = cluster.get(SECRET);
    let mut stage = stage(&account, &cluster);
    assert_eq!(summaries(&stage.apply(&config(&[])).await), ["Secret already exists"]);
    assert_eq!(stage.state, Raw::Null);
    assert_eq!(account.changes(), [""; 0]);
    assert_eq!(cluster.get(SECRET), foreign);
}

#[tokio::test]
async fn created_namespace_is_deleted_unless_it_has_other_objects() {
    let (account, cluster) = (Account::default(), Cluster::default());
    let mut stage = stage(&account, &cluster);
    assert_eq!(summaries(&stage.apply(&config(&[])).await), ["Namespace not found"]);
    assert_eq!(stage.state, Raw::Null);
    let config = config(&[("create_namespace", true.into())]);
    stage.apply_wholly(&config).await;
    let metadata = json!({ "namespace": "ci", "name": "theirs" });
    cluster.put(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata }));
    let diagnostics = stage.destroy().await;
    assert_eq!(summaries(&diagnostics), ["Namespace kept"]);
    assert!(diagnostics.iter().any(|d| d.detail.contains("ConfigMap theirs")), "{diagnostics:?}");
    assert_eq!(stage.state, Raw::Null);
    // The annotation of the namespace still identifies its owner.
    stage.apply_wholly(&config).await;
    cluster.remove("configmaps ci/theirs");
    assert_eq!(stage.destroy().await, Diagnostics::new());
    assert_eq!(cluster.objects().len(), 0);
}

/// Dependents are, for example, the objects of a release that was deleted just before.
#[tokio::test]
async fn namespace_is_deleted_after_controllers_deleted_dependents() {
    let (account, cluster) = (Account::default(), Cluster::default());
    let mut stage = stage(&account, &cluster);
    stage.apply_wholly(&config(&[("create_namespace", true.into())])).await;
    let metadata = json!({ "namespace": "ci", "name": "dependent" });
    cluster.put(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata }));
    cluster.inject(ClusterFault::After("LIST configmaps", |cluster| cluster.remove("configmaps ci/dependent")));
    assert_eq!(stage.destroy().await, Diagnostics::new());
    assert_eq!(cluster.objects().len(), 0);
}

#[tokio::test]
async fn deleted_user_is_removed_from_the_state() {
    let (account, cluster) = (Account::default(), Cluster::with_namespace("ci"));
    let mut stage = stage(&account, &cluster);
    stage.apply_wholly(&config(&[])).await;
    account.state().iam.principals.clear();
    cluster.remove(SECRET);
    assert_eq!(stage.destroy().await, Diagnostics::new());
    stage.apply_wholly(&config(&[])).await;
    account.state().iam.principals.clear();
    assert_eq!(stage.refresh().await, Diagnostics::new());
    assert_eq!(stage.state, Raw::Null);
    // The Secret of a deleted user does not prevent a create.
    stage.apply_wholly(&config(&[("name", "another".into())])).await;
}

fn role(mode: &'static str) -> Vec<(&'static str, Raw)> {
    config(&[("mode", mode.into()), ("service_account", "runner-sa".into())])
}

/// C11: the principal of the trust policy propagates.
#[tokio::test]
async fn irsa_creates_a_role_for_the_service_account() {
    let (account, cluster) = (Account::default(), Cluster::default());
    account.fault("CreateRole", 0..2, Fault::Error(400, "MalformedPolicyDocument", "Invalid principal in policy: x"));
    let mut stage = stage(&account, &cluster);
    stage.apply_wholly(&role("irsa")).await;
    let trust: Json = serde_json::from_str(&account.state().iam.principals["role/runner"].trust).unwrap();
    assert_eq!(
        trust["Statement"][0]["Condition"]["StringEquals"]["oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub"],
        "system:serviceaccount:ci:runner-sa"
    );
    let arn = "arn:aws:iam::123456789012:role/runner";
    assert_eq!(stage.state.get("service_account_annotations"), map(&[("eks.amazonaws.com/role-arn", arn)]));
    assert_eq!((stage.state.get("role_arn"), stage.state.get("access_key_id")), (arn.into(), Raw::Null));

    let mut second = self::stage(&account, &cluster);
    assert_eq!(second.import("ci/runner-sa:role/runner").await, Diagnostics::new());
    assert_eq!(second.state, stage.state);
    assert_eq!(stage.destroy().await, Diagnostics::new());
    assert_eq!(account.state().iam.principals.len(), 0);
}

/// C12: the role propagates, and an association of others is an error.
#[tokio::test]
async fn pod_identity_associates_the_service_account() {
    let (account, cluster) = (Account::default(), Cluster::default());
    let missing = Fault::Error(400, "InvalidParameterException", "Role provided in the request does not exist.");
    account.fault("CreatePodIdentityAssociation", 0..2, missing);
    let mut stage = stage(&account, &cluster);
    stage.apply_wholly(&role("pod_identity")).await;
    assert_eq!(account.state().eks.associations["runner-sa"]["roleArn"], "arn:aws:iam::123456789012:role/runner");
    account.state().eks.associations.clear();
    assert_eq!(stage.changes(&role("pod_identity")).await, ["service_account"]);
    stage.apply_wholly(&role("pod_identity")).await;
    // Another mode with the same role.
    stage.apply_wholly(&role("irsa")).await;
    assert_eq!(account.state().eks.associations.len(), 0);
    stage.apply_wholly(&role("pod_identity")).await;
    assert_eq!(stage.destroy().await, Diagnostics::new());
    assert_eq!(account.state().iam.principals.len(), 0);
    assert_eq!(account.state().eks.associations.len(), 0);

    let foreign = json!({ "roleArn": "arn:aws:iam::123456789012:role/other" });
    account.state().eks.associations.insert("runner-sa".to_owned(), foreign);
    assert_eq!(summaries(&stage.apply(&role("pod_identity")).await), ["Pod Identity association already exists"]);
    assert_eq!(account.state().eks.associations.len(), 1);
}

/// The new grant is complete before the old one is revoked.
#[tokio::test]
async fn changed_mode_grants_before_it_revokes() {
    let (account, cluster) = (Account::default(), Cluster::with_namespace("ci"));
    let mut stage = stage(&account, &cluster);
    stage.apply_wholly(&role("access_key")).await;
    account.changes();
    stage.apply_wholly(&role("irsa")).await;
    assert_eq!(
        account.changes(),
        ["TagUser", "CreateRole", "PutRolePolicy", "UntagRole", "DeleteAccessKey", "DeleteUserPolicy", "DeleteUser"]
    );
    assert_eq!(secret(&cluster), None);
    stage.apply_wholly(&role("access_key")).await;
    assert_eq!(account.state().iam.principals.keys().collect::<Vec<_>>(), ["user/runner"]);
    assert_eq!(secret(&cluster), pair("AKIA0001"));
}

/// Two resources with the same Secret would overwrite each other's key, and rotate in each apply.
#[tokio::test]
async fn second_resource_with_the_same_name_in_one_run_is_an_error() {
    let (account, cluster) = (Account::default(), Cluster::with_namespace("ci"));
    let mut first = stage(&account, &cluster);
    let mut second = first.beside(RunnerCredentialsResource);
    let (one, other) = (config(&[]), config(&[("name", "other".into())]));
    let (one_diagnostics, other_diagnostics) = tokio::join!(first.apply(&one), second.apply(&other));
    let mut reported = [summaries(&one_diagnostics).concat(), summaries(&other_diagnostics).concat()];
    reported.sort();
    assert_eq!(reported, ["", "Name already in use"]);
    let (mut stage, config) = if first.state == Raw::Null { (second, other) } else { (first, one) };
    assert_eq!(stage.changes(&config).await, [""; 0]);
    assert_eq!(account.state().iam.principals.len(), 1);
}

/// Pods use the key that the Secret contained when they started. It remains valid until the last of them is deleted.
#[tokio::test]
async fn replaced_key_is_kept_while_pods_use_it() {
    let (account, cluster) = (Account::default(), Cluster::with_namespace("ci"));
    let mut stage = stage(&account, &cluster);
    stage.apply_wholly(&config(&[])).await;
    let pod = |made: &str| {
        let volume = json!({ "secret": { "secretName": "gitlab-runner-s3-access" } });
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "manager", "namespace": "ci", "creationTimestamp": made },
            "spec": { "volumes": [volume] }, "status": { "phase": "Running" },
        })
    };
    cluster.put(pod("2000-01-01T00:00:00Z"));
    let rotated = config(&[("rotation_trigger", "2".into())]);
    assert_eq!(summaries(&stage.apply(&rotated).await), ["Old access key kept"]);
    assert_eq!(secret(&cluster), pair("AKIA0001"));
    assert_eq!(keys(&account), ["AKIA0000", "AKIA0001"]);
    let Raw::List(superseded) = stage.state.get("superseded") else { unreachable!() };
    assert!(
        superseded[0].as_str().unwrap().starts_with("access key AKIA0000 of the IAM user runner"),
        "{superseded:?}"
    );
    assert_eq!(stage.changes(&rotated).await, [""; 0]);

    // The pod was replaced after the rotation.
    cluster.put(pod("2999-01-01T00:00:00Z"));
    assert_eq!(stage.changes(&rotated).await, ["superseded"]);
    let planned = stage.plan(&rotated).await;
    assert_eq!(summaries(&planned.diagnostics), ["Old credentials will be revoked"]);
    stage.apply_wholly(&rotated).await;
    assert_eq!(keys(&account), ["AKIA0001"]);

    // A user can have two keys: the next rotation deletes the one before the last rotation, a destroy deletes all.
    cluster.put(pod("2000-01-01T00:00:00Z"));
    for (trigger, ids) in [("3", ["AKIA0001", "AKIA0002"]), ("4", ["AKIA0002", "AKIA0003"])] {
        assert_eq!(
            summaries(&stage.apply(&config(&[("rotation_trigger", trigger.into())])).await),
            ["Old access key kept"]
        );
        assert_eq!(keys(&account), ids);
    }
    assert_eq!(stage.destroy().await, Diagnostics::new());
    assert_eq!(account.state().iam.principals.len(), 0);
}
