//! Access keys and profiles from the provider block, the environment and the shared files, and their precedence.

use std::collections::BTreeSet;

use serde_json::json;

use super::{NO_KEYS, file, further_keys, keys, role, search, settings, signers};

/// Keys of the provider block override keys of the environment. Those of a session need its token.
#[tokio::test]
async fn keys_of_the_block_override_the_environment() {
    let (stage, workspace) = settings("keys_in_the_block", json!({})).await;
    search(&workspace).await;
    let (environment, _) = stage.account.keys();
    assert_eq!(signers(&stage.account, "ec2"), BTreeSet::from([environment.to_owned()]));

    stage.account.forget();
    let (id, secret) = further_keys(&stage.account).await;
    stage.allow_secret(&secret);
    workspace.set(&json!({ "access_key": id, "secret_key": secret }));
    search(&workspace).await;
    assert_eq!(signers(&stage.account, "ec2"), BTreeSet::from([id.clone()]));

    stage.account.forget();
    let session = stage.account.sts().assume_role().role_arn(role(&stage.account, "ci")).role_session_name("test");
    let session = session.send().await.unwrap().credentials.unwrap();
    let secrets = json!({ "access_key": session.access_key_id, "secret_key": session.secret_access_key });
    workspace.set(&secrets);
    workspace.set(&json!({ "token": session.session_token }));
    search(&workspace).await;
    assert_eq!(signers(&stage.account, "ec2"), BTreeSet::from([session.access_key_id]));
    stage.account.iam().delete_access_key().user_name("administrator").access_key_id(id).send().await.unwrap();
    stage.assert_nothing_remains().await;
}

/// A profile of the provider block overrides keys of the environment, and sets its region. It is read from the files in
/// the block.
#[tokio::test]
async fn profile_of_the_block_overrides_the_environment() {
    let (stage, workspace) = settings("profile_in_the_block", json!({})).await;
    let (id, secret) = stage.account.keys();
    let credentials = file(&stage, "credentials", &format!("[ci]\n{}", keys(id, secret)));
    let config = file(&stage, "config", "[profile ci]\nregion = af-south-1\n");
    workspace.set(&json!({
        "profile": "ci", "shared_credentials_files": [credentials], "shared_config_files": [config],
    }));
    let workspace = workspace
        .with_environment("AWS_ACCESS_KEY_ID", "AKIANOTTHIS")
        .with_environment("AWS_SECRET_ACCESS_KEY", "wrong")
        .without_environment(&["AWS_REGION"]);
    search(&workspace).await;
    assert_eq!(signers(&stage.account, "ec2"), BTreeSet::from([id.to_owned()]));
    stage.assert_nothing_remains().await;
}

/// A profile of the environment: `AWS_PROFILE` or `default`, in files from variables or in the home directory.
#[tokio::test]
async fn profile_of_the_environment() {
    let (stage, workspace) = settings("profile_in_the_environment", json!({})).await;
    let (id, secret) = stage.account.keys();
    let (other, other_secret) = further_keys(&stage.account).await;
    let credentials = file(&stage, ".aws/credentials", &format!("[default]\n{}", keys(&other, &other_secret)));
    let config = file(&stage, ".aws/config", &format!("[profile ci]\n{}region = af-south-1\n", keys(id, secret)));
    let workspace = workspace.without_environment(&NO_KEYS).without_environment(&["AWS_REGION"]);

    let named = workspace
        .clone()
        .with_environment("AWS_CONFIG_FILE", &config)
        .with_environment("AWS_SHARED_CREDENTIALS_FILE", &credentials)
        .with_environment("AWS_PROFILE", "ci");
    search(&named).await;
    assert_eq!(signers(&stage.account, "ec2"), BTreeSet::from([id.to_owned()]));

    stage.account.forget();
    let home = stage.folder().join("given").display().to_string();
    let at_home = workspace.with_environment("HOME", &home).with_environment("AWS_DEFAULT_REGION", "af-south-1");
    search(&at_home).await;
    assert_eq!(signers(&stage.account, "ec2"), BTreeSet::from([other.clone()]));
    stage.account.iam().delete_access_key().user_name("administrator").access_key_id(other).send().await.unwrap();
    stage.assert_nothing_remains().await;
}
