//! The documented permissions are sufficient.

use gitlabspot_acceptance_tests::roles;
use serde_json::json;

use super::scheduled::{now, period};
use super::{Fixture, pending};

const ROLES: &str = include_str!("../../../../docs/permissions/warm-capacity.yaml");

/// W18: the documented roles are sufficient for both workloads, from create to destroy.
#[tokio::test]
async fn documented_roles_are_sufficient() {
    let fixture = Fixture::new("permissions", json!({})).await;
    let restricted = fixture.stage.restricted(&roles(ROLES)).await;
    fixture.workspace.write("provider_override.tf.json", &restricted.provider());

    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    fixture.until_placeholders(&[fixture.running(), fixture.running()]).await;
    let mut pod = super::pod(&fixture.node);
    pod["node_selector"] = json!({ "no-such": "node" });
    let schedule = period(now() - 3600, now() + 3600);
    fixture.workspace.set(&json!({ "schedule": schedule, "pod": pod, "priority": fixture.priority - 1 }));
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    fixture.until_placeholders(&[pending(), pending()]).await;
    assert!(!fixture.has_class().await);
    let printed = fixture.workspace.destroy().await;
    assert!(!printed.prose().contains("Priority class was not removed"), "{printed}");

    restricted.remove().await;
    let mut left = fixture.stage.namespace.objects().await;
    left.retain(|object| !object.ends_with("/provider"));
    assert_eq!(left, [""; 0]);
}
