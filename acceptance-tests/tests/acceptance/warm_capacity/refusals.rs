//! What is refused, and where it is said.

use serde_json::{Value, json};

use super::scheduled::{now, period};
use super::{ADDRESS, Scene, quota_of};

/// W14: schedules and sizes that cannot be are refused at plan, at their attribute.
#[tokio::test]
async fn what_cannot_be_is_refused_at_plan() {
    let scene = Scene::new("refusals", json!({})).await;
    let schedule = |start: &str, end: &str, zone: &str| json!({ "start": start, "end": end, "time_zone": zone });
    let cases: [(&str, Value, &str); 6] = [
        ("schedule", schedule("@daily", "0 18 * * *", "UTC"), "it has 1 fields instead of five"),
        ("schedule", schedule("0 8 * * 7", "0 18 * * *", "UTC"), "is not one of 0 to 6, or SUN to SAT"),
        ("schedule", schedule("0 8 * * *", "0 18 * * MON-FRI", "UTC"), "There must be a pause between two periods"),
        ("schedule", schedule("0 8,14 * * *", "0 12,20 * * *", "UTC"), "create one resource for each length"),
        (
            "schedule",
            schedule("0 8 * * *", "0 18 * * *", "Africa/Johanesburg"),
            "Did you mean \"Africa/Johannesburg\"?",
        ),
        ("pod", json!({ "ephemeral_storage": "1Gi" }), "Missing argument"),
    ];
    for (variable, value, wanted) in cases {
        let before = if variable == "pod" { super::pod(&scene.node) } else { Value::Null };
        scene.workspace.set(&json!({ variable: value }));
        let Err(said) = scene.workspace.try_plan().await else { panic!("{value} is taken") };
        assert!(said.prose().contains(wanted), "{wanted} in {said}");
        scene.workspace.set(&json!({ variable: before }));
    }
    assert_eq!(scene.stage.namespace.objects().await, [""; 0]);
}

/// W15: what the cluster does not let in is an error with the cluster's reason; the next apply goes on.
#[tokio::test]
async fn a_quota_is_named() {
    let scene = Scene::new("quota", json!({ "create_timeout": "8s" })).await;
    let quota = quota_of(&scene.stage, 0).await;
    let said = scene.workspace.try_apply().await.failed();
    for text in ["Placeholders were not created", "0 of 2 pods are created", "exceeded quota: none"] {
        assert!(said.contains(text), "{text} in {said}");
    }
    assert!(scene.workspace.state().await.contains(ADDRESS));
    quota.lift().await;
    scene.workspace.set(&json!({ "create_timeout": null }));
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    scene.destroy().await;
}

/// W15: the same with a schedule: a Job has no condition that tells it, and its events do.
#[tokio::test]
async fn a_quota_is_named_for_a_job() {
    let schedule = period(now() - 3600, now() + 3600);
    let scene = Scene::new("quota_job", json!({ "create_timeout": "8s", "schedule": schedule })).await;
    let quota = quota_of(&scene.stage, 0).await;
    let said = scene.workspace.try_apply().await.failed();
    for text in ["Placeholders were not created", "0 of 2 pods of the Job", "exceeded quota: none"] {
        assert!(said.contains(text), "{text} in {said}");
    }
    quota.lift().await;
    scene.workspace.set(&json!({ "create_timeout": null }));
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    scene.destroy().await;
}

/// W16: without its namespace nothing is made.
#[tokio::test]
async fn a_namespace_that_is_missing_is_named() {
    let scene = Scene::new("namespace", json!({ "namespace": "no-such-namespace" })).await;
    let said = scene.workspace.try_apply().await.failed();
    assert!(said.contains("The namespace no-such-namespace does not exist. Create it first."), "{said}");
    assert!(!scene.has_class().await);
    assert!(!scene.workspace.state().await.contains(ADDRESS));
}
