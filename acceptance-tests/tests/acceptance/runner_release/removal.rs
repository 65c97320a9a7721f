//! Order and waits of a destroy.

use gitlabspot_acceptance_tests::{Engine, Stage};

use super::{NAME, end, typed, with_token};

/// Each object is deleted once: the Deployment with its pods first, their permissions last, and finally the namespace.
#[tokio::test]
async fn destroy_deletes_roles_last() {
    let (stage, workspace) = typed("order").await;
    workspace.apply().await;
    let proxy = stage.kubernetes_faults();
    proxy.forget();
    end(&stage, &workspace).await;
    let changes = proxy.changes();
    let order: Vec<&str> = changes.iter().map(String::as_str).collect();
    let deletes = |kind: &str| format!("DELETE {kind}/{NAME}");
    assert_eq!(order.first(), Some(&deletes("deployments").as_str()), "{order:?}");
    let last = ["rolebindings", "roles", "serviceaccounts"].map(deletes);
    let namespace = format!("DELETE namespaces/{}", stage.namespace.name());
    let tail: Vec<&str> = last.iter().map(String::as_str).chain([namespace.as_str()]).collect();
    assert!(order.ends_with(&tail), "{order:?}");
    assert_eq!(order.len(), 10, "nine objects and the namespace, each once: {order:?}");
    // The pods of the manager no longer exist when other objects are deleted.
    let calls = proxy.calls();
    let gone = calls.iter().rposition(|call| call.path.ends_with("/pods") && call.query.contains("app%3D")).unwrap();
    let next = calls.iter().position(|call| call.is_change() && !call.path.contains("/deployments/")).unwrap();
    assert!(gone < next, "{calls:#?}");
}

/// Registered pods unregister when they end. Nothing is written before the Deployment is deleted.
#[tokio::test]
async fn destroy_lets_registered_pods_unregister() {
    let stage = Stage::new("runner_release/told", Engine::opentofu()).await;
    let proxy = stage.kubernetes_faults();
    let variables = with_token(&stage, "registration_token", "GR1348941-of-a-group");
    let workspace = stage.testdata("runner_release/config_toml", variables).await;
    workspace.apply().await;
    proxy.forget();
    end(&stage, &workspace).await;
    let calls = proxy.calls();
    let changes = proxy.changes();
    assert_eq!(changes[0], format!("DELETE deployments/{NAME}"), "{changes:?}");
    let before = calls.iter().take_while(|call| !call.is_change());
    let looks = before.filter(|call| call.path.ends_with(&format!("/deployments/{NAME}"))).count();
    assert_eq!(looks, 2, "by the refresh and by the destroy, and nothing is waited for: {calls:#?}");
}
