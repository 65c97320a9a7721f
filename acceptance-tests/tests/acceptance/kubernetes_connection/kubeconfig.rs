//! Kubeconfig files: contexts, overrides, several files, what is wrong with them.

use std::fs;

use base64::Engine as _;
use serde_json::{Value, json};

use super::{Scene, assert_said, with};

/// Where the scene keeps a kubeconfig of this name.
fn place(scene: &Scene, name: &str) -> String {
    scene.stage.folder().join(name).to_str().unwrap().to_owned()
}

fn write(scene: &Scene, name: &str, config: &Value) -> String {
    let path = place(scene, name);
    fs::write(&path, config.to_string()).unwrap();
    path
}

/// Two clusters, two users, three contexts; nobody answers at the second cluster.
fn config(scene: &Scene) -> Value {
    let authority = base64::engine::general_purpose::STANDARD.encode(scene.cloud.kubernetes_authority());
    let (certificate, key) = scene.cloud.kubernetes_certificate();
    let pem = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "good",
        "contexts": [
            { "name": "good", "context": { "cluster": "here", "user": "token" } },
            { "name": "certified", "context": { "cluster": "here", "user": "certificate" } },
            { "name": "bad", "context": { "cluster": "nowhere", "user": "nobody" } },
        ],
        "clusters": [
            { "name": "here", "cluster": {
                "server": scene.cloud.kubernetes_host(), "certificate-authority-data": authority,
            } },
            { "name": "nowhere", "cluster": { "server": "https://127.0.0.1:1" } },
        ],
        "users": [
            { "name": "token", "user": { "token": scene.cloud.kubernetes_token() } },
            { "name": "certificate", "user": {
                "client-certificate-data": pem(certificate), "client-key-data": pem(key),
            } },
            { "name": "nobody", "user": { "token": "nobody" } },
        ],
    })
}

/// K1: a file with its current context, other contexts, and parts of contexts; settings of the block go before the file's.
#[tokio::test]
async fn contexts_and_what_goes_before_them() {
    let scene = Scene::new("kubeconfig", &json!({})).await;
    let path = write(&scene, "config", &config(&scene));
    scene.connect(&json!({ "config_path": path }));
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    let bad = json!({ "config_path": path, "config_context": "bad" });
    let ways = [
        json!({ "config_context": "certified" }),
        json!({ "config_context": "bad", "config_context_cluster": "here", "config_context_auth_info": "token" }),
        json!({ "config_context": "certified", "token": scene.cloud.kubernetes_token() }),
        with(&bad, scene.host()),
    ];
    for way in ways {
        scene.connect(&with(&json!({ "config_path": path }), way));
        scene.assert_found().await;
    }
    scene.connect(&json!({ "config_path": path }));
    scene.destroy().await;
}

/// K2: several files are one, the first that says something being right; a file's own paths begin where the file is.
#[tokio::test]
async fn several_files() {
    let scene = Scene::new("kubeconfigs", &json!({})).await;
    let whole = config(&scene);
    let part = |name: &str| json!({ "apiVersion": "v1", "kind": "Config", name: whole[name] });
    let home = scene.stage.folder().join("home");
    fs::create_dir_all(home.join(".kube")).unwrap();
    fs::write(home.join(".kube/clusters"), part("clusters").to_string()).unwrap();
    let users = write(&scene, "users", &part("users"));
    let contexts = write(&scene, "contexts", &with(&part("contexts"), json!({ "current-context": "good" })));
    let other = write(&scene, "other", &with(&part("contexts"), json!({ "current-context": "bad" })));
    scene.connect(&json!({ "config_paths": [contexts, users, "~/.kube/clusters", other] }));
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;

    fs::write(place(&scene, "ca.crt"), scene.cloud.kubernetes_authority()).unwrap();
    fs::write(place(&scene, "token"), scene.cloud.kubernetes_token()).unwrap();
    let mut relative = whole;
    relative["clusters"][0]["cluster"] =
        json!({ "server": scene.cloud.kubernetes_host(), "certificate-authority": "ca.crt" });
    relative["users"][0]["user"] = json!({ "tokenFile": "token" });
    scene.connect(&json!({ "config_path": write(&scene, "relative", &relative) }));
    scene.assert_found().await;
    scene.destroy().await;
}

/// K3: what is wrong with a file is named, and nothing that it holds is shown.
#[tokio::test]
async fn what_is_wrong_with_a_file() {
    let scene = Scene::new("bad_kubeconfig", &json!({})).await;
    let path = write(&scene, "config", &config(&scene));
    let broken = place(&scene, "broken");
    fs::write(&broken, "users: [{name: me, user: {token: hunter2").unwrap();
    let cases = [
        (
            json!({ "config_path": "/nowhere/config" }),
            "The kubeconfig /nowhere/config cannot be used: No such \
            file",
        ),
        (
            json!({ "config_path": path, "config_context": "prod" }),
            "cannot be used: it does not have the context \"prod\"; its contexts are: good, certified, bad.",
        ),
        (
            json!({ "config_path": path, "config_context_cluster": "prod" }),
            "cannot be used: it does not have the cluster \"prod\".",
        ),
        (
            json!({ "config_path": path, "config_context_auth_info": "me" }),
            "cannot be used: it does not have the user \
            \"me\".",
        ),
        (json!({ "config_path": broken }), "cannot be used: it is not valid YAML of kind Config."),
    ];
    for (settings, text) in cases {
        scene.connect(&settings);
        let said = scene.workspace.try_apply().await.failed();
        assert_said(&said, &["Error: Invalid kubeconfig", text]);
        assert!(!said.contains("hunter2") && !said.contains(scene.cloud.kubernetes_token()), "{said}");
    }
    scene.assert_nothing_left().await;
}
