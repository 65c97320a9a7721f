//! Kubeconfig files: contexts, overrides, several files, errors.

use std::fs;

use base64::Engine as _;
use serde_json::{Value, json};

use super::{Fixture, assert_printed, with};

/// Path of a kubeconfig in the folder of the test.
fn place(fixture: &Fixture, name: &str) -> String {
    fixture.stage.folder().join(name).to_str().unwrap().to_owned()
}

fn write(fixture: &Fixture, name: &str, config: &Value) -> String {
    let path = place(fixture, name);
    fs::write(&path, config.to_string()).unwrap();
    path
}

/// Two clusters, two users and three contexts. No server listens at the second cluster's address.
fn config(fixture: &Fixture) -> Value {
    let authority = base64::engine::general_purpose::STANDARD.encode(fixture.cloud.kubernetes_authority());
    let (certificate, key) = fixture.cloud.kubernetes_certificate();
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
                "server": fixture.cloud.kubernetes_host(), "certificate-authority-data": authority,
            } },
            { "name": "nowhere", "cluster": { "server": "https://127.0.0.1:1" } },
        ],
        "users": [
            { "name": "token", "user": { "token": fixture.cloud.kubernetes_token() } },
            { "name": "certificate", "user": {
                "client-certificate-data": pem(certificate), "client-key-data": pem(key),
            } },
            { "name": "nobody", "user": { "token": "nobody" } },
        ],
    })
}

/// K1: a file with its current context, other contexts, and parts of contexts. Settings of the block override those of
/// the file.
#[tokio::test]
async fn contexts_and_overrides_are_applied() {
    let fixture = Fixture::new("kubeconfig", &json!({})).await;
    let path = write(&fixture, "config", &config(&fixture));
    fixture.connect(&json!({ "config_path": path }));
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    let bad = json!({ "config_path": path, "config_context": "bad" });
    let ways = [
        json!({ "config_context": "certified" }),
        json!({ "config_context": "bad", "config_context_cluster": "here", "config_context_auth_info": "token" }),
        json!({ "config_context": "certified", "token": fixture.cloud.kubernetes_token() }),
        with(&bad, fixture.host()),
    ];
    for way in ways {
        fixture.connect(&with(&json!({ "config_path": path }), way));
        fixture.assert_found().await;
    }
    fixture.connect(&json!({ "config_path": path }));
    fixture.destroy().await;
}

/// K2: several files are merged, and the first definition takes precedence. Paths are relative to the directory of
/// their file.
#[tokio::test]
async fn several_files_are_merged() {
    let fixture = Fixture::new("kubeconfigs", &json!({})).await;
    let whole = config(&fixture);
    let part = |name: &str| json!({ "apiVersion": "v1", "kind": "Config", name: whole[name] });
    let home = fixture.stage.folder().join("home");
    fs::create_dir_all(home.join(".kube")).unwrap();
    fs::write(home.join(".kube/clusters"), part("clusters").to_string()).unwrap();
    let users = write(&fixture, "users", &part("users"));
    let contexts = write(&fixture, "contexts", &with(&part("contexts"), json!({ "current-context": "good" })));
    let other = write(&fixture, "other", &with(&part("contexts"), json!({ "current-context": "bad" })));
    fixture.connect(&json!({ "config_paths": [contexts, users, "~/.kube/clusters", other] }));
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;

    fs::write(place(&fixture, "ca.crt"), fixture.cloud.kubernetes_authority()).unwrap();
    fs::write(place(&fixture, "token"), fixture.cloud.kubernetes_token()).unwrap();
    let mut relative = whole;
    relative["clusters"][0]["cluster"] =
        json!({ "server": fixture.cloud.kubernetes_host(), "certificate-authority": "ca.crt" });
    relative["users"][0]["user"] = json!({ "tokenFile": "token" });
    fixture.connect(&json!({ "config_path": write(&fixture, "relative", &relative) }));
    fixture.assert_found().await;
    fixture.destroy().await;
}

/// K3: the error names the file and the fault, without the content of the file.
#[tokio::test]
async fn invalid_kubeconfig_is_explained() {
    let fixture = Fixture::new("bad_kubeconfig", &json!({})).await;
    let path = write(&fixture, "config", &config(&fixture));
    let broken = place(&fixture, "broken");
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
        fixture.connect(&settings);
        let printed = fixture.workspace.try_apply().await.failed();
        assert_printed(&printed, &["Error: Invalid kubeconfig", text]);
        assert!(!printed.contains("hunter2") && !printed.contains(fixture.cloud.kubernetes_token()), "{printed}");
    }
    fixture.assert_nothing_remains().await;
}
