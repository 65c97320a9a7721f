//! Profiles of IAM Identity Center: after `aws sso login`, the portal returns the credentials of a role.

use std::collections::BTreeSet;

use gitlabspot_acceptance_tests::Web;
use hyper::Response;
use serde_json::json;

use super::{NO_KEYS, failed_search, file, role, search, settings, signers};

/// File in which the CLI stores the token of the session `ci`. Its name is the SHA-1 of the session name.
const CACHE: &str = ".aws/sso/cache/5a4fe08359c7f97380e408c717ef42c86939cd86.json";

const CONFIG: &str = "[profile ci]\nsso_session = ci\nsso_account_id = 123456789012\nsso_role_name = Deploy\n\
     [sso-session ci]\nsso_region = af-south-1\nsso_start_url = https://example.awsapps.com/start\n";

#[tokio::test]
async fn credentials_of_an_sso_session() {
    let (stage, workspace) = settings("sso", json!({})).await;
    let request = stage.account.sts().assume_role().role_arn(role(&stage.account, "Deploy")).role_session_name("jane");
    let session = request.send().await.unwrap().credentials.unwrap();
    let answer = json!({ "roleCredentials": {
        "accessKeyId": session.access_key_id, "secretAccessKey": session.secret_access_key,
        "sessionToken": session.session_token, "expiration": 4_102_444_800_000_i64,
    } });
    let portal = Web::start(move |request| {
        let is_signed_in = request.headers().get("x-amz-sso_bearer_token").is_some_and(|token| token == "signed-in");
        let wanted = "/federation/credentials?role_name=Deploy&account_id=123456789012";
        (is_signed_in && request.uri() == wanted).then(|| Response::new(answer.to_string()))
    })
    .await;
    workspace.set(&json!({ "profile": "ci" }));
    file(&stage, ".aws/config", CONFIG);
    let home = stage.folder().join("given").display().to_string();
    let workspace = workspace.without_environment(&NO_KEYS).with_environment("HOME", &home);
    let workspace = workspace.with_environment("AWS_ENDPOINT_URL_SSO", portal.url());

    // The token is missing or has expired.
    let printed = failed_search(&workspace).await;
    assert!(printed.ends_with("Sign in with \"aws sso login\" for this profile and run again."), "{printed}");
    let token = |until: &str| json!({ "accessToken": "signed-in", "expiresAt": until }).to_string();
    file(&stage, CACHE, &token("2020-01-01T00:00:00Z"));
    let printed = failed_search(&workspace).await;
    assert!(printed.contains("(for SSO: \"aws sso login\")"), "{printed}");
    assert_eq!(portal.seen(), [""; 0]);

    file(&stage, CACHE, &token("2100-01-01T00:00:00Z"));
    search(&workspace).await;
    assert_eq!(signers(&stage.account, "ec2"), BTreeSet::from([session.access_key_id]));
    stage.assert_nothing_remains().await;
}
