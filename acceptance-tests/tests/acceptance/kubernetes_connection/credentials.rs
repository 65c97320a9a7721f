//! Tokens, client certificates and server certificates.

use gitlabspot_acceptance_tests::{KubernetesFault, Proxy};
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use serde_json::json;

use super::{ADDRESS, Fixture, assert_printed, with};

/// K8: host, token and CA certificate; client certificate and key; a server name that differs from the host.
#[tokio::test]
async fn host_with_token_or_client_certificate() {
    let fixture = Fixture::new("host", &json!({})).await;
    fixture.connect(&fixture.host());
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    let (certificate, key) = fixture.cloud.kubernetes_certificate();
    let certified = json!({ "token": null, "client_certificate": certificate, "client_key": key });
    let elsewhere = fixture.cloud.kubernetes_host().replace("127.0.0.1", "localhost");
    let ways = [
        certified.clone(),
        json!({ "host": elsewhere, "tls_server_name": "kubernetes.default.svc" }),
        json!({ "host": fixture.cloud.kubernetes_host().trim_start_matches("https://") }),
        json!({ "cluster_ca_certificate": null, "insecure": true }),
        with(&certified, json!({ "cluster_ca_certificate": null, "insecure": true })),
    ];
    for way in ways {
        fixture.connect(&with(&fixture.host(), way));
        fixture.assert_found().await;
    }
    fixture.connect(&fixture.host());
    fixture.destroy().await;
}

/// K9: the error for an untrusted server certificate differs from that of a timeout and names the setting to change. No
/// request is sent.
#[tokio::test]
async fn untrusted_server_certificate_is_explained() {
    let fixture = Fixture::new("trust", &json!({})).await;
    let proxy = Proxy::to_loopback().await;
    let (other_authority, _) = fixture.cloud.kubernetes_certificate();
    let port = fixture.cloud.kubernetes_host().rsplit(':').next().unwrap().to_owned();
    let api = format!("the certificate of the Kubernetes API at {}/ is not trusted:", fixture.cloud.kubernetes_host());
    let named = format!(
        "the certificate of the Kubernetes API at https://prod.example.com:{port}/ \
        is not trusted:"
    );
    let cases: [(_, &[&str]); 4] = [
        (
            json!({ "cluster_ca_certificate": other_authority }),
            &[&api, "signed by an authority that this machine does not trust", "Set cluster_ca_certificate"],
        ),
        (
            json!({ "cluster_ca_certificate": null }),
            &[&api, "signed by an authority that this machine does not trust", "Set cluster_ca_certificate"],
        ),
        (
            json!({ "host": format!("https://prod.example.com:{port}"), "proxy_url": proxy.url() }),
            &[&named, "not valid for name \"prod.example.com\"", "set tls_server_name to a name in its certificate"],
        ),
        (json!({ "tls_server_name": "prod.example.com" }), &[&api, "not valid for name \"prod.example.com\""]),
    ];
    for (settings, texts) in cases {
        fixture.connect(&with(&fixture.host(), settings));
        let printed = fixture.workspace.try_apply().await.failed();
        assert_printed(&printed, texts);
        assert_printed(&printed, &["Error: Cannot apply the warm capacity", "Nothing was changed."]);
    }
    fixture.assert_nothing_remains().await;
}

/// K10: the error for a server that is not running has its address and the error of the system.
#[tokio::test]
async fn refused_connection_names_the_address() {
    let fixture = Fixture::new("unreachable", &json!({})).await;
    fixture.connect(&with(&fixture.host(), json!({ "host": "https://127.0.0.1:1" })));
    let workspace = fixture.workspace.clone().with_environment("GITLABSPOT_CLOCK_SPEED", "100");
    let printed = workspace.try_apply().await.failed();
    assert_printed(&printed, &["the Kubernetes API at https://127.0.0.1:1/ cannot be reached:", "Connection refused"]);
    assert!(!workspace.state().await.contains(ADDRESS));
    fixture.assert_nothing_remains().await;
}

/// K11: the error for a token that the cluster rejects identifies the credentials. Each request is sent once.
#[tokio::test]
async fn invalid_token_is_tried_once() {
    let fixture = Fixture::new("unauthorized", &json!({})).await;
    let proxy = fixture.stage.kubernetes_faults();
    let settings = with(&fixture.host(), json!({ "host": proxy.host(), "token": "nobody" }));
    fixture.connect(&settings);
    let printed = fixture.workspace.try_apply().await.failed();
    assert_printed(
        &printed,
        &[
            "the cluster does not accept the credentials (401 Unauthorized).",
            "Check the token, certificate or command of the provider's \"kubernetes\"; with cluster_name, the AWS identity \
             needs an access entry of the EKS cluster.",
        ],
    );
    assert!(!printed.contains("nobody"), "{printed}");
    let mut paths: Vec<_> = proxy.calls().into_iter().map(|call| (call.path, call.status)).collect();
    let requests = paths.len();
    paths.sort();
    paths.dedup();
    // The first rejection of concurrent requests cancels the others.
    let is_refused = |status: &Option<u16>| status.is_none_or(|status| status == 401);
    assert!(paths.len() == requests && paths.iter().all(|(_, status)| is_refused(status)), "{paths:?}");
    fixture.assert_nothing_remains().await;
}

/// K12: the error for missing permissions has the verb and the resource, also if the permissions were revoked later.
#[tokio::test]
async fn missing_permission_names_verb_and_resource() {
    let fixture = Fixture::new("forbidden", &json!({})).await;
    let namespace = fixture.stage.namespace.name();
    let accounts = fixture.stage.kubernetes.api::<ServiceAccount>(namespace);
    let account = serde_json::from_value(json!({ "metadata": { "name": "nobody" } })).unwrap();
    accounts.create(&PostParams::default(), &account).await.unwrap();
    let request: TokenRequest = serde_json::from_value(json!({ "spec": { "audiences": [] } })).unwrap();
    let token = accounts.create_token_request("nobody", &PostParams::default(), &request).await.unwrap();
    let token = token.status.unwrap().token;
    fixture.connect(&with(&fixture.host(), json!({ "token": token })));
    let printed = fixture.workspace.try_apply().await.failed();
    let who = format!("User \"system:serviceaccount:{namespace}:nobody\" cannot");
    assert_printed(
        &printed,
        &["the identity in use is not allowed to do this:", &who, "resource \"", "in API group \""],
    );

    fixture.connect(&fixture.host());
    fixture.workspace.apply().await;
    fixture.connect(&with(&fixture.host(), json!({ "token": token })));
    let plan = fixture.workspace.plan().await;
    let printed = plan.output().prose();
    assert!(plan.is_empty() && printed.contains("Warning: Missing permissions to read the warm capacity"), "{printed}");
    assert!(printed.contains(&format!("- get deployments.apps in the namespace {namespace}")), "{printed}");
    fixture.connect(&fixture.host());
    fixture.workspace.destroy().await;
    accounts.delete("nobody", &kube::api::DeleteParams::default()).await.unwrap();
    fixture.assert_nothing_remains().await;
}

/// K13: a static token is not sent again after a 401, and the next plan succeeds.
#[tokio::test]
async fn static_token_is_not_resent_after_401() {
    let fixture = Fixture::new("once_unauthorized", &json!({})).await;
    let proxy = fixture.stage.kubernetes_faults();
    fixture.connect(&with(&fixture.host(), json!({ "host": proxy.host() })));
    fixture.workspace.apply().await;
    proxy.forget();
    proxy.inject(KubernetesFault::unauthorized("GET", "/deployments/probe"));
    let printed = fixture.refusal().await;
    assert_printed(
        &printed,
        &["the cluster does not accept the credentials (401 Unauthorized)", "The state was not changed."],
    );
    assert_eq!(proxy.calls_of("GET", "/deployments/probe").len(), 1);
    fixture.assert_found().await;
    fixture.destroy().await;
}
