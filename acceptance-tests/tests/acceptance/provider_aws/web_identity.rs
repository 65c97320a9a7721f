//! Roles that are assumed with a token: from the block, from the environment, and in HCP Terraform.

use gitlabspot_acceptance_tests::{Call, Engine, Stage, Workspace};
use serde_json::{Value, json};

use super::{NO_KEYS, file, role, search, settings, signers, workspace};

/// Parameters of unsigned STS calls. The log does not have the token.
fn parameters_of(calls: &[Call]) -> Vec<Value> {
    assert!(calls.iter().all(|call| call.access_key_id.is_none() && call.is_from_provider()), "{calls:?}");
    calls.iter().map(|call| call.parameters.clone()).collect()
}

/// The token is in the block, or in a file that the block names.
#[tokio::test]
async fn web_identity_of_the_block() {
    let (stage, workspace) = settings("web_identity_in_the_block", json!({})).await;
    let workspace = workspace.without_environment(&NO_KEYS);
    let token = file(&stage, "token", "header.payload.signature\n");
    let arn = role(&stage.account, "ci");
    let inline = json!({
        "role_arn": arn, "session_name": "me", "duration": "15m", "web_identity_token": "header.payload.signature",
    });
    workspace.set(&json!({ "assume_role_with_web_identity": inline }));
    search(&workspace).await;
    workspace.set(&json!({
        "assume_role_with_web_identity": { "role_arn": arn, "web_identity_token_file": token },
    }));
    search(&workspace).await;
    assert_eq!(
        parameters_of(&stage.account.calls_of("sts", "AssumeRoleWithWebIdentity")),
        [
            json!({ "RoleArn": arn, "RoleSessionName": "me", "DurationSeconds": "900" }),
            json!({ "RoleArn": arn, "RoleSessionName": "gitlabspot" }),
        ]
    );
    assert!(signers(&stage.account, "ec2").iter().all(|id| id.starts_with("ASIA")));
    stage.assert_nothing_remains().await;
}

/// A role is assumed with the credentials of a web identity.
#[tokio::test]
async fn web_identity_assumes_a_second_role() {
    let (stage, workspace) = settings("web_identity_and_role", json!({})).await;
    workspace.set(&json!({
        "assume_role_with_web_identity": { "role_arn": role(&stage.account, "run"), "web_identity_token": "t" },
        "assume_role": { "role_arn": role(&stage.account, "ci") },
    }));
    search(&workspace.without_environment(&NO_KEYS)).await;
    assert_eq!(stage.account.calls_of("sts", "AssumeRoleWithWebIdentity").len(), 1);
    let calls = stage.account.calls_of("sts", "AssumeRole");
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    assert!(call.access_key_id.as_ref().is_some_and(|id| id.starts_with("ASIA")), "{call:?}");
    stage.assert_nothing_remains().await;
}

/// An agent of HCP Terraform has variables with a role and a token file, no keys, no home directory, and no writable
/// file. A bucket is created and deleted.
#[tokio::test]
async fn environment_of_hcp_terraform() {
    let stage = Stage::new("provider_aws/web_identity_of_hcp_terraform", Engine::opentofu()).await;
    // The kernel ends a process that writes to a file.
    stage.wrap_provider("ulimit -f 0");
    let workspace = workspace(&stage, json!({ "buckets": 1 })).await;
    let token = file(&stage, "tfc-aws-token", "header.payload.signature");
    let workspace = hcp(workspace)
        .with_environment("TFC_AWS_PROVIDER_AUTH", "true")
        .with_environment("TFC_AWS_RUN_ROLE_ARN", &role(&stage.account, "run"))
        .with_environment("AWS_ROLE_ARN", &role(&stage.account, "run"))
        .with_environment("AWS_WEB_IDENTITY_TOKEN_FILE", &token)
        .with_environment("AWS_ROLE_SESSION_NAME", "terraform-run-1");
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.destroy().await;
    let parameters_of = parameters_of(&stage.account.calls_of("sts", "AssumeRoleWithWebIdentity"));
    let wanted = json!({ "RoleArn": role(&stage.account, "run"), "RoleSessionName": "terraform-run-1" });
    assert!(!parameters_of.is_empty() && parameters_of.iter().all(|call| *call == wanted), "{parameters_of:?}");
    stage.assert_nothing_remains().await;
}

/// The same for several provider configurations: the block of each names a file.
#[tokio::test]
async fn environment_of_hcp_terraform_for_several_providers() {
    let (stage, workspace) = settings("web_identity_of_a_file", json!({})).await;
    let token = file(&stage, "token", "header.payload.signature");
    let arn = role(&stage.account, "run");
    let config = file(&stage, "config", &format!("[default]\nrole_arn = {arn}\nweb_identity_token_file = {token}\n"));
    workspace.set(&json!({ "shared_config_files": [config] }));
    search(&hcp(workspace)).await;
    let parameters_of = parameters_of(&stage.account.calls_of("sts", "AssumeRoleWithWebIdentity"));
    assert_eq!(parameters_of, [json!({ "RoleArn": arn, "RoleSessionName": "gitlabspot" })]);
    stage.assert_nothing_remains().await;
}

/// Removes keys, and sets a home directory that can be neither read nor created.
fn hcp(workspace: Workspace) -> Workspace {
    workspace.without_environment(&NO_KEYS).with_environment("HOME", "/dev/null/home")
}
