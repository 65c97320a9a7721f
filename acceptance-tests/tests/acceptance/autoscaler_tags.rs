//! `provider::gitlabspot::autoscaler_tags`.

use gitlabspot_acceptance_tests::{Engine, Stage};
use serde_json::{Value, json};

const TEMPLATE: &str = "k8s.io/cluster-autoscaler/node-template";

/// The function returns the tags that the resource sets on its Auto Scaling Group.
async fn function_equals_the_resource(engine: Engine) {
    let stage = Stage::new(&format!("autoscaler_tags/{}", engine.name()), engine).await;
    let workspace = stage.testdata("autoscaler_tags/elsewhere", json!({})).await;
    let workspace = workspace.with_environment("GITLABSPOT_CLOCK_SPEED", "50");
    workspace.apply().await;
    workspace.assert_stable().await;
    let state = workspace.state().await;
    assert_eq!(
        *state.output("plain"),
        json!({
            format!("{TEMPLATE}/label/intent"): "build",
            format!("{TEMPLATE}/label/instance-type"): "spot",
            format!("{TEMPLATE}/taint/buildInstance"): "true:NoSchedule",
            format!("{TEMPLATE}/taint/soft"): ":PreferNoSchedule",
        })
    );
    assert_eq!(*state.output("spelt_by_eks"), json!({ format!("{TEMPLATE}/taint/gpu"): ":NoSchedule" }));
    assert_eq!(*state.output("nothing"), json!({}));
    let groups = stage.account.autoscaling().describe_auto_scaling_groups().send().await.unwrap();
    let tags = groups.auto_scaling_groups()[0].tags().iter();
    let tags: Value = tags
        .filter_map(|tag| Some((tag.key.clone()?, json!(tag.value.clone()?))))
        .filter(|(key, _)| key.starts_with(TEMPLATE))
        .collect();
    assert_eq!(*state.output("with_capacity_type"), tags);
    assert_eq!(state.resource("gitlabspot_node_group.build")["asg_tags_all"], tags);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

#[tokio::test]
async fn function_equals_the_resource_with_opentofu() {
    function_equals_the_resource(Engine::opentofu()).await;
}

#[tokio::test]
async fn function_equals_the_resource_with_terraform() {
    if let Some(engine) = Engine::terraform() {
        function_equals_the_resource(engine).await;
    }
}

/// An invalid taint is named by its index, with the accepted form.
#[tokio::test]
async fn invalid_taint_is_named() {
    let stage = Stage::new("autoscaler_tags/wrong", Engine::opentofu()).await;
    let workspace = stage.testdata("autoscaler_tags/elsewhere", json!({})).await;
    let main = std::fs::read_to_string(workspace.folder().join("main.tf")).unwrap();
    workspace.write("main.tf", &main.replace("NO_SCHEDULE", "noschedule"));
    let printed = workspace.try_plan().await.unwrap_err().failed();
    let expected =
        "Taint 1 is not valid: \"noschedule\" is not a taint effect. Use NoSchedule, NoExecute or PreferNoSchedule.";
    assert!(printed.contains(expected), "{printed}");
    stage.assert_nothing_remains().await;
}
