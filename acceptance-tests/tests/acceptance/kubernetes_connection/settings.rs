//! Connection settings from the provider block and the environment, and their precedence.

use gitlabspot_acceptance_tests::Engine;
use serde_json::{Value, json};

use super::{ADDRESS, Fixture, assert_printed, with};

/// K4: the environment can set every address and every identity.
#[tokio::test]
async fn environment_configures_everything() {
    let fixture = Fixture::of("probe", "environment", json!({}), Engine::opentofu()).await;
    let kubeconfig = fixture.cloud.kubeconfig().display().to_string();
    let by_file = fixture.workspace.clone().with_environment("KUBE_CONFIG_PATH", &kubeconfig);
    by_file.apply().await;
    by_file.assert_stable().await;
    let files = format!("/dev/null:{kubeconfig}");
    let (certificate, key) = fixture.cloud.kubernetes_certificate();
    let (host, token) = (fixture.cloud.kubernetes_host(), fixture.cloud.kubernetes_token());
    let authority = fixture.cloud.kubernetes_authority();
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
        let workspace =
            way.iter().fold(fixture.workspace.clone(), |it, (name, value)| it.with_environment(name, value));
        Fixture::assert_found_in(&workspace).await;
    }
    by_file.destroy().await;
    fixture.assert_nothing_remains().await;
}

/// K5: settings of the block override the environment, for the cluster and for the identity.
#[tokio::test]
async fn block_overrides_the_environment() {
    let mut fixture = Fixture::new("precedence", &json!({})).await;
    fixture.connect(&fixture.host());
    let others = [
        ("KUBE_HOST", "https://127.0.0.1:1"),
        ("KUBE_CONFIG_PATH", "/nowhere/config"),
        ("KUBE_TOKEN", "nobody"),
        ("KUBE_INSECURE", "true"),
        ("KUBE_TLS_SERVER_NAME", "localhost"),
        ("KUBE_CLUSTER_CA_CERT_DATA", "nothing"),
    ];
    for (name, value) in others {
        fixture.workspace = fixture.workspace.with_environment(name, value);
    }
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    let (certificate, key) = fixture.cloud.kubernetes_certificate();
    let identities = [
        json!({ "token": null, "client_certificate": certificate, "client_key": key }),
        json!({ "token": null, "exec": super::exec::command(&fixture, "echo") }),
    ];
    for identity in identities {
        fixture.connect(&with(&fixture.host(), identity));
        fixture.assert_found().await;
    }
    // An EKS cluster does not use these variables.
    fixture.connect(&json!({ "cluster_name": fixture.stage.account.cluster() }));
    fixture.assert_found().await;
    fixture.destroy().await;
}

/// K6: conflicting settings, one of which would be ignored, are refused before any request. The error has the path of
/// each.
#[tokio::test]
async fn conflicting_settings_are_refused() {
    let fixture = Fixture::new("conflicts", &json!({})).await;
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
        fixture.connect(&settings);
        let printed = fixture.workspace.run(&["validate"]).await.failed();
        assert_printed(&printed, texts);
        assert_printed(&printed, &["on provider.tf.json line 1, in provider.gitlabspot"]);
    }
    fixture.assert_nothing_remains().await;
}

/// K7: without settings no request is sent, and the error lists the possible settings.
#[tokio::test]
async fn missing_connection_settings_are_explained() {
    let fixture = Fixture::new("nothing", &json!({})).await;
    let printed = fixture.workspace.try_apply().await.failed();
    assert_printed(
        &printed,
        &[
            "Error: No Kubernetes cluster configured",
            "set \"cluster_name\" on the resource, or in the provider's \"kubernetes\" one of \"cluster_name\"",
            "~/.kube/config is only read if config_path names it.",
        ],
    );
    assert!(!fixture.workspace.state().await.contains(ADDRESS));
    // A key without a certificate is not an identity.
    fixture.connect(&with(&fixture.host(), json!({ "token": null, "client_key": "key" })));
    let printed = fixture.workspace.try_apply().await.failed();
    assert_printed(&printed, &["\"client_key\" cannot be used: it has no effect on its own.", "KUBE_CLIENT_CERT_DATA"]);
    fixture.assert_nothing_remains().await;
}
