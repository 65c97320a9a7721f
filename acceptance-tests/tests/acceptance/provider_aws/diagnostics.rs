//! Errors of region and credentials: each is reported once, with a solution. The tests have the exact text.

use serde_json::json;

use super::{NO_KEYS, failed_search, file, keys, role, settings};

/// A missing region, an invalid name, and a region without the service.
#[tokio::test]
async fn missing_or_invalid_region_is_explained() {
    let (stage, workspace) = settings("wrong_region", json!({})).await;
    assert_eq!(
        failed_search(&workspace.clone().without_environment(&["AWS_REGION"])).await,
        "No AWS region configured: No AWS region is configured: set \"region\" in the provider block, the environment \
         variable AWS_REGION, or a region in the selected profile."
    );
    workspace.set(&json!({ "region": "Cape Town" }));
    assert_eq!(
        failed_search(&workspace).await,
        "Invalid AWS region: \"Cape Town\" is not the name of an AWS region: set \"region\" in the provider block or \
         AWS_REGION to one such as \"eu-west-1\"."
    );
    workspace.set(&json!({ "region": "af-south-9", "endpoints": { "ec2": "http://127.0.0.1:1" } }));
    assert_eq!(
        failed_search(&workspace).await,
        "AWS call failed: DescribeInstanceTypeOfferings: the service cannot be reached: http://127.0.0.1:1: client \
         error (Connect): tcp connect error: Connection refused (os error 111). Check the region (\"region\" in the \
         provider block, or AWS_REGION), the endpoints and the proxy settings, and whether this machine can reach the \
         network."
    );
    stage.assert_nothing_remains().await;
}

/// Missing credentials, a profile that does not exist or has no credentials, and a file that does not exist.
#[tokio::test]
async fn missing_credentials_are_explained() {
    let (stage, workspace) = settings("missing_credentials", json!({})).await;
    let workspace = workspace.without_environment(&NO_KEYS);
    assert_eq!(
        failed_search(&workspace).await,
        "AWS call failed: DescribeInstanceTypeOfferings: no AWS credentials were found. Set \"profile\", or \"access_key\" and \
         \"secret_key\", in the provider block, or the environment variables AWS_PROFILE, or AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY."
    );
    let config =
        file(&stage, "config", &format!("[profile prod]\n{}[profile test]\nregion = af-south-1\n", keys("A", "s")));
    workspace.set(&json!({ "profile": "prd", "shared_config_files": [config] }));
    let missing = "AWS call failed: DescribeInstanceTypeOfferings: the profile \"prd\" does not exist in the shared \
                   configuration files; existing profiles: prod, test. Select another profile (\"profile\" in the \
                   provider block, or AWS_PROFILE), or correct this one.";
    assert_eq!(failed_search(&workspace).await, missing);
    workspace.set(&json!({ "profile": "test" }));
    assert_eq!(
        failed_search(&workspace).await,
        "AWS call failed: DescribeInstanceTypeOfferings: the profile \"test\" has no credentials: it has neither keys \
         nor a role, credential_process or sso_session. Select another profile (\"profile\" in the provider block, or \
         AWS_PROFILE), or correct this one."
    );
    workspace.set(&json!({ "profile": null }));
    assert_eq!(failed_search(&workspace.clone().with_environment("AWS_PROFILE", "prd")).await, missing);
    stage.assert_nothing_remains().await;
}

/// Credentials that have expired, are unknown, or are not allowed to assume the role.
#[tokio::test]
async fn rejected_credentials_are_explained() {
    let (stage, workspace) = settings("rejected_credentials", json!({})).await;
    let session = stage.account.sts().assume_role().role_arn(role(&stage.account, "ci")).role_session_name("test");
    let session = session.send().await.unwrap().credentials.unwrap();
    stage.account.expire(&session.access_key_id);
    let expired = workspace
        .clone()
        .with_environment("AWS_ACCESS_KEY_ID", &session.access_key_id)
        .with_environment("AWS_SECRET_ACCESS_KEY", &session.secret_access_key)
        .with_environment("AWS_SESSION_TOKEN", &session.session_token);
    assert_eq!(
        failed_search(&expired).await,
        "AWS call failed: DescribeInstanceTypeOfferings: RequestExpired: Request has expired. (status 400). The AWS \
         credentials have expired: renew them (for SSO: \"aws sso login\") and run again. If they have not expired, \
         the clock of this machine is wrong: correct it."
    );
    let unknown = workspace.clone().with_environment("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN");
    assert_eq!(
        failed_search(&unknown).await,
        "AWS call failed: DescribeInstanceTypeOfferings: AuthFailure: AWS was not able to validate the provided access \
         credentials (status 401). AWS does not recognize these credentials: check that they are complete, that the \
         key was not deleted, and that the region is enabled for the account."
    );
    stage.assert_nothing_remains().await;
}
