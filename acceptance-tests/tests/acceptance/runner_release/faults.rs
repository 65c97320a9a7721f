//! Faults of the API server and of the network.

use std::time::{SystemTime, UNIX_EPOCH};

use gitlabspot_acceptance_tests::{KubernetesFault, KubernetesProxy, Stage, until};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

use super::{ADDRESS, NAME, end, is_waiting_for_rollout, replica_sets, start_pods, typed};

const MODIFIED: &str = "the object has been modified; please apply your changes to the latest version and try again";

/// Statuses of requests in order.
fn statuses(proxy: &KubernetesProxy, method: &str, part: &str) -> Vec<Option<u16>> {
    proxy.calls_of(method, part).into_iter().map(|call| call.status).collect()
}

/// R12: each request for an object fails once, with another fault in each. Every request is retried once.
#[tokio::test]
async fn failed_requests_are_retried_once() {
    let (stage, workspace) = typed("faults").await;
    let proxy = stage.kubernetes_faults();
    let own = |kind: &str| format!("/{kind}/{NAME}?");
    let faults = |method: &str| {
        vec![
            ("serviceaccounts", KubernetesFault::too_many(method, &own("serviceaccounts"), 1), Some(429)),
            ("configmaps", KubernetesFault::error(method, &own("configmaps"), 500, "InternalError", "etcd"), Some(500)),
            ("roles", KubernetesFault::error(method, &own("roles"), 503, "ServiceUnavailable", "later"), Some(503)),
            ("rolebindings", KubernetesFault::page(method, &own("rolebindings"), 502), Some(502)),
            ("services", KubernetesFault::error(method, &own("services"), 504, "Timeout", "etcd"), Some(504)),
            ("poddisruptionbudgets", KubernetesFault::drop_before(method, &own("poddisruptionbudgets")), None),
            ("deployments", KubernetesFault::drop_after(method, &own("deployments")), None),
        ]
    };
    for (_, fault, _) in faults("PATCH") {
        proxy.inject(fault.without("dryRun"));
    }
    proxy.inject(KubernetesFault::cut("PATCH", &own("secrets")).without("dryRun"));
    proxy.inject(KubernetesFault::error("PATCH", &own("servicemonitors"), 409, "Conflict", MODIFIED).without("dryRun"));
    let namespace = format!("/api/v1/namespaces/{}?", stage.namespace.name());
    proxy.inject(KubernetesFault::drop_after("PATCH", &namespace));
    workspace.apply().await;
    let applied = |kind: &str| -> Vec<Option<u16>> {
        let all = proxy.calls_of("PATCH", &own(kind));
        all.into_iter().filter(|call| !call.query.contains("dryRun")).map(|call| call.status).collect()
    };
    for (kind, _, first) in faults("PATCH") {
        // A create ends with another request for the Deployment, which marks the create as complete.
        let rest: &[_] = if kind == "deployments" { &[Some(200), Some(200)] } else { &[Some(201)] };
        assert_eq!(applied(kind), [&[first], rest].concat(), "{kind}");
    }
    assert_eq!(applied("secrets"), [Some(201), Some(200)], "half an answer is none");
    assert_eq!(applied("servicemonitors"), [Some(409), Some(201)]);
    assert_eq!(statuses(proxy, "PATCH", &namespace), [None, Some(200)]);
    workspace.assert_stable().await;
    assert_eq!(replica_sets(&stage).await, 1);

    proxy.forget();
    for (_, fault, _) in faults("DELETE") {
        proxy.inject(fault);
    }
    proxy.inject(KubernetesFault::drop_after("DELETE", &namespace));
    end(&stage, &workspace).await;
    for (kind, _, first) in faults("DELETE") {
        let sent = statuses(proxy, "DELETE", &own(kind));
        assert_eq!((sent.len(), sent[0]), (2, first), "{kind}: {sent:?}");
    }
}

/// R12: an HTML page with status 404 does not mean that an object does not exist.
#[tokio::test]
async fn not_found_page_is_not_absence() {
    let (stage, workspace) = typed("page").await;
    workspace.apply().await;
    let proxy = stage.kubernetes_faults();
    proxy.inject(KubernetesFault::page("GET", &format!("/{NAME}"), 404).times(0));
    let printed = workspace.try_plan().await.unwrap_err().failed();
    assert!(
        printed.contains("Cannot read the runner release") && printed.contains("returned 404 with a page of its own"),
        "{printed}"
    );
    let printed = workspace.run(&["destroy", "-refresh=false", "-auto-approve"]).await.failed();
    assert!(printed.contains("The remaining objects are kept in the state"), "{printed}");
    assert!(workspace.state().await.contains(ADDRESS));
    proxy.forget();
    workspace.assert_stable().await;
    end(&stage, &workspace).await;
}

/// R12: credentials that are rejected before and after a renewal are an error.
#[tokio::test]
async fn rejected_credentials_are_an_error() {
    let (stage, workspace) = typed("unauthorized").await;
    let proxy = stage.kubernetes_faults();
    proxy.inject(KubernetesFault::unauthorized("*", "/").times(0));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("does not accept the credentials (401 Unauthorized)"), "{printed}");
    for call in proxy.calls() {
        // Two plans read the namespace, each in a process with a token of its own.
        let most = if call.path.ends_with(stage.namespace.name()) { 4 } else { 2 };
        let calls =
            proxy.calls().into_iter().filter(|other| (&other.method, &other.path) == (&call.method, &call.path));
        assert!(calls.count() <= most, "renewed once, and not for ever: {call:?}");
    }
    assert!(!workspace.state().await.contains(ADDRESS));
    proxy.forget();
    assert_eq!(stage.namespace.objects().await, [""; 0]);
}

/// R12: if the API server stops during the rollout and starts again, the apply fails in time, and the next one
/// continues.
#[tokio::test]
async fn api_server_outage_ends_the_apply() {
    let (stage, workspace) = typed("dead").await;
    let workspace = workspace.with_environment("GITLABSPOT_CLOCK_SPEED", "10");
    let proxy = stage.kubernetes_faults();
    workspace.apply().await;
    proxy.forget();
    workspace.set(&json!({ "image_missing": true }));
    let running = workspace.begin_apply();
    is_waiting_for_rollout(proxy).await;
    proxy.go_down().await;
    let printed = running.output().await.failed();
    let rollout =
        format!("The rollout of the manager of the release {}/{NAME} did not complete", stage.namespace.name());
    assert!(printed.contains(&rollout) && printed.contains("cannot be reached"), "{printed}");
    assert!(!printed.contains("timed out after"), "waited on: {printed}");

    let printed = workspace.try_plan().await.unwrap_err().failed();
    assert!(printed.contains("cannot be reached") && printed.contains("The state was not changed"), "{printed}");
    proxy.come_back();
    workspace.set(&json!({ "image_missing": false }));
    workspace.apply().await;
    workspace.assert_stable().await;
    end(&stage, &workspace).await;
}

/// R11: a token that expires during the wait for the rollout is renewed once, and the wait continues.
#[tokio::test]
async fn token_is_renewed_during_a_rollout() {
    let (stage, workspace) = typed("token").await;
    let proxy = stage.kubernetes_faults();
    workspace.set(&json!({ "image_missing": true }));
    let running = workspace.begin_apply();
    is_waiting_for_rollout(proxy).await;
    let before = proxy.calls().len();
    // Tokens that are created within one second are equal.
    let second = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let begin = second();
    until("another second begins", async || second() > begin).await;
    proxy.expire_tokens();
    until("the wait goes on", async || {
        let calls = proxy.calls();
        calls.iter().skip(before).any(|call| call.status == Some(200) && call.token > 1)
    })
    .await;
    start_pods(&stage).await;
    let _ = running.output().await.succeeded();
    let rejected = proxy.calls().iter().filter(|call| call.status == Some(401)).count();
    assert_eq!(rejected, 1);
    workspace.set(&json!({ "image_missing": false }));
    end(&stage, &workspace).await;
}

/// R11: the same with an exec plugin. It runs once more, and the wait continues with the new token.
#[tokio::test]
async fn exec_token_is_renewed_during_a_rollout() {
    let (stage, workspace) = typed("token_of_command").await;
    let proxy = stage.kubernetes_faults();
    let rules = json!([{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }]);
    let everything = json!({ "kind": "ClusterRole", "metadata": { "name": "everything" }, "rules": rules });
    let account = stage.restricted(&[everything]).await;
    let (credential, calls) = (stage.folder().join("credential.json"), stage.folder().join("calls"));
    let renew = async || {
        let given = json!({ "status": { "token": account.token().await } });
        std::fs::write(&credential, given.to_string()).unwrap();
    };
    renew().await;
    let script = format!("echo called >>'{}'; cat '{}'", calls.display(), credential.display());
    let version = "client.authentication.k8s.io/v1";
    let exec = json!({ "api_version": version, "command": "/bin/sh", "args": ["-c", script] });
    let host = json!({ "host": proxy.host(), "cluster_ca_certificate": proxy.authority(), "exec": exec });
    let provider = json!({ "provider": { "gitlabspot": { "kubernetes": host } } });
    workspace.write("provider_override.tf.json", &provider.to_string());
    let called = || std::fs::read_to_string(&calls).unwrap_or_default().lines().count();

    workspace.set(&json!({ "image_missing": true }));
    let running = workspace.begin_apply();
    is_waiting_for_rollout(proxy).await;
    let (before, called_before) = (proxy.calls().len(), called());
    renew().await;
    proxy.expire_tokens();
    until("the wait goes on", async || {
        proxy.calls().iter().skip(before).any(|call| call.status == Some(200) && call.token > 1)
    })
    .await;
    start_pods(&stage).await;
    let _ = running.output().await.succeeded();
    assert_eq!(called(), called_before + 1);
    assert_eq!(proxy.calls().iter().filter(|call| call.status == Some(401)).count(), 1);
    workspace.set(&json!({ "image_missing": false }));
    end(&stage, &workspace).await;
    account.remove().await;
}

/// Creates a namespace that is being deleted until [`let_go`].
async fn terminating(stage: &Stage) {
    stage.namespace.create().await;
    let held = json!({ "metadata": { "name": "held", "finalizers": ["local-cloud/held"] } });
    let maps = stage.kubernetes.api::<ConfigMap>(stage.namespace.name());
    maps.create(&PostParams::default(), &serde_json::from_value(held).unwrap()).await.unwrap();
    let namespaces: Api<Namespace> = Api::all(stage.kubernetes.client());
    namespaces.delete(stage.namespace.name(), &DeleteParams::default()).await.unwrap();
}

async fn let_go(stage: &Stage) {
    let maps = stage.kubernetes.api::<ConfigMap>(stage.namespace.name());
    let free = json!({ "metadata": { "finalizers": null } });
    maps.patch("held", &PatchParams::default(), &Patch::Merge(free)).await.unwrap();
}

/// R13: if the namespace is being deleted, the create waits, and creates it again.
#[tokio::test]
async fn terminating_namespace_is_waited_for() {
    let (stage, workspace) = typed("terminating").await;
    terminating(&stage).await;
    let proxy = stage.kubernetes_faults();
    let running = workspace.begin_apply();
    let looks = format!("/api/v1/namespaces/{}?", stage.namespace.name());
    until("the end is waited for", async || proxy.calls_of("GET", &looks).len() > 1).await;
    assert_eq!(proxy.changes(), [""; 0]);
    let_go(&stage).await;
    let _ = running.output().await.succeeded();
    workspace.assert_stable().await;
    end(&stage, &workspace).await;
}

/// R13: a namespace that is not deleted in time, and one that the release does not create, are errors.
#[tokio::test]
async fn terminating_namespace_times_out() {
    let (stage, workspace) = typed("terminating_for_ever").await;
    terminating(&stage).await;
    let settings = |text: &str| format!("resource \"gitlabspot_runner_release\" \"runner\" {{\n  {text}\n}}\n");
    workspace.write("override.tf", &settings("timeouts = { create = \"2s\" }"));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("Namespace is being deleted") && printed.contains("Nothing was created"), "{printed}");

    workspace.write("override.tf", &settings("create_namespace = false"));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("cannot be created while the namespace is being deleted"), "{printed}");
    assert_eq!(stage.kubernetes_faults().changes(), [""; 0]);
    let_go(&stage).await;
    assert!(!workspace.state().await.contains(ADDRESS));
}
