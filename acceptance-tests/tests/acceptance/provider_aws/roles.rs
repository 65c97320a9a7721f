//! `assume_role`, and roles of profiles.

use gitlabspot_acceptance_tests::{Call, Proxy};
use serde_json::json;

use super::{NO_KEYS, file, keys, role, search, settings, signers};

/// STS receives every argument of `assume_role`, and later calls use the session.
#[tokio::test]
async fn assume_role_sends_every_argument() {
    let (stage, workspace) = settings("role_with_everything", json!({})).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    workspace.set(&json!({ "assume_role": {
        "role_arn": role(&stage.account, "ci"),
        "session_name": "nightly",
        "external_id": "our-secret",
        "duration": "30m",
        "policy": policy,
        "policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        "tags": { "team": "ci" },
        "source_identity": "jane",
    } }));
    search(&workspace).await;
    let calls = stage.account.calls_of("sts", "AssumeRole");
    let [call] = calls.as_slice() else { panic!("one AssumeRole: {calls:?}") };
    assert_eq!(
        call.parameters,
        json!({
            "RoleArn": role(&stage.account, "ci"),
            "RoleSessionName": "nightly",
            "ExternalId": "our-secret",
            "DurationSeconds": "1800",
            "Policy": policy,
            "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "Tags.member.1.Key": "team",
            "Tags.member.1.Value": "ci",
            "SourceIdentity": "jane",
        })
    );
    assert_eq!(call.access_key_id.as_deref(), Some(stage.account.keys().0));
    let sessions = signers(&stage.account, "ec2");
    assert!(sessions.len() == 1 && sessions.iter().all(|id| id.starts_with("ASIA")), "{sessions:?}");
    stage.assert_nothing_remains().await;
}

/// A role of the block is assumed with the keys of the profile, at the STS endpoint of `endpoints`.
#[tokio::test]
async fn assume_role_with_keys_of_a_profile() {
    let (stage, workspace) = settings("role_with_a_profile", json!({})).await;
    let (id, secret) = stage.account.keys();
    let sts = Proxy::start(stage.account.endpoint(), None).await;
    workspace.set(&json!({
        "profile": "ci",
        "shared_credentials_files": [file(&stage, "credentials", &format!("[ci]\n{}", keys(id, secret)))],
        "assume_role": { "role_arn": role(&stage.account, "ci") },
        "endpoints": { "sts": sts.url(), "ec2": stage.account.endpoint() },
    }));
    search(&workspace.without_environment(&NO_KEYS).without_environment(&["AWS_ENDPOINT_URL"])).await;
    assert_eq!(sts.seen(), ["POST /"]);
    assert_eq!(assumed(&stage.account.calls_of("sts", "AssumeRole")), [[id, "ci", "gitlabspot"]]);
    stage.assert_nothing_remains().await;
}

/// Roles of profiles, one of which is assumed with the other: with `endpoints`, with `AWS_ENDPOINT_URL_STS`, and
/// without settings in the block.
#[tokio::test]
async fn role_chain_of_profiles() {
    let (stage, workspace) = settings("roles_of_profiles", json!({})).await;
    let (id, secret) = stage.account.keys();
    let sts = Proxy::start(stage.account.endpoint(), None).await;
    let text = format!(
        "[profile ci]\nrole_arn = {}\nsource_profile = admin\nexternal_id = x\nrole_session_name = me\n\
         duration_seconds = 1800\n[profile admin]\nrole_arn = {}\nsource_profile = keys\n[profile keys]\n{}",
        role(&stage.account, "ci"),
        role(&stage.account, "admin"),
        keys(id, secret),
    );
    let config = file(&stage, "config", &text);
    let workspace = workspace.without_environment(&NO_KEYS).without_environment(&["AWS_ENDPOINT_URL"]);
    let check = |what: &str| {
        assert_eq!(sts.seen().len(), 2, "{what}");
        let calls = stage.account.calls_of("sts", "AssumeRole");
        let [first, second] = calls.as_slice() else { panic!("{what}: {calls:?}") };
        assert_eq!(assumed(std::slice::from_ref(first)), [[id, "admin", "gitlabspot"]], "{what}");
        assert!(second.access_key_id.as_ref().is_some_and(|id| id.starts_with("ASIA")), "{what}: {second:?}");
        let wanted = json!({
            "RoleArn": role(&stage.account, "ci"), "RoleSessionName": "me", "ExternalId": "x", "DurationSeconds": "1800",
        });
        assert_eq!(second.parameters, wanted, "{what}");
        assert!(calls.iter().all(Call::is_from_provider), "{what}: {calls:?}");
        stage.account.forget();
    };

    workspace.set(&json!({
        "profile": "ci", "shared_config_files": [config],
        "endpoints": { "sts": sts.url(), "ec2": stage.account.endpoint() },
    }));
    search(&workspace).await;
    check("endpoints");

    sts.forget();
    workspace.set(&json!({ "endpoints": null }));
    let workspace = workspace
        .with_environment("AWS_ENDPOINT_URL", stage.account.endpoint())
        .with_environment("AWS_ENDPOINT_URL_STS", &sts.url());
    search(&workspace).await;
    check("the environment");

    sts.forget();
    workspace.set(&json!({ "profile": null, "shared_config_files": null }));
    search(&workspace.with_environment("AWS_CONFIG_FILE", &config).with_environment("AWS_PROFILE", "ci")).await;
    check("the chain");
    stage.assert_nothing_remains().await;
}

/// Access key, role and session name of each call.
fn assumed(calls: &[Call]) -> Vec<[String; 3]> {
    let text = |call: &Call, name: &str| call.parameters[name].as_str().unwrap_or_default().to_owned();
    let of = |call: &Call| {
        let role = text(call, "RoleArn").rsplit('/').next().unwrap_or_default().to_owned();
        [call.access_key_id.clone().unwrap_or_default(), role, text(call, "RoleSessionName")]
    };
    calls.iter().map(of).collect()
}
