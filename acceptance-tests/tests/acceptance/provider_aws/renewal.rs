//! N27: credentials that expire during a wait are read once from their source again.

use std::fs;
use std::path::Path;

use gitlabspot_acceptance_tests::{Fault, Stage, Workspace, until};
use serde_json::{Value, json};

use super::{NO_KEYS, error_of, file, role, settings};

const ADDRESS: &str = "gitlabspot_node_group.build[0]";
const ID: &str = "prod:build-0";

/// Session credentials in the format of a shared credentials file, and their access key ID.
async fn session(stage: &Stage, name: &str) -> (String, String) {
    let request = stage.account.sts().assume_role().role_arn(role(&stage.account, "ci")).role_session_name(name);
    let session = request.send().await.unwrap().credentials.unwrap();
    let text = format!(
        "aws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n",
        session.access_key_id, session.secret_access_key, session.session_token
    );
    (text, session.access_key_id)
}

/// A workspace with a node group that EKS creates for a long time, and credentials of the profile `ci` in a file.
async fn waiting(test: &str) -> (Stage, Workspace, String) {
    let (stage, workspace) = settings(test, json!({ "node_groups": 1, "profile": "ci" })).await;
    let path = file(&stage, "credentials", "");
    workspace.set(&json!({ "shared_credentials_files": [path] }));
    stage.account.plan_node_groups(&json!({ "on": "create", "polls": 60 }));
    (stage, workspace.without_environment(&NO_KEYS), path)
}

/// Waits until the provider waits for the group.
async fn until_waiting(stage: &Stage) {
    until("the group is waited for", async || stage.account.reads_after("CreateNodegroup") > 1).await;
}

/// Access keys that read the group, in order, without repetitions, and the number of denied reads.
fn reads_by_key(stage: &Stage) -> (Vec<String>, usize) {
    let calls = stage.account.calls_of("eks", "DescribeNodegroup");
    let refused = calls.iter().filter(|call| call.status == Some(403)).count();
    let mut keys: Vec<String> = calls.into_iter().filter_map(|call| call.access_key_id).collect();
    keys.dedup();
    (keys, refused)
}

/// N27: a profile is read again after its file was changed. One read is denied, and the next has the new credentials.
#[tokio::test]
async fn credentials_are_renewed_from_a_profile() {
    let (stage, workspace, path) = waiting("renewed_profile").await;
    let (first, first_id) = session(&stage, "first").await;
    let (second, second_id) = session(&stage, "second").await;
    fs::write(&path, format!("[ci]\n{first}")).unwrap();
    let running = workspace.begin_apply();
    until_waiting(&stage).await;
    fs::write(&path, format!("[ci]\n{second}")).unwrap();
    stage.account.expire(&first_id);
    let _ = running.output().await.succeeded();
    assert_eq!(reads_by_key(&stage), (vec![first_id, second_id], 1));
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N27: a role is assumed again with a new key after the old key was deleted.
#[tokio::test]
async fn credentials_are_renewed_from_a_role() {
    let (stage, workspace, path) = waiting("renewed_role").await;
    let (id, secret) = super::further_keys(&stage.account).await;
    let (other_id, other_secret) = stage.account.keys();
    fs::write(&path, format!("[ci]\n{}", super::keys(&id, &secret))).unwrap();
    workspace.set(&json!({ "assume_role": { "role_arn": role(&stage.account, "ci") } }));
    let running = workspace.begin_apply();
    until_waiting(&stage).await;
    let sessions = super::signers(&stage.account, "eks");
    fs::write(&path, format!("[ci]\n{}", super::keys(other_id, other_secret))).unwrap();
    // The local AWS allows all keys to assume a role, so that the error for a deleted key is injected.
    let unknown = "The security token included in the request is invalid.";
    stage.account.inject(Fault::error("sts", "AssumeRole", 403, "InvalidClientTokenId", unknown));
    sessions.iter().for_each(|session| stage.account.expire(session));
    let _ = running.output().await.succeeded();
    let assumed: Vec<(Option<String>, Option<u16>)> = stage
        .account
        .calls_of("sts", "AssumeRole")
        .into_iter()
        .map(|call| (call.access_key_id, call.status))
        .skip_while(|(_, status)| *status == Some(200))
        .collect();
    assert_eq!(assumed, [(Some(id.clone()), Some(403)), (Some(other_id.to_owned()), Some(200))]);
    stage.account.iam().delete_access_key().user_name("administrator").access_key_id(&id).send().await.unwrap();
    assert_eq!(reads_by_key(&stage).1, 1);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N27: a credential process runs once at the start, and once after its credentials have expired.
#[tokio::test]
async fn credentials_are_renewed_from_a_process() {
    let (stage, workspace, path) = waiting("renewed_process").await;
    let mut sessions = Vec::new();
    for name in ["first", "second"] {
        let request = stage.account.sts().assume_role().role_arn(role(&stage.account, "ci")).role_session_name(name);
        let session = request.send().await.unwrap().credentials.unwrap();
        let answer = json!({
            "Version": 1, "AccessKeyId": session.access_key_id, "SecretAccessKey": session.secret_access_key,
            "SessionToken": session.session_token,
        });
        sessions.push((session.access_key_id, answer.to_string()));
    }
    let [(first_id, first), (second_id, second)] = <[_; 2]>::try_from(sessions).unwrap();
    let answer = file(&stage, "answer.json", &first);
    let runs = file(&stage, "runs", "");
    fs::write(&path, format!("[ci]\ncredential_process = sh -c 'echo >> {runs}; cat {answer}'\n")).unwrap();

    let _ = workspace.plan().await;
    fs::write(&runs, "").unwrap();
    let running = workspace.begin(&["apply", "-input=false", "plan.tfplan"]);
    until_waiting(&stage).await;
    fs::write(&answer, &second).unwrap();
    stage.account.expire(&first_id);
    let _ = running.output().await.succeeded();
    assert_eq!(reads_by_key(&stage), (vec![first_id, second_id], 1));
    assert_eq!(lines(&runs), 2);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

fn lines(path: impl AsRef<Path>) -> usize {
    fs::read_to_string(path).unwrap().lines().count()
}

/// N27: if the source has no new credentials, the error has a recommendation and the state has the group. The next run
/// replaces it.
#[tokio::test]
async fn failed_renewal_is_an_error() {
    let (stage, workspace, path) = waiting("not_renewed").await;
    let (first, first_id) = session(&stage, "first").await;
    fs::write(&path, format!("[ci]\n{first}")).unwrap();
    let running = workspace.begin(&["apply", "-input=false", "-auto-approve", "-json"]);
    until_waiting(&stage).await;
    stage.account.expire(&first_id);
    let printed = error_of(&running.output().await);
    assert!(
        printed.contains(
            "ExpiredTokenException: The security token included in the request is expired (status 403). The AWS \
             credentials have expired: renew them (for SSO: \"aws sso login\") and run again"
        ),
        "{printed}"
    );
    assert_eq!(reads_by_key(&stage), (vec![first_id], 2));
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], ID);
    let (second, _) = session(&stage, "second").await;
    fs::write(&path, format!("[ci]\n{second}")).unwrap();
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["delete", "create"]);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// N27: a single wrong `ExpiredTokenException` for valid keys fails one read, and the wait continues with the same
/// keys.
#[tokio::test]
async fn spurious_rejection_of_valid_keys_is_tolerated() {
    let (stage, workspace) = settings("renewed_with_the_same", json!({ "node_groups": 1 })).await;
    stage.account.plan_node_groups(&json!({ "on": "create", "polls": 6 }));
    let expired = "The security token included in the request is expired";
    let fault = Fault::error("eks", "DescribeNodegroup", 403, "ExpiredTokenException", expired);
    stage.account.inject(fault.after(2));
    workspace.apply().await;
    let keys: Value = reads_by_key(&stage).0.into();
    assert_eq!((keys, reads_by_key(&stage).1), (json!([stage.account.keys().0]), 1));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
