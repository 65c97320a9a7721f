//! Refused settings and objects, with the place of the error.

use serde_json::{Value, json};

use super::scheduled::{now, period};
use super::{ADDRESS, Fixture, quota_of};

/// W14: the plan refuses invalid schedules and sizes, with their attribute.
#[tokio::test]
async fn invalid_schedules_and_sizes_are_refused_at_plan() {
    let fixture = Fixture::new("refusals", json!({})).await;
    let schedule = |start: &str, end: &str, zone: &str| json!({ "start": start, "end": end, "time_zone": zone });
    let cases: [(&str, Value, &str); 6] = [
        ("schedule", schedule("@daily", "0 18 * * *", "UTC"), "it has 1 fields instead of five"),
        ("schedule", schedule("0 8 * * 7", "0 18 * * *", "UTC"), "is not one of 0 to 6, or SUN to SAT"),
        ("schedule", schedule("0 8 * * *", "0 18 * * MON-FRI", "UTC"), "A period must end before the next one starts"),
        ("schedule", schedule("0 8,14 * * *", "0 12,20 * * *", "UTC"), "create one resource for each length"),
        (
            "schedule",
            schedule("0 8 * * *", "0 18 * * *", "Africa/Johanesburg"),
            "Did you mean \"Africa/Johannesburg\"?",
        ),
        ("pod", json!({ "ephemeral_storage": "1Gi" }), "Missing argument"),
    ];
    for (variable, value, wanted) in cases {
        let before = if variable == "pod" { super::pod(&fixture.node) } else { Value::Null };
        fixture.workspace.set(&json!({ variable: value }));
        let Err(printed) = fixture.workspace.try_plan().await else { panic!("{value} is taken") };
        assert!(printed.prose().contains(wanted), "{wanted} in {printed}");
        fixture.workspace.set(&json!({ variable: before }));
    }
    assert_eq!(fixture.stage.namespace.objects().await, [""; 0]);
}

/// W15: the error for objects that the cluster does not admit has the reason of the cluster. The next apply succeeds.
#[tokio::test]
async fn quota_is_named() {
    let fixture = Fixture::new("quota", json!({ "create_timeout": "8s" })).await;
    let quota = quota_of(&fixture.stage, 0).await;
    let printed = fixture.workspace.try_apply().await.failed();
    for text in ["Placeholders were not created", "0 of 2 pods are created", "exceeded quota: none"] {
        assert!(printed.contains(text), "{text} in {printed}");
    }
    assert!(fixture.workspace.state().await.contains(ADDRESS));
    quota.lift().await;
    fixture.workspace.set(&json!({ "create_timeout": null }));
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    fixture.destroy().await;
}

/// W15: the same with a schedule. A Job has no such condition, so that the reason is that of its events.
#[tokio::test]
async fn quota_is_named_for_a_job() {
    let schedule = period(now() - 3600, now() + 3600);
    let fixture = Fixture::new("quota_job", json!({ "create_timeout": "8s", "schedule": schedule })).await;
    let quota = quota_of(&fixture.stage, 0).await;
    let printed = fixture.workspace.try_apply().await.failed();
    for text in ["Placeholders were not created", "0 of 2 pods of the Job", "exceeded quota: none"] {
        assert!(printed.contains(text), "{text} in {printed}");
    }
    quota.lift().await;
    fixture.workspace.set(&json!({ "create_timeout": null }));
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    fixture.destroy().await;
}

/// W16: if the namespace does not exist, nothing is created.
#[tokio::test]
async fn missing_namespace_is_named() {
    let fixture = Fixture::new("namespace", json!({ "namespace": "no-such-namespace" })).await;
    let printed = fixture.workspace.try_apply().await.failed();
    assert!(printed.contains("The namespace no-such-namespace does not exist. Create it first."), "{printed}");
    assert!(!fixture.has_class().await);
    assert!(!fixture.workspace.state().await.contains(ADDRESS));
}
