//! `provider::gitlabspot::autoscaler_tags`.

use gitlabspot_acceptance_tests::{Engine, Stage};
use serde_json::{Value, json};

const TEMPLATE: &str = "k8s.io/cluster-autoscaler/node-template";

/// The function gives what the resource puts on its Auto Scaling Group.
async fn equals_the_resource(engine: Engine) {
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
    stage.assert_nothing_left().await;
}

#[tokio::test]
async fn with_opentofu() {
    equals_the_resource(Engine::opentofu()).await;
}

#[tokio::test]
async fn with_terraform() {
    if let Some(engine) = Engine::terraform() {
        equals_the_resource(engine).await;
    }
}

/// A wrong taint is told by its number, with what would be right.
#[tokio::test]
async fn wrong_taint() {
    let stage = Stage::new("autoscaler_tags/wrong", Engine::opentofu()).await;
    let workspace = stage.testdata("autoscaler_tags/elsewhere", json!({})).await;
    let main = std::fs::read_to_string(workspace.folder().join("main.tf")).unwrap();
    workspace.write("main.tf", &main.replace("NO_SCHEDULE", "noschedule"));
    let said = workspace.try_plan().await.unwrap_err().failed();
    let expected = "Taint 1: \"noschedule\" is not a taint effect. Write NoSchedule, NoExecute or PreferNoSchedule.";
    assert!(said.contains(expected), "{said}");
    stage.assert_nothing_left().await;
}
