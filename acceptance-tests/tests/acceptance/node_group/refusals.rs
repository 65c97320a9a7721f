//! Plans refuse settings that AWS would refuse or with which nodes would not join.

use serde_json::json;

use super::guide;

/// Labels with a reserved prefix, without a value or too long; add-ons in the spelling of eksctl; a release of another
/// version.
#[tokio::test]
async fn invalid_settings_are_refused_at_plan() {
    let (stage, workspace) = guide("refusals", json!({})).await;
    let long = format!("example.org/{}", "a".repeat(52));
    for (variables, part) in [
        (json!({ "labels": { "node-role.kubernetes.io/build": "true" } }), "has a reserved prefix"),
        (json!({ "labels": { "intent": "" } }), "has an empty value"),
        (json!({ "labels": { long: "x" } }), "is too long"),
        (json!({ "add_ons": ["autoScaler"] }), r#""autoScaler" is not supported. Use "auto_scaler"."#),
        (json!({ "add_ons": ["albIngress"] }), r#""albIngress" is not supported. Use "aws_load_balancer_controller"."#),
        (json!({ "node_version": "1.33", "release_version": "1.34.0-20251103" }), "is for Kubernetes 1.34"),
        (json!({ "tags": { "Team": "ci" } }), r#"the keys "Team" and "team", which only differ in case"#),
        (json!({ "tags": { "AWS:x": "ci" } }), "reserved by AWS"),
    ] {
        let usual = json!({
            "labels": { "intent": "build" }, "add_ons": [], "node_version": null, "release_version": null, "tags": null,
        });
        workspace.set(&usual);
        workspace.set(&variables);
        let printed = workspace.try_plan().await.expect_err(part).failed();
        assert!(printed.contains(part), "{part}: {printed}");
    }
    stage.assert_nothing_remains().await;
}

/// A tag key with another case is removed before it is added, because IAM treats both as one key.
#[tokio::test]
async fn tag_key_can_change_its_case() {
    let (stage, workspace) = guide("tag_case", json!({ "tags": { "Cost": "1" }, "role_name": "ci-nodes" })).await;
    workspace.apply().await;
    workspace.set(&json!({ "tags": { "cost": "1" } }));
    workspace.apply().await;
    let tags = stage.account.iam().list_role_tags().role_name("ci-nodes").send().await.unwrap();
    let keys: Vec<&str> = tags.tags().iter().map(|tag| tag.key.as_str()).collect();
    assert!(keys.contains(&"cost") && !keys.contains(&"Cost"), "{keys:?}");
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
