//! Settings that are outputs of a resource of the same run.

use serde_json::json;

use super::settings;

/// No request is sent while the settings are unknown. A create sends its requests in the apply, when they are known.
#[tokio::test]
async fn unknown_provider_settings_defer_requests() {
    let (stage, workspace) = settings("unknown_settings", json!({ "buckets": 1, "node_groups": 1 })).await;
    let text = std::fs::read_to_string(workspace.folder().join("main.tf")).unwrap();
    let region = "terraform_data.landing_zone.output.region";
    let text = text.replace("= var.region\n", &format!("= {region}\n"));
    let text = text.replace("= var.default_tags\n", "= { region = terraform_data.landing_zone.output.region }\n");
    let text = text.replace("= var.endpoints\n", "= { s3 = terraform_data.landing_zone.output.s3 }\n");
    let zone = format!(
        "resource \"terraform_data\" \"landing_zone\" {{\n  input = {{ region = \"af-south-1\", s3 = \"{}\" }}\n}}\n",
        stage.account.endpoint()
    );
    workspace.write("main.tf", &text);
    workspace.write("landing_zone.tf", &zone);
    let workspace = workspace.without_environment(&["AWS_REGION"]);
    let plan = workspace.plan().await;
    let unknown = &plan.change("gitlabspot_cache_bucket.cache[0]")["after_unknown"];
    assert_eq!((&unknown["region"], &unknown["tags_all"]), (&json!(true), &json!(true)));
    assert!(stage.account.calls().is_empty(), "{:?}", stage.account.calls());
    let _ = workspace.try_apply_plan().await.succeeded();
    workspace.assert_stable().await;
    let state = workspace.state().await;
    assert_eq!(state.resource("gitlabspot_cache_bucket.cache[0]")["region"], "af-south-1");
    assert_eq!(state.resource("gitlabspot_node_group.build[0]")["tags_all"], json!({ "region": "af-south-1" }));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
