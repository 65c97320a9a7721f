//! The keys of `config` and `cache` are validated by the provider, because hosts do not know them.

use gitlabspot_acceptance_tests::{Engine, Stage};
use serde_json::{Value, json};

use super::{ADDRESS, end, files, generation, variables};

/// R23: misspelt keys and wrong types are refused, also next to unknown values. Values that are known later are
/// applied.
async fn config_is_validated(engine: Engine) {
    let stage = Stage::new(&format!("runner_release/config_{}", engine.name()), engine).await;
    let workspace = stage.testdata("runner_release/config", variables(&stage)).await;
    for (variables, texts) in [
        (
            json!({ "kubernetes": { "cpu_requets": "2" } }),
            ["does not have the key config.kubernetes.cpu_requets", "Did you mean \"cpu_request\"?"],
        ),
        (json!({ "kubernetes": ["x"] }), ["config.kubernetes is a list,", "must be an object"]),
        (
            json!({ "kubernetes": { "node_selector": ["intent=build"] } }),
            ["config.kubernetes.node_selector must be a map of strings", "not a list"],
        ),
    ] {
        workspace.set(&variables);
        let printed = workspace.try_plan().await.unwrap_err().prose();
        for text in texts.iter().chain(&["config = {"]) {
            assert!(printed.contains(text), "{text} in {printed}");
        }
    }

    let kubernetes = json!({ "cpu_request": 2, "poll_timeout": "300", "pull_policy": ["if-not-present"] });
    let cache = json!({ "type": "s3", "s3": { "bucket_name": "ci" } });
    workspace.set(&json!({ "kubernetes": kubernetes, "cache": cache }));
    workspace.apply().await;
    workspace.assert_stable().await;
    let config = files(&stage).await.remove("config.toml").unwrap();
    for line in
        ["environment = [\"REVISION=", "limit = 3", "cpu_request = \"2\"", "poll_timeout = 300", "BucketName = \"ci\""]
    {
        assert!(config.contains(line), "{line} in {config}");
    }

    // A sensitive value is in the configuration and is not shown. A changed value replaces the pod.
    assert!(config.contains("HTTPS_PROXY=http://user:very-secret@proxy"), "{config}");
    let state = workspace.state().await;
    for attribute in ["manifest", "config_toml_rendered"] {
        let shown = state.resource(ADDRESS)[attribute].to_string();
        assert!(shown.contains("HTTPS_PROXY") && !shown.contains("very-secret"), "{shown}");
    }
    let before = generation(&stage).await;
    workspace.set(&json!({ "proxy": "http://user:other-secret@proxy" }));
    let printed = workspace.apply().await.to_string();
    assert!(!printed.contains("-secret"), "{printed}");
    workspace.assert_stable().await;
    assert_eq!(generation(&stage).await, before + 1);

    // An equivalent configuration is first compared, then a state of the version in which every attribute had a type.
    let before = generation(&stage).await;
    workspace
        .set(&json!({ "kubernetes": { "cpu_request": "2", "poll_timeout": 300, "pull_policy": ["if-not-present"] } }));
    workspace.assert_stable().await;
    let file = workspace.folder().join("terraform.tfstate");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let resources = state["resources"].as_array_mut().unwrap().iter_mut();
    let release = resources.into_iter().find(|it| it["type"] == "gitlabspot_runner_release").unwrap();
    let instance = &mut release["instances"][0];
    instance["schema_version"] = json!(0);
    for name in ["config", "cache"] {
        let typed = instance["attributes"][name]["value"].take();
        instance["attributes"][name] = typed;
    }
    instance["attributes"]["config"]["kubernetes"]["affinity"] = Value::Null;
    state["serial"] = json!(state["serial"].as_i64().unwrap() + 1);
    std::fs::write(&file, state.to_string()).unwrap();
    workspace.assert_stable().await;
    workspace.apply().await;
    assert_eq!(generation(&stage).await, before);
    // The value of the older state is equivalent.
    assert_eq!(workspace.state().await.resource(ADDRESS)["config"]["kubernetes"]["poll_timeout"], json!("300"));
    end(&stage, &workspace).await;
}

#[tokio::test]
async fn config_is_validated_with_opentofu() {
    config_is_validated(Engine::opentofu()).await;
}

#[tokio::test]
async fn config_is_validated_with_terraform() {
    if let Some(engine) = Engine::terraform() {
        config_is_validated(engine).await;
    }
}
