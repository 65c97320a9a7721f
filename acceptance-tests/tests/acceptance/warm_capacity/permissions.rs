//! With no more rights than the docs say.

use gitlabspot_acceptance_tests::roles;
use serde_json::json;

use super::scheduled::{now, period};
use super::{Scene, pending};

const ROLES: &str = include_str!("../../../../docs/permissions/warm-capacity.yaml");

/// W18: the documented roles are enough for both shapes, from create to destroy.
#[tokio::test]
async fn the_documented_roles_are_enough() {
    let scene = Scene::new("permissions", json!({})).await;
    let restricted = scene.stage.restricted(&roles(ROLES)).await;
    scene.workspace.write("provider_override.tf.json", &restricted.provider());

    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    scene.until_placeholders(&[scene.running(), scene.running()]).await;
    let mut pod = super::pod(&scene.node);
    pod["node_selector"] = json!({ "no-such": "node" });
    let schedule = period(now() - 3600, now() + 3600);
    scene.workspace.set(&json!({ "schedule": schedule, "pod": pod, "priority": scene.priority - 1 }));
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    scene.until_placeholders(&[pending(), pending()]).await;
    assert!(!scene.has_class().await);
    let said = scene.workspace.destroy().await;
    assert!(!said.prose().contains("Priority class was not removed"), "{said}");

    restricted.remove().await;
    let mut left = scene.stage.namespace.objects().await;
    left.retain(|object| !object.ends_with("/provider"));
    assert_eq!(left, [""; 0]);
}
