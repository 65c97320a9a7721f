//! The documented permissions in the cluster are sufficient, and each of them is necessary.

use gitlabspot_acceptance_tests::{KubernetesCall, Stage, Workspace, roles};
use serde_json::{Value, json};

use super::{assert_one_key, guide, without_namespace};

const ROLES: &str = include_str!("../../../../docs/permissions/runner-credentials.yaml");

/// The documented role of a kind.
fn role(kind: &str) -> Value {
    roles(ROLES).into_iter().find(|role| role["kind"] == kind).unwrap()
}

/// Creates, reads, updates and rotates.
async fn create_update_rotate(stage: &Stage, workspace: &Workspace) {
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.set(&json!({ "secret_labels": { "team": "ci" } }));
    workspace.apply().await;
    workspace.set(&json!({ "rotation_trigger": "2" }));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_one_key(stage, workspace).await;
}

/// Permissions that a request needs: verbs, resource and optionally the name. `None` for requests that are always
/// allowed.
fn permissions_of(call: &KubernetesCall) -> Option<(Vec<&'static str>, String, Option<String>)> {
    let parts: Vec<&str> = call.path.trim_start_matches('/').split('/').collect();
    let below = parts.get(if parts[0] == "api" { 2 } else { 3 }..)?;
    let (resource, name) = match below {
        ["namespaces", _, resource, name @ ..] => (*resource, name.first().copied()),
        ["namespaces", name] => ("namespaces", Some(*name)),
        _ => return None,
    };
    let verbs = match (call.method.as_str(), name) {
        ("GET", Some(_)) => vec!["get"],
        ("GET", None) => vec!["list"],
        // Server-side apply of an object that does not exist creates it.
        ("PATCH", _) if call.status == Some(201) => vec!["patch", "create"],
        ("PATCH", _) => vec!["patch"],
        ("DELETE", _) => vec!["delete"],
        _ => return None,
    };
    Some((verbs, resource.to_owned(), name.map(str::to_owned)))
}

/// Asserts that no call was denied, and that every verb of every rule was used. Pods are listed when the mode changes;
/// a denied list is tested in `switch::denied_pod_list_keeps_the_old_access_method`.
fn assert_exact(role: &Value, calls: &[KubernetesCall]) {
    let refused: Vec<_> = calls.iter().filter(|call| call.status == Some(403)).collect();
    assert!(refused.is_empty(), "{refused:?}");
    let permissions_of: Vec<_> = calls.iter().filter_map(permissions_of).collect();
    for rule in role["rules"].as_array().unwrap().iter().filter(|rule| rule["resources"] != json!(["pods"])) {
        for resource in rule["resources"].as_array().unwrap() {
            for verb in rule["verbs"].as_array().unwrap() {
                let needed = permissions_of.iter().any(|(verbs, of, _)| {
                    verbs.iter().any(|known| verb == known) && (resource == "*" || resource == of.as_str())
                });
                assert!(needed, "nothing needed {verb} {resource}");
            }
        }
    }
}

/// C22: in an existing namespace, the documented Role is sufficient from create to destroy, and each of its permissions
/// is needed.
#[tokio::test]
async fn documented_role_is_sufficient() {
    let (stage, workspace) = guide("permissions", json!({})).await;
    let proxy = stage.kubernetes_faults();
    let role = role("Role");
    let restricted = stage.restricted(std::slice::from_ref(&role)).await;
    workspace.write("provider_override.tf.json", &restricted.provider());
    create_update_rotate(&stage, &workspace).await;
    workspace.destroy().await;
    assert_exact(&role, &proxy.calls());
    restricted.remove().await;
    let mut left = stage.namespace.objects().await;
    left.retain(|object| !object.ends_with("/provider"));
    assert_eq!(left, [""; 0]);
    assert!(stage.account.leftovers().is_empty());
}

/// C22: to create a namespace, the documented ClusterRole is sufficient. Without its last rule, the namespace remains,
/// and the warning has the reason.
#[tokio::test]
async fn documented_cluster_role_is_sufficient() {
    for lists in [true, false] {
        let test = format!("permissions_namespace_{lists}");
        let (stage, workspace) = without_namespace(&test, json!({ "create_namespace": true })).await;
        let proxy = stage.kubernetes_faults();
        let mut role = role("ClusterRole");
        if !lists {
            role["rules"].as_array_mut().unwrap().pop();
        }
        let restricted = stage.restricted(std::slice::from_ref(&role)).await;
        workspace.write("provider_override.tf.json", &restricted.provider());
        create_update_rotate(&stage, &workspace).await;
        let printed = workspace.destroy().await.prose();
        if lists {
            assert_exact(&role, &proxy.calls());
            assert!(!printed.contains("Warning") && !stage.namespace.exists().await, "{printed}");
        } else {
            assert!(
                printed.contains("Namespace kept") && printed.contains("its objects could not all be listed"),
                "{printed}"
            );
        }
        restricted.remove().await;
        stage.assert_nothing_remains().await;
    }
}
