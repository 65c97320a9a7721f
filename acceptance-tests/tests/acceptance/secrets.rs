//! The secret key and the tokens are neither in the state, nor in plan files, nor in the output of the engine, nor in
//! logs at TRACE.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gitlabspot_acceptance_tests::{Engine, Stage, search};
use k8s_openapi::api::core::v1::Secret;

use crate::complete::variables;

const REGISTRATION_TOKEN: &str = "GR1348941-never-to-be-seen";
const RUNNER_TOKEN: &str = "glrt-never-to-be-seen-either";

/// C1, R18: no file that OpenTofu writes has the secret key or a token.
#[tokio::test]
async fn secrets_are_in_no_file_of_opentofu() {
    secrets_are_in_no_file_of(Engine::opentofu()).await;
}

/// C1, R18: no file that Terraform writes has the secret key or a token.
#[tokio::test]
async fn secrets_are_in_no_file_of_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    secrets_are_in_no_file_of(engine).await;
}

async fn secrets_are_in_no_file_of(engine: Engine) {
    let stage = Stage::new(&format!("secrets/{}", engine.name()), engine).await;
    let workspace = stage.example("complete", variables(&stage)).await.traced();
    // The tokens are in the environment, because the search would find them in a variables file.
    workspace.unset("registration_token");
    let token = |name: &str, token: &str| workspace.clone().with_environment(&format!("TF_VAR_{name}"), token);
    let registering = token("registration_token", REGISTRATION_TOKEN);

    registering.plan().await;
    registering.apply().await;
    let first_key = secret_key(&stage).await;
    registering.assert_stable().await;

    // An authentication token, and a second plan file.
    let authenticated = token("runner_token", RUNNER_TOKEN);
    authenticated.plan().await;
    authenticated.apply().await;
    authenticated.refresh().await;
    let second_key = secret_key(&stage).await;
    authenticated.plan_with(&["-destroy"]).await;
    authenticated.destroy().await;

    let secrets = [first_key.as_str(), &second_key, REGISTRATION_TOKEN, RUNNER_TOKEN];
    let encoded: Vec<String> = secrets.iter().map(|secret| STANDARD.encode(secret)).collect();
    let all: Vec<&str> = secrets.into_iter().chain(encoded.iter().map(String::as_str)).collect();
    let searched = search::assert_none_of(stage.folder(), &all);
    for file in ["trace.log", "terraform.tfstate", "terraform.tfstate.backup", "plan.tfplan!tfplan"] {
        assert!(searched.iter().any(|name| name.ends_with(file)), "{file} was not searched: {searched:?}");
    }
}

async fn secret_key(stage: &Stage) -> String {
    let secret: Secret = stage.kubernetes.get(stage.namespace.name(), "gitlab-runner-s3-access").await;
    let key = String::from_utf8(secret.data.unwrap().remove("secretkey").unwrap().0).unwrap();
    assert!(key.len() >= 40, "that is no secret key");
    key
}
