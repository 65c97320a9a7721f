//! Settings from the block and the environment, and which of them count.

use gitlabspot_acceptance_tests::Engine;
use serde_json::{Value, json};

use super::{ADDRESS, Scene, assert_said, with};

/// K4: all that names and identifies can come from the environment alone.
#[tokio::test]
async fn the_environment_alone() {
    let scene = Scene::of("probe", "environment", json!({}), Engine::opentofu()).await;
    let kubeconfig = scene.cloud.kubeconfig().display().to_string();
    let by_file = scene.workspace.clone().with_environment("KUBE_CONFIG_PATH", &kubeconfig);
    by_file.apply().await;
    by_file.assert_stable().await;
    let files = format!("/dev/null:{kubeconfig}");
    let (certificate, key) = scene.cloud.kubernetes_certificate();
    let (host, token) = (scene.cloud.kubernetes_host(), scene.cloud.kubernetes_token());
    let authority = scene.cloud.kubernetes_authority();
    let ways: [&[(&str, &str)]; 5] = [
        &[("KUBE_CONFIG_PATHS", &files), ("KUBE_CTX", "local")],
        &[("KUBE_CONFIG_PATH", &kubeconfig), ("KUBE_CTX_CLUSTER", "local"), ("KUBE_CTX_AUTH_INFO", "local")],
        &[("KUBE_HOST", host), ("KUBE_TOKEN", token), ("KUBE_CLUSTER_CA_CERT_DATA", &authority)],
        &[
            ("KUBE_HOST", host),
            ("KUBE_CLIENT_CERT_DATA", &certificate),
            ("KUBE_CLIENT_KEY_DATA", &key),
            ("KUBE_CLUSTER_CA_CERT_DATA", &authority),
            ("KUBE_TLS_SERVER_NAME", "localhost"),
        ],
        &[("KUBE_HOST", host), ("KUBE_TOKEN", token), ("KUBE_INSECURE", "true")],
    ];
    for way in ways {
        let workspace = way.iter().fold(scene.workspace.clone(), |it, (name, value)| it.with_environment(name, value));
        Scene::assert_found_in(&workspace).await;
    }
    by_file.destroy().await;
    scene.assert_nothing_left().await;
}

/// K5: what the block says goes before the environment, whether it is a cluster or an identity.
#[tokio::test]
async fn the_block_goes_before_the_environment() {
    let mut scene = Scene::new("precedence", &json!({})).await;
    scene.connect(&scene.host());
    let others = [
        ("KUBE_HOST", "https://127.0.0.1:1"),
        ("KUBE_CONFIG_PATH", "/nowhere/config"),
        ("KUBE_TOKEN", "nobody"),
        ("KUBE_INSECURE", "true"),
        ("KUBE_TLS_SERVER_NAME", "localhost"),
        ("KUBE_CLUSTER_CA_CERT_DATA", "nothing"),
    ];
    for (name, value) in others {
        scene.workspace = scene.workspace.with_environment(name, value);
    }
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    let (certificate, key) = scene.cloud.kubernetes_certificate();
    let identities = [
        json!({ "token": null, "client_certificate": certificate, "client_key": key }),
        json!({ "token": null, "exec": super::exec::command(&scene, "echo") }),
    ];
    for identity in identities {
        scene.connect(&with(&scene.host(), identity));
        scene.assert_found().await;
    }
    // An EKS cluster needs none of them.
    scene.connect(&json!({ "cluster_name": scene.stage.account.cluster() }));
    scene.assert_found().await;
    scene.destroy().await;
}

/// K6: settings of which one would be ignored are refused before anything is contacted, each at its place.
#[tokio::test]
async fn settings_that_exclude_each_other_are_refused() {
    let scene = Scene::new("conflicts", &json!({})).await;
    let base64 = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==";
    let exec = json!({ "api_version": "client.authentication.k8s.io/v1", "command": "aws" });
    let old = json!({ "api_version": "client.authentication.k8s.io/v1alpha1", "command": "aws" });
    let cases: [(Value, &[&str]); 6] = [
        (
            json!({ "host": "https://127.0.0.1:1", "token": "t", "exec": exec }),
            &["Error: Conflicting arguments", "token and exec both select credentials. Keep one of them."],
        ),
        (
            json!({ "cluster_name": "prod", "token": "t" }),
            &[
                "Error: Conflicting arguments",
                "tokens are created from the AWS credentials",
                "token would have no effect",
            ],
        ),
        (
            json!({ "cluster_name": "prod", "host": "https://127.0.0.1:1" }),
            &["Error: Conflicting arguments", "cluster_name and host both select a cluster."],
        ),
        (
            json!({ "config_path": "a", "config_paths": ["b"] }),
            &["Error: Conflicting arguments", "Only one of config_path and config_paths can be set."],
        ),
        (
            json!({ "host": "https://127.0.0.1:1", "cluster_ca_certificate": base64 }),
            &["Error: Invalid certificate", "It is base64, but must be PEM: decode it with base64decode()."],
        ),
        (
            json!({ "host": "https://127.0.0.1:1", "exec": old }),
            &["Error: Invalid version", "\"client.authentication.k8s.io/v1alpha1\" is not supported. Use one of"],
        ),
    ];
    for (settings, texts) in cases {
        scene.connect(&settings);
        let said = scene.workspace.run(&["validate"]).await.failed();
        assert_said(&said, texts);
        assert_said(&said, &["on provider.tf.json line 1, in provider.gitlabspot"]);
    }
    scene.assert_nothing_left().await;
}

/// K7: without any setting nothing is contacted, and the ways there are are told.
#[tokio::test]
async fn nothing_at_all() {
    let scene = Scene::new("nothing", &json!({})).await;
    let said = scene.workspace.try_apply().await.failed();
    assert_said(
        &said,
        &[
            "Error: No Kubernetes cluster configured",
            "set \"cluster_name\" on the resource, or in the provider's \"kubernetes\" one of \"cluster_name\"",
            "~/.kube/config is only read if config_path names it.",
        ],
    );
    assert!(!scene.workspace.state().await.contains(ADDRESS));
    // Half of an identity is none.
    scene.connect(&with(&scene.host(), json!({ "token": null, "client_key": "key" })));
    let said = scene.workspace.try_apply().await.failed();
    assert_said(&said, &["\"client_key\" cannot be used: it has no effect on its own.", "KUBE_CLIENT_CERT_DATA"]);
    scene.assert_nothing_left().await;
}
