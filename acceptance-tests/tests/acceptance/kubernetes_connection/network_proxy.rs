//! Proxies on the way to the API server.

use gitlabspot_acceptance_tests::Proxy;
use serde_json::json;

use super::{Scene, assert_said, with};

/// The name by which the API server can be reached through a proxy alone.
const NAME: &str = "kubernetes.default.svc";

/// K17: `proxy_url` and `KUBE_PROXY_URL` lead to every kind of cluster, also to one of EKS; a proxy of the environment does
/// unless `NO_PROXY` has the server, or it is this machine.
#[tokio::test]
async fn lead_to_the_cluster() {
    let scene = Scene::new("proxy", &json!({})).await;
    let proxy = Proxy::to_loopback().await;
    let loopback = scene.cloud.kubernetes_host().trim_start_matches("https://").to_owned();
    let named = format!("{NAME}:{}", loopback.rsplit(':').next().unwrap());
    let direct = scene.host();
    let by_name = with(&direct, json!({ "host": format!("https://{named}") }));
    let eks = json!({ "cluster_name": scene.stage.account.cluster() });

    scene.connect(&with(&by_name, json!({ "proxy_url": proxy.url() })));
    scene.workspace.apply().await;
    assert_eq!(proxy.asked(), std::slice::from_ref(&named));
    let in_environment = |name: &str| scene.workspace.clone().with_environment(name, &proxy.url());
    let nothing: [String; 0] = [];
    let ways = [
        (with(&by_name, json!({ "proxy_url": proxy.socks() })), scene.workspace.clone(), vec![named.clone()]),
        (with(&direct, json!({ "proxy_url": proxy.url() })), scene.workspace.clone(), vec![loopback.clone()]),
        (with(&eks, json!({ "proxy_url": proxy.url() })), scene.workspace.clone(), vec![loopback.clone()]),
        (eks.clone(), in_environment("KUBE_PROXY_URL"), vec![loopback.clone()]),
        (by_name.clone(), in_environment("KUBE_PROXY_URL"), vec![named.clone()]),
        (by_name.clone(), in_environment("HTTPS_PROXY"), vec![named.clone()]),
        (direct.clone(), in_environment("HTTPS_PROXY"), nothing.to_vec()),
        (
            with(&direct, json!({ "proxy_url": proxy.url() })),
            scene.workspace.clone().with_environment("NO_PROXY", "*"),
            vec![loopback.clone()],
        ),
    ];
    for (settings, workspace, asked) in ways {
        scene.connect(&settings);
        Scene::assert_found_in(&workspace).await;
        assert_eq!(proxy.asked(), asked, "{settings}");
    }

    // The name leads nowhere without the proxy.
    scene.connect(&by_name);
    let past_it = in_environment("HTTPS_PROXY").with_environment("NO_PROXY", ".svc");
    let said = Scene::refusal_in(&past_it.with_environment("GITLABSPOT_CLOCK_SPEED", "100")).await;
    assert_said(&said, &[&format!("the Kubernetes API at https://{named}/ cannot be reached:")]);
    assert_eq!(proxy.asked(), nothing);
    scene.connect(&direct);
    scene.destroy().await;
}

/// K18: TLS is checked by the settings of the block also where EKS says the address.
#[tokio::test]
async fn trust_in_a_cluster_of_eks() {
    let scene = Scene::new("eks_trust", &json!({})).await;
    let eks = json!({ "cluster_name": scene.stage.account.cluster() });
    scene.connect(&with(&eks, json!({ "tls_server_name": NAME })));
    scene.workspace.apply().await;
    let (other_authority, _) = scene.cloud.kubernetes_certificate();
    for (name, authority) in [("prod.example.com", None), (NAME, Some(other_authority.as_str()))] {
        let settings = json!({ "tls_server_name": name, "cluster_ca_certificate": authority });
        scene.connect(&with(&eks, settings.clone()));
        assert_said(&scene.refusal().await, &["is not trusted:"]);
        scene.connect(&with(&with(&eks, settings), json!({ "insecure": true })));
        scene.assert_found().await;
    }
    scene.connect(&eks);
    scene.destroy().await;
}

/// K19: a proxy that is none, and one that nobody has started.
#[tokio::test]
async fn that_lead_nowhere() {
    let scene = Scene::new("bad_proxy", &json!({})).await;
    let workspace = scene.workspace.clone().with_environment("GITLABSPOT_CLOCK_SPEED", "100");
    scene.connect(&with(&scene.host(), json!({ "proxy_url": "ftp://me:hunter2@proxy" })));
    let said = workspace.try_apply().await.failed();
    assert_said(
        &said,
        &[
            "Error: Invalid provider setting",
            "\"proxy_url\" cannot be used: it is not a URL such \
        as",
        ],
    );
    assert!(!said.contains("hunter2"), "{said}");
    scene.connect(&with(&scene.host(), json!({ "proxy_url": "http://me:hunter2@127.0.0.1:1" })));
    let said = workspace.try_apply().await.failed();
    assert_said(&said, &["cannot be reached:", "Connection refused"]);
    assert!(!said.contains("hunter2"), "{said}");
    scene.assert_nothing_left().await;
}
