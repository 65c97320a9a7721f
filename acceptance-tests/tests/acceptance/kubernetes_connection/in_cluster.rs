//! Connections from a pod with its service account, whose files the kubelet updates.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use gitlabspot_acceptance_tests::{Engine, roles, until};
use serde_json::json;

use super::{Fixture, assert_printed};

const ROLES: &str = include_str!("../../../../docs/permissions/warm-capacity.yaml");

/// Replaces all files at once, as the kubelet does: they are links into a folder that is a link itself.
fn project(folder: &Path, version: &str, token: &str, authority: &str, namespace: &str) {
    let files = folder.join(version);
    fs::create_dir_all(&files).unwrap();
    for (name, text) in [("token", token), ("ca.crt", authority), ("namespace", namespace)] {
        fs::write(files.join(name), text).unwrap();
        let _ = symlink(format!("..data/{name}"), folder.join(name));
    }
    symlink(version, folder.join("..new")).unwrap();
    fs::rename(folder.join("..new"), folder.join("..data")).unwrap();
}

/// K31: without settings, the cluster of the pod is used, with the permissions of its service account. A token that the
/// kubelet replaces is read again during a wait. Without the variables of a pod there is no default.
#[tokio::test]
async fn pod_connects_to_its_own_cluster() {
    let Some(engine) = Engine::opentofu_in_pod() else { return };
    let mut fixture = Fixture::of("probe", "in_cluster", json!({}), engine).await;
    let account = fixture.stage.restricted(&roles(ROLES)).await;
    let folder = fixture.stage.folder().join("serviceaccount");
    let (authority, namespace) = (fixture.cloud.kubernetes_authority(), fixture.stage.namespace.name().to_owned());
    project(&folder, "1", &account.token().await, &authority, &namespace);
    fixture.workspace = fixture.workspace.with_environment(Engine::SERVICE_ACCOUNT, &folder.display().to_string());
    assert_printed(&fixture.workspace.try_apply().await.failed(), &["No Kubernetes cluster is configured"]);

    let proxy = fixture.stage.kubernetes_faults();
    let (host, port) = proxy
        .host()
        .trim_start_matches("https://")
        .rsplit_once(':')
        .map(|(host, port)| (host.to_owned(), port.to_owned()))
        .unwrap();
    fixture.workspace = fixture
        .workspace
        .with_environment("KUBERNETES_SERVICE_HOST", &host)
        .with_environment("KUBERNETES_SERVICE_PORT", &port);
    // The service account has the permissions of its roles only.
    let other = fixture.workspace.twin();
    other.set(&json!({ "namespace": "default" }));
    assert_printed(&other.try_apply().await.failed(), &["the identity in use is not allowed to do this"]);
    assert_eq!(proxy.changes(), [""; 0]);

    fixture.without_pods().await;
    let running = fixture.workspace.begin_apply();
    until("pods are waited for", async || proxy.calls_of("GET", "/deployments/probe").len() > 3).await;
    let before = proxy.calls().len();
    project(&folder, "2", &account.token().await, &authority, &namespace);
    proxy.expire_tokens();
    until("the wait goes on", async || {
        proxy.calls().iter().skip(before).any(|call| call.status == Some(200) && call.token > 1)
    })
    .await;
    fixture.with_pods().await;
    let _ = running.output().await.succeeded();
    assert_eq!(proxy.calls().iter().filter(|call| call.status == Some(401)).count(), 1);
    fixture.assert_found().await;

    fixture.workspace.destroy().await;
    assert!(!fixture.has_class().await);
    account.remove().await;
}
