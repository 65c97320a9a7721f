//! In a pod: its service account, in the files that the kubelet keeps.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use gitlabspot_acceptance_tests::{Engine, roles, until};
use serde_json::json;

use super::{Scene, assert_said};

const ROLES: &str = include_str!("../../../../docs/permissions/warm-capacity.yaml");

/// Exchanges all files at once, as the kubelet does: they are links into a folder that is a link itself.
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

/// K31: without any setting the pod's cluster is used, with the rights of its service account; a token that the kubelet has
/// replaced is read anew in the middle of a wait. Without the variables of a pod nothing is guessed.
#[tokio::test]
async fn a_pod_needs_no_settings() {
    let Some(engine) = Engine::opentofu_in_pod() else { return };
    let mut scene = Scene::of("probe", "in_cluster", json!({}), engine).await;
    let account = scene.stage.restricted(&roles(ROLES)).await;
    let folder = scene.stage.folder().join("serviceaccount");
    let (authority, namespace) = (scene.cloud.kubernetes_authority(), scene.stage.namespace.name().to_owned());
    project(&folder, "1", &account.token().await, &authority, &namespace);
    scene.workspace = scene.workspace.with_environment(Engine::SERVICE_ACCOUNT, &folder.display().to_string());
    assert_said(&scene.workspace.try_apply().await.failed(), &["No Kubernetes cluster is configured"]);

    let proxy = scene.stage.kubernetes_faults();
    let (host, port) = proxy
        .host()
        .trim_start_matches("https://")
        .rsplit_once(':')
        .map(|(host, port)| (host.to_owned(), port.to_owned()))
        .unwrap();
    scene.workspace = scene
        .workspace
        .with_environment("KUBERNETES_SERVICE_HOST", &host)
        .with_environment("KUBERNETES_SERVICE_PORT", &port);
    // It may do what its roles say, and nothing else.
    let other = scene.workspace.twin();
    other.set(&json!({ "namespace": "default" }));
    assert_said(&other.try_apply().await.failed(), &["the identity in use is not allowed to do this"]);
    assert_eq!(proxy.changes(), [""; 0]);

    scene.without_pods().await;
    let running = scene.workspace.begin_apply();
    until("pods are waited for", async || proxy.calls_of("GET", "/deployments/probe").len() > 3).await;
    let before = proxy.calls().len();
    project(&folder, "2", &account.token().await, &authority, &namespace);
    proxy.expire_tokens();
    until("the wait goes on", async || {
        proxy.calls().iter().skip(before).any(|call| call.status == Some(200) && call.token > 1)
    })
    .await;
    scene.with_pods().await;
    let _ = running.output().await.succeeded();
    assert_eq!(proxy.calls().iter().filter(|call| call.status == Some(401)).count(), 1);
    scene.assert_found().await;

    scene.workspace.destroy().await;
    assert!(!scene.has_class().await);
    account.remove().await;
}
