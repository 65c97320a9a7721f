//! Network proxies in front of the API server.

use gitlabspot_acceptance_tests::Proxy;
use serde_json::json;

use super::{Fixture, assert_printed, with};

/// A host name for the API server that resolves only through the proxy.
const NAME: &str = "kubernetes.default.svc";

/// K17: `proxy_url` and `KUBE_PROXY_URL` apply to every kind of cluster, including EKS. A proxy of the environment
/// applies unless `NO_PROXY` has the server or the server is on loopback.
#[tokio::test]
async fn proxy_connects_to_every_kind_of_cluster() {
    let fixture = Fixture::new("proxy", &json!({})).await;
    let proxy = Proxy::to_loopback().await;
    let loopback = fixture.cloud.kubernetes_host().trim_start_matches("https://").to_owned();
    let named = format!("{NAME}:{}", loopback.rsplit(':').next().unwrap());
    let direct = fixture.host();
    let by_name = with(&direct, json!({ "host": format!("https://{named}") }));
    let eks = json!({ "cluster_name": fixture.stage.account.cluster() });

    fixture.connect(&with(&by_name, json!({ "proxy_url": proxy.url() })));
    fixture.workspace.apply().await;
    assert_eq!(proxy.asked(), std::slice::from_ref(&named));
    let in_environment = |name: &str| fixture.workspace.clone().with_environment(name, &proxy.url());
    let nothing: [String; 0] = [];
    let ways = [
        (with(&by_name, json!({ "proxy_url": proxy.socks() })), fixture.workspace.clone(), vec![named.clone()]),
        (with(&direct, json!({ "proxy_url": proxy.url() })), fixture.workspace.clone(), vec![loopback.clone()]),
        (with(&eks, json!({ "proxy_url": proxy.url() })), fixture.workspace.clone(), vec![loopback.clone()]),
        (eks.clone(), in_environment("KUBE_PROXY_URL"), vec![loopback.clone()]),
        (by_name.clone(), in_environment("KUBE_PROXY_URL"), vec![named.clone()]),
        (by_name.clone(), in_environment("HTTPS_PROXY"), vec![named.clone()]),
        (direct.clone(), in_environment("HTTPS_PROXY"), nothing.to_vec()),
        (
            with(&direct, json!({ "proxy_url": proxy.url() })),
            fixture.workspace.clone().with_environment("NO_PROXY", "*"),
            vec![loopback.clone()],
        ),
    ];
    for (settings, workspace, asked) in ways {
        fixture.connect(&settings);
        Fixture::assert_found_in(&workspace).await;
        assert_eq!(proxy.asked(), asked, "{settings}");
    }

    // The host name does not resolve without the proxy.
    fixture.connect(&by_name);
    let past_it = in_environment("HTTPS_PROXY").with_environment("NO_PROXY", ".svc");
    let printed = Fixture::refusal_in(&past_it.with_environment("GITLABSPOT_CLOCK_SPEED", "100")).await;
    assert_printed(&printed, &[&format!("the Kubernetes API at https://{named}/ cannot be reached:")]);
    assert_eq!(proxy.asked(), nothing);
    fixture.connect(&direct);
    fixture.destroy().await;
}

/// K18: the TLS settings of the block also apply to endpoints from EKS.
#[tokio::test]
async fn tls_settings_apply_to_eks_clusters() {
    let fixture = Fixture::new("eks_trust", &json!({})).await;
    let eks = json!({ "cluster_name": fixture.stage.account.cluster() });
    fixture.connect(&with(&eks, json!({ "tls_server_name": NAME })));
    fixture.workspace.apply().await;
    let (other_authority, _) = fixture.cloud.kubernetes_certificate();
    for (name, authority) in [("prod.example.com", None), (NAME, Some(other_authority.as_str()))] {
        let settings = json!({ "tls_server_name": name, "cluster_ca_certificate": authority });
        fixture.connect(&with(&eks, settings.clone()));
        assert_printed(&fixture.refusal().await, &["is not trusted:"]);
        fixture.connect(&with(&with(&eks, settings), json!({ "insecure": true })));
        fixture.assert_found().await;
    }
    fixture.connect(&eks);
    fixture.destroy().await;
}

/// K19: an invalid proxy URL and a proxy that is not running are reported.
#[tokio::test]
async fn invalid_or_unreachable_proxy_is_named() {
    let fixture = Fixture::new("bad_proxy", &json!({})).await;
    let workspace = fixture.workspace.clone().with_environment("GITLABSPOT_CLOCK_SPEED", "100");
    fixture.connect(&with(&fixture.host(), json!({ "proxy_url": "ftp://me:hunter2@proxy" })));
    let printed = workspace.try_apply().await.failed();
    assert_printed(
        &printed,
        &[
            "Error: Invalid provider setting",
            "\"proxy_url\" cannot be used: it is not a URL such \
        as",
        ],
    );
    assert!(!printed.contains("hunter2"), "{printed}");
    fixture.connect(&with(&fixture.host(), json!({ "proxy_url": "http://me:hunter2@127.0.0.1:1" })));
    let printed = workspace.try_apply().await.failed();
    assert_printed(&printed, &["cannot be reached:", "Connection refused"]);
    assert!(!printed.contains("hunter2"), "{printed}");
    fixture.assert_nothing_remains().await;
}
