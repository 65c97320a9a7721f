//! Proxies from the block and the environment.

use gitlabspot_acceptance_tests::{Proxy, Tls};
use serde_json::json;

use super::{failed_search, file, search, settings};

/// Plain HTTP uses `http_proxy` or HTTP_PROXY unless `no_proxy` or NO_PROXY has the host. Loopback never uses a proxy.
#[tokio::test]
async fn http_proxy_is_used_for_plain_http() {
    let (stage, workspace) = settings("http_proxy", json!({})).await;
    let (proxy, other) =
        (Proxy::start(stage.account.endpoint(), None).await, Proxy::start(stage.account.endpoint(), None).await);
    workspace.set(&json!({ "http_proxy": proxy.url() }));
    let workspace = workspace.with_environment("HTTP_PROXY", &other.url());
    search(&workspace).await;
    assert_eq!((proxy.seen(), other.seen()), (vec![], vec![]));

    let workspace = workspace.with_environment("AWS_ENDPOINT_URL", "http://aws.example.test");
    search(&workspace).await;
    let seen = proxy.seen();
    assert!(!seen.is_empty() && seen.iter().all(|line| line == "POST http://aws.example.test/"), "{seen:?}");
    assert_eq!(other.seen(), [""; 0]);

    proxy.forget();
    workspace.set(&json!({ "http_proxy": null }));
    search(&workspace).await;
    assert_eq!((proxy.seen(), other.seen()), (vec![], seen));

    other.forget();
    workspace.set(&json!({ "no_proxy": "*.example.test,other.test" }));
    let printed = failed_search(&workspace).await;
    assert!(printed.contains("the service cannot be reached: http://aws.example.test: "), "{printed}");
    workspace.set(&json!({ "no_proxy": null }));
    let printed = failed_search(&workspace.with_environment("NO_PROXY", "aws.example.test")).await;
    assert!(printed.contains("the service cannot be reached: http://aws.example.test: "), "{printed}");
    assert_eq!(other.seen(), [""; 0]);
    stage.assert_nothing_remains().await;
}

/// HTTPS uses a tunnel of `https_proxy` or HTTPS_PROXY, and TLS ends at the service.
#[tokio::test]
async fn https_proxy_is_used_for_https() {
    let (stage, workspace) = settings("https_proxy", json!({})).await;
    let tls = Tls::start(stage.account.endpoint(), &["aws.example.test"]).await;
    let proxy = Proxy::start(stage.account.endpoint(), Some(tls.address())).await;
    let bundle = file(&stage, "ca.pem", tls.certificate());
    let workspace = workspace.with_environment("AWS_ENDPOINT_URL", "https://aws.example.test");
    workspace.set(&json!({ "https_proxy": proxy.url(), "custom_ca_bundle": bundle }));
    search(&workspace).await;
    let seen = proxy.seen();
    assert!(!seen.is_empty() && seen.iter().all(|line| line == "CONNECT aws.example.test:443"), "{seen:?}");
    assert!(!stage.account.calls_of("ec2", ".*").is_empty());

    proxy.forget();
    workspace.set(&json!({ "https_proxy": null }));
    search(&workspace.with_environment("HTTPS_PROXY", &proxy.url())).await;
    assert_eq!(proxy.seen(), seen);
    stage.assert_nothing_remains().await;
}
