//! Tests of `provider::gitlabspot::runner_config`.

use gitlabspot_acceptance_tests::{Engine, Stage};
use serde_json::json;

/// F1: objects are rendered as validated TOML. A misspelt key is an error with a suggestion.
async fn function_renders_and_validates(engine: Engine) {
    let stage = Stage::new(&format!("runner_config/{}", engine.name()), engine).await;
    let kubernetes = json!({ "cpu_request": "2", "privileged": true, "node_selector": { "intent": "build" } });
    let workspace = stage.testdata("runner_config/runner", json!({ "kubernetes": kubernetes })).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    let state = workspace.state().await;
    let table = "[runners.kubernetes]\ncpu_request = \"2\"\nprivileged = true\n\n\
                 [runners.kubernetes.node_selector]\nintent = \"build\"\n";
    assert_eq!(state.output("one"), &json!(format!("[[runners]]\nexecutor = \"kubernetes\"\n\n{table}")));
    let file = format!(
        "concurrent = 4\n\n[[runners]]\nname = \"small\"\n\n{table}\n[[runners]]\nname = \"large\"\n\n\
         [runners.cache]\nType = \"s3\"\n\n[runners.cache.s3]\nBucketName = \"ci\"\n"
    );
    assert_eq!(state.output("file"), &json!(file));

    workspace.set(&json!({ "kubernetes": { "cpu_requests": "2" } }));
    let printed = workspace.try_plan().await.unwrap_err().prose();
    for text in ["does not have the key kubernetes.cpu_requests", "Did you mean \"cpu_request\"?"] {
        assert!(printed.contains(text), "{text} in {printed}");
    }
    assert_eq!(stage.account.calls().len(), 0);
}

#[tokio::test]
async fn function_renders_and_validates_with_opentofu() {
    function_renders_and_validates(Engine::opentofu()).await;
}

#[tokio::test]
async fn function_renders_and_validates_with_terraform() {
    if let Some(engine) = Engine::terraform() {
        function_renders_and_validates(engine).await;
    }
}
