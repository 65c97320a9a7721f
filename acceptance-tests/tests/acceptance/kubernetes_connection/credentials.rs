//! Tokens, certificates and trust: whom the cluster lets in, and which cluster is believed.

use gitlabspot_acceptance_tests::{KubernetesFault, Proxy};
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use serde_json::json;

use super::{ADDRESS, Scene, assert_said, with};

/// K8: host, token and authority; client certificate and key; and whatever the certificate's name is.
#[tokio::test]
async fn host_with_token_or_certificate() {
    let scene = Scene::new("host", &json!({})).await;
    scene.connect(&scene.host());
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    let (certificate, key) = scene.cloud.kubernetes_certificate();
    let certified = json!({ "token": null, "client_certificate": certificate, "client_key": key });
    let elsewhere = scene.cloud.kubernetes_host().replace("127.0.0.1", "localhost");
    let ways = [
        certified.clone(),
        json!({ "host": elsewhere, "tls_server_name": "kubernetes.default.svc" }),
        json!({ "host": scene.cloud.kubernetes_host().trim_start_matches("https://") }),
        json!({ "cluster_ca_certificate": null, "insecure": true }),
        with(&certified, json!({ "cluster_ca_certificate": null, "insecure": true })),
    ];
    for way in ways {
        scene.connect(&with(&scene.host(), way));
        scene.assert_found().await;
    }
    scene.connect(&scene.host());
    scene.destroy().await;
}

/// K9: a server that is not trusted is told from one that is silent, with the setting that would help; nothing is sent.
#[tokio::test]
async fn whom_not_to_trust() {
    let scene = Scene::new("trust", &json!({})).await;
    let proxy = Proxy::to_loopback().await;
    let (other_authority, _) = scene.cloud.kubernetes_certificate();
    let port = scene.cloud.kubernetes_host().rsplit(':').next().unwrap().to_owned();
    let api = format!("the certificate of the Kubernetes API at {}/ is not trusted:", scene.cloud.kubernetes_host());
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
        scene.connect(&with(&scene.host(), settings));
        let said = scene.workspace.try_apply().await.failed();
        assert_said(&said, texts);
        assert_said(&said, &["Error: Cannot apply the warm capacity", "Nothing was changed."]);
    }
    scene.assert_nothing_left().await;
}

/// K10: a server that nobody has started is named, with its address and what the system says.
#[tokio::test]
async fn nobody_answers() {
    let scene = Scene::new("unreachable", &json!({})).await;
    scene.connect(&with(&scene.host(), json!({ "host": "https://127.0.0.1:1" })));
    let workspace = scene.workspace.clone().with_environment("GITLABSPOT_CLOCK_SPEED", "100");
    let said = workspace.try_apply().await.failed();
    assert_said(&said, &["the Kubernetes API at https://127.0.0.1:1/ cannot be reached:", "Connection refused"]);
    assert!(!workspace.state().await.contains(ADDRESS));
    scene.assert_nothing_left().await;
}

/// K11: a token that the cluster does not take is told as that, and tried once.
#[tokio::test]
async fn a_token_that_is_none() {
    let scene = Scene::new("unauthorized", &json!({})).await;
    let proxy = scene.stage.kubernetes_faults();
    let settings = with(&scene.host(), json!({ "host": proxy.host(), "token": "nobody" }));
    scene.connect(&settings);
    let said = scene.workspace.try_apply().await.failed();
    assert_said(
        &said,
        &[
            "the cluster does not accept the credentials (401 Unauthorized).",
            "Check the token, certificate or command of the provider's \"kubernetes\"; with cluster_name, the AWS identity \
             needs an access entry of the EKS cluster.",
        ],
    );
    assert!(!said.contains("nobody"), "{said}");
    let mut paths: Vec<_> = proxy.calls().into_iter().map(|call| (call.path, call.status)).collect();
    let requests = paths.len();
    paths.sort();
    paths.dedup();
    // Of requests at once, the first refusal ends the others.
    let is_refused = |status: &Option<u16>| status.is_none_or(|status| status == 401);
    assert!(paths.len() == requests && paths.iter().all(|(_, status)| is_refused(status)), "{paths:?}");
    scene.assert_nothing_left().await;
}

/// K12: an identity without rights is told which verb and which resource it lacks, and so is one that lost them.
#[tokio::test]
async fn an_identity_without_rights() {
    let scene = Scene::new("forbidden", &json!({})).await;
    let namespace = scene.stage.namespace.name();
    let accounts = scene.stage.kubernetes.api::<ServiceAccount>(namespace);
    let account = serde_json::from_value(json!({ "metadata": { "name": "nobody" } })).unwrap();
    accounts.create(&PostParams::default(), &account).await.unwrap();
    let request: TokenRequest = serde_json::from_value(json!({ "spec": { "audiences": [] } })).unwrap();
    let token = accounts.create_token_request("nobody", &PostParams::default(), &request).await.unwrap();
    let token = token.status.unwrap().token;
    scene.connect(&with(&scene.host(), json!({ "token": token })));
    let said = scene.workspace.try_apply().await.failed();
    let who = format!("User \"system:serviceaccount:{namespace}:nobody\" cannot");
    assert_said(&said, &["the identity in use is not allowed to do this:", &who, "resource \"", "in API group \""]);

    scene.connect(&scene.host());
    scene.workspace.apply().await;
    scene.connect(&with(&scene.host(), json!({ "token": token })));
    let plan = scene.workspace.plan().await;
    let said = plan.output().prose();
    assert!(plan.is_empty() && said.contains("Warning: Missing permissions to read the warm capacity"), "{said}");
    assert!(said.contains(&format!("- get deployments.apps in the namespace {namespace}")), "{said}");
    scene.connect(&scene.host());
    scene.workspace.destroy().await;
    accounts.delete("nobody", &kube::api::DeleteParams::default()).await.unwrap();
    scene.assert_nothing_left().await;
}

/// K13: a token that stays the same is not sent again after a 401, and the next plan goes on.
#[tokio::test]
async fn a_401_in_passing() {
    let scene = Scene::new("once_unauthorized", &json!({})).await;
    let proxy = scene.stage.kubernetes_faults();
    scene.connect(&with(&scene.host(), json!({ "host": proxy.host() })));
    scene.workspace.apply().await;
    proxy.forget();
    proxy.inject(KubernetesFault::unauthorized("GET", "/deployments/probe"));
    let said = scene.refusal().await;
    assert_said(
        &said,
        &["the cluster does not accept the credentials (401 Unauthorized)", "The state was not changed."],
    );
    assert_eq!(proxy.calls_of("GET", "/deployments/probe").len(), 1);
    scene.assert_found().await;
    scene.destroy().await;
}
