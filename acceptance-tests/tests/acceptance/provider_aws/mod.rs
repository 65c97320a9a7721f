//! AWS settings of the provider block, of the environment and of files.

mod accounts;
mod certificates;
mod credentials;
mod diagnostics;
mod endpoints;
mod metadata;
mod proxies;
mod renewal;
mod retries;
mod roles;
mod sso;
mod tags;
mod unknown;
mod user_agent;
mod variants;
mod web_identity;

use std::collections::BTreeSet;

use gitlabspot_acceptance_tests::{Account, Call, Engine, Output, Stage, Workspace};
use serde_json::{Value, json};

/// Factor that shortens waits which AWS requires.
const SPEED: &str = "50";

/// An initialized workspace in a new account, with these settings in the provider block.
async fn settings(test: &str, variables: Value) -> (Stage, Workspace) {
    settings_of(test, Engine::opentofu(), variables).await
}

async fn settings_of(test: &str, engine: Engine, variables: Value) -> (Stage, Workspace) {
    let stage = Stage::new(&format!("provider_aws/{test}"), engine).await;
    let workspace = workspace(&stage, variables).await;
    (stage, workspace)
}

async fn workspace(stage: &Stage, variables: Value) -> Workspace {
    let workspace = stage.testdata("provider_aws/settings", json!({ "bucket": stage.namespace.name() })).await;
    workspace.set(&variables);
    workspace.with_environment("GITLABSPOT_CLOCK_SPEED", SPEED)
}

/// Reads instance types, which needs EC2 and creates nothing. The result is not stored, so that each search sends
/// requests.
async fn search(workspace: &Workspace) {
    workspace.set(&json!({ "searches": 1 }));
    let _ = workspace.plan().await;
}

/// The only error of a failed search.
async fn failed_search(workspace: &Workspace) -> String {
    workspace.set(&json!({ "searches": 1 }));
    error_of(&workspace.run(&["plan", "-input=false", "-json"]).await)
}

/// The only error of a failed apply.
async fn failed_apply(workspace: &Workspace) -> String {
    error_of(&workspace.run(&["apply", "-input=false", "-auto-approve", "-json"]).await)
}

/// Summary and detail of the only error.
#[track_caller]
fn error_of(output: &Output) -> String {
    let _ = output.failed();
    let lines = output.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let errors: Vec<Value> =
        lines.filter(|line| line["@level"] == "error").map(|line| line["diagnostic"].clone()).collect();
    let [error] = errors.as_slice() else { unreachable!("one error, not {}: {output}", errors.len()) };
    format!("{}: {}", error["summary"].as_str().unwrap(), error["detail"].as_str().unwrap())
}

/// Access keys that signed the provider's calls of a service.
fn signers(account: &Account, service: &str) -> BTreeSet<String> {
    let calls = account.calls_of(service, ".*").into_iter().filter(Call::is_from_provider);
    calls.filter_map(|call| call.access_key_id).collect()
}

/// Writes an input file and returns its path.
fn file(stage: &Stage, name: &str, text: &str) -> String {
    stage.write_input(name, text).display().to_string()
}

/// Lines of a profile with these keys.
fn keys(id: &str, secret: &str) -> String {
    format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
}

/// Creates another access key of the account's administrator.
async fn further_keys(account: &Account) -> (String, String) {
    let key = account.iam().create_access_key().user_name("administrator").send().await.unwrap().access_key.unwrap();
    (key.access_key_id, key.secret_access_key)
}

/// ARN of a role in the account. The local AWS allows all principals to assume it.
fn role(account: &Account, name: &str) -> String {
    format!("arn:aws:iam::{}:role/{name}", account.id())
}

const NO_KEYS: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
