//! Configurations that the engine generates for imported resources, `plan -generate-config-out`: they plan without changes.

use gitlabspot_acceptance_tests::{Engine, Stage, Workspace};
use serde_json::Value;

use super::complete::variables;

const HEAD: &str = r#"
terraform {
  required_providers {
    gitlabspot = { source = "gitlabspot/gitlabspot" }
  }
}
provider "gitlabspot" {
  region     = var.region
  kubernetes = { cluster_name = var.cluster_name }
}
"#;

const WARM: &str = r#"
resource "gitlabspot_warm_capacity" "warm" {
  name      = "warm"
  namespace = gitlabspot_runner_release.runner.namespace
  pods      = 1
  pod       = gitlabspot_runner_release.runner.job_pod
}
"#;

/// The address of each resource and what it is imported by, as HCL.
type Imports = Vec<(&'static str, String)>;

/// N37: what is generated needs a token, and nothing else.
#[tokio::test]
async fn by_id_with_opentofu() {
    generates(Engine::opentofu(), "by_id", by_id).await;
}

/// N37: the same with Terraform.
#[tokio::test]
async fn by_id_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    generates(engine, "by_id", by_id).await;
}

/// N37: an import by identity reaches what an import by id reaches.
#[tokio::test]
async fn by_identity_with_opentofu() {
    generates(Engine::opentofu(), "by_identity", by_identity).await;
}

/// N37: the same with Terraform.
#[tokio::test]
async fn by_identity_with_newer_terraform() {
    generates(Engine::newer_terraform(), "by_identity", by_identity).await;
}

const NODE_GROUP: &str = "gitlabspot_node_group.build";
const BUCKET: &str = "gitlabspot_cache_bucket.cache";
const CREDENTIALS: &str = "gitlabspot_runner_credentials.cache";
const RELEASE: &str = "gitlabspot_runner_release.runner";
const PLACEHOLDERS: &str = "gitlabspot_warm_capacity.warm";

async fn by_id(_: &Stage, workspace: &Workspace) -> Imports {
    let state = workspace.state().await;
    let id = |address| (address, format!("id = {}", state.resource(address)["id"]));
    [NODE_GROUP, BUCKET, CREDENTIALS, RELEASE, PLACEHOLDERS].map(id).into()
}

async fn by_identity(stage: &Stage, workspace: &Workspace) -> Imports {
    let state = workspace.state().await;
    let of = |address: &str, attribute: &str| format!("{attribute} = {}", state.resource(address)[attribute]);
    let place = format!("region = \"af-south-1\"\naccount_id = {:?}", stage.account.id());
    let in_cluster = format!("cluster_name = {:?}\n{place}", stage.account.cluster());
    let identity = |parts: &[&str]| format!("identity = {{\n{}\n}}", parts.join("\n"));
    let objects = |address| identity(&[&of(address, "namespace"), &of(address, "name"), &in_cluster]);
    let user = [&of(CREDENTIALS, "namespace"), &of(CREDENTIALS, "name"), &of(CREDENTIALS, "secret_name")];
    vec![
        (NODE_GROUP, identity(&[&of(NODE_GROUP, "name"), &in_cluster])),
        (BUCKET, identity(&[&of(BUCKET, "bucket"), "region = \"af-south-1\""])),
        (CREDENTIALS, identity(&[user[0], user[1], user[2], &in_cluster])),
        (RELEASE, objects(RELEASE)),
        (PLACEHOLDERS, objects(PLACEHOLDERS)),
    ]
}

async fn generates(engine: Engine, how: &str, imports: impl AsyncFn(&Stage, &Workspace) -> Imports) {
    let stage = Stage::new(&format!("generate_config/{how}_{}", engine.name()), engine).await;
    let workspace = stage.example("complete", variables(&stage)).await;
    workspace.write("warm.tf", WARM);
    workspace.apply().await;

    let twin = workspace.twin();
    std::fs::remove_file(twin.folder().join("terraform.tfstate")).unwrap();
    for file in ["outputs.tf", "warm.tf"] {
        twin.write(file, "");
    }
    twin.write("main.tf", HEAD);
    let block = |(address, by): (&str, String)| format!("import {{\n  to = {address}\n  {by}\n}}\n");
    let blocks: String = imports(&stage, &workspace).await.into_iter().map(block).collect();
    twin.write("import.tf", &blocks);
    twin.init().await;

    // A token is write-only, so that nobody can write it into a file. It is all that is missing.
    let said = twin.run(&["plan", "-input=false", "-generate-config-out=generated.tf"]).await.failed();
    assert_eq!(said.matches("Error:").count(), 1, "{said}");
    assert!(said.contains("A runner needs one token"), "{said}");
    let generated = std::fs::read_to_string(twin.folder().join("generated.tf")).unwrap();
    twin.write("generated.tf", &with_token(&generated));
    let plan = twin.plan().await;
    for address in [NODE_GROUP, BUCKET, CREDENTIALS, RELEASE, PLACEHOLDERS] {
        assert_ne!(plan.change(address)["importing"], Value::Null, "{}", plan.output());
    }
    assert!(plan.changes().is_empty(), "what was generated changes something: {}", plan.output());

    workspace.destroy().await;
    stage.assert_nothing_left().await;
}

/// The same configuration with the token of a registration.
fn with_token(generated: &str) -> String {
    let line = |line: &str| match line.trim_start().starts_with("registration_token_wo ") {
        true => "  registration_token_wo = var.registration_token".to_owned(),
        false => line.to_owned(),
    };
    generated.lines().map(line).collect::<Vec<_>>().join("\n")
}
