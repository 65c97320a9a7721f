//! The user agent of requests to AWS and to the cluster.

use gitlabspot_acceptance_tests::{Call, Engine};
use serde_json::json;

use super::{search, settings_of};

/// It has the provider and its version, the host with its version if known, and the value of TF_APPEND_USER_AGENT.
async fn names(engine: Engine, product: &str) {
    let (stage, workspace) = settings_of(&format!("user_agent_{}", engine.name()), engine, json!({})).await;
    let version = workspace.run(&["version", "-json"]).await.succeeded();
    let version: serde_json::Value = serde_json::from_str(&version.stdout).unwrap();
    // OpenTofu sends a version of Terraform to providers instead of its own.
    let host = match product {
        "Terraform" => format!(" lib/Terraform/{} ", version["terraform_version"].as_str().unwrap()),
        other => format!(" lib/{other} "),
    };
    search(&workspace.with_environment("TF_APPEND_USER_AGENT", "pipeline/7 (nightly)")).await;
    let calls: Vec<Call> = stage.account.calls().into_iter().filter(Call::is_from_provider).collect();
    assert!(!calls.is_empty());
    let provider = concat!("lib/terraform-provider-gitlabspot/", env!("CARGO_PKG_VERSION"));
    for agent in calls.into_iter().filter_map(|call| call.user_agent) {
        let named = agent.contains(provider) && agent.contains(&host);
        assert!(named && agent.contains(" pipeline/7 (nightly)"), "{agent}");
    }
    stage.assert_nothing_remains().await;
}

#[tokio::test]
async fn user_agent_names_the_host_with_opentofu() {
    names(Engine::opentofu(), "OpenTofu").await;
}

#[tokio::test]
async fn user_agent_names_the_host_with_terraform() {
    if let Some(engine) = Engine::terraform() {
        names(engine, "Terraform").await;
    }
}
