//! Tests of `gitlabspot_runner_credentials`. The numbers C1, C2, ... are those of the scenarios in
//! `docs/contributing/testing.md`.
//!
//! All tests log at TRACE. At the end of each test, its files are searched for the secrets of all its keys.

mod attributes;
mod cluster;
mod creation;
mod deletion;
mod faults;
mod lifecycle;
mod permissions;
mod policy;
mod release;
mod roles;
mod rotation;
mod switch;

use aws_sdk_iam::types::User;
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
use gitlabspot_acceptance_tests::{Account, Engine, Stage, Workspace};
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

const ADDRESS: &str = "gitlabspot_runner_credentials.cache";
const NAME: &str = "ci-cache";
const SECRET: &str = "gitlab-runner-s3-access";

/// Factor that shortens waits which AWS requires.
const SPEED: &str = "50";

/// An initialized workspace with the guide's credentials, in a new account and namespace.
async fn guide(test: &str, variables: Value) -> (Stage, Workspace) {
    let (stage, workspace) = without_namespace(test, variables).await;
    stage.namespace.create().await;
    (stage, workspace)
}

async fn without_namespace(test: &str, variables: Value) -> (Stage, Workspace) {
    staged(test, "guide", variables).await
}

/// An initialized workspace with another configuration of these tests, in a new account.
async fn staged(test: &str, case: &str, variables: Value) -> (Stage, Workspace) {
    let stage = Stage::new(&format!("runner_credentials/{test}"), Engine::opentofu()).await;
    let workspace = stage.testdata(&format!("runner_credentials/{case}"), variables).await;
    workspace.set(&json!({ "namespace": stage.namespace.name() }));
    (stage, workspace.with_environment("GITLABSPOT_CLOCK_SPEED", SPEED).traced())
}

async fn user(account: &Account) -> Option<User> {
    account.iam().get_user().user_name(NAME).send().await.ok().and_then(|output| output.user)
}

/// IDs of the user's keys, and whether each is active.
async fn keys(account: &Account) -> Vec<(String, bool)> {
    let keys = account.iam().list_access_keys().user_name(NAME).send().await.unwrap().access_key_metadata;
    let described = keys.into_iter().map(|key| (key.access_key_id.unwrap(), key.status.unwrap().as_str() == "Active"));
    described.collect()
}

/// Creates a key outside the provider.
async fn make_key(account: &Account) -> String {
    let key = account.iam().create_access_key().user_name(NAME).send().await.unwrap();
    key.access_key.unwrap().access_key_id
}

async fn delete_key(account: &Account, id: &str) {
    account.iam().delete_access_key().user_name(NAME).access_key_id(id).send().await.unwrap();
}

/// Access key ID and secret in the Secret.
async fn pair(stage: &Stage) -> (String, String) {
    let secret: Secret = stage.kubernetes.get(stage.namespace.name(), SECRET).await;
    let mut data = secret.data.unwrap();
    let mut text = |key: &str| String::from_utf8(data.remove(key).unwrap().0).unwrap();
    (text("accesskey"), text("secretkey"))
}

/// Asserts that exactly one key exists, which is active, in the state and in the Secret, and that AWS accepts it.
/// Returns its ID.
async fn assert_one_key(stage: &Stage, workspace: &Workspace) -> String {
    let (id, secret) = pair(stage).await;
    assert_eq!(keys(&stage.account).await, [(id.clone(), true)]);
    assert_eq!(workspace.state().await.resource(ADDRESS)["access_key_id"], id);
    let credentials = SharedCredentialsProvider::new(Credentials::new(&id, secret, None, None, "the Secret"));
    let config = stage.account.sts().config().to_builder().credentials_provider(credentials).build();
    let identity = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.arn, user(&stage.account).await.map(|user| user.arn));
    id
}

/// Asserts that the create is complete, the plan is empty, and nothing remains after a destroy.
async fn destroy_and_verify(stage: &Stage, workspace: &Workspace) {
    workspace.assert_stable().await;
    let tags = user(&stage.account).await.and_then(|user| user.tags).unwrap_or_default();
    assert!(tags.iter().all(|tag| !tag.key.starts_with("gitlabspot/")), "{tags:?}");
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
