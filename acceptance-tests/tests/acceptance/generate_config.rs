//! Configurations that `plan -generate-config-out` generates for imported resources: their plans are empty.

use gitlabspot_acceptance_tests::{Engine, Stage, Workspace};
use serde_json::{Value, json};

use super::complete::{BUCKET, CREDENTIALS, NODE_GROUP, NODES, PLACEHOLDERS, RELEASE, variables};

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

/// Addresses to which resources are imported, because configurations are generated for the root module only.
const IMPORTED: [(&str, &str); 5] = [
    (NODES, "gitlabspot_node_group.build"),
    (BUCKET, "gitlabspot_cache_bucket.cache"),
    (CREDENTIALS, "gitlabspot_runner_credentials.cache"),
    (RELEASE, "gitlabspot_runner_release.runner"),
    (PLACEHOLDERS, "gitlabspot_warm_capacity.warm"),
];

/// The applied address of each resource, and its import ID or identity in HCL.
type Imports = Vec<(&'static str, String)>;

/// N37: the generated configuration needs a token, and no other change.
#[tokio::test]
async fn import_by_id_generates_configuration_with_opentofu() {
    generates(Engine::opentofu(), "by_id", by_id).await;
}

/// N37: the same with Terraform.
#[tokio::test]
async fn import_by_id_generates_configuration_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    generates(engine, "by_id", by_id).await;
}

/// N37: an import by identity gives the same configuration as an import by ID.
#[tokio::test]
async fn import_by_identity_generates_configuration_with_opentofu() {
    generates(Engine::opentofu(), "by_identity", by_identity).await;
}

/// N37: the same with Terraform.
#[tokio::test]
async fn import_by_identity_generates_configuration_with_newer_terraform() {
    generates(Engine::newer_terraform(), "by_identity", by_identity).await;
}

/// N38: `terraform query` lists all resources, and generates configuration and `import` blocks that change nothing.
#[tokio::test]
async fn query_generates_configuration_with_newer_terraform() {
    let stage = Stage::new("generate_config/query", Engine::newer_terraform()).await;
    let workspace = stage.example("complete", variables(&stage)).await;
    workspace.set(&json!({ "warm_capacity": { "pods": 1 } }));
    workspace.apply().await;
    let state = workspace.state().await;

    let twin = empty_twin(&workspace);
    let (cluster, namespace) = (stage.account.cluster(), stage.namespace.name());
    let in_cluster = format!("cluster_name = {cluster:?}\n namespace = {namespace:?}");
    let lists = [
        ("gitlabspot_node_group", format!("cluster_name = {cluster:?}")),
        ("gitlabspot_cache_bucket", format!("bucket_prefix = {namespace:?}")),
        ("gitlabspot_runner_credentials", in_cluster.clone()),
        ("gitlabspot_runner_release", in_cluster.clone()),
        ("gitlabspot_warm_capacity", in_cluster),
    ];
    let block = |(kind, config): &(&str, String)| {
        format!("list {kind:?} \"all\" {{\n provider = gitlabspot\n config {{\n {config}\n }}\n}}\n")
    };
    twin.write("all.tfquery.hcl", &lists.iter().map(block).collect::<String>());
    twin.init().await;
    let listed = twin.run(&["query"]).await.succeeded().to_string();
    for (kind, _) in &lists {
        assert_eq!(listed.matches(&format!("list.{kind}.all")).count(), 1, "{kind}: {listed}");
    }
    let names = [format!("{cluster}:{NODE_GROUP}"), format!("{namespace}/gitlab-runner"), namespace.to_owned()];
    for name in names {
        assert!(listed.lines().any(|line| line.ends_with(&format!(" {name}"))), "{name}: {listed}");
    }
    let generated = twin.run(&["query", "-generate-config-out=generated.tf"]).await;
    assert_eq!(generated.code, Some(0), "{generated}");
    std::fs::remove_file(twin.folder().join("all.tfquery.hcl")).unwrap();
    let generated = std::fs::read_to_string(twin.folder().join("generated.tf")).unwrap();
    twin.write("generated.tf", &with_token(&generated));
    let plan = twin.plan().await;
    assert_eq!(generated.matches("import {").count(), IMPORTED.len(), "{generated}");
    assert!(plan.changes().is_empty(), "what was generated changes something: {}", plan.output());
    let ids = IMPORTED.map(|(address, _)| state.resource(address)["id"].clone());
    for (kind, _) in &lists {
        let change = plan.change(&format!("{kind}.all_0"));
        assert!(ids.contains(&change["after"]["id"]), "{kind}: {}", change["after"]["id"]);
        assert_ne!(change["importing"], Value::Null, "{kind}: {}", plan.output());
    }

    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

async fn by_id(_: &Stage, workspace: &Workspace) -> Imports {
    let state = workspace.state().await;
    let id = |address| (address, format!("id = {}", state.resource(address)["id"]));
    [NODES, BUCKET, CREDENTIALS, RELEASE, PLACEHOLDERS].map(id).into()
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
        (NODES, identity(&[&of(NODES, "name"), &in_cluster])),
        (BUCKET, identity(&[&of(BUCKET, "bucket"), "region = \"af-south-1\""])),
        (CREDENTIALS, identity(&[user[0], user[1], user[2], &in_cluster])),
        (RELEASE, objects(RELEASE)),
        (PLACEHOLDERS, objects(PLACEHOLDERS)),
    ]
}

async fn generates(engine: Engine, how: &str, imports: impl AsyncFn(&Stage, &Workspace) -> Imports) {
    let stage = Stage::new(&format!("generate_config/{how}_{}", engine.name()), engine).await;
    let workspace = stage.example("complete", variables(&stage)).await;
    workspace.set(&json!({ "warm_capacity": { "pods": 1 } }));
    workspace.apply().await;

    let twin = empty_twin(&workspace);
    let to = |applied: &str| IMPORTED.iter().find(|(address, _)| *address == applied).unwrap().1;
    let block = |(address, by): (&str, String)| format!("import {{\n  to = {}\n  {by}\n}}\n", to(address));
    let blocks: String = imports(&stage, &workspace).await.into_iter().map(block).collect();
    twin.write("import.tf", &blocks);
    twin.init().await;

    // A token is write-only, so that no engine can write it into a file. Only the token is missing.
    let printed = twin.run(&["plan", "-input=false", "-generate-config-out=generated.tf"]).await.failed();
    assert_eq!(printed.matches("Error:").count(), 1, "{printed}");
    assert!(printed.contains("A runner needs one token"), "{printed}");
    let generated = std::fs::read_to_string(twin.folder().join("generated.tf")).unwrap();
    twin.write("generated.tf", &with_token(&generated));
    let plan = twin.plan().await;
    for (_, address) in IMPORTED {
        assert_ne!(plan.change(address)["importing"], Value::Null, "{}", plan.output());
    }
    assert!(plan.changes().is_empty(), "what was generated changes something: {}", plan.output());

    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// A workspace with the variables of another one, a provider block, no resources and no state.
fn empty_twin(workspace: &Workspace) -> Workspace {
    let twin = workspace.twin();
    std::fs::remove_file(twin.folder().join("terraform.tfstate")).unwrap();
    twin.write("outputs.tf", "");
    twin.write("main.tf", HEAD);
    twin
}

/// Adds a registration token to the generated configuration.
fn with_token(generated: &str) -> String {
    let line = |line: &str| match line.trim_start().starts_with("registration_token_wo ") {
        true => "  registration_token_wo = var.registration_token".to_owned(),
        false => line.to_owned(),
    };
    generated.lines().map(line).collect::<Vec<_>>().join("\n")
}
