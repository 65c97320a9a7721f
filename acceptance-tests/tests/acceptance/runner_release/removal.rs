//! The end of a release: in which order, and how long it takes.

use gitlabspot_acceptance_tests::{Engine, KubernetesProxy, Stage};

use super::{NAME, end, typed, with_token};

/// What a destroy changes, in order, with its time in milliseconds since the first request.
fn changes(proxy: &KubernetesProxy) -> Vec<(u128, String)> {
    let calls = proxy.calls();
    let begin = calls.first().unwrap().at;
    calls.iter().filter(|call| call.is_change()).map(|call| (call.at - begin, call.short())).collect()
}

/// Where a change stands in the order.
fn at(changes: &[(u128, String)], change: &str) -> usize {
    let place = changes.iter().position(|(_, found)| found == change);
    assert!(place.is_some(), "{change} in {changes:?}");
    place.unwrap()
}

/// Each object goes once: the Deployment first and its pods with it, what they may do last, the namespace at the end.
#[tokio::test]
async fn roles_go_last() {
    let (stage, workspace) = typed("order").await;
    workspace.apply().await;
    let proxy = stage.kubernetes_faults();
    proxy.forget();
    end(&stage, &workspace).await;
    let changes = changes(proxy);
    let order: Vec<&str> = changes.iter().map(|(_, change)| change.as_str()).collect();
    let deletes = |kind: &str| format!("DELETE {kind}/{NAME}");
    assert_eq!(order.first(), Some(&deletes("deployments").as_str()), "{order:?}");
    let last = ["rolebindings", "roles", "serviceaccounts"].map(deletes);
    let namespace = format!("DELETE namespaces/{}", stage.namespace.name());
    let tail: Vec<&str> = last.iter().map(String::as_str).chain([namespace.as_str()]).collect();
    assert!(order.ends_with(&tail), "{order:?}");
    assert_eq!(order.len(), 10, "nine objects and the namespace, each once: {order:?}");
    // The manager's pods have gone before anything that they work with goes.
    let calls = proxy.calls();
    let gone = calls.iter().rposition(|call| call.path.ends_with("/pods") && call.query.contains("app%3D")).unwrap();
    let next = calls.iter().position(|call| call.is_change() && !call.path.contains("/deployments/")).unwrap();
    assert!(gone < next, "{calls:#?}");
}

/// Pods that registered themselves unregister by themselves as they end: nothing is written before the Deployment goes, and
/// no object keeps the others waiting.
#[tokio::test]
async fn registered_pods_are_told_by_their_end_alone() {
    let stage = Stage::new("runner_release/told", Engine::opentofu()).await;
    let proxy = stage.kubernetes_faults();
    let variables = with_token(&stage, "registration_token", "GR1348941-of-a-group");
    let workspace = stage.testdata("runner_release/config_toml", variables).await;
    workspace.apply().await;
    proxy.forget();
    end(&stage, &workspace).await;
    let changes = changes(proxy);
    assert_eq!(changes[0].1, format!("DELETE deployments/{NAME}"), "{changes:?}");
    assert!(changes[0].0 < 5_000, "nothing is waited for before: {changes:?}");
    // Without a pause for each: seven objects took a second each before.
    let (first, last) =
        (at(&changes, &format!("DELETE configmaps/{NAME}")), at(&changes, &format!("DELETE serviceaccounts/{NAME}")));
    let took = changes[last].0 - changes[first].0;
    assert!(took < 4_000, "{took} ms: {changes:?}");
}
