//! `custom_ca_bundle` and AWS_CA_BUNDLE.

use gitlabspot_acceptance_tests::Tls;
use serde_json::json;

use super::{failed_search, file, search, settings};

/// A certificate of a private authority is accepted only with the bundle.
#[tokio::test]
async fn custom_certificate_authority_is_trusted() {
    let (stage, workspace) = settings("ca_bundle", json!({})).await;
    let tls = Tls::start(stage.account.endpoint(), &["localhost"]).await;
    let bundle = file(&stage, "ca.pem", tls.certificate());
    let url = format!("https://localhost:{}", tls.address().port());
    let workspace = workspace.with_environment("AWS_ENDPOINT_URL", &url);
    assert_eq!(
        failed_search(&workspace).await,
        format!(
            "AWS call failed: DescribeInstanceTypeOfferings: the service cannot be reached: {url}: client error \
             (Connect): TLS handshake failed: invalid peer certificate: UnknownIssuer. The certificate of the server \
             is not signed by a certificate authority that this machine trusts: set \"custom_ca_bundle\" in the \
             provider block, or AWS_CA_BUNDLE, to a file with the certificate authorities of your network."
        )
    );
    assert!(stage.account.calls().is_empty());
    search(&workspace.clone().with_environment("AWS_CA_BUNDLE", &bundle)).await;
    workspace.set(&json!({ "custom_ca_bundle": bundle }));
    search(&workspace.with_environment("AWS_CA_BUNDLE", "/dev/null/ca.pem")).await;
    stage.assert_nothing_remains().await;
}

/// The error for an invalid bundle has the reason and the setting with its path.
#[tokio::test]
async fn invalid_ca_bundle_is_explained() {
    let (stage, workspace) = settings("broken_ca_bundle", json!({ "custom_ca_bundle": "/nowhere/ca.pem" })).await;
    assert_eq!(
        failed_search(&workspace).await,
        "Invalid provider setting: The provider setting \"custom_ca_bundle\" cannot be used: /nowhere/ca.pem \
         cannot be read: No such file or directory (os error 2). Specify a readable file of PEM certificates."
    );
    let empty = file(&stage, "empty.pem", "nothing");
    workspace.set(&json!({ "custom_ca_bundle": null }));
    assert_eq!(
        failed_search(&workspace.with_environment("AWS_CA_BUNDLE", &empty)).await,
        format!(
            "Invalid provider setting: The provider setting \"custom_ca_bundle\" cannot be used: {empty}, from \
             AWS_CA_BUNDLE, does not contain a PEM certificate. Specify a readable file of PEM certificates."
        )
    );
    assert!(stage.account.calls().is_empty());
    stage.assert_nothing_remains().await;
}
