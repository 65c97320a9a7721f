//! Service URLs from the block and the environment, and the addressing of buckets.

use gitlabspot_acceptance_tests::{Proxy, Stage};
use serde_json::{Value, json};

use super::settings;

/// Service names in `endpoints` and in `AWS_ENDPOINT_URL_<SERVICE>`.
const SERVICES: [(&str, &str); 6] =
    [("autoscaling", "AUTO_SCALING"), ("ec2", "EC2"), ("eks", "EKS"), ("iam", "IAM"), ("s3", "S3"), ("sts", "STS")];

/// An address for each service, and variables for resources that use all services.
async fn addresses(stage: &Stage) -> (Vec<Proxy>, Value) {
    let mut addresses = Vec::new();
    for _ in SERVICES {
        addresses.push(Proxy::start(stage.account.endpoint(), None).await);
    }
    (addresses, json!({ "buckets": 1, "node_groups": 1, "allowed_account_ids": [stage.account.id()] }))
}

/// Asserts that all calls were sent to the address of their service.
fn assert_all_used(stage: &Stage, addresses: &[Proxy]) {
    for ((service, _), address) in SERVICES.iter().zip(addresses) {
        let calls = stage.account.calls_of(service, ".*").into_iter().filter(|call| call.is_from_provider()).count();
        assert!(calls > 0 && address.seen().len() == calls, "{service}: {calls} calls, {:?}", address.seen());
    }
}

#[tokio::test]
async fn endpoints_of_the_block() {
    let (stage, workspace) = settings("endpoints_from_the_block", json!({})).await;
    let (addresses, needs) = addresses(&stage).await;
    let urls: Value = SERVICES
        .iter()
        .zip(&addresses)
        .map(|((service, _), it)| ((*service).to_owned(), Value::from(it.url())))
        .collect();
    workspace.set(&needs);
    workspace.set(&json!({ "endpoints": urls }));
    // The variable of the environment applies to services that are not in the block.
    let workspace = workspace.with_environment("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    workspace.apply().await;
    assert_all_used(&stage, &addresses);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

#[tokio::test]
async fn endpoints_of_the_environment() {
    let (stage, mut workspace) = settings("endpoints_from_the_environment", json!({})).await;
    let (addresses, needs) = addresses(&stage).await;
    workspace.set(&needs);
    for ((_, service), address) in SERVICES.iter().zip(&addresses) {
        workspace = workspace.with_environment(&format!("AWS_ENDPOINT_URL_{service}"), &address.url());
    }
    workspace.apply().await;
    assert_all_used(&stage, &addresses);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// Path-style addressing is used only if it is configured.
#[tokio::test]
async fn path_style_is_opt_in() {
    let (stage, workspace) = settings("path_style", json!({ "buckets": 1, "s3_use_path_style": true })).await;
    let proxy = Proxy::start(stage.account.endpoint(), None).await;
    workspace.set(&json!({ "endpoints": { "s3": "http://s3.af-south-1.amazonaws.com" }, "http_proxy": proxy.url() }));
    workspace.apply().await;
    let path = format!("PUT http://s3.af-south-1.amazonaws.com/{}-0/", stage.namespace.name());
    assert!(proxy.seen().contains(&path), "{:?}", proxy.seen());

    proxy.forget();
    workspace.set(&json!({ "s3_use_path_style": false, "max_retries": 0 }));
    assert!(workspace.plan().await.is_empty());
    let host = format!("http://{}-0.s3.af-south-1.amazonaws.com/", stage.namespace.name());
    assert!(proxy.seen().iter().all(|line| line.contains(&host)) && !proxy.seen().is_empty(), "{:?}", proxy.seen());
    workspace.set(&json!({ "s3_use_path_style": true }));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
